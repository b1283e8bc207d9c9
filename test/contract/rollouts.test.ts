/**
 * A rollout over HTTP, from its start to each of its ends.
 *
 * The clock is the test's: what is due happens when the test lets time go by. Every response is held against `openapi.yaml`.
 */
import t, { type Test } from 'tap';
import { MINUTE, openTimed, type TimedApp } from '../support/apps/timed-app.ts';
import type { Answer, Request } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';

const reason = 'Warmer openings';
const HALF = { version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason };

/** Short names for the operations on one rollout. */
function controls(t: Test, { ask }: TimedApp, rollout: number) {
  const of =
    (operation: string) =>
    (body: object = {}, request: Request = {}) =>
      ask(t, operation, { path: { rollout: String(rollout) }, body: { reason, ...body }, ...request });
  return {
    read: () => ask(t, 'getRollout', { path: { rollout: String(rollout) } }),
    advance: of('advanceRollout'),
    pause: of('pauseRollout'),
    resume: of('resumeRollout'),
    promote: of('promoteRollout'),
    abort: of('abortRollout'),
  };
}

async function start(t: Test, timed: TimedApp, body: object = {}, request: Request = {}) {
  const started = await timed.ask(t, 'startRollout', { body: { ...HALF, ...body }, ...request });
  t.equal(started.statusCode, 201, 'started');
  return { started, ...controls(t, timed, started.body.id as number) };
}

/** The version that a tester gets, and everybody else. */
async function served(t: Test, { ask }: TimedApp): Promise<[tester: string, others: string]> {
  const version = async (query: Request['query'] = {}) =>
    String((await ask(t, 'getActivePack', { query })).body.version);
  return [await version({ subject: 'tester' }), await version()];
}

const types = async ({ app }: TimedApp, after: number) =>
  (await app.registry.events({ after, limit: 100 })).map(({ type, actor }) => `${type} by ${actor.label}`);

t.test('a plan runs automatically, from the first step to the promotion', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, at, later } = timed;
  const steps = [{ share: 10, hold: '2m' }, { share: 50, hold: '3m' }, { share: 100 }];
  const plan = { steps, bake: '4m', finish: 'promote', audience: { subjects: ['tester'] } };
  const { started, read, advance } = await start(t, timed, plan);
  const { id } = started.body as { id: number };
  t.equal(started.headers['location'], `/v1/packs/coach/rollouts/${id}`);
  t.match(started.body, {
    ...{ id, revision: id, pack: 'coach', channel: 'production', state: 'running', version: '2.0.0' },
    ...{ stableVersion: '1.0.0', share: 10, step: 1, steps, bake: '4m', finish: 'promote', nextAt: at(2 * MINUTE) },
    startedBy: { label: 'operator' },
  });
  t.strictSame((await read()).body, started.body, 'the same, read');
  t.strictSame(await served(t, timed), ['2.0.0', '1.0.0']);
  const stable = await ask(t, 'getActivePack');

  await later(2 * MINUTE);
  t.match((await read()).body, { state: 'running', share: 50, step: 2, nextAt: at(3 * MINUTE) });
  await later(3 * MINUTE);
  const last = (await read()).body;
  t.match(last, { state: 'running', share: 100, step: 3 });
  t.notOk('nextAt' in last, 'a step without a hold waits for somebody');
  t.equal((await ask(t, 'getActivePack')).etag, stable.etag, 'no step changes what others have');
  const again = await ask(t, 'getActivePack', { headers: { 'if-none-match': stable.etag } });
  t.equal(again.statusCode, 304);
  t.match((await advance()).body, { state: 'baking', share: 100, nextAt: at(4 * MINUTE), changed: true });
  t.match((await advance()).body, { state: 'baking', changed: false }, 'only the promotion is left');
  await later(4 * MINUTE);
  t.match((await read()).body, { state: 'promoted', share: 100, endedBy: { label: 'system' }, endedAt: at(0) });
  t.strictSame(await served(t, timed), ['2.0.0', '2.0.0']);
  t.strictSame(await types(timed, id - 1), [
    'rollout-started by operator',
    'rollout-advanced by system',
    'rollout-advanced by system',
    'rollout-advanced by operator',
    'version-activated by system',
  ]);
  const { activations } = (await ask(t, 'listActivations', { query: { limit: 1 } })).body;
  t.match(activations, [{ kind: 'activation', version: '2.0.0', rollout: { id, state: 'promoted' } }]);
  t.equal(app.registry.current.packs.get('coach')?.plans.get('production')?.rollout, undefined);
});

t.test('an operator steers it', async (t) => {
  const timed = await openTimed(t);
  const { at, later } = timed;
  const plan = { steps: [{ share: 10, hold: '4m' }, { share: 60, hold: '4m' }, { share: 90 }], bake: '1h' };
  const { read, advance, pause, resume, promote, abort } = await start(t, timed, plan);

  t.test('a pause stops the wait, and a resume goes on with it', async (t) => {
    await later(MINUTE);
    const paused = await pause();
    t.match(paused.body, { state: 'paused', share: 10, changed: true });
    t.notOk('nextAt' in paused.body);
    t.strictSame((await pause()).body, { ...paused.body, changed: false }, 'a repeat');
    await later(4 * MINUTE);
    t.match((await read()).body, { state: 'paused', share: 10, step: 1 });
    t.match((await resume()).body, { state: 'running', share: 10, nextAt: at(3 * MINUTE), changed: true });
    t.match((await resume()).body, { state: 'running', changed: false });
    await later(3 * MINUTE);
    t.match((await read()).body, { share: 60, step: 2 });
  });

  t.test('a chosen share, from which the plan goes on', async (t) => {
    t.match((await advance({ share: 33.125 })).body, { share: 33.125, step: 1, nextAt: at(4 * MINUTE), changed: true });
    t.match((await advance({ share: 33.125 })).body, { share: 33.125, changed: false });
    t.match((await advance()).body, { share: 60, step: 2, changed: true });
    t.match((await advance({ share: 0 })).body, { share: 0, step: 0 }, 'below the first step');
    t.match((await advance()).body, { share: 10, step: 1 });
    for (const share of [-1, 100.5, 1.0005, '10', null, NaN])
      t.match((await advance({ share })).body, { code: 'validation-failed', errors: [{}] }, `${share} %`);
  });

  t.test('a promotion, and what no longer can be done', async (t) => {
    const promoted = await promote({ sessions: 'next-turn' });
    t.match(promoted.body, { state: 'promoted', version: '2.0.0', changed: true, endReason: reason });
    t.match((await promote()).body, { state: 'promoted', changed: false });
    for (const verb of [advance, pause, resume, abort]) {
      const { statusCode, body } = await verb();
      t.match([statusCode, body.code, body.state, body.endedAt], [409, 'rollout-ended', 'promoted', at(0)]);
      t.match(body.detail, /^Rollout \d+ of 2\.0\.0 was promoted at .*\. Start a new rollout\.$/u);
    }
  });

  t.test('an abort, and what no longer can be done', async (t) => {
    const second = await start(t, timed, { version: '1.1.0' });
    t.match((await second.abort()).body, { state: 'aborted', endReason: reason, changed: true });
    t.match((await second.abort()).body, { state: 'aborted', changed: false });
    for (const verb of [second.advance, second.pause, second.resume, second.promote])
      t.match((await verb()).body, { status: 409, code: 'rollout-ended', state: 'aborted' });
    t.strictSame(await served(t, timed), ['2.0.0', '2.0.0']);
  });
});

t.test('a rollback ends it, and everybody is on stable (SPEC R14)', async (t) => {
  const timed = await openTimed(t);
  const { app, ask } = timed;
  await app.registry.activate({ version: '1.1.0', reason: 'The stack has two' });
  const back = (body: object = {}, request: Request = {}) =>
    ask(t, 'rollbackPack', { body: { reason: 'Too warm', ...body }, ...request });

  for (const [name, body] of [
    ['as it is', {}],
    ['from the candidate', { fromVersion: '2.0.0' }],
    ['from stable', { fromVersion: '1.1.0' }],
    ['to stable', { toVersion: '1.1.0' }],
    ['paused', {}],
  ] as const) {
    const { started, read, pause } = await start(t, timed, { audience: { subjects: ['tester'] } });
    const { id } = started.body as { id: number };
    if (name === 'paused') await pause();
    t.strictSame(await served(t, timed), ['2.0.0', '1.1.0']);
    const before = await ask(t, 'getActivePack');
    t.match((await back({ fromVersion: '1.0.0' })).body, {
      code: 'not-active',
      detail: /is now at 1\.1\.0, and 2\.0\.0 is being rolled out\. Read the channel again/u,
    });
    const foreseen = await back({ ...body, dryRun: true });
    t.match(foreseen.body, {
      wouldActivate: '1.1.0',
      previousVersion: '1.1.0',
      rollout: { id, state: 'aborted' },
      problems: [],
    });
    const headers = { 'idempotency-key': `back-${id}` };
    const answer = await back(body, { headers });
    t.match(
      [answer.statusCode, answer.body],
      [
        201,
        {
          kind: 'rollback',
          version: '1.1.0',
          previousVersion: '1.1.0',
          changed: true,
          rollout: { id, state: 'aborted' },
        },
      ],
      name,
    );
    t.strictSame(await served(t, timed), ['1.1.0', '1.1.0'], 'at once');
    t.equal((await ask(t, 'getActivePack')).etag, before.etag, 'stable did not move');
    t.match((await read()).body, { state: 'aborted', endReason: 'Too warm', endedBy: { label: 'operator' } });
    const repeat = await back(body, { headers });
    t.strictSame([repeat.statusCode, repeat.body], [201, answer.body], 'a repeat gets the same response');
    t.equal(repeat.headers['idempotency-replayed'], 'true');
    const page = (await ask(t, 'listActivations', { query: { limit: 1 } })).body;
    t.strictSame(page.activations, [answer.body], 'the history shows it as a rollback');
  }
  t.match(
    (await back({ fromVersion: '2.0.0' })).body,
    { code: 'not-active', activeVersion: '1.1.0' },
    'a second press',
  );
  t.match((await back()).body, { version: '1.0.0', previousVersion: '1.1.0' }, 'the next one walks the stack');
});

t.test('other moves end it too', async (t) => {
  const timed = await openTimed(t);
  const { app, ask } = timed;
  const activate = (version: string, more: object = {}) =>
    ask(t, 'activateVersion', { body: { version, reason, ...more } });

  t.test('activating the candidate promotes', async (t) => {
    const { started, read } = await start(t, timed);
    const { id } = started.body as { id: number };
    t.match((await activate('2.0.0', { dryRun: true })).body, { rollout: { id, state: 'promoted' } });
    t.match((await activate('2.0.0')).body, { version: '2.0.0', previousVersion: '1.0.0', changed: true });
    t.match((await read()).body, { state: 'promoted' });
  });

  t.test('activating another version aborts', async (t) => {
    const { read } = await start(t, timed, { version: '1.1.0' });
    t.match((await activate('1.0.0')).body, { version: '1.0.0' });
    t.match((await read()).body, { state: 'aborted' });
  });

  t.test('activating stable aborts', async (t) => {
    const { started, read } = await start(t, timed);
    const answer = await activate('1.0.0');
    t.match(
      [answer.statusCode, answer.body],
      [201, { changed: true, rollout: { id: started.body.id, state: 'aborted' } }],
    );
    t.match((await read()).body, { state: 'aborted' });
  });

  const publish = async (...versions: string[]) => {
    for (const version of versions)
      await app.registry.publish({ pack: 'coach', document: documentOf('coach', version) });
  };
  const revoke = (version: string, more: object = {}) =>
    ask(t, 'revokeVersion', { path: { version }, body: { reason: 'Dangerous', ...more } });

  t.test('revoking stable with the candidate as its replacement promotes', async (t) => {
    await publish('3.0.0', '3.1.0');
    await activate('3.0.0');
    const { read } = await start(t, timed, { version: '3.1.0' });
    t.match((await revoke('3.0.0', { replacement: '3.1.0' })).body, { moves: [{ version: '3.1.0' }] });
    t.match((await read()).body, { state: 'promoted', endReason: 'Dangerous' });
  });

  t.test('revoking stable aborts', async (t) => {
    await publish('3.2.0');
    const { read } = await start(t, timed, { version: '3.2.0' });
    t.match((await revoke('3.1.0')).body, { moves: [{ previousVersion: '3.1.0' }] });
    t.match((await read()).body, { state: 'aborted' });
  });

  t.test('revoking the candidate aborts', async (t) => {
    const { read, advance } = await start(t, timed, { version: '3.2.0', audience: { subjects: ['tester'] } });
    const { version } = app.registry.activePack();
    t.match((await revoke('3.2.0')).body, { moves: [] });
    t.match((await read()).body, { state: 'aborted' });
    t.strictSame(await served(t, timed), [version, version]);
    t.match((await advance()).body, { code: 'rollout-ended' });
  });
});

t.test('a policy that puts the candidate below the floor aborts it', async (t) => {
  const before = await openTimed(t);
  const { started } = await start(t, before);
  await before.app.close();
  const policies = [floorUnder('coach', 1, '2.0.0')];
  const after = await openTimed(t, { after: before, registry: { policies } }, before.clock.time);
  const { read, promote } = controls(t, after, started.body.id as number);
  t.match((await read()).body, { state: 'aborted', endReason: /./u });
  t.match((await promote()).body, { status: 409, code: 'rollout-ended' });
  const refused = await after.ask(t, 'startRollout', { body: HALF });
  t.match(refused.body, { status: 422, code: 'policy-violated', violations: [{}] });
});

t.test('the rollouts of a pack, page by page', async (t) => {
  const timed = await openTimed(t);
  const { ask } = timed;
  const ids: number[] = [];
  for (const channel of ['production', 'staging', 'production']) {
    if (channel === 'staging') await timed.app.registry.activate({ version: '1.0.0', channel, reason });
    const { started, abort } = await start(t, timed, { channel });
    ids.unshift(started.body.id as number);
    if (ids.length < 3) await abort();
  }
  const list = async (query: Request['query'] = {}) => (await ask(t, 'listRollouts', { query })).body;
  const idsOf = ({ rollouts }: Answer['body']) => (rollouts as { id: number }[]).map(({ id }) => id);
  t.strictSame(idsOf(await list()), ids);
  t.strictSame(idsOf(await list({ channel: 'staging' })), [ids[1]]);
  t.strictSame(idsOf(await list({ state: 'running' })), [ids[0]]);
  t.strictSame(idsOf(await list({ state: 'aborted' })), ids.slice(1));
  const first = await list({ limit: 2 });
  t.strictSame(idsOf(first), ids.slice(0, 2));
  const rest = await list({ limit: 2, cursor: first.nextCursor });
  t.strictSame([idsOf(rest), rest.nextCursor], [[ids[2]], null]);
  t.match(await list({ cursor: 'made-up' }), { status: 400 });
  t.match((await ask(t, 'getRollout', { path: { rollout: '1' } })).body, { status: 404, code: 'rollout-not-found' });
  t.match((await ask(t, 'getRollout', { path: { rollout: 'first' } })).body, { status: 400 });
});
