/** What moves do to sessions, and which arm a session starts on. These checks move the default pack, so they run only if that is allowed. */
import type { Problem, Revocation, Session } from '../answers.ts';
import { armOf, subjectsAround } from '../buckets.ts';
import { defaultPackOf, type DefaultPack } from '../default-pack.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import type { ChannelState } from '../rollout-answers.ts';

const READ = 'getCoachSession';

function read(kit: Kit, { sessionId }: Session) {
  return kit.ask<Session>(READ, { path: { sessionId } }, 200);
}

/** The session goes on as it started. */
async function keeps(kit: Kit, started: Session, what: string): Promise<void> {
  const { body } = await read(kit, started);
  const { superseded: _, ...expected } = started;
  const { superseded: __, ...found } = body;
  kit.same(found, expected, `${what} keeps its version`);
}

/** The session is answered from another version, and says from which one it came. */
async function movesAlong(kit: Kit, started: Session, version: string, what: string): Promise<void> {
  const { promptPack, movedFrom, superseded, expiresAt } = (await read(kit, started)).body;
  kit.same(
    [promptPack.version, movedFrom, superseded, expiresAt],
    [version, { version: started.promptPack.version, styleId: started.prompt.style.id }, false, started.expiresAt],
    `${what} moves along: version, movedFrom, superseded, expiresAt`,
  );
}

/** The session has ended, and the refusal says by which event and why. */
async function hasEnded(
  kit: Kit,
  { sessionId }: Session,
  move: { readonly revision: number; readonly reason?: string },
  what: string,
): Promise<void> {
  const body: Problem = await kit.refused(READ, { path: { sessionId } }, 410, 'session-ended');
  kit.same(body.revision, move.revision, `${what} has ended: revision is that of the move`);
  if (move.reason !== undefined) kit.same(body.reason, move.reason, `${what} has ended: reason is that of the move`);
}

/** A session on each of two versions. */
async function onBoth(pack: DefaultPack): Promise<{ one: Session; other: Session }> {
  await pack.activate(pack.other);
  const other = (await pack.start()).body;
  await pack.activate(pack.one);
  return { one: (await pack.start({ styleId: pack.ownStyle })).body, other };
}

type Move = (pack: DefaultPack, members: object) => Promise<{ readonly revision: number; readonly reason: string }>;

/** Moves that leave the version `one` for `other`. */
const MOVES: Readonly<Record<string, Move>> = {
  activateVersion: (pack, members) => pack.activate(pack.other, members),
  rollbackPack: (pack, members) => pack.rollBack(members),
  promoteRollout: async (pack, members) => {
    const rollout = await pack.rollOut(10);
    const { revision } = await pack.steer('promoteRollout', rollout, members);
    return { revision, reason: rollout.reason };
  },
};

function withDefaultPack(run: (kit: Kit, pack: DefaultPack) => Promise<void>): (kit: Kit) => Promise<void> {
  return async (kit) => run(kit, await defaultPackOf(kit.world));
}

/** Subjects of both arms. */
async function armsIn(kit: Kit, pack: DefaultPack) {
  const request = { path: { pack: pack.pack, channel: pack.channel } };
  const { rollout } = (await kit.ask<ChannelState>('getChannel', request, 200)).body;
  if (rollout === undefined) throw new Error('getChannel has no rollout, although one runs.');
  return { rule: rollout, subjects: subjectsAround(rollout, 3, kit.world.runId) };
}

export const sessionPolicyChecks: readonly Check[] = [
  ...checksOf('startCoachSession', {
    'a session starts on the arm of its subject, and keeps it': withDefaultPack(async (kit, pack) => {
      const rollout = await pack.rollOut(37.5);
      const { rule, subjects } = await armsIn(kit, pack);
      const sessions: Session[] = [];
      for (const subject of [...subjects, 'Zoë 😀']) {
        const { body } = await pack.start({ subject, attributes: { age: 30, beta: true, country: 'de' } });
        const arm = armOf(rule, subject);
        kit.same(
          [body.promptPack.version, body.assignment],
          [arm === 'candidate' ? pack.other : pack.one, { rollout: rollout.id, arm }],
          `version and assignment of ${subject}`,
        );
        sessions.push(body);
      }
      const { body } = await pack.start();
      kit.same(
        [body.assignment?.rollout, body.promptPack.version],
        [rollout.id, body.assignment?.arm === 'candidate' ? pack.other : pack.one],
        'without a subject it starts on the arm that it names',
      );
      await pack.steer('abortRollout', rollout);
      for (const session of sessions) await keeps(kit, session, 'after an abort, each');
      kit.same((await pack.start({ subject: 'anybody' })).body.assignment, undefined, 'then there is no assignment');
    }),
  }),
  ...checksOf(READ, {
    'after a move with keep, which is the default, sessions keep their version': withDefaultPack(async (kit, pack) => {
      for (const members of [{}, { sessions: 'keep' }]) {
        for (const move of Object.values(MOVES)) {
          const { one } = await onBoth(pack);
          await move(pack, members);
          await keeps(kit, one, 'a session on the version that the move left');
          kit.same((await read(kit, one)).body.superseded, true, 'superseded is true');
        }
      }
    }),
    'after a move with next-turn, sessions on the version that it left move along': withDefaultPack(
      async (kit, pack) => {
        for (const [operation, move] of Object.entries(MOVES)) {
          const { one, other } = await onBoth(pack);
          await keeps(kit, one, `${operation}: before it, the session`);
          await move(pack, { sessions: 'next-turn' });
          await movesAlong(kit, one, pack.other, `${operation}: the session`);
          await keeps(kit, other, `${operation}: a session on another version`);
          await pack.activate(pack.one);
          kit.same(
            (await read(kit, one)).body.promptPack.version,
            pack.other,
            `${operation}: after a later move with keep it stays there`,
          );
        }
      },
    ),
    'after a move with end, sessions on the version that it left have ended': withDefaultPack(async (kit, pack) => {
      for (const [operation, move] of Object.entries(MOVES)) {
        const { one, other } = await onBoth(pack);
        await hasEnded(kit, one, await move(pack, { sessions: 'end' }), `${operation}: the session`);
        await keeps(kit, other, `${operation}: a session on another version`);
        await pack.activate(pack.one);
        await keeps(kit, (await pack.start()).body, `${operation}: a session that started later`);
      }
    }),
    'an abort concerns the sessions on the candidate': withDefaultPack(async (kit, pack) => {
      for (const sessions of ['next-turn', 'end']) {
        const rollout = await pack.rollOut(50);
        const { rule, subjects } = await armsIn(kit, pack);
        const on = async (arm: string) =>
          (await pack.start({ subject: subjects.find((subject) => armOf(rule, subject) === arm) })).body;
        const [stable, candidate] = [await on('stable'), await on('candidate')];
        const { revision } = await pack.steer('abortRollout', rollout, { sessions });
        if (sessions === 'end') await hasEnded(kit, candidate, { revision }, 'one on the candidate');
        else await movesAlong(kit, candidate, pack.one, 'one on the candidate');
        await keeps(kit, stable, `${sessions}: one on the stable version`);
      }
    }),
    'after a revocation, sessions on the version go on with its replacement, or have ended': withDefaultPack(
      async (kit, pack) => {
        for (const [version, sessions] of [
          [pack.third, undefined],
          [pack.fourth, 'end'],
        ] as const) {
          await pack.activate(version);
          const { body } = await pack.start();
          const path = { pack: pack.pack, version };
          const request = { path, body: { reason: 'Checked', replacement: pack.other, sessions } };
          const { revision } = (await kit.ask<Revocation>('revokeVersion', request, 200)).body;
          if (sessions === 'end') await hasEnded(kit, body, { revision, reason: 'Checked' }, 'the session');
          else await movesAlong(kit, body, pack.other, 'the session');
        }
      },
    ),
  }),
];
