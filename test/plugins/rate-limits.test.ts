/** Rate limits: a share for each key, for each address without a key, and for each kind of move. */
import t, { type Test } from 'tap';
import { openApp } from '../support/apps/app.ts';

const LIMIT = 5;
const open = (t: Test, rateLimit = LIMIT) => openApp(t, { store: 'memory', rateLimit });
type App = Awaited<ReturnType<typeof open>>['app'];
const reads = async (app: App, count: number, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') => {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1)
    statuses.push((await app.inject({ url: '/v1/packs/coach/active', headers, remoteAddress })).statusCode);
  return statuses;
};
const OK = Array.from({ length: LIMIT }, () => 200);
const UNKNOWN = Array.from({ length: LIMIT }, () => 401);

t.test('a key has a share for each minute, and a refusal says how long to wait', async (t) => {
  const { app } = await open(t);
  t.strictSame(await reads(app, LIMIT + 2), [...OK, 429, 429]);
  const refused = await app.inject('/v1/packs');
  t.equal(refused.statusCode, 429, 'whatever it reads');
  t.match(refused.headers, {
    'content-type': /^application\/problem\+json/u,
    'retry-after': /^[1-9]\d?$/u,
    ratelimit: /^"minute";r=0;t=[1-9]\d?$/u,
    'ratelimit-policy': `"minute";q=${LIMIT};w=60`,
  });
  t.match(refused.json(), { code: 'rate-limited', status: 429, type: '/problems/rate-limited' });
  t.ok(Number(refused.headers['retry-after']) <= 60);
});

t.test('another key has its own share, even from the same address', async (t) => {
  const { app } = await open(t);
  const { token } = await app.registry.createKey({ label: 'Another', scopes: ['prompts:read'], heldScopes: ['*'] });
  t.strictSame(await reads(app, LIMIT + 1), [...OK, 429]);
  t.strictSame(await reads(app, LIMIT + 1, { authorization: `Bearer ${token}` }), [...OK, 429]);
});

const MOVES = {
  activations: { version: '1.1.0', reason: 'An incident' },
  rollback: { reason: 'An incident' },
  'versions/1.0.0/revoke': { reason: 'An incident' },
};
const moveOf = (app: App) => async (path: string, payload: object) =>
  (await app.inject({ method: 'POST', url: `/v1/packs/coach/${path}`, payload })).statusCode;

t.test('an activation, a rollback and a revocation still work after too many reads', async (t) => {
  const { app } = await open(t);
  t.strictSame(await reads(app, LIMIT + 1), [...OK, 429]);
  t.strictSame(
    await Promise.all(Object.entries(MOVES).map(([path, body]) => moveOf(app)(path, body))),
    [201, 201, 200],
  );
});

t.test('each kind of move has its own limit and does not use another share', async (t) => {
  for (const used of Object.keys(MOVES)) {
    const { app } = await open(t);
    const move = moveOf(app);
    for (let sent = 0; sent < LIMIT; sent += 1) t.equal(await move(used, {}), 400);
    t.equal(await move(used, {}), 429, used);
    for (const other of Object.keys(MOVES).filter((path) => path !== used))
      t.equal(await move(other, {}), 400, `${used} used up: ${other}`);
    t.strictSame(await reads(app, LIMIT), OK);
  }
});

t.test('a move that changes nothing or is refused counts too, but a loop of them blocks nobody else', async (t) => {
  const { app } = await open(t);
  const move = moveOf(app);
  const answers = [];
  for (const version of ['2.0.0', '9.9.9', '2.0.0', '9.9.9', '2.0.0', '2.0.0', '9.9.9'])
    answers.push(await move('activations', { version, reason: 'Again and again' }));
  t.strictSame(answers, [200, 422, 200, 422, 200, 429, 429]);
});

t.test('guesses are counted by address, whatever the token', async (t) => {
  const { app } = await open(t);
  const statuses: number[] = [];
  for (let guess = 0; guess < LIMIT + 2; guess += 1)
    statuses.push(...(await reads(app, 1, { authorization: `Bearer prk_guess_${String(guess).repeat(43)}` })));
  t.strictSame(statuses, [...UNKNOWN, 429, 429]);
  t.strictSame(await reads(app, 1, { authorization: '' }), [429], 'no token at all is the same address');
  t.strictSame(await reads(app, 1, { authorization: '' }, '127.0.0.2'), [401], 'another address is another caller');
  t.strictSame(await reads(app, LIMIT), OK, 'a good key is not of the address');
});

t.test('an IPv6 caller is counted by network, so that changing the address does not help', async (t) => {
  const { app } = await open(t);
  t.strictSame(await reads(app, LIMIT + 1, { authorization: '' }, '2001:db8::1'), [...UNKNOWN, 429]);
  t.strictSame(await reads(app, 1, { authorization: '' }, '2001:db8::2'), [429]);
  t.strictSame(await reads(app, 1, { authorization: '' }, '2001:db8:1::1'), [401]);
});

t.test('a forwarded address is ignored if no proxy is trusted', async (t) => {
  const { app } = await open(t);
  const statuses: number[] = [];
  for (let sent = 0; sent <= LIMIT; sent += 1)
    statuses.push(...(await reads(app, 1, { authorization: '', 'x-forwarded-for': `10.0.0.${sent}` })));
  t.strictSame(statuses, [...UNKNOWN, 429]);
});

t.test('probes are not counted and never refused', async (t) => {
  const { app } = await open(t);
  for (let sent = 0; sent < LIMIT * 3; sent += 1) {
    for (const url of ['/livez', '/readyz'])
      if ((await app.inject(url)).statusCode !== 200) t.fail(`${url} at ${sent}`);
  }
  t.strictSame(await reads(app, LIMIT + 1), [...OK, 429]);
  t.equal((await app.inject('/readyz')).statusCode, 200);
});

t.test('0 means no limit', async (t) => {
  const { app } = await open(t, 0);
  t.strictSame(new Set(await reads(app, 200)), new Set([200]));
});
