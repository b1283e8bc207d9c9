/**
 * Coach sessions: `startCoachSession`, `getCoachSession`. They are of the server's default pack, which is not ours to move: what becomes of a
 * session when its version is superseded or revoked is not checked here.
 *
 * Behind one address there may be instances of which each serves the default pack by a pin of its own (`PIN_VERSION`), as `Registry-Pinned`
 * says: answers are compared where they are of instances that pin the same.
 */
import type { ActivePack, Session } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Kit } from '../kit.ts';
import { Deviation, type Answer } from '../asker.ts';

const START = 'startCoachSession';
const READ = 'getCoachSession';
/** So often an instance is looked for that pins the same. */
const TRIES = 30;

const pinOf = ({ headers }: Pick<Answer<unknown>, 'headers'>) => headers.get('registry-pinned');

/** Asks until an instance answers that pins what the one behind another answer does. @param otherwise a status that those may answer with that pin something else */
async function alike<T>(
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
    `${id}: none of ${TRIES} answers is of an instance that pins ${pinOf(as) ?? 'nothing'}, as one did before`,
  );
}

/** The active pack that a session was started on; it may be moved by others while the suite runs. */
async function activeOf(kit: Kit, started: Answer<Session>): Promise<ActivePack> {
  const { pack, channel } = started.body.promptPack;
  return (await alike<ActivePack>(kit, started, 'getActivePack', { path: { pack }, query: { channel } }, 200)).body;
}

/** A session is of the active pack that it was started on, whole. */
async function holds(kit: Kit, started: Answer<Session>): Promise<void> {
  const { promptPack, prompt, superseded } = started.body;
  const active = await activeOf(kit, started);
  const { pack, channel, version, digest, revision } = active;
  if (revision === promptPack.revision) {
    kit.same(promptPack, { pack, channel, version, digest, revision }, 'promptPack is what getActivePack shows');
    kit.same(
      [prompt.system, prompt.style],
      [active.system, active.styles.find(({ id }) => id === active.defaultStyle)],
      'its prompts, with the default style',
    );
    kit.same(superseded, false, 'it is not superseded');
  } else
    kit.ok(revision > promptPack.revision, 'the channel has been moved by somebody else since', [promptPack, revision]);
}

/** A session id whose signature is another. */
const forged = (id: string) => `${id.slice(0, -6)}${id.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;

export const coachChecks = [
  ...checksOf(START, {
    'a session starts on what is active, and says which version that is': async (kit) => {
      const started = await kit.ask<Session>(START, { body: {} }, 201);
      const { body, headers } = started;
      kit.same(headers.get('location'), `${kit.world.prefix}/v1/coach/sessions/${body.sessionId}`, 'Location');
      kit.ok(body.sessionId.length <= 200, 'the id has at most 200 characters', body.sessionId.length);
      kit.ok(body.expiresAt > body.startedAt, 'it ends after it starts', [body.startedAt, body.expiresAt]);
      await holds(kit, started);
    },
    'it takes each style that the version has, and no other': async (kit) => {
      const started = await kit.ask<Session>(START, { body: {} }, 201);
      const { styles } = await activeOf(kit, started);
      const ids = new Set([started.body.sessionId]);
      const some = styles.slice(0, 3);
      for (const style of some) {
        const { body } = await alike<Session>(kit, started, START, { body: { styleId: style.id } }, 201, 422);
        kit.same(body.prompt.style, style, `the style ${style.id}`);
        ids.add(body.sessionId);
      }
      kit.same(ids.size, some.length + 1, 'each session has an id of its own');
      const refusal = await alike<{ code: string; supportedStyles?: readonly string[] }>(
        kit,
        started,
        START,
        { body: { styleId: `no-such-${kit.world.run}` } },
        422,
      );
      kit.same(
        [refusal.body.code, refusal.body.supportedStyles],
        ['style-not-supported', styles.map(({ id }) => id)],
        'code and supportedStyles',
      );
    },
    'it starts in the channel that is named': async (kit) => {
      const { pack } = (await kit.world.session()).promptPack;
      const channel = await kit.world.elsewhere();
      if (channel === undefined) return;
      const { status } = await kit.ask('getActivePack', { path: { pack }, query: { channel } }, 200, 404);
      if (status === 404) return; // the default pack has nothing active there
      const started = await kit.ask<Session>(START, { body: { channel } }, 201);
      kit.same(started.body.promptPack.channel, channel, 'promptPack names it');
      await holds(kit, started);
    },
    'a channel that is not there is 404': async (kit) => {
      const { knownChannels } = await kit.refused(
        START,
        { body: { channel: `no-such-${kit.world.run}` } },
        404,
        'channel-not-found',
      );
      kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels', knownChannels);
    },
  }),
  ...checksOf(READ, {
    'it answers from the pin of the start, and each session with its own style': async (kit) => {
      const first = await kit.ask<Session>(START, { body: {} }, 201);
      const other = (await activeOf(kit, first)).styles.find(({ id }) => id !== first.body.prompt.style.id);
      const second = await alike<Session>(
        kit,
        first,
        START,
        { body: other === undefined ? {} : { styleId: other.id } },
        201,
        422,
      );
      for (const started of [first, second, first]) {
        const read = await alike<Session>(kit, started, READ, { path: { sessionId: started.body.sessionId } }, 200);
        const { superseded, ...pinned } = read.body;
        const { superseded: _, ...expected } = started.body;
        kit.same(pinned, expected, 'pin, prompts and times');
        const { revision } = await activeOf(kit, started); // what an instance pins is not where the channel is
        if (revision === pinned.promptPack.revision && pinOf(read) === null)
          kit.same(superseded, false, 'it is not superseded while the channel has not moved');
      }
    },
    'a forged, cut or made-up id is 404': async (kit) => {
      const { sessionId } = await kit.world.session();
      for (const id of [forged(sessionId), sessionId.slice(0, -1), 'made-up'])
        await kit.refused(READ, { path: { sessionId: id } }, 404, 'session-not-found');
    },
  }),
];
