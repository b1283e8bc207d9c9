/** The check of phrases finds what it should, with its line, also over the end of a line, and leaves plain English alone. */
import t from 'tap';
import { refusedPhrases } from '../../scripts/phrases.ts';

t.test('refused phrases are found, each with its line and what to write instead', async (t) => {
  for (const text of [
    'The Idempotency-Key is none.',
    'The cursor is none that a page gave out.',
    'the default channel where not given',
    'all events, where there is none',
    'it is active nowhere by that',
    'Whoever waits for its turn is told so in time',
    'nothing of it was begun',
    'No promise of its own is rejected unheard',
    'For a try, npm brings a PostgreSQL',
    'cannot be turned round',
    'gets a refusal rather',
    'what is no revision',
    'it is read anew',
  ])
    t.ok(refusedPhrases(text).length > 0, text);
  t.strictSame(refusedPhrases('One.\n * Two, where not\n * given.'), [
    '2: "where not given": write "default: …" or "optional"',
  ]);
});

t.test('plain English passes', async (t) => {
  for (const text of [
    'There is no revision 7 yet, and it is no longer needed.',
    'Idempotency-Key is not valid: it must have 1 to 255 characters.',
    'Default: none.',
    'This is good for goodness.',
    'Tell the reader what happened, rather than how.',
    'It tries again.',
  ])
    t.strictSame(refusedPhrases(text), [], text);
});
