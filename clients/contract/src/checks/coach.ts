/**
 * Coach sessions: `startCoachSession`, `getCoachSession`. They are of the server's default pack, which is not ours to move: what becomes of a
 * session when its version is superseded or revoked is not checked here.
 */
import type { ActivePack, Session } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';

/** The active pack that a session was started on; it may be moved by others while the suite runs. */
async function activeOf(kit: Kit, { pack, channel }: Session['promptPack']): Promise<ActivePack> {
  return (await kit.ask<ActivePack>('getActivePack', { path: { pack }, query: { channel } }, 200)).body;
}

/** A session id whose signature is another. */
const forged = (id: string) => `${id.slice(0, -6)}${id.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;

export const coachChecks = [
  ...checksOf('startCoachSession', {
    'a session starts on what is active, and says which version that is': async (kit) => {
      const { body, headers } = await kit.ask<Session>('startCoachSession', { body: {} }, 201);
      kit.same(headers.get('location'), `/v1/coach/sessions/${body.sessionId}`, 'Location');
      kit.ok(body.sessionId.length <= 200, 'the id has at most 200 characters', body.sessionId.length);
      kit.ok(body.expiresAt > body.startedAt, 'it ends after it starts', [body.startedAt, body.expiresAt]);
      const active = await activeOf(kit, body.promptPack);
      const { pack, channel, version, digest, revision } = active;
      if (revision === body.promptPack.revision) {
        kit.same(body.promptPack, { pack, channel, version, digest, revision }, 'promptPack is what getActivePack shows');
        kit.same([body.prompt.system, body.prompt.style], [active.system, active.styles.find(({ id }) => id === active.defaultStyle)], 'its prompts, with the default style');
        kit.same(body.superseded, false, 'it is not superseded');
      } else kit.ok(revision > body.promptPack.revision, 'the channel has been moved by somebody else since', [body.promptPack, revision]);
    },
    'it takes each style that the version has, and no other': async (kit) => {
      const { styles } = await activeOf(kit, (await kit.world.session()).promptPack);
      for (const style of styles.slice(0, 3)) {
        const { body } = await kit.ask<Session>('startCoachSession', { body: { styleId: style.id } }, 201);
        kit.same(body.prompt.style, style, `the style ${style.id}`);
      }
      const { supportedStyles } = await kit.refused('startCoachSession', { body: { styleId: `no-such-${kit.world.run}` } }, 422, 'style-not-supported');
      kit.same(supportedStyles, styles.map(({ id }) => id), 'supportedStyles');
    },
    'a channel that is not there is 404': async (kit) => {
      const { knownChannels } = await kit.refused('startCoachSession', { body: { channel: `no-such-${kit.world.run}` } }, 404, 'channel-not-found');
      kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels', knownChannels);
    },
  }),
  ...checksOf('getCoachSession', {
    'it answers from the pin of the start': async (kit) => {
      const started = await kit.world.session();
      for (let times = 0; times < 2; times += 1) {
        const { body } = await kit.ask<Session>('getCoachSession', { path: { sessionId: started.sessionId } }, 200);
        const { superseded: _, ...pinned } = body;
        const { superseded: __, ...expected } = started;
        kit.same(pinned, expected, 'pin, prompts and times');
      }
    },
    'a forged, cut or made-up id is 404': async (kit) => {
      const { sessionId } = await kit.world.session();
      for (const id of [forged(sessionId), sessionId.slice(0, -1), 'made-up']) await kit.refused('getCoachSession', { path: { sessionId: id } }, 404, 'session-not-found');
    },
  }),
];
