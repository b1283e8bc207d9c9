/**
 * What is asked of rollouts over HTTP: refusals, dry runs, `If-Match`, `Idempotency-Key`, `Prefer: wait`. Each refusal says what would be right.
 */
import t from 'tap';
import { MINUTE, openTimed, type TimedApp } from '../support/apps/timed-app.ts';
import { urlOf, type Request } from '../support/http/openapi.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';
import { until } from '../support/process/until.ts';

const reason = 'Warmer openings';
const HALF = { version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason };
const VERBS = ['advanceRollout', 'pauseRollout', 'resumeRollout', 'promoteRollout', 'abortRollout'];

/** An instance of a build that knows no rollouts, as the store has it. */
const olderInstance = ({ store, at }: TimedApp) =>
  store.renew({ id: 'older-1', startedAt: at(0), epoch: 1, appliedRevision: 1 });

t.test('each refusal says what would be right', async (t) => {
  const timed = await openTimed(t, {
    store: 'memory',
    earlier: { policies: [] },
    registry: {
      shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'coach@3.0.0', 'coach@4.0.0'),
      policies: [floorUnder('coach', 1, '4.0.0')],
    },
  });
  const { app, ask, at } = timed;
  await app.registry.revoke({ pack: 'coach', version: '3.0.0', replacement: '2.0.0', reason: 'Dangerous' });
  const refused = async (body: object, request: Request = {}) => {
    const { revision } = app.registry.current;
    const answer = (await ask(t, 'startRollout', { body: { ...HALF, ...body }, ...request })).body;
    t.equal(app.registry.current.revision, revision, 'nothing is half started');
    return answer;
  };
  const rows: readonly (readonly [body: object, status: number, code: string, members: object, detail: RegExp])[] = [
    [
      { version: '9.9.9' },
      422,
      'unknown-version',
      { knownVersions: ['4.0.0', '3.0.0', '2.0.0', '1.1.0', '1.0.0'] },
      /9\.9\.9/u,
    ],
    [{ version: '1.0.0' }, 409, 'already-active', { activeVersion: '1.0.0' }, /is active in channel "production"/u],
    [{ version: '3.0.0' }, 409, 'version-revoked', { revokedAt: at(0), replacement: '2.0.0' }, /was revoked/u],
    [{ version: '4.0.0' }, 422, 'policy-violated', { violations: [{}] }, /below the floor/u],
    [{ channel: 'nightly' }, 404, 'channel-not-found', { knownChannels: ['production', 'staging'] }, /Channels here/u],
    [{ sameSubjectsAs: 1 }, 404, 'rollout-not-found', {}, /not among the last rollouts of channel "production"/u],
    [{ finish: 'promote' }, 400, 'validation-failed', { errors: [{ parameter: 'steps.0' }] }, /plan .* not valid/u],
    [
      { steps: [{ share: 5 }, { share: 5 }] },
      400,
      'validation-failed',
      { errors: [{ parameter: 'steps.1.share' }] },
      /plan/u,
    ],
  ];
  for (const [body, status, code, members, detail] of rows)
    t.match(await refused(body), { status, code, detail, ...members }, code);
  t.match(await refused({}, { path: { pack: 'choach' } }), { status: 404, code: 'pack-not-found' });
  await app.registry.publish({ pack: 'other', document: documentOf('other', '2.0.0') });
  t.match(await refused({}, { path: { pack: 'other' } }), {
    ...{ status: 404, code: 'channel-not-found', knownChannels: [] },
    detail: /has no active version, so there is no stable arm\. Activate a version first\.$/u,
  });

  const { id } = (await ask(t, 'startRollout', { body: HALF })).body as { id: number };
  t.match(await refused({ version: '1.1.0' }), {
    ...{ status: 409, code: 'rollout-running', rollout: id },
    detail: `Rollout ${id} of 2.0.0 is running in channel "production" of pack "coach". Promote or abort it first.`,
  });
  for (const operation of VERBS)
    for (const path of [{ rollout: String(id - 1) }, { rollout: String(id), pack: 'other' }])
      t.match((await ask(t, operation, { path, body: { reason } })).body, { status: 404, code: 'rollout-not-found' });

  await app.registry.rollback({ reason });
  await app.registry.activate({ version: '1.1.0', revertAfter: '1h', reason });
  t.match(await refused({}), { status: 409, code: 'trial-running', detail: /Confirm it, or roll back/u });
});

t.test('while an older instance is live, a start is refused unless it is forced', async (t) => {
  const timed = await openTimed(t, { store: 'memory' });
  const { app, ask, looked } = timed;
  await olderInstance(timed);
  await looked();
  const foreseen = await ask(t, 'startRollout', { body: { ...HALF, dryRun: true } });
  t.match(
    [foreseen.statusCode, foreseen.body],
    [200, { olderInstances: ['older-1'], problems: [] }],
    'a dry run warns',
  );
  t.match((await ask(t, 'startRollout', { body: HALF })).body, {
    ...{ status: 409, code: 'older-instances', instances: ['older-1'] },
    detail: /serve the stable version to everybody: older-1\. Upgrade them, or start with "force"\.$/u,
  });
  t.equal((await ask(t, 'startRollout', { body: { ...HALF, force: true } })).statusCode, 201);
  t.match(app.registry.assignment({ subject: 'anybody' }), { arm: /./u });
});

t.test('dry runs say who would get what, and write nothing', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, at } = timed;
  const { revision } = app.registry.current;
  const foresee = async (body: object) =>
    (await ask(t, 'startRollout', { body: { ...HALF, ...body, dryRun: true } })).body;
  t.match(await foresee({ steps: [{ share: 2.5, hold: '1h' }, { share: 50 }] }), {
    rollout: {
      version: '2.0.0',
      stableVersion: '1.0.0',
      state: 'running',
      share: 2.5,
      step: 1,
      nextAt: at(60 * MINUTE),
    },
    ...{ everybody: true, testers: 0, problems: [], olderInstances: [] },
    diff: [{ asset: 'system', change: 'changed', hunks: [{}] }],
  });
  const conditions = [{ attribute: 'country', operator: 'in', values: ['de'] }];
  const audience = { conditions, subjects: ['tester-1', 'tester-2'] };
  t.match(await foresee({ audience }), { everybody: false, testers: 2, rollout: { audience, share: 50 } });
  t.equal(app.registry.current.revision, revision);

  const { id } = (await ask(t, 'startRollout', { body: { ...HALF, bake: '1h' } })).body as { id: number };
  const now = app.registry.current.revision;
  const steer = async (operation: string, body: object = {}) =>
    (await ask(t, operation, { path: { rollout: String(id) }, body: { reason, dryRun: true, ...body } })).body;
  t.match(await steer('advanceRollout'), {
    rollout: { id, state: 'baking', nextAt: at(60 * MINUTE) },
    everybody: true,
  });
  t.match(await steer('advanceRollout', { share: 70 }), { rollout: { state: 'running', share: 70 } });
  t.match(await steer('pauseRollout'), { rollout: { state: 'paused', share: 50 } });
  t.match(await steer('resumeRollout'), { rollout: { state: 'running' } }, 'what holds already');
  t.match(await steer('promoteRollout'), { rollout: { state: 'promoted' }, problems: [] });
  t.match(await steer('abortRollout'), { rollout: { state: 'aborted' }, diff: [{ asset: 'system' }, {}, {}] });
  t.equal(app.registry.current.revision, now);
  t.match((await ask(t, 'getRollout', { path: { rollout: String(id) } })).body, { state: 'running', share: 50 });
});

t.test('If-Match', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, later } = timed;
  const etagOf = async (query: Request['query'] = {}) => (await ask(t, 'getActivePack', { query })).etag;
  const stable = await etagOf();
  const start = (tag: string, body: object = {}) =>
    ask(t, 'startRollout', { body: { ...HALF, ...body }, headers: { 'if-match': tag } });
  t.match((await start('"1.0badc0de"')).body, { status: 412, code: 'revision-conflict' });
  const plan = { steps: [{ share: 10, hold: '1m' }, { share: 20 }], audience: { subjects: ['tester'] } };
  const started = await start(stable, plan);
  t.equal(started.statusCode, 201);
  const { id } = started.body as { id: number };
  const candidate = await etagOf({ subject: 'tester' });

  t.test('of a move: what the stable arm has, or the candidate', async (t) => {
    const move = async (tag: string) =>
      (await ask(t, 'rollbackPack', { body: { reason, dryRun: true }, headers: { 'if-match': tag } })).statusCode;
    await later(MINUTE);
    for (const tag of [stable, candidate, `"${app.registry.activePack().revision}"`, '*', `"1", ${candidate}`])
      t.equal(await move(tag), 200, `${tag}: a step changes neither`);
    for (const tag of [`W/${stable}`, '"1"']) t.equal(await move(tag), 412, tag);
  });

  t.test('of a change: what getRollout has', async (t) => {
    const path = { rollout: String(id) };
    const read = await ask(t, 'getRollout', { path });
    const change = (operation: string, tag: string) =>
      ask(t, operation, { path, body: { reason }, headers: { 'if-match': tag } });
    const other = await ask(t, 'getRollout', { path, headers: { 'if-none-match': read.etag } });
    t.equal(other.statusCode, 304);
    for (const operation of VERBS) {
      t.match((await change(operation, '"1.0badc0de"')).body, {
        ...{ status: 412, code: 'revision-conflict', currentRevision: read.body.revision },
        detail: /^Rollout \d+ has changed: it is running at 20 % since revision \d+, which does not match If-Match\./u,
      });
      t.match((await change(operation, stable)).body, { status: 412 }, 'the tag of the channel');
      t.match(
        (await change(operation, `W/${read.etag}`)).body.detail,
        /a weak tag .* never matches.* Send the ETag of getRollout, or "\d+"\. Of rollout \d+: it is running at 20 %/u,
      );
      t.match((await change(operation, 'none')).body, {
        status: 400,
        errors: [{ parameter: 'if-match', detail: /getRollout/u }],
      });
    }
    const paused = await change('pauseRollout', read.etag);
    t.match([paused.statusCode, paused.body.state], [200, 'paused']);
    t.equal((await change('resumeRollout', read.etag)).statusCode, 412, 'it has changed');
    t.equal((await change('resumeRollout', `"${paused.body.revision}"`)).statusCode, 200);
    t.equal((await change('abortRollout', '*')).statusCode, 200);
    const late = await ask(t, 'rollbackPack', { body: { reason, dryRun: true }, headers: { 'if-match': candidate } });
    t.equal(late.statusCode, 412, 'the candidate is no longer served');
  });
});

t.test('a request that is repeated has one effect and one response (SPEC R6)', async (t) => {
  const timed = await openTimed(t);
  const { app, ask } = timed;
  const once = async (operation: string, key: string, request: Request) =>
    ask(t, operation, { ...request, headers: { 'idempotency-key': key } });
  const answers: (readonly [operation: string, request: Request, first: Awaited<ReturnType<typeof once>>])[] = [];
  const { id } = (await once('startRollout', 'start', { body: HALF })).body as { id: number };
  answers.push(['startRollout', { body: HALF }, await once('startRollout', 'start', { body: HALF })]);
  const path = { rollout: String(id) };
  for (const [index, [operation, body]] of (
    [
      ['advanceRollout', { share: 60 }],
      ['pauseRollout', {}],
      ['resumeRollout', {}],
      ['advanceRollout', { share: 70 }],
      ['abortRollout', {}],
    ] as const
  ).entries()) {
    const request = { path, body: { reason, ...body } };
    const first = await once(operation, `change-${index}`, request);
    t.match(first.body, { id, changed: true });
    answers.push([operation, request, first]);
  }
  const { revision } = app.registry.current;
  for (const [index, [operation, request, first]] of answers.entries()) {
    const repeat = await once(operation, index === 0 ? 'start' : `change-${index - 1}`, request);
    t.strictSame(
      [repeat.statusCode, repeat.body],
      [first.statusCode, first.body],
      `${operation}, whatever happened since`,
    );
    t.equal(repeat.headers['location'], first.headers['location']);
    t.equal(repeat.headers['idempotency-replayed'], 'true');
  }
  const other = await once('abortRollout', 'change-1', { path, body: { reason } });
  t.match(other.body, { status: 422, code: 'idempotency-mismatch' });
  t.equal(app.registry.current.revision, revision);
});

t.test('Prefer: wait', async (t) => {
  const here = await openTimed(t, { store: 'memory' });
  const there = await openTimed(t, { after: here }, here.clock.time);
  await here.looked();
  const { ask } = here;
  const idle = setInterval(() => undefined, 60_000); // no timer of the service keeps a process alive
  t.teardown(() => clearInterval(idle));
  const wait = (operation: string, request: Request, seconds = 10) =>
    ask(t, operation, { ...request, headers: { prefer: `wait=${seconds}` } });
  const ids = [here, there].map(({ app }) => app.registry.instance.id);
  const started = await wait('startRollout', { body: HALF });
  t.match([started.statusCode, started.headers['preference-applied']], [201, 'wait']);
  t.strictSame([...(started.body.instances.applied as string[])].sort(), ids.sort());
  const path = { rollout: String(started.body.id) };
  const arm = there.app.registry.assignment({ subject: 'anybody' });
  t.equal(arm?.rollout, started.body.id, 'the other instance serves it');
  for (const operation of ['advanceRollout', 'pauseRollout', 'resumeRollout', 'abortRollout']) {
    const done = await wait(operation, {
      path,
      body: { reason, ...(operation === 'advanceRollout' && { share: 60 }) },
    });
    t.match([done.statusCode, done.body], [200, { changed: true, instances: { pending: [] } }], operation);
  }
  t.equal(there.app.registry.assignment({ subject: 'anybody' }), undefined);
  await olderInstance(here);
  await until(() => here.app.registry.instance.list().length === 3);
  const slow = await wait('startRollout', { body: { ...HALF, force: true } }, 0);
  t.equal(slow.statusCode, 202);
  t.ok((slow.body.instances.pending as string[]).includes('older-1'));
  t.equal(slow.headers['location'], urlOf('getRollout', { path: { rollout: String(slow.body.id) } }));
});

t.test('sameSubjectsAs gives the candidate to the same users again', async (t) => {
  const { app, ask } = await openTimed(t);
  const names = Array.from({ length: 200 }, (_, index) => `user-${index}`);
  const chosen = () => names.filter((subject) => app.registry.assignment({ subject })?.arm === 'candidate');
  const start = async (body: object = {}) =>
    (await ask(t, 'startRollout', { body: { ...HALF, ...body } })).body.id as number;
  const first = await start();
  const before = chosen();
  await app.registry.rollback({ reason });
  await start();
  t.notSame(chosen(), before, 'another rollout, other users');
  await app.registry.rollback({ reason });
  await start({ sameSubjectsAs: first, version: '1.1.0' });
  t.strictSame(chosen(), before);
});
