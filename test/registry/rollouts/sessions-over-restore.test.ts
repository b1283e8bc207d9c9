/**
 * A session through every policy of every move, on two instances, and over a restore of the database (SPEC R16).
 *
 * Each case has its own channel. Its session starts, then the channel moves away from the session's version. With `keep` the session
 * stays, with `next-turn` it follows, with `end` it ends. The database is restored to the time after these moves; the sessions of the history
 * that was lost then walk through the moves since the restore, although its revisions are issued again.
 */
import t, { type Test } from 'tap';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import type { SessionPolicy } from '../../../registry/model.ts';
import type { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { newFolder } from '../../support/process/folder.ts';
import { until } from '../../support/process/until.ts';
import { backupOf } from '../../support/stores/backups.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';

const reason = 'Too blunt';
const [OLD, NEW, OTHER] = ['1.0.0', '1.1.0', '2.0.0'] as const;
const POLICIES: readonly SessionPolicy[] = ['keep', 'next-turn', 'end'];

/** A way to leave a version. The channel is at 1.0.0, and 2.0.0 was active before. */
interface Leaving {
  /** Brings the channel to where sessions start on the version that is left. */
  readonly before: (registry: Registry, channel: string) => Promise<unknown>;
  readonly leave: (registry: Registry, channel: string, sessions: SessionPolicy) => Promise<unknown>;
  readonly from: string;
  readonly to: string;
}

const start = (registry: Registry, channel: string) =>
  registry.rollouts.start({ channel, version: NEW, steps: [{ share: 100 }], finish: 'wait', reason });
const idIn = ({ current }: Registry, channel: string) =>
  current.packs.get('coach')?.plans.get(channel)?.rollout?.id ?? 0;

const LEAVINGS: Readonly<Record<string, Leaving>> = {
  activate: {
    before: async () => undefined,
    leave: (registry, channel, sessions) => registry.activate({ channel, version: NEW, sessions, reason }),
    from: OLD,
    to: NEW,
  },
  rollback: {
    before: async () => undefined,
    leave: (registry, channel, sessions) => registry.rollback({ channel, sessions, reason }),
    from: OLD,
    to: OTHER,
  },
  abort: {
    before: start,
    leave: (registry, channel, sessions) =>
      registry.rollouts.steer('abort-rollout', { pack: 'coach', rollout: idIn(registry, channel), sessions, reason }),
    from: NEW,
    to: OLD,
  },
  'roll back a rollout': {
    before: start,
    leave: (registry, channel, sessions) => registry.rollback({ channel, sessions, reason }),
    from: NEW,
    to: OLD,
  },
  promote: {
    before: async () => undefined,
    leave: async (registry, channel, sessions) => {
      const { rollout } = await start(registry, channel);
      await registry.rollouts.steer('promote-rollout', { pack: 'coach', rollout: rollout.id, sessions, reason });
    },
    from: OLD,
    to: NEW,
  },
};

const CASES = Object.entries(LEAVINGS).flatMap(([name, leaving]) =>
  POLICIES.map((sessions) => ({ ...leaving, name, sessions, channel: `${name.replaceAll(' ', '-')}-${sessions}` })),
);
const channels = ['production', ...CASES.map(({ channel }) => channel), 'lost-keep', 'lost-next-turn', 'lost-end'];

/** Two instances on one log, each behind its own connection. */
async function pairOn(
  t: Test,
  store: MemoryStore,
): Promise<{ registries: readonly Registry[]; connections: FailingStore[] }> {
  const connections = [new FailingStore(store), new FailingStore(store)];
  const options = { channels, defaultVersion: OTHER, failStatic: true } as const;
  const registries: Registry[] = [];
  for (const each of connections)
    registries.push(await openRegistry(t, { ...options, store: each, dataDir: newFolder(t) }));
  return { registries, connections };
}

/** What an instance answers for a session: its version, or how it ended. */
async function answerOf(registry: Registry, sessionId: string): Promise<string> {
  return registry.resolveSession(sessionId).then(
    ({ promptPack, movedFrom }) =>
      movedFrom === undefined ? promptPack.version : `${promptPack.version} from ${movedFrom.version}`,
    (error: { code: string; message: string }) =>
      `${error.code}: ${/revision \d+: (.*)\. Start/u.exec(error.message)?.[1]}`,
  );
}

const expected = {
  keep: (from: string) => from,
  'next-turn': (from: string, to: string) => `${to} from ${from}`,
  end: () => `session-ended: ${reason}`,
};

t.test('every policy of every move, before and after a restore', async (t) => {
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const { registries, connections } = await pairOn(t, store);
  const [one, two] = registries as [Registry, Registry];
  const inLine = () => until(() => registries.every(({ current }) => current.hash === one.current.hash));
  for (const channel of channels.slice(1)) await one.activate({ channel, version: OLD, reason });

  const sessions = new Map<string, string>();
  for (const { channel, before, leave, sessions: policy, from, name } of CASES) {
    await before(one, channel);
    const { sessionId, promptPack } = one.startSession({ channel, subject: 'anybody' });
    t.equal(promptPack.version, from, `${name}: where it starts`);
    sessions.set(channel, sessionId);
    await leave(one, channel, policy);
  }
  await inLine();
  const check = async (when: string) => {
    for (const [index, registry] of registries.entries())
      for (const { channel, sessions: policy, from, to } of CASES)
        t.equal(
          await answerOf(registry, sessions.get(channel) ?? ''),
          expected[policy](from, to),
          `${channel} on instance ${index}, ${when}`,
        );
  };
  await check('after the move');

  // What comes now is lost: the channels move to a version on which sessions start.
  const backup = await backupOf(store, one.current.revision);
  const lost = channels.slice(-POLICIES.length);
  for (let turn = 0; turn < 10; turn += 1) await one.activate({ version: turn % 2 === 0 ? OLD : OTHER, reason });
  for (const channel of lost) {
    await one.activate({ channel, version: NEW, reason: 'Lost with the disk' });
    sessions.set(channel, one.startSession({ channel }).sessionId);
  }
  const lostRevision = one.current.revision - lost.length;
  await inLine();
  await acceptRestore(backup, newFolder(t), 'The disk was lost');
  for (const connection of connections) connection.inner = backup;
  await until(() => registries.every(({ current }) => current.epoch === 2));
  await check('after the restore');

  for (const channel of lost)
    t.equal(await answerOf(two, sessions.get(channel) ?? ''), NEW, `${channel}: a session of the lost history goes on`);
  // The same revisions are issued again, so the revision alone would put these moves before the sessions.
  for (const [index, channel] of lost.entries()) {
    await one.activate({ channel, version: NEW, reason });
    await one.activate({ channel, version: OTHER, sessions: POLICIES[index] ?? 'keep', reason });
  }
  t.ok(one.current.revision <= lostRevision, `revision ${one.current.revision} is again below ${lostRevision}`);
  await inLine();
  for (const registry of registries)
    for (const [index, channel] of lost.entries())
      t.equal(
        await answerOf(registry, sessions.get(channel) ?? ''),
        expected[POLICIES[index] ?? 'keep'](NEW, OTHER),
        `${channel}: then it follows the moves since the restore`,
      );
  await check('after more moves');
});
