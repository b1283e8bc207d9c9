/**
 * An instance of the build before rollouts next to one of this build, on one PostgreSQL (SPEC R13, *Gaps*; a deploy in either direction).
 *
 * The older one ignores events that it does not know. So it serves `stable` to everybody, follows each move of a pointer, and its chain
 * verifies, also after `kill -9` and a restart in the middle. What it moves itself ends rollouts and trials here. Its saved snapshot, taken
 * over by this build, hides no rollout, trial or schedule.
 */
import t, { type Test } from 'tap';
import { agreed, verificationOf } from '../support/apps/agreement.ts';
import { startInstances, until, type Body, type TestInstance } from '../support/apps/instances.ts';
import { noOlderBuild, olderBuild } from '../support/apps/older-build.ts';
import { ROOT } from '../support/apps/server-process.ts';

const reason = 'Two builds at once';
const SUBJECTS = Array.from({ length: 40 }, (_, index) => `user-${index}`);
const HALF = { version: '2.0.0', steps: [{ share: 10 }, { share: 50 }, { share: 100 }], finish: 'wait', reason };
const thisBuild = { script: `${ROOT}server.ts`, cwd: ROOT };
const skip = noOlderBuild() ?? false;

/** What one instance serves the subjects: versions, and whether it names an arm. */
async function servedBy(instance: TestInstance): Promise<{ versions: Set<unknown>; arms: Set<unknown> }> {
  const replies = await Promise.all(
    SUBJECTS.map((subject) => instance.ask('/v1/packs/coach/active', undefined, { 'registry-subject': subject })),
  );
  return {
    versions: new Set(replies.map(({ body }) => body['version'])),
    arms: new Set(replies.map((reply) => reply.header('registry-assignment')?.split('arm=')[1])),
  };
}

/** A change that must succeed, and that every live instance has applied when it is answered. */
async function done(instance: TestInstance, path: string, body: object): Promise<Body> {
  const reply = await instance.ask(path, { reason, ...body }, { prefer: 'wait=20' });
  if (reply.status > 201) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  return reply.body;
}

/** What this build shows of the channel. */
const channelOf = async (instance: TestInstance, channel = 'production') =>
  (await instance.ask(`/v1/packs/coach/channels/${channel}`)).body as {
    stable: { version: string };
    rollout?: { id: number; share: number; state: string };
    trial?: { version: string };
    schedule: readonly { version: string }[];
  };

/** The older instance is whole, serves one version to everybody, and is at the head. */
async function checkOlder(
  t: Test,
  [older, newer]: readonly [TestInstance, TestInstance],
  version: string,
  when: string,
) {
  const { head } = await agreed([older, newer]);
  t.same(await servedBy(older), { versions: new Set([version]), arms: new Set([undefined]) }, `${when}: served`);
  t.match(await verificationOf(older), { valid: true, events: head.revision, head }, `${when}: the older chain`);
  t.match(await verificationOf(newer), { valid: true, events: head.revision, head }, `${when}: this chain`);
}

const stateOf = async (instance: TestInstance, id: unknown) =>
  (await instance.ask(`/v1/packs/coach/rollouts/${String(id)}`)).body['state'];

t.test('the build before rollouts next to this one', { skip, timeout: 300_000 }, async (t) => {
  const { instances } = await startInstances(t, {
    count: 2,
    settings: { LOG_LEVEL: 'warn' },
    build: (index) => (index === 0 ? olderBuild(t) : undefined),
  });
  const [older, newer] = instances as [TestInstance, TestInstance];
  const both = [older, newer] as const;
  await done(older, '/v1/packs/coach/activations', { version: '1.0.0' });
  await done(newer, '/v1/packs/coach/activations', { version: '1.1.0' });
  const before = await older.ask('/v1/coach/sessions', {});

  let rollout: Body = {};
  await t.test('a rollout is refused while the older one is live, unless it is forced', async (t) => {
    const start = (members: object) => newer.ask('/v1/packs/coach/rollouts', { ...HALF, ...members });
    // After its first renewal it knows the others.
    const preview = await until('the older instance is known', 10_000, async () => {
      const reply = await start({ dryRun: true });
      return (reply.body['olderInstances'] as string[]).length > 0 && reply;
    });
    t.match(preview, { status: 200, body: { olderInstances: [older.id] } }, 'a dry run warns');
    t.match(await start({}), { status: 409, body: { code: 'older-instances', instances: [older.id] } });
    rollout = await done(newer, '/v1/packs/coach/rollouts', { ...HALF, force: true });
    await checkOlder(t, both, '1.1.0', 'started');
  });
  const path = () => `/v1/packs/coach/rollouts/${String(rollout['id'])}`;

  await t.test('it serves stable through every step, also after it was killed in the middle', async (t) => {
    await done(newer, `${path()}/advance`, {});
    t.same((await servedBy(newer)).versions, new Set(['1.1.0', '2.0.0']), 'both arms here');
    await checkOlder(t, both, '1.1.0', 'advanced');
    await older.server.kill();
    await done(newer, `${path()}/pause`, {});
    await done(newer, `${path()}/resume`, {});
    await older.start();
    await checkOlder(t, both, '1.1.0', 'restarted');
    await newer.server.kill();
    await newer.start();
    t.same(await stateOf(newer, rollout['id']), 'running');
    await done(newer, `${path()}/advance`, {});
    await checkOlder(t, both, '1.1.0', 'at 100 %');
    t.same((await servedBy(newer)).versions, new Set(['2.0.0']));
    const session = await newer.ask('/v1/coach/sessions', { subject: 'anybody' });
    const sessionId = String(session.body['sessionId']);
    t.match(
      (await older.ask(`/v1/coach/sessions/${sessionId}`)).body,
      { promptPack: { version: '2.0.0' } },
      'it reads a session of the candidate',
    );
  });

  await t.test('a rollback, and the next one', async (t) => {
    const back = await done(newer, '/v1/packs/coach/rollback', { fromVersion: '2.0.0' });
    t.match(back, { version: '1.1.0', previousVersion: '1.1.0', rollout: { id: rollout['id'], state: 'aborted' } });
    await checkOlder(t, both, '1.1.0', 'rolled back');
    await done(newer, '/v1/packs/coach/rollback', { sessions: 'next-turn' });
    await checkOlder(t, both, '1.0.0', 'rolled back again');
    const moved = await newer.ask(`/v1/coach/sessions/${String(before.body['sessionId'])}`);
    t.match(
      moved.body,
      { promptPack: { version: '1.0.0' }, movedFrom: { version: '1.1.0' } },
      'a session of the older build follows the policy of the move',
    );
  });

  await t.test('a promotion, and what the older one does to a rollout', async (t) => {
    rollout = await done(newer, '/v1/packs/coach/rollouts', { ...HALF, force: true });
    await done(newer, `${path()}/promote`, {});
    await checkOlder(t, both, '2.0.0', 'promoted');
    const cases = [
      ['activates the candidate', '/v1/packs/coach/activations', { version: '1.1.0' }, 'promoted', '1.1.0'],
      ['activates another version', '/v1/packs/coach/activations', { version: '2.0.0' }, 'aborted', '2.0.0'],
      ['rolls back', '/v1/packs/coach/rollback', {}, 'aborted', '1.1.0'],
    ] as const;
    for (const [what, verb, body, end, active] of cases) {
      const candidate = what === 'activates the candidate' ? '1.1.0' : '1.0.0';
      rollout = await done(newer, '/v1/packs/coach/rollouts', { ...HALF, version: candidate, force: true });
      await done(older, verb, body);
      await checkOlder(t, both, active, what);
      t.same(await stateOf(newer, rollout['id']), end, what);
    }
  });

  await t.test('trials, with the older one killed and restarted', async (t) => {
    const onTrial = (version: string, revertAfter: string) =>
      done(newer, '/v1/packs/coach/activations', { version, revertAfter });
    await onTrial('2.0.0', '1s');
    await until('the trial is over', 10_000, async () => (await channelOf(newer)).trial === undefined);
    await checkOlder(t, both, '1.1.0', 'a trial is over');
    await onTrial('2.0.0', '2s');
    await older.server.kill();
    await until('the trial is over', 10_000, async () => (await channelOf(newer)).trial === undefined);
    await older.start();
    await checkOlder(t, both, '1.1.0', 'a trial ended meanwhile');
    await onTrial('2.0.0', '1h');
    await done(older, '/v1/packs/coach/activations', { version: '1.0.0' });
    await checkOlder(t, both, '1.0.0', 'it ends a trial by a move');
    t.same((await channelOf(newer)).trial, undefined);
  });

  await t.test('this build takes over its snapshot, which hides nothing', async (t) => {
    rollout = await done(newer, '/v1/packs/coach/rollouts', { ...HALF, force: true });
    await done(newer, '/v1/packs/coach/activations', { channel: 'staging', version: '1.0.0' });
    await done(newer, '/v1/packs/coach/activations', { channel: 'staging', version: '1.1.0', revertAfter: '1h' });
    const at = new Date(Date.now() + 3_600_000).toISOString();
    await done(newer, '/v1/packs/coach/schedule', { channel: 'staging', version: '2.0.0', at });
    const expected = [await channelOf(newer), await channelOf(newer, 'staging')];
    t.match(expected, [{ rollout: { id: rollout['id'] } }, { trial: {}, schedule: [{ version: '2.0.0' }] }]);
    await older.server.stop(); // it saves its snapshot, at a revision behind all of these
    older.proxy.set('refuse');
    await older.start({ build: thisBuild, identify: false });
    const away = await older.ask('/v1/packs/coach/active');
    t.match(away, { status: 200, body: { version: '1.0.0' } }, 'without the store it serves what was saved');
    t.ok(away.header('registry-stale'), 'marked');
    older.proxy.set('pass');
    await agreed(both);
    t.same([await channelOf(older), await channelOf(older, 'staging')], expected, 'with the store: everything');
    await older.restart({ build: thisBuild });
    t.same([await channelOf(older), await channelOf(older, 'staging')], expected, 'and after the next start');
    t.same(await servedBy(older), await servedBy(newer), 'the same arms');
  });

  await t.test('the way back: the older build takes over a snapshot of this one', async (t) => {
    await older.restart();
    await checkOlder(t, both, '1.0.0', 'after a deploy that was taken back');
  });
});
