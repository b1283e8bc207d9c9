/**
 * A registry that was away and is back: how soon a source knows.
 *
 * No wait after a failure is longer than `pollInterval`. While a source waits, one session call a second asks the registry, and the first
 * answer ends the wait.
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
/** An answer after which a source waits for a quarter of an hour by itself. */
const LEAVE_ME = problem(503, 'not-ready', { 'retry-after': '900' });

const isSession = (request: string) => request.includes('/v1/coach/');

/** A source that follows through a front; after `away` it waits for a quarter of an hour. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const { source, said, hears } = openSource(t, { url: front.url, key });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const away = async () => {
    front.plan = () => LEAVE_ME;
    front.cut();
    await until(() => source.status().connection === 'disconnected');
  };
  const sessionCalls = () => front.requests.filter(isSession).length;
  return { registry: app.registry, front, source, said, hears, away, sessionCalls };
}

/** The monotonic clock stands still but where the test moves it. */
function stopClock(t: Test): { readonly pass: (milliseconds: number) => void } {
  let now = Math.ceil(performance.now()); // whole, so that nothing is lost in sums
  t.intercept(performance, 'now', { value: () => now });
  return { pass: (milliseconds) => (now += milliseconds) };
}

t.test('no wait is longer than pollInterval, however often the registry did not answer', async (t) => {
  const waits: number[] = [];
  const { setTimeout: original } = globalThis;
  t.intercept(globalThis, 'setTimeout', {
    value: (call: () => void, milliseconds: number) => {
      const [, , caller = ''] = (new Error().stack ?? '').split('\n');
      if (/clients.typescript/u.test(caller)) waits.push(milliseconds); // fetch sets timers of its own
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
  waits.length = 0; // of its start
  await until(() => front.requests.length >= 8);
  t.ok(waits.length > 7 && Math.max(...waits) <= 120, `${Math.max(...waits)} ms at most`);
  waits.length = 0;
  front.plan = () => problem(503, 'not-ready', { 'retry-after': '0' });
  await until(() => front.requests.length >= 12);
  t.ok(waits.length > 0 && Math.max(...waits) <= 120, 'nor where it says that it is not ready');
});

t.test('the first answer to a session ends the wait', async (t) => {
  const { registry, front, source, away, hears } = await setUp(t);
  await away();
  await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  front.plan = () => undefined;
  const changed = hears('changed');
  t.match(
    await source.startSession(),
    { local: false, promptPack: { version: '1.0.0' } },
    'the call is answered by the registry, not with the revoked version',
  );
  t.equal((await changed).to.version, '1.0.0', 'and the source follows again at once, though its wait is 900 s');
  await until(() => source.status().connection === 'streaming');
});

t.test('so does a refusal: it is an answer', async (t) => {
  const { front, source, away } = await setUp(t);
  await away();
  front.plan = () => undefined;
  await t.rejects(source.resolveSession('forged'), { code: 'session-not-found' });
  await until(() => source.status().connection === 'streaming');
});

t.test('while it waits, one session call a second asks', async (t) => {
  const { front, source, said, away, sessionCalls } = await setUp(t);
  await away();
  const clock = stopClock(t);
  const told = said.length;
  for (const turn of [1, 2, 3]) {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => source.startSession()));
    t.ok(
      sessions.every(({ local }) => local),
      'all of them are answered',
    );
    t.equal(sessionCalls(), turn, 'one of them asked');
    clock.pass(999);
    await source.startSession();
    t.equal(sessionCalls(), turn, 'not before the second is over');
    clock.pass(1);
  }
  t.equal(said.length, told, 'what is known already is not told again');

  front.plan = ({ url = '' }) => (isSession(url) ? undefined : LEAVE_ME);
  t.match(await source.startSession(), { local: false });
  await until(() => source.status().connection === 'disconnected');
  const reads = front.requests.length;
  const sessions = await Promise.all(Array.from({ length: 20 }, () => source.startSession()));
  t.ok(
    sessions.every(({ local }) => local) && front.requests.length === reads,
    'a registry that answers sessions alone is not read from in a loop',
  );
});

t.test('what is there in the place of a registry answers no session', async (t) => {
  for (const body of ['{"hello":"world"}', '{']) {
    const { front, source, away } = await setUp(t);
    await away();
    front.plan = () => ({ status: 200, type: 'application/json', body });
    t.match(await source.startSession(), { local: true, promptPack: { version: '2.0.0' } }, body);
    t.equal(source.status().connection, 'disconnected', 'and ends no wait');
  }
});
