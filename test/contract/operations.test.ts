/**
 * Every operation gives every response that `openapi.yaml` declares for it, and each is as declared.
 *
 * The tables in cases/ say what is provoked; the connections below provoke the rest. The last test compares what was seen with what is
 * declared, down to the problem codes, so a new operation or status without a case fails here.
 */
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { faultsOf, OPERATIONS, send, urlOf, type RawAnswer } from '../support/http/openapi.ts';
import { addPack, listen, openApp } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import type { Plan } from '../support/stores/failing-store.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { words } from '../support/process/words.ts';
import { GENERAL, GUARDED } from './cases/general.ts';
import { openWorld, PLAN, validRequest, type Case, type Trouble, type World } from './cases/kit.ts';
import { OWN } from './cases/own.ts';
import { PLANS } from './cases/plans.ts';

/** Operations that succeed under overload, and have their own rate limit. */
const MOVES = words`
  activateVersion rollbackPack revokeVersion confirmActivation startRollout advanceRollout pauseRollout resumeRollout
  promoteRollout abortRollout scheduleActivation cancelScheduledActivation
`;

/** Declared, but not provoked here; each with its reason. */
const NOT_PROVOKED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    MOVES.map((id) => [
      `${id} 503 overloaded`,
      'It is never shed, and where the store hangs it is answered before its time is up (hanging-store.test.ts); only a fault of ours could take so long.',
    ]),
  ),
  ...Object.fromEntries(
    [...MOVES.filter((id) => id !== 'activateVersion'), 'publishVersion', 'createKey', 'revokeKey'].flatMap((id) =>
      ['store-busy', 'outcome-unknown'].map((code) => [
        `${id} 503 ${code}`,
        'It takes two seconds each; activateVersion has it, and all of them are one code path.',
      ]),
    ),
  ),
};

const PLANTED = 'planted: the key is hunter2';
const seen = new Set<string>();

/** What identifies a response: the operation, the status, and the code of a problem. */
const label = (id: string, status: number | string, code?: string) =>
  [id, status, ...(code === undefined ? [] : [code])].join(' ');

function record(t: Test, id: string, answer: RawAnswer, without: readonly string[] = []): void {
  const faults = faultsOf(id, answer, without);
  t.strictSame(faults, [], `${id} ${answer.statusCode}: as declared`);
  if (faults.length > 0) return;
  seen.add(
    label(
      id,
      answer.statusCode,
      answer.statusCode < 400 ? undefined : (JSON.parse(answer.body) as { code: string }).code,
    ),
  );
}

/** Causes the trouble. @returns what ends it */
function begin(trouble: Trouble, world: World): () => void {
  const { app } = world;
  if (trouble === 'snapshot' || trouble === 'at once') {
    const { current } = app.registry;
    const boom = (): never => {
      throw new Error(PLANTED);
    };
    let snapshotLooks = trouble === 'at once' ? 0 : Infinity; // at once: the snapshot of the request cannot be taken
    let keyLooks = 1;
    const shown = ['revision', 'epoch']; // in the headers of every response
    const others = Object.keys(current).filter((name) => !shown.includes(name));
    const broken: unknown = Object.create(current, {
      ...Object.fromEntries(others.map((name) => [name, { get: boom }])),
      keys: { get: () => (keyLooks-- > 0 ? current.keys : boom()) }, // the first look finds out who is calling
    });
    Object.defineProperty(app.registry, 'current', {
      configurable: true,
      get: () => (snapshotLooks-- > 0 ? broken : boom()),
    });
    return () => Reflect.deleteProperty(app.registry, 'current');
  }
  const plan: Plan = ({ method }) => {
    if (trouble === 'throws') throw new Error(PLANTED);
    return trouble === 'rejects' || method === 'append' ? trouble : undefined; // the other faults are of appends only
  };
  world.fail(plan);
  return () => world.fail();
}

const logged: string[] = [];
const world = await openWorld(t, {
  logger: { level: 'error', stream: { write: (line: string) => void logged.push(line) } },
});

async function run(t: Test, { operation: id, status, code, request, trouble }: Case): Promise<void> {
  const asked = typeof request === 'function' ? await request(world) : request;
  const before = world.app.registry.current;
  const end = trouble === undefined ? undefined : begin(trouble, world);
  const answer = await send(world.app, id, asked).finally(end);
  t.equal(answer.statusCode, status);
  record(t, id, answer, trouble === 'at once' ? ['Registry-Revision'] : []);
  if (status >= 400) {
    const problem = JSON.parse(answer.body) as { code: string; instance: string };
    t.equal(problem.code, code);
    t.equal(problem.instance, urlOf(id, asked).split('?')[0], 'it names the path');
    t.equal(world.app.registry.current, before, 'nothing was changed');
  }
  if (status >= 500) t.notMatch(answer.body, /planted|planned|hunter2|Error|node_modules|\.ts\b/u, 'nothing leaks');
  if (status === 500) isLogged(t, answer);
}

/** The log has what the response leaves out, under the id in the response. */
function isLogged(t: Test, { body }: RawAnswer): void {
  const { requestId } = JSON.parse(body) as { requestId: string };
  t.ok(
    logged.some((line) => line.includes(PLANTED) && line.includes(`"requestId":"${requestId}"`)),
    'the log has it',
  );
}

for (const each of [...GENERAL, ...OWN, ...PLANS]) {
  t.test(`${each.operation} ${each.status}: ${each.name}`, async (t) => run(t, each));
}

t.test('a session cannot start without the default pack', async (t) => {
  const { app } = await openApp(t, {
    store: 'memory',
    before: () => undefined,
    earlier: { defaultPack: 'coach' },
    registry: { defaultPack: 'choach' },
  });
  record(t, 'startCoachSession', await send(app, 'startCoachSession', { body: {} }));
});

t.test('a write whose first response from the store is lost is found in the log, and succeeds', async (t) => {
  let appends = 0;
  world.fail(({ method }) => (method === 'append' && (appends += 1) === 1 ? 'lost-answer' : undefined));
  const answer = await send(world.app, 'activateVersion', { body: { version: '1.1.0', reason: 'Made once' } }).finally(
    () => world.fail(),
  );
  t.equal(answer.statusCode, 201);
  t.equal(appends, 2, 'the same was appended again');
  const [last] = await world.store.events({ order: 'descending', limit: 1 });
  t.match(last, { revision: Number(answer.headers['registry-revision']), reason: 'Made once' }, 'it is there once');
});

t.test('503: an instance that has never reached the store refuses everything that needs a snapshot', async (t) => {
  const waiting = await openApp(t, { store: 'memory', away: true, registry: { failStatic: true } });
  for (const id of [...GUARDED, 'ready']) {
    const answer = await send(waiting.app, id, validRequest(id, world));
    t.match([answer.statusCode, JSON.parse(answer.body)], [503, { code: 'not-ready' }], id);
    record(t, id, answer);
  }
  for (const id of ['live', 'getProblem'])
    t.equal((await send(waiting.app, id, validRequest(id, world))).statusCode, 200, id);
});

t.test('503: keys that were not confirmed within KEY_MAX_STALE', async (t) => {
  const dataDir = newFolder(t);
  const before = await openApp(t, { store: 'memory', registry: { dataDir } });
  await before.app.close();
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(join(dataDir, 'snapshot.jsonl'), longAgo, longAgo);
  const cutOff = await openApp(t, {
    after: before,
    away: true,
    keyMaxStale: 30,
    registry: { dataDir, failStatic: true },
  });
  for (const id of GUARDED) {
    const answer = await send(cutOff.app, id, validRequest(id, world));
    t.match([answer.statusCode, JSON.parse(answer.body)], [503, { code: 'store-unavailable' }], id);
    record(t, id, answer);
  }
  for (const id of ['live', 'ready', 'getProblem'])
    t.equal(
      (await send(cutOff.app, id, { ...validRequest(id, world), headers: { authorization: '' } })).statusCode,
      200,
      `${id} needs no key`,
    );
});

t.test('202: a move that waits for an instance that has not applied it', async (t) => {
  await world.store.renew({ id: 'another', startedAt: new Date().toISOString(), epoch: 1, appliedRevision: 0 });
  t.teardown(() => world.store.release('another'));
  while (!world.app.registry.instance.list().some(({ id }) => id === 'another'))
    await new Promise((resolve) => setTimeout(resolve, 10));
  await addPack(world.app, 'awaited', '1.0.0', '2.0.0');
  const { instance } = world.app.registry;
  const path: Record<string, string> = { pack: 'awaited', channel: 'production', version: '2.0.0' };
  const ask = async (id: string, body: object): Promise<{ id: number }> => {
    const answer = await send(world.app, id, { path, body: { reason: 'Why', ...body }, headers: { prefer: 'wait=0' } });
    const expected = { instances: { applied: [instance.id], pending: ['another'] } };
    t.match([answer.statusCode, JSON.parse(answer.body)], [202, expected], id);
    t.equal(answer.headers['preference-applied'], 'wait');
    record(t, id, answer);
    return JSON.parse(answer.body) as { id: number };
  };
  const start = async () =>
    (path['rollout'] = String((await ask('startRollout', { version: '2.0.0', ...PLAN, force: true })).id));

  await ask('activateVersion', { version: '1.0.0' });
  await ask('activateVersion', { version: '2.0.0' });
  await ask('rollbackPack', {});
  const refused = await send(world.app, 'startRollout', { path, body: { version: '2.0.0', ...PLAN, reason: 'Why' } });
  t.match(JSON.parse(refused.body), { code: 'older-instances', instances: ['another'] }, 'it knows no rollouts');
  record(t, 'startRollout', refused);
  await start();
  for (const id of ['advanceRollout', 'pauseRollout', 'resumeRollout', 'abortRollout']) await ask(id, {});
  await start();
  await ask('promoteRollout', {});
  await ask('activateVersion', { version: '1.0.0', revertAfter: '1d' });
  await ask('confirmActivation', {});
  await ask('revokeVersion', {});
});

t.test('429: an exhausted rate limit, for every operation that has one', async (t) => {
  const world = await openWorld(t, { store: 'memory', rateLimit: 1 });
  for (const id of ['listPacks', ...MOVES]) await send(world.app, id, validRequest(id, world)); // the common share, and that of moves
  for (const id of [...GUARDED, 'getProblem']) {
    const request = validRequest(id, world);
    if (id === 'getProblem') await send(world.app, id, { ...request, headers: { authorization: '' } });
    const answer = await send(world.app, id, request);
    t.match(answer, { statusCode: 429, headers: { 'retry-after': /^[1-9]\d*$/u } }, id);
    record(t, id, answer);
  }
});

t.test('503: requests are shed if the event loop lags; what an operator needs still succeeds', async (t) => {
  const world = await openWorld(t, { store: 'memory' });
  await listen(world.app);
  const still = new Int32Array(new SharedArrayBuffer(4));
  let blocks = 0;
  while ((await send(world.app, 'listPacks')).statusCode !== 503) {
    if ((blocks += 1) > 30) throw new Error('Nothing was shed, though the event loop stood still for half a minute.');
    Atomics.wait(still, 0, 0, 1200); // longer than the most lag; the first ones fall into the warm-up
    await new Promise((resolve) => setTimeout(resolve)); // a turn in which the lag is measured
  }
  const answers = [...OPERATIONS.keys()].map(
    async (id) => [id, await send(world.app, id, validRequest(id, world))] as const,
  );
  for (const [id, answer] of await Promise.all(answers)) {
    const through = [...MOVES, 'live', 'ready'].includes(id);
    if (through) t.ok(answer.statusCode < 500, `${id} goes through: ${answer.body.slice(0, 100)}`);
    else t.match(answer, { statusCode: 503, headers: { 'retry-after': '1' } }, id);
    record(t, id, answer);
  }
});

t.test('over a connection', async (t) => {
  const origin = await listen(world.app);

  t.test('431: oversized headers, for every operation', async (t) => {
    for (const [id, { method }] of OPERATIONS) {
      const text = await exchange(
        origin,
        `${method} ${urlOf(id, validRequest(id, world))} HTTP/1.1\r\nHost: localhost\r\nX-Padding: ${'x'.repeat(20_000)}\r\n\r\n`,
      );
      t.equal(answerIn(text).statusCode, 431);
      record(t, id, answerIn(text));
    }
  });

  t.test('408: a request that does not arrive, for every operation', async (t) => {
    const { server } = world.app;
    const limits = [server.headersTimeout, server.requestTimeout];
    t.strictSame(limits, [5000, 7000], 'the limits that the service has');
    [server.headersTimeout, server.requestTimeout] = [200, 200]; // the same mechanism, sooner
    t.teardown(() => ([server.headersTimeout = 0, server.requestTimeout = 0] = limits));
    const answers = [...OPERATIONS].map(async ([id, { method, requestBody }]) => {
      const head = `${method} ${urlOf(id, validRequest(id, world))} HTTP/1.1\r\nHost: localhost\r\n`;
      const half =
        requestBody === undefined
          ? head
          : `${head}Authorization: Bearer ${world.key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"reason":`;
      return [id, answerIn(await exchange(origin, half))] as const;
    });
    for (const [id, answer] of await Promise.all(answers)) {
      t.equal(answer.statusCode, 408);
      record(t, id, answer);
    }
  });
});

t.test('every declared response was seen, and each exception is needed', async (t) => {
  const declared = [...OPERATIONS].flatMap(([id, { responses }]) =>
    Object.entries(responses).flatMap(([status, { description }]) =>
      Number(status) < 400
        ? [label(id, status)]
        : [...description.matchAll(/`([a-z-]+)`:/gu)].map(([, code]) => label(id, status, code)),
    ),
  );
  t.ok(declared.length > 150, `${declared.length} are declared`);
  t.strictSame(
    declared.filter((each) => !seen.has(each) && !(each in NOT_PROVOKED)).sort(),
    [],
    'declared but never seen',
  );
  t.strictSame(
    Object.keys(NOT_PROVOKED).filter((each) => !declared.includes(each) || seen.has(each)),
    [],
    'an exception that is none',
  );
});
