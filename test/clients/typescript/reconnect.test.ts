/**
 * How soon a source notices that an outage is over.
 *
 * No wait is longer than `pollInterval`. During a wait, one session call per second asks the registry, and the first response ends the wait.
 */
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront, type Fate } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
const problem = (status: number, code: string, headers = {}): Fate => ({
  status,
  headers,
  body: JSON.stringify({ type: `/problems/${code}`, title: code, status, detail: 'Planted', code }),
});
/** After this response a source waits for 15 minutes. */
const RETRY_LATER = problem(503, 'not-ready', { 'retry-after': '900' });

const isSession = (request: string) => request.includes('/v1/coach/');

/** A source that follows through a proxy. After `away` it waits for 15 minutes. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const { source, events, nextEvent } = openSource(t, { url: front.url, key });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const away = async () => {
    front.plan = () => RETRY_LATER;
    front.cut();
    await until(() => source.status().connection === 'disconnected');
  };
  const sessionCalls = () => front.requests.filter(isSession).length;
  return { registry: app.registry, front, source, events, nextEvent, away, sessionCalls };
}

/** Stops the monotonic clock; only the test advances it. */
function stopClock(t: Test): { readonly pass: (milliseconds: number) => void } {
  let now = Math.ceil(performance.now()); // an integer, so sums are exact
  t.intercept(performance, 'now', { value: () => now });
  return { pass: (milliseconds) => (now += milliseconds) };
}

t.test('no wait is longer than pollInterval', async (t) => {
  const waits: number[] = [];
  const { setTimeout: original } = globalThis;
  t.intercept(globalThis, 'setTimeout', {
    value: (call: () => void, milliseconds: number) => {
      const [, , caller = ''] = (new Error().stack ?? '').split('\n');
      if (/clients.typescript/u.test(caller)) waits.push(milliseconds); // fetch has its own timers
      return original(call, milliseconds);
    },
  });
  const front = await startFront(t, 'http://127.0.0.1:9');
  front.plan = () => 'reset';
  openSource(t, {
    url: front.url,
    key: 'prk_x_y',
    random: () => 0.999,
    pollInterval: 120,
    timeout: 110,
    staleAfter: Infinity,
  });
  await until(() => front.requests.length >= 1);
  waits.length = 0; // from the start
  await until(() => front.requests.length >= 8);
  t.ok(waits.length > 7 && Math.max(...waits) <= 120, `${Math.max(...waits)} ms at most`);
  waits.length = 0;
  front.plan = () => problem(503, 'not-ready', { 'retry-after': '0' });
  await until(() => front.requests.length >= 12);
  t.ok(waits.length > 0 && Math.max(...waits) <= 120, 'also if the registry is not ready');
});

t.test('the first response to a session call ends the wait', async (t) => {
  const { registry, front, source, away, nextEvent } = await setUp(t);
  await away();
  await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  front.plan = () => undefined;
  const changed = nextEvent('changed');
  t.match(
    await source.startSession(),
    { local: false, promptPack: { version: '1.0.0' } },
    'answered by the registry, not with the revoked version',
  );
  t.equal((await changed).to.version, '1.0.0', 'the source follows again immediately, although its wait was 900 s');
  await until(() => source.status().connection === 'streaming');
});

t.test('an error response to a session call ends the wait, too', async (t) => {
  const { front, source, away } = await setUp(t);
  await away();
  front.plan = () => undefined;
  await t.rejects(source.resolveSession('forged'), { code: 'session-not-found' });
  await until(() => source.status().connection === 'streaming');
});

t.test('during a wait one session call per second asks the registry', async (t) => {
  const { front, source, events, away, sessionCalls } = await setUp(t);
  await away();
  const clock = stopClock(t);
  const before = events.length;
  for (const round of [1, 2, 3]) {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => source.startSession()));
    t.ok(
      sessions.every(({ local }) => local),
      'all calls are answered',
    );
    t.equal(sessionCalls(), round, 'one of them asked the registry');
    clock.pass(999);
    await source.startSession();
    t.equal(sessionCalls(), round, 'no other call within the second');
    clock.pass(1);
  }
  t.equal(events.length, before, 'a known failure is not reported again');

  front.plan = ({ url = '' }) => (isSession(url) ? undefined : RETRY_LATER);
  t.match(await source.startSession(), { local: false });
  await until(() => source.status().connection === 'disconnected');
  const reads = front.requests.length;
  const sessions = await Promise.all(Array.from({ length: 20 }, () => source.startSession()));
  t.ok(
    sessions.every(({ local }) => local) && front.requests.length === reads,
    'a registry that only answers sessions is not read in a loop',
  );
});

t.test('another service in the place of the registry does not end the wait', async (t) => {
  for (const body of ['{"hello":"world"}', '{']) {
    const { front, source, away } = await setUp(t);
    await away();
    front.plan = () => ({ status: 200, type: 'application/json', body });
    t.match(await source.startSession(), { local: true, promptPack: { version: '2.0.0' } }, body);
    t.equal(source.status().connection, 'disconnected', 'still waiting');
  }
});
