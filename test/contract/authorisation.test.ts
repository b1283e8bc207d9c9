/**
 * Who may do what (SPEC R12): every route × a key with each single scope × every kind of bad key × unusual spellings of the path.
 *
 * The matrix is generated from the route table of the running application, so it includes new routes. The scope of each operation is
 * written out once more below. The control plants an unguarded route.
 */
import t from 'tap';
import type { FastifyInstance } from 'fastify';
import { newKey } from '../../registry/keys/keys.ts';
import { SCOPES, type Scope } from '../../registry/model.ts';
import { SYSTEM_CLOCK } from '../../registry/machine/clock.ts';
import { listen, openApp, type TestApp } from '../support/apps/app.ts';
import { operation, OPERATIONS } from '../support/http/openapi.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { withRoutes, type Route } from '../support/apps/routes.ts';

/** The scope of each operation. */
const NEEDED: Readonly<Record<string, Scope | 'open'>> = {
  listPacks: 'prompts:read',
  getPack: 'prompts:read',
  listVersions: 'prompts:read',
  getVersion: 'prompts:read',
  getPolicy: 'prompts:read',
  diffVersions: 'prompts:read',
  getActivePack: 'prompts:read',
  getSystemPrompt: 'prompts:read',
  listStyles: 'prompts:read',
  getStylePrompt: 'prompts:read',
  getCoachSession: 'prompts:read',
  getChannel: 'prompts:read',
  listRollouts: 'prompts:read',
  getRollout: 'prompts:read',
  listSchedule: 'prompts:read',
  streamEvents: 'prompts:read',
  publishVersion: 'packs:publish',
  activateVersion: 'packs:activate',
  rollbackPack: 'packs:activate',
  confirmActivation: 'packs:activate',
  startRollout: 'packs:activate',
  advanceRollout: 'packs:activate',
  pauseRollout: 'packs:activate',
  resumeRollout: 'packs:activate',
  promoteRollout: 'packs:activate',
  abortRollout: 'packs:activate',
  scheduleActivation: 'packs:activate',
  cancelScheduledActivation: 'packs:activate',
  revokeVersion: 'packs:revoke',
  startCoachSession: 'sessions:start',
  listActivations: 'audit:read',
  listEvents: 'audit:read',
  getAuditHead: 'audit:read',
  verifyAudit: 'audit:read',
  listInstances: 'audit:read',
  listKeys: 'keys:admin',
  createKey: 'keys:admin',
  revokeKey: 'keys:admin',
  getMetrics: 'metrics:read',
  live: 'open',
  ready: 'open',
  getProblem: 'open',
};

const DAY = 86_400_000;
const REALM = 'Bearer realm="prompt-registry"';
const INVALID = `${REALM}, error="invalid_token"`;

/** The application, its routes, a key for each scope alone, and what a caller without a live key could send. */
interface Subject extends TestApp {
  readonly routes: readonly Route[];
  readonly keys: ReadonlyMap<Scope, string>;
  /** `Authorization` by what is wrong with it. */
  readonly bad: Readonly<Record<string, string>>;
}

async function subject(plant?: (app: FastifyInstance) => void): Promise<Subject> {
  const keys = new Map<Scope, string>();
  const dead: Record<string, string> = {};
  const { opened, routes } = await withRoutes(
    () =>
      openApp(t, {
        earlier: { clock: { ...SYSTEM_CLOCK, now: () => Date.now() - 2 * DAY } }, // two days ago, when what has expired was made
        before: async (registry) => {
          for (const scope of SCOPES)
            keys.set(scope, (await registry.createKey({ label: scope, scopes: [scope] })).token ?? '');
          const expired = await registry.createKey({
            label: 'expired',
            scopes: ['*'],
            expiresAt: new Date(Date.now() - DAY).toISOString(),
          });
          const revoked = await registry.createKey({ label: 'revoked', scopes: ['*'] });
          await registry.revokeKey({ keyId: revoked.record.keyId, reason: 'Left the team' });
          Object.assign(dead, { expired: `Bearer ${expired.token}`, revoked: `Bearer ${revoked.token}` });
        },
      }),
    plant,
  );
  return { ...opened, routes, keys, bad: { ...dead, ...malformed(opened.key, keys.get('*') ?? '') } };
}

/** Everything that looks like a key. */
function malformed(key: string, other: string): Record<string, string> {
  const [, id = '', secret = ''] = key.split('_');
  const swapped = [...secret]
    .map((letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()))
    .join('');
  return {
    garbage: 'garbage',
    'a scheme alone': 'Bearer',
    'a blank token': 'Bearer ',
    'a token that is none': 'Bearer garbage',
    'another scheme': `Basic ${Buffer.from(`operator:${key}`).toString('base64')}`,
    'the token without its scheme': key,
    'the token under another scheme': `Token ${key}`,
    'no blank': `Bearer${key}`,
    'an equals sign': `Bearer=${key}`,
    'a tab': `Bearer\t${key}`,
    quotes: `Bearer "${key}"`,
    'two tokens': `Bearer ${key} ${key}`,
    'a list': `Bearer ${key}, Bearer ${key}`,
    'a letter more': `Bearer ${key}x`,
    'a letter less': `Bearer ${key.slice(0, -1)}`,
    'a part more': `Bearer ${key}_x`,
    'an unknown id': `Bearer prk_AAAAAAAAAAAA_${secret}`,
    'an unknown key': `Bearer ${newKey().token}`,
    'the secret of another key': `Bearer prk_${id}_${other.split('_')[2]}`,
    'the secret in the other case': `Bearer prk_${id}_${swapped}`,
    'no id': `Bearer prk__${secret}`,
    'no secret': `Bearer prk_${id}_`,
    'a secret of zeros': `Bearer prk_${id}_${'0'.repeat(43)}`,
    'another prefix': `Bearer sk_${id}_${secret}`,
    "a prototype's member as id": `Bearer prk_constructor_${secret}`,
    undefined: 'Bearer undefined',
    null: 'Bearer null',
    'a star': 'Bearer *',
    'very much': `Bearer ${'x'.repeat(8000)}`,
  };
}

t.test('a refusal says what is wrong with the header, and does not repeat a possible secret', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const [, id = '', secret = ''] = key.split('_');
  const right = 'Send the key as "Authorization: Bearer prk_…".';
  const said: readonly (readonly [authorization: string, detail: string])[] = [
    [`Token ${key}`, `The Authorization header uses the scheme "Token", which is not supported. ${right}`],
    [
      `Basic ${Buffer.from(`operator:${key}`).toString('base64')}`,
      `The Authorization header uses the scheme "Basic", which is not supported. ${right}`,
    ],
    [`ApiKey ${key}`, `The Authorization header uses the scheme "ApiKey", which is not supported. ${right}`],
    [
      key,
      'The Authorization header has no scheme. Write "Bearer" and a space before the key: "Authorization: Bearer prk_…".',
    ],
    ...[`Bearer${key}`, `Bearer=${key}`, secret, `"${key}"`].map(
      (header) => [header, `The Authorization header uses an unknown scheme. ${right}`] as const,
    ),
    ...[`Bearer "${key}"`, `Bearer Bearer ${key}`, `Bearer sk_${id}_${secret}`, 'Bearer undefined', 'Bearer'].map(
      (header) =>
        [
          header,
          'The text after "Bearer" is not a key: keys begin with prk_. Send "Authorization: Bearer prk_…".',
        ] as const,
    ),
    [`Bearer ${key}x`, 'This key is unknown.'],
  ];
  for (const [authorization, expected] of said) {
    const { statusCode, body } = await app.inject({ url: '/v1/packs', headers: { authorization } });
    const { detail } = JSON.parse(body) as { detail: string };
    t.strictSame(
      [statusCode, detail, body.includes(secret)],
      [401, expected, false],
      authorization.replace(secret, '<secret>'),
    );
  }
  for (const scheme of ['bearer', 'BEARER', 'Bearer  '])
    t.equal(
      (await app.inject({ url: '/v1/packs', headers: { authorization: `${scheme} ${key}` } })).statusCode,
      200,
      scheme,
    );
});

/** A URL of the route, with names that exist. */
function pathOf(url: string): string {
  const names: Readonly<Record<string, string>> = {
    pack: 'coach',
    version: '1.0.0',
    styleId: 'reflective',
    sessionId: 'none',
    keyId: 'none',
    code: 'internal',
    channel: 'production',
    rollout: '1',
    id: 'none',
  };
  return url.replaceAll(/:(\w+)/gu, (_, name: string) => names[name] ?? 'anything').replace('*', 'index.css');
}

interface Seen {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What is wrong with a response. @param expected undefined if the caller must be let in, whatever happens then */
function wrongWith(
  { statusCode, headers, body }: Seen,
  expected: { status: 401 | 403; challenge: string; code: string } | undefined,
): string | undefined {
  if (expected === undefined)
    return statusCode === 401 || statusCode === 403 || statusCode >= 500 ? `is kept out by a ${statusCode}` : undefined;
  if (statusCode !== expected.status) return `gets a ${statusCode} instead of a ${expected.status}`;
  if (headers['www-authenticate'] !== expected.challenge)
    return `gets WWW-Authenticate: ${String(headers['www-authenticate'])}`;
  return body === '' || (JSON.parse(body) as { code: string }).code === expected.code ? undefined : `gets ${body}`;
}

/** Runs the whole matrix. @returns what is not as declared */
async function faultsIn({ app, routes, keys, bad }: Subject): Promise<{ faults: string[]; asked: number }> {
  const faults: string[] = [];
  let asked = 0;
  // All at once: who sends a key that is not known waits for a look at the log, which comes once a second.
  const askAll = async ({ method, url, scope }: (typeof routes)[number]) => {
    if (scope === undefined) faults.push(`${method} ${url} declares no scope`);
    const ask = async (caller: string, authorization: string, expected: Parameters<typeof wrongWith>[1]) => {
      asked += 1;
      const answer = await app.inject({ method: method as 'GET', url: pathOf(url), headers: { authorization } });
      const wrong = wrongWith(answer, scope === 'open' ? undefined : expected);
      if (wrong !== undefined) faults.push(`${method} ${url}: ${caller} ${wrong}`);
    };
    await ask('nobody', '', { status: 401, challenge: REALM, code: 'unauthenticated' });
    // Where anybody may ask, some bad keys stand for all: the answers are large there.
    const tried = Object.entries(bad).filter(([name]) => scope !== 'open' || ['garbage', 'revoked'].includes(name));
    await Promise.all(
      tried.map(([name, authorization]) =>
        ask(name, authorization, { status: 401, challenge: INVALID, code: 'unauthenticated' }),
      ),
    );
    for (const [held, key] of keys) {
      const allowed = held === '*' || held === scope;
      await ask(
        `a key for ${held}`,
        `Bearer ${key}`,
        allowed
          ? undefined
          : { status: 403, challenge: `${REALM}, error="insufficient_scope", scope="${scope}"`, code: 'forbidden' },
      );
    }
  };
  await Promise.all(routes.map(askAll));
  return { faults, asked };
}

/** Spellings of the same path that the guard might read differently from the router. */
function tricksWith(path: string): string[] {
  const [first = '', second = '', ...rest] = path.slice(1).split('/');
  const tail = [second, ...rest].join('/');
  return [
    `/${path}`,
    `//localhost${path}`,
    `/${first}//${tail}`,
    `/.${path}`,
    `/%2e${path}`,
    `/%2e%2e${path}`,
    `/livez/..${path}`,
    `/livez/%2e%2e${path}`,
    `/livez%2f..${path}`,
    `/docs/..${path}`,
    `/docs/static/../..${path}`,
    `/${first}%2f${tail}`,
    `/${first}%2F${tail}`,
    `/${first}%5c${tail}`,
    `\\${first}\\${tail}`,
    `/%${first.charCodeAt(0).toString(16)}${first.slice(1)}/${tail}`,
    `/${first}/%${second.charCodeAt(0).toString(16)}${second.slice(1)}${rest.map((part) => `/${part}`).join('')}`,
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `${path}%2f`,
    `${path}%00`,
    `${path}%20`,
    `${path};x=1`,
    `${path}.json`,
    `${path}?`,
    `${path}?scope=open`,
    `${path}#x`,
    `${path}%23`,
    path.toUpperCase(),
    `/V1/${tail}`,
    `http://localhost${path}`,
    `HTTP://LOCALHOST${path}`,
    `http://elsewhere.example${path}`,
    `https://localhost:443${path}`,
    `http://user:password@localhost${path}`,
    `http://localhost/livez/..${path}`,
    `*`,
  ];
}

t.test('every route × every scope × every bad key: as declared', async (t) => {
  const all = await subject();
  const { faults, asked } = await faultsIn(all);
  t.strictSame(faults, []);
  const guarded = all.routes.filter(({ scope }) => scope !== 'open');
  t.ok(guarded.length >= 30, `${guarded.length} guarded routes, HEAD on its own`);
  t.ok(asked > 1500, `${asked} requests`);
  t.equal((await all.app.inject('/v1/audit/verification')).json().valid, true, 'and the log is still valid');

  t.test('each operation needs its scope, and its description names the scope', async (t) => {
    t.strictSame(Object.keys(NEEDED).sort(), [...OPERATIONS.keys()].sort());
    for (const [id, needed] of Object.entries(NEEDED)) {
      const { method, template, description, security } = operation(id);
      const route = all.routes.find(
        ({ method: name, url }) => name === method && url === template.replaceAll(/\{(\w+)\}/gu, ':$1'),
      );
      t.equal(route?.scope, needed, id);
      if (needed === 'open') t.strictSame(security, [], `${id} is open in the document`);
      else t.match(description, `Scope: \`${needed}\`.`);
    }
  });

  t.test('only probes, the documentation and the pages about errors are open', async (t) => {
    const open = new Set(all.routes.filter(({ scope }) => scope === 'open').map(({ url }) => url));
    t.strictSame(
      [...open].filter((url) => !/^\/(|livez|readyz|problems\/:code|openapi\.(json|yaml)|docs(\/.*)?)$/u.test(url)),
      [],
    );
  });

  t.test('a key with one scope can change only what that scope allows', async (t) => {
    const body = { method: 'POST', payload: { version: '1.0.0', reason: 'Let me in' } } as const;
    for (const [held, key] of all.keys) {
      const { statusCode } = await all.app.inject({
        ...body,
        url: '/v1/packs/coach/activations',
        headers: { authorization: `Bearer ${key}` },
      });
      t.equal(statusCode < 300, held === '*' || held === 'packs:activate', held);
    }
    const [head] = await all.store.events({ order: 'descending', limit: 1 });
    t.match(
      head,
      { type: 'version-activated', actor: { label: 'packs:activate' } },
      'it moved once, by whom it may be moved',
    );
  });

  t.test('no unusual path bypasses the guard', async (t) => {
    const origin = await listen(all.app);
    const without = (scope: Route['scope']) =>
      `Bearer ${all.keys.get(scope === 'metrics:read' ? 'prompts:read' : 'metrics:read')}`;
    const before = all.app.registry.current;
    const ask = async (method: string, target: string, authorization: string) => {
      const header = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
      return answerIn(
        await exchange(
          origin,
          Buffer.from(
            `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${header}Connection: close\r\n\r\n`,
            'latin1',
          ),
        ),
      );
    };
    const through: string[] = [];
    let asked = 0;
    // HEAD is routed as GET is; the matrix has it.
    for (const { method, url, scope } of all.routes.filter(
      ({ method, scope }) => scope !== 'open' && method !== 'HEAD',
    )) {
      const answers = tricksWith(pathOf(url)).flatMap((target) => [
        ask(method, target, '').then(
          ({ statusCode }) =>
            [400, 401, 404, 405].includes(statusCode) || through.push(`${method} ${target}: ${statusCode} for nobody`),
        ),
        ask(method, target, without(scope)).then(
          ({ statusCode }) =>
            [400, 403, 404, 405].includes(statusCode) ||
            through.push(`${method} ${target}: ${statusCode} for a key without the scope`),
        ),
      ]);
      asked += (await Promise.all(answers)).length;
    }
    t.strictSame(through, []);
    t.ok(asked > 1000, `${asked} requests`);
    t.equal(all.app.registry.current, before, 'nothing was changed');
    t.equal((await ask('GET', 'http://localhost/v1/packs', '')).statusCode, 401, 'absolute form, nobody');
    t.equal(
      (await ask('GET', 'http://localhost/v1/packs', `Bearer ${all.key}`)).statusCode,
      200,
      'absolute form with a key: it is the same place',
    );
    t.equal((await ask('GET', '/%761/packs', '')).statusCode, 401, 'an encoded letter, nobody');
  });
});

t.test('control: an unguarded route is found, and so is one without a scope', async (t) => {
  // These routes are added before the guard, so it never sees them.
  const planted = await subject((app) => {
    app.get('/v1/planted', { config: { scope: 'audit:read' } }, () => ({ all: 'the secrets' }));
    app.get('/v1/silent', () => ({ all: 'the secrets' }));
  });
  // What is open holds large documents, and was asked for above.
  const { faults } = await faultsIn({ ...planted, routes: planted.routes.filter(({ scope }) => scope !== 'open') });
  for (const expected of [
    'GET /v1/planted: nobody gets a 200 instead of a 401',
    'GET /v1/planted: revoked gets a 200',
    'GET /v1/planted: a key for prompts:read gets a 200',
    'GET /v1/silent declares no scope',
  ]) {
    t.ok(
      faults.some((fault) => fault.startsWith(expected)),
      expected,
    );
  }
  t.strictSame(
    faults.filter((fault) => !/ \/v1\/(planted|silent)\b/u.test(fault)),
    [],
    'and nothing else',
  );
});
