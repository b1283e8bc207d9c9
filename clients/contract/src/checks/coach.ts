/**
 * Coach sessions: `startCoachSession`, `getCoachSession`. They use the server's default pack, which these checks do not move. What moves do to
 * sessions is checked in `session-policies.ts`, if the user allows it.
 *
 * Instances behind one address may each pin another version of the default pack (`PIN_VERSION`, shown by `Registry-Pinned`). Responses are
 * compared only if their instances pin the same version.
 */
import type { ActivePack, Session } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Kit } from '../kit.ts';
import { Deviation, type Answer } from '../asker.ts';
import { refusesUnknownChannel } from './common.ts';

const START = 'startCoachSession';
const READ = 'getCoachSession';
/** Requests to send until an instance with the same pin answers. */
const TRIES = 30;

const pinOf = ({ headers }: Pick<Answer<unknown>, 'headers'>) => headers.get('registry-pinned');

/**
 * Asks until an instance answers that has the same pin as the one behind another response.
 * @param otherwise a status that instances with another pin may answer
 */
async function fromSamePin<T>(
  kit: Kit,
  as: Answer<unknown>,
  id: string,
  request: Request,
  status: number,
  otherwise = status,
): Promise<Answer<T>> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await kit.ask<T>(id, request, status, otherwise);
    if (pinOf(answer) !== pinOf(as)) continue;
    if (answer.status === status) return answer;
    throw new Deviation(`${id}: ${answer.status} instead of ${status}: ${answer.text}`);
  }
  throw new Deviation(
    `${id}: ${TRIES} responses came from instances with another pin than ${pinOf(as) ?? 'none'}, which an earlier response had`,
  );
}

/** The active pack in the channel of a session; other callers may move it while the suite runs. */
async function activeOf(kit: Kit, started: Answer<Session>): Promise<ActivePack> {
  const { pack, channel } = started.body.promptPack;
  return (await fromSamePin<ActivePack>(kit, started, 'getActivePack', { path: { pack }, query: { channel } }, 200))
    .body;
}

/** A session has the prompts of the active pack that it started on. */
async function hasActivePack(kit: Kit, started: Answer<Session>): Promise<void> {
  const { promptPack, prompt, superseded } = started.body;
  const active = await activeOf(kit, started);
  const { pack, channel, version, digest, revision } = active;
  if (revision === promptPack.revision) {
    kit.same(promptPack, { pack, channel, version, digest, revision }, 'promptPack is what getActivePack shows');
    kit.same(
      [prompt.system, prompt.style],
      [active.system, active.styles.find(({ id }) => id === active.defaultStyle)],
      'system prompt and default style are those of getActivePack',
    );
    kit.same(superseded, false, 'superseded is false');
  } else kit.ok(revision > promptPack.revision, 'another caller has moved the channel since', [promptPack, revision]);
}

/** A session id with a different signature. */
const forged = (id: string) => `${id.slice(0, -6)}${id.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;

export const coachChecks = [
  ...checksOf(START, {
    'a session starts on the active version, and names it': async (kit) => {
      const started = await kit.ask<Session>(START, { body: {} }, 201);
      const { body, headers } = started;
      kit.same(headers.get('location'), `${kit.world.prefix}/v1/coach/sessions/${body.sessionId}`, 'Location');
      kit.ok(body.sessionId.length <= 200, 'the id has at most 200 characters', body.sessionId.length);
      kit.ok(body.expiresAt > body.startedAt, 'expiresAt is after startedAt', [body.startedAt, body.expiresAt]);
      await hasActivePack(kit, started);
    },
    'it accepts each style of the version, and no other': async (kit) => {
      const started = await kit.ask<Session>(START, { body: {} }, 201);
      const { styles } = await activeOf(kit, started);
      const ids = new Set([started.body.sessionId]);
      const some = styles.slice(0, 3);
      for (const style of some) {
        const { body } = await fromSamePin<Session>(kit, started, START, { body: { styleId: style.id } }, 201, 422);
        kit.same(body.prompt.style, style, `the session has the style ${style.id}`);
        ids.add(body.sessionId);
      }
      kit.same(ids.size, some.length + 1, 'session ids are unique');
      const refusal = await fromSamePin<{ code: string; supportedStyles?: readonly string[] }>(
        kit,
        started,
        START,
        { body: { styleId: `no-such-${kit.world.runId}` } },
        422,
      );
      kit.same(
        [refusal.body.code, refusal.body.supportedStyles],
        ['style-not-supported', styles.map(({ id }) => id)],
        'code and supportedStyles',
      );
    },
    'it starts in the given channel': async (kit) => {
      const { pack } = (await kit.world.session()).promptPack;
      const channel = await kit.world.otherChannel();
      if (channel === undefined) return;
      const { status } = await kit.ask('getActivePack', { path: { pack }, query: { channel } }, 200, 404);
      if (status === 404) return; // the default pack has no active version there
      const started = await kit.ask<Session>(START, { body: { channel } }, 201);
      kit.same(started.body.promptPack.channel, channel, 'promptPack names the channel');
      await hasActivePack(kit, started);
    },
    'it takes a subject and attributes, and refuses those that are not valid': async (kit) => {
      const subject = '😀'.repeat(200);
      const attributes = { country: 'de', age: 30.5, beta: true, empty: '' };
      const started = await kit.ask<Session>(START, { body: { subject, attributes } }, 201);
      if (started.body.assignment === undefined) await hasActivePack(kit, started);
      const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, 'b']));
      const bad = [
        { subject: '' },
        { subject: '😀'.repeat(201) },
        { subject: '\ud83d' },
        { subject: 5 },
        { attributes: many },
        { attributes: { Country: 'de' } },
        { attributes: { country: 'x'.repeat(201) } },
        { attributes: { country: ['de'] } },
        { attributes: { country: null } },
      ];
      for (const members of bad) await kit.refused(START, { body: members }, 400, 'validation-failed');
    },
    'an unknown channel answers 404 and lists the known ones': (kit) =>
      refusesUnknownChannel(kit, START, (channel) => ({ body: { channel } })),
  }),
  ...checksOf(READ, {
    'each session keeps its pin and its style': async (kit) => {
      const first = await kit.ask<Session>(START, { body: {} }, 201);
      const other = (await activeOf(kit, first)).styles.find(({ id }) => id !== first.body.prompt.style.id);
      const second = await fromSamePin<Session>(
        kit,
        first,
        START,
        { body: other === undefined ? {} : { styleId: other.id } },
        201,
        422,
      );
      for (const started of [first, second, first]) {
        const read = await fromSamePin<Session>(
          kit,
          started,
          READ,
          { path: { sessionId: started.body.sessionId } },
          200,
        );
        const { superseded, ...pinned } = read.body;
        const { superseded: _, ...expected } = started.body;
        kit.same(pinned, expected, 'pin, prompts and times are those of the start');
        const { revision } = await activeOf(kit, started); // a pinned instance does not show where the channel is
        if (revision === pinned.promptPack.revision && pinOf(read) === null)
          kit.same(superseded, false, 'superseded is false while the channel has not moved');
      }
    },
    'a forged, shortened or made-up id answers 404': async (kit) => {
      const { sessionId } = await kit.world.session();
      for (const id of [forged(sessionId), sessionId.slice(0, -1), 'made-up'])
        await kit.refused(READ, { path: { sessionId: id } }, 404, 'session-not-found');
    },
  }),
];
