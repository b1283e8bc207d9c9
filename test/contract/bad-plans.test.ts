/**
 * Bad input of rollouts, trials, schedules and reads with a subject: each is a 400 that says where the fault is and what would be right, and
 * nothing is half started.
 *
 * What every body has in common (types, unknown and repeated members, encodings) is in bad-input.test.ts.
 */
import t, { type Test } from 'tap';
import { openApp } from '../support/apps/app.ts';
import { faultsOf, send, urlOf, type RawAnswer, type Request } from '../support/http/openapi.ts';

const { app, store } = await openApp(t, { store: 'memory' });
const reason = 'Warmer openings';
const PLAN = { version: '1.1.0', steps: [{ share: 10 }], finish: 'wait', reason };
const AGES = { attribute: 'age', operator: 'in', values: ['17'] };

const long = (length: number) => 'x'.repeat(length);
const many = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

/** What is wrong, the request, where the fault is, and what the message says. */
type Case = readonly [name: string, request: Request, place: string, detail: RegExp];

async function refused(t: Test, operation: string, cases: readonly Case[]): Promise<void> {
  for (const [name, request, place, detail] of cases)
    await judged(t, name, operation, await send(app, operation, request), [place, detail]);
}

async function judged(t: Test, name: string, operation: string, answer: RawAnswer, [place, detail]: [string, RegExp]) {
  const { code, errors = [] } = JSON.parse(answer.body) as Problem;
  const [fault] = errors;
  t.strictSame(
    [answer.statusCode, code, fault?.pointer ?? fault?.parameter, errors.length, faultsOf(operation, answer)],
    [400, 'validation-failed', place, 1, []],
    `${operation}: ${name}`,
  );
  t.match(fault?.detail, detail, name);
  t.notMatch(answer.body, /\[a-z|\{0,|\\\\d|must NOT|Expected/u, 'in plain words');
}

interface Problem {
  readonly code: string;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly detail: string }[];
}

const start = (members: object): Request => ({ body: { ...PLAN, ...members } });
const step = (members: object): Request => start({ steps: [{ share: 10, ...members }] });
const condition = (members: object): Request => start({ audience: { conditions: [{ ...AGES, ...members }] } });
const head = await store.head();

t.test('plans', async (t) => {
  const unit = /a whole number from 1 and a unit, "s", "m", "h" or "d", e\.g\. 30m/u;
  await refused(t, 'startRollout', [
    ['a share below nothing', step({ share: -0.001 }), '/steps/0/share', /at least 0/u],
    ['a share above everybody', step({ share: 100.001 }), '/steps/0/share', /at most 100/u],
    ['NaN, which JSON has not', step({ share: NaN }), '/steps/0/share', /must be a number/u],
    ['a share as a text', step({ share: '10' }), '/steps/0/share', /must be a number/u],
    ['four decimals', step({ share: 10.0001 }), 'steps.0.share', /at most three decimals/u],
    ['next to nothing', step({ share: 1e-9 }), 'steps.0.share', /at most three decimals/u],
    ['falling shares', start({ steps: [{ share: 50 }, { share: 10 }] }), 'steps.1.share', /above .* before, 50/u],
    ['equal shares', start({ steps: [{ share: 5 }, { share: 5 }] }), 'steps.1.share', /above .* before, 5/u],
    ['no step', start({ steps: [] }), '/steps', /must not be empty/u],
    ['51 steps', start({ steps: many(51).map((_, share) => ({ share })) }), '/steps', /at most 50 items/u],
    ['a step without a share', start({ steps: [{ hold: '1h' }] }), '/steps/0/share', /is missing/u],
    ...['0h', '5', '1.5h', '-1h', '1w', '1h ', '9999999999s', ''].map((hold): Case => [
      `hold ${hold}`,
      step({ hold }),
      '/steps/0/hold',
      unit,
    ]),
    ['a hold of 91 days', step({ hold: '91d' }), 'steps.0.hold', /at most 90d/u],
    ['a hold that overflows', step({ hold: '999999999d' }), 'steps.0.hold', /at most 90d/u],
    ['a bake that overflows', start({ bake: '999999999d' }), 'bake', /at most 90d/u],
    ['a promotion at no time', start({ finish: 'promote' }), 'steps.0', /"hold", or the plan a "bake"/u],
    ['another end', start({ finish: 'maybe' }), '/finish', /one of promote, wait/u],
    ['no rollout', start({ sameSubjectsAs: 0 }), '/sameSubjectsAs', /at least 1/u],
    ['what no build knows', start({ surprise: {} }), '/surprise', /unknown/u],
  ]);
});

t.test('audiences', async (t) => {
  const values = '/audience/conditions/0/values';
  const first = 'audience.conditions.0.values.0';
  const conditions = (count: number, length: number) =>
    start({ audience: { conditions: many(count).map(() => ({ ...AGES, values: many(length) })) } });
  await refused(t, 'startRollout', [
    ['an unknown operator', condition({ operator: 'matches' }), '/audience/conditions/0/operator', /one of in, notIn/u],
    ['an odd attribute', condition({ attribute: 'Age' }), '/audience/conditions/0/attribute', /a lower-case letter/u],
    ['no value', condition({ values: [] }), values, /must not be empty/u],
    ['10,000 values', condition({ values: many(10_000) }), values, /at most 1000 items/u],
    ['1,200 values together', conditions(2, 600), 'audience.conditions', /1200 values together; at most 1000/u],
    ['21 conditions', conditions(21, 1), '/audience/conditions', /at most 20 items/u],
    ['a long value', condition({ values: [long(201)] }), `${values}/0`, /at most 200 characters/u],
    ['a number for a text', condition({ values: [17] }), `${values}/0`, /must be a text/u],
    [
      'two values to equal',
      condition({ operator: 'equals', values: ['a', 'b'] }),
      values.slice(1).replaceAll('/', '.'),
      /exactly one/u,
    ],
    ...['NaN', 'Infinity', 'seventeen', '0x11', '17 ', '+17', '1.', ''].map((value): Case => [
      `"${value}" as a number`,
      condition({ operator: 'lessThan', values: [value] }),
      first,
      /a number, e\.g\./u,
    ]),
    ['no range', condition({ operator: 'semver', values: ['the latest'] }), first, /a SemVer range, e\.g\./u],
    ...['2027-01-31T00:00:00', '2027-01-31', '2027-02-30T00:00:00Z', 'tomorrow'].map((value): Case => [
      `"${value}" as a time`,
      condition({ operator: 'after', values: [value] }),
      first,
      /RFC 3339 time with its zone/u,
    ]),
    ['an empty tester', start({ audience: { subjects: [''] } }), '/audience/subjects/0', /must not be empty/u],
    [
      'a long tester',
      start({ audience: { subjects: [long(201)] } }),
      '/audience/subjects/0',
      /at most 200 characters/u,
    ],
    ['1,001 testers', start({ audience: { subjects: many(1001) } }), '/audience/subjects', /at most 1000 items/u],
    ['half a character', start({ audience: { subjects: ['a\ud83c'] } }), '/audience/subjects/0', /surrogate/u],
  ]);
});

t.test('verbs, lists and ids of rollouts', async (t) => {
  const verb = (members: object): Request => ({ path: { rollout: '1' }, body: { reason, ...members } });
  await refused(t, 'advanceRollout', [
    ['a share below nothing', verb({ share: -1 }), '/share', /at least 0/u],
    ['a share above everybody', verb({ share: 101 }), '/share', /at most 100/u],
    ['four decimals', verb({ share: 0.0001 }), 'share', /at most three decimals/u],
    ['sessions, which stay', verb({ sessions: 'end' }), '/sessions', /unknown/u],
  ]);
  for (const operation of ['promoteRollout', 'abortRollout'])
    await refused(t, operation, [
      ['another policy', verb({ sessions: 'now' }), '/sessions', /one of keep, next-turn, end/u],
    ]);
  await refused(
    t,
    'getRollout',
    ['0', '-1', '1.5', '1e3', '0x1', 'twelve', ' 1', '9007199254740993'].map((rollout): Case => {
      const detail = Number(rollout) <= 0 ? /at least 1/u : /a whole number/u;
      return [`the id "${rollout}"`, { path: { rollout } }, 'rollout', detail];
    }),
  );
  await refused(t, 'listRollouts', [
    ['another state', { query: { state: 'done' } }, 'state', /one of running, paused/u],
    ['no cursor', { query: { cursor: 'AAAA' } }, 'cursor', /"nextCursor" of the previous page/u],
  ]);
});

t.test('times: schedules and trials', async (t) => {
  const at = (time: unknown): Request => ({ body: { version: '1.1.0', at: time, reason } });
  await refused(t, 'scheduleActivation', [
    ...['2027-01-31T00:00:00', '2027-01-31', '2027-02-30T00:00:00Z', 'tomorrow', ''].map((time): Case => [
      `at "${time}"`,
      at(time),
      '/at',
      /an RFC 3339 time, e\.g\./u,
    ]),
    ['at a number', at(1_800_000_000), '/at', /must be a text/u],
    ['in the past', at(inDays(-1)), 'at', /in the future; the registry's clock says 20/u],
    ['in 91 days', at(inDays(91)), 'at', /at most 90 days ahead/u],
    [
      'an unknown policy for sessions',
      { body: { version: '1.1.0', at: inDays(1), reason, sessions: 'now' } },
      '/sessions',
      /one of/u,
    ],
  ]);
  await refused(t, 'cancelScheduledActivation', [
    ['an odd id', { path: { id: 'a b' }, body: { reason } }, 'id', /"a b", which is not valid/u],
  ]);
  const trial = (revertAfter: unknown): Request => ({ body: { version: '1.1.0', revertAfter, reason } });
  await refused(t, 'activateVersion', [
    ['a trial of no time', trial('0m'), '/revertAfter', /a whole number from 1 and a unit/u],
    ['a trial of 91 days', trial('91d'), 'revertAfter', /at most 90d/u],
    ['a trial that overflows', trial('999999999d'), 'revertAfter', /at most 90d/u],
    ['a trial as a number', trial(30), '/revertAfter', /must be a text/u],
  ]);
  await refused(t, 'revokeVersion', [
    [
      'sessions that keep it',
      { path: { version: '1.1.0' }, body: { reason, sessions: 'keep' } },
      '/sessions',
      /one of next-turn, end/u,
    ],
  ]);
});

t.test('subjects and attributes', async (t) => {
  const reads = ['getActivePack', 'getSystemPrompt', 'listStyles', 'getStylePrompt'];
  const name = /letters and digits that starts with a lower-case letter, a colon, and a value, e\.g\. country:de/u;
  for (const operation of reads) {
    const path = { styleId: 'supportive' };
    const query = (members: Record<string, string>): Request => ({ path, query: members });
    await refused(t, operation, [
      ['an empty subject', query({ subject: '' }), 'subject', /must not be empty/u],
      ['a long subject', query({ subject: long(201) }), 'subject', /at most 200 characters/u],
      ['NUL', query({ subject: 'a\u0000' }), 'subject', /NUL/u],
      ['no colon', query({ attribute: 'country' }), 'attribute/0', name],
      ['an odd name', query({ attribute: 'Country:de' }), 'attribute/0', name],
      ['no name', query({ attribute: ':de' }), 'attribute/0', name],
      ['a long value', query({ attribute: `country:${long(201)}` }), 'attributes.country', /at most 200 characters/u],
      ['an empty header', { path, headers: { 'registry-subject': '' } }, 'subject', /Must not be empty/u],
      ['a long header', { path, headers: { 'registry-subject': long(201) } }, 'subject', /at most 200 characters/u],
      [
        'a header that is not encoded',
        { path, headers: { 'registry-subject': '100%' } },
        'registry-subject',
        /a "%" is "%25"/u,
      ],
      [
        'a subject twice',
        { ...query({ subject: 'a' }), headers: { 'registry-subject': 'b' } },
        'registry-subject',
        /not both/u,
      ],
    ]);
    const repeated: readonly (readonly [search: string, place: string, detail: RegExp])[] = [
      ['attribute=country:de&attribute=country:fr', 'attribute', /"country" occurs more than once/u],
      ['subject=a&subject=b', 'subject', /must be a text/u],
      [
        many(21)
          .map((each) => `attribute=${each}:1`)
          .join('&'),
        'attribute',
        /at most 20 items/u,
      ],
    ];
    for (const [search, ...expected] of repeated)
      await judged(t, search.slice(0, 40), operation, await ask(`${urlOf(operation, { path })}?${search}`), [
        ...expected,
      ]);
  }
  const session = (members: object): Request => ({ body: members });
  await refused(t, 'startCoachSession', [
    ['an empty subject', session({ subject: '' }), '/subject', /must not be empty/u],
    ['a long subject', session({ subject: long(201) }), '/subject', /at most 200 characters/u],
    [
      'an odd name',
      session({ attributes: { Country: 'de' } }),
      '/attributes/Country',
      /"Country", which is not valid: it must be a name/u,
    ],
    [
      'a list for a value',
      session({ attributes: { country: ['de'] } }),
      '/attributes/country',
      /A text of at most 200 characters, a number/u,
    ],
    [
      'nothing for a value',
      session({ attributes: { country: null } }),
      '/attributes/country',
      /A text of at most 200 characters, a number/u,
    ],
    ['a long value', session({ attributes: { country: long(201) } }), '/attributes/country', /at most 200 characters/u],
    [
      '21 attributes',
      session({ attributes: Object.fromEntries(many(21).map((each) => [each, 1])) }),
      '/attributes',
      /at most 20 members/u,
    ],
  ]);
});

const ask = async (url: string): Promise<RawAnswer> => app.inject({ url });

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

t.test('in process, the same words', async (t) => {
  const { registry } = app;
  for (const [attributes, detail] of [
    [{ Country: 'de' }, /The name is "Country", which is not valid: it must be a name/u],
    [{ country: long(201) }, /at most 200 characters/u],
    [{ country: null as unknown as string }, /Must be string, number or boolean/u],
  ] as const)
    t.match(
      thrownBy(() => registry.startSession({ subject: 'a', attributes })),
      { members: { errors: [{ detail }] } },
    );
});

t.test('after all of these requests, the log is unchanged', async (t) => {
  t.strictSame(await store.head(), head);
});
