/**
 * Bad input: each is a 4xx problem that says what is wrong, changes nothing, and does not disturb the next good request.
 *
 * Bodies and queries are sent with `inject`. Paths are sent over a raw connection, because every client would normalise them.
 */
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { askOf, faultsOf, schemaFaults, type RawAnswer } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { words } from '../support/process/words.ts';

const opened = await openApp(t);
const { app, key, store } = opened;
const ask = askOf(app);
const reason = 'Users report that answers are too blunt';
const JSON_TYPE = { 'content-type': 'application/json' };
/** As it stands in a request that is written by hand. */
const AUTHORIZATION = `Authorization: Bearer ${key}\r\n`;

const ACTIVATE = '/v1/packs/coach/activations';
/** The operations with a body, and a valid body of each. */
const BODIES: Readonly<Record<string, { readonly url: string; readonly good: Readonly<Record<string, unknown>> }>> = {
  activateVersion: { url: ACTIVATE, good: { version: '1.0.0', channel: 'production', reason, dryRun: true } },
  rollbackPack: {
    url: '/v1/packs/coach/rollback',
    good: { channel: 'production', reason, toVersion: '1.0.0', fromVersion: '2.0.0', dryRun: true },
  },
  publishVersion: { url: '/v1/packs/coach/versions', good: { ...documentOf('coach', '9.0.0') } },
  startCoachSession: { url: '/v1/coach/sessions', good: { styleId: 'reflective', channel: 'production' } },
  revokeVersion: { url: '/v1/packs/coach/versions/1.0.0/revoke', good: { reason, replacement: '1.1.0', dryRun: true } },
  createKey: {
    url: '/v1/keys',
    good: { label: 'coach-web', scopes: ['prompts:read'], expiresAt: '2100-01-01T00:00:00Z' },
  },
  revokeKey: { url: '/v1/keys/none/revoke', good: { reason } },
  startRollout: {
    url: '/v1/packs/coach/rollouts',
    good: {
      version: '1.0.0',
      channel: 'production',
      steps: [{ share: 10 }],
      finish: 'wait',
      bake: '1h',
      force: true,
      reason,
    },
  },
  abortRollout: { url: '/v1/packs/coach/rollouts/1/abort', good: { sessions: 'end', reason } },
  scheduleActivation: {
    url: '/v1/packs/coach/schedule',
    good: { version: '1.0.0', channel: 'production', at: '2100-01-01T00:00:00Z', reason },
  },
};

/** Sends a request, and checks that nothing changed and that the service still responds. */
async function refused(
  t: Test,
  name: string,
  answer: RawAnswer | Promise<RawAnswer>,
  status: number,
  code: string,
  operation?: string,
): Promise<void> {
  const before = app.registry.current;
  const head = await store.head();
  const { statusCode, headers, body } = await answer;
  const problem = JSON.parse(body) as { code: string };
  t.strictSame([statusCode, problem.code], [status, code], `${name}: ${body.slice(0, 200)}`);
  const undeclared =
    operation === undefined
      ? schemaFaults('/components/schemas/Problem', problem)
      : faultsOf(operation, { statusCode, headers, body });
  const after = await store.head();
  const next = await app.inject({ url: '/v1/prompts/system' });
  // One assertion for all of it: there are a thousand bad inputs.
  const held = {
    'as declared': undeclared.length === 0 || undeclared,
    'a problem': String(headers['content-type']).startsWith('application/problem+json'),
    'nothing leaks': !/node_modules|\bat [\w.]+ \(|\.ts:/u.test(body),
    'nothing is visible': app.registry.current === before,
    'nothing is in the log': isDeepStrictEqual(after, head),
    'the next good request is answered': next.statusCode === 200,
  };
  t.strictSame(
    Object.entries(held).filter(([, holds]) => holds !== true),
    [],
    `${name}: ${Object.keys(held).join(', ')}`,
  );
}

const post = (
  url: string,
  payload: InjectOptions['payload'],
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): Promise<RawAnswer> => app.inject({ method: 'POST', url, headers, ...(payload !== undefined && { payload }) });

for (const [operation, { url, good }] of Object.entries(BODIES)) {
  const invalid = (t: Test, name: string, body: unknown) =>
    refused(t, name, post(url, JSON.stringify(body)), 400, 'validation-failed', operation);

  t.test(`${operation}: types are never coerced`, async (t) => {
    for (const member of Object.keys(good)) {
      for (const value of [null, 5, 0, true, false, [], {}, [good[member]], { value: good[member] }, '', ' ']) {
        if (typeof value === 'boolean' && typeof good[member] === 'boolean') continue;
        await invalid(t, `${member}: ${JSON.stringify(value)}`, { ...good, [member]: value });
      }
    }
    for (const body of [null, 5, '5', true, [], [good], '']) await invalid(t, JSON.stringify(body), body);
  });

  t.test(`${operation}: unknown members are refused, not removed`, async (t) => {
    for (const member of [
      'version ',
      '',
      ...words`
      surprise Version constructor toString hasOwnProperty $ref dry_run __defineGetter__
    `,
    ]) {
      await invalid(t, `"${member}"`, { ...good, [member]: 'x' });
    }
    const inside = JSON.stringify(good).slice(1);
    for (const poison of [
      '"__proto__":{"version":"1.0.0"}',
      '"__proto__":null',
      '"constructor":{"prototype":{"x":1}}',
      '"\\u005f_proto__":1',
      '"a":{"__proto__":{"x":1}}',
    ]) {
      await refused(t, poison, post(url, `{${poison},${inside}`), 400, 'validation-failed', operation);
    }
    t.equal(({} as { x?: number }).x, undefined, 'no prototype was touched');
  });

  t.test(`${operation}: a duplicate member is refused`, async (t) => {
    const text = JSON.stringify(good);
    for (const [name, value] of Object.entries(good)) {
      const again = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      await refused(
        t,
        `${name} twice`,
        post(url, `${text.slice(0, -1)},${again}}`),
        400,
        'validation-failed',
        operation,
      );
      await refused(
        t,
        `${name} spelt otherwise`,
        post(
          url,
          `{"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":${JSON.stringify(value)},${text.slice(1)}`,
        ),
        400,
        'validation-failed',
        operation,
      );
    }
  });

  t.test(`${operation}: a body must be JSON in UTF-8, with its content type`, async (t) => {
    const text = JSON.stringify(good);
    const malformed: readonly (readonly [name: string, payload: InjectOptions['payload']])[] = [
      ['an empty body', ''],
      ['a blank body', ' \n'],
      ['half a body', text.slice(0, -1)],
      ['two bodies', `${text}${text}`],
      ['a trailing comma', text.replace(/\}$/u, ',}')],
      ['single quotes', text.replaceAll('"', "'")],
      ['a comment', `/* */${text}`],
      ['NaN', '{"reason":NaN}'],
      ['a control character', '{"reason":"a\u0001b"}'],
      [
        'bytes that are no UTF-8',
        Buffer.concat([Buffer.from('{"reason":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      ],
      [
        'an overlong encoding',
        Buffer.concat([Buffer.from('{"reason":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
      ],
      ['UTF-16', Buffer.from(text, 'utf16le')],
      ['NUL in a text', '{"reason":"a\\u0000b"}'],
      ['half a surrogate pair', '{"reason":"\\ud83c"}'],
      ['half a surrogate pair in a name', '{"\\udf31":1}'],
      ['a deep nesting', `{"reason":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
      ['a deep nesting of objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
      [
        'very many members',
        JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, index]))),
      ],
      ['a number beyond all numbers', '{"reason":1e999}'],
    ];
    for (const [name, payload] of malformed)
      await refused(t, name, post(url, payload), 400, 'validation-failed', operation);
    await refused(t, 'no body at all', app.inject({ method: 'POST', url }), 400, 'validation-failed', operation);

    const types = [
      'text/plain; charset=utf-8',
      'multipart/form-data; boundary=x',
      '',
      ...words`
      text/plain application/x-www-form-urlencoded application/xml text/json application/jsonx application/json+x
      application/x-json application/problem+json application/merge-patch+json application/ /json json */* ;
    `,
    ];
    for (const type of types)
      await refused(
        t,
        `the type "${type}"`,
        post(url, text, { 'content-type': type }),
        415,
        'unsupported-media-type',
        operation,
      );
    await refused(t, 'no type', post(url, Buffer.from(text), {}), 415, 'unsupported-media-type', operation);
    for (const coding of ['gzip', 'br', 'GZIP', 'x-gzip', 'nonsense']) {
      await refused(
        t,
        `the coding ${coding}`,
        post(url, gzipSync(text), { ...JSON_TYPE, 'content-encoding': coding }),
        415,
        'unsupported-media-type',
        operation,
      );
    }
  });
}

t.test('application/json is accepted in any spelling', async (t) => {
  const types = [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'APPLICATION/JSON',
    'Application/Json ; Charset="utf-8"',
    'application/json; profile=x',
  ];
  for (const type of types)
    t.equal((await post('/v1/coach/sessions', '{}', { 'content-type': type })).statusCode, 201, type);
  t.equal((await post('/v1/coach/sessions', '\uFEFF{}')).statusCode, 201, 'a BOM is no part of the text');
  t.equal((await post('/v1/coach/sessions', '{}', { ...JSON_TYPE, 'content-encoding': 'identity' })).statusCode, 201);
});

t.test('a refusal of a large body says where the fault is, and stays small', async (t) => {
  const { body } = await post(
    ACTIVATE,
    JSON.stringify({ version: '1.0.0', reason: Array.from({ length: 50_000 }, () => '\u0000') }),
  );
  t.ok(body.length < 20_000, `${body.length} bytes`);
  t.match(JSON.parse(body), { errors: [{ pointer: '/reason/0', detail: /NUL/u }] });
});

t.test('a refusal says where a member is duplicated; the same name in two objects is no duplicate', async (t) => {
  const document = {
    ...documentOf('repeats', '1.0.0'),
    system: 'You say {"a": 1, "a": 2}, \\" and [1, "}"] ,"version":"x"',
  };
  const text = JSON.stringify(document);
  for (const [pointer, twice] of Object.entries({
    '/version': text.replace('{', '{"version":"9.9.9",'),
    '/styles/1/title': text.replace('"title":"Direct"', '"title":"Direct","title":"Direct"'),
    '/compatibility/models/0/family': text.replace('"family":', '"family":"x","family":'),
  })) {
    const { body } = await post('/v1/packs/repeats/versions', twice);
    t.match(JSON.parse(body), { code: 'validation-failed', errors: [{ pointer }] }, pointer);
  }
  const published = await post('/v1/packs/repeats/versions', text);
  t.equal(published.statusCode, 201, 'styles have the same names as one another, and texts may hold anything');
  t.equal((await app.registry.version('repeats', '1.0.0')).content.system, document.system);
});

t.test('a body that is nested too deeply is refused with that reason, at any depth', async (t) => {
  for (const depth of [101, 1000, 10_000, 500_000]) {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const payload = `${open.repeat(depth)}1${close.repeat(depth)}`;
      if (payload.length > 1024 * 1024) continue;
      const { statusCode, body } = await post(ACTIVATE, payload);
      t.match(
        { statusCode, body: JSON.parse(body) },
        { statusCode: 400, body: { errors: [{ detail: /nested deeper than 100 levels/u }] } },
        `${depth} ${open}`,
      );
    }
  }
});

t.test('an oversized body is refused without being read to its end', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory', bodyLimit: 2048 });
  const padded = (bytes: number) => JSON.stringify({ styleId: 'reflective' }).padEnd(bytes);
  const start = (payload: string) =>
    app.inject({ method: 'POST', url: '/v1/coach/sessions', headers: JSON_TYPE, payload });
  t.equal((await start(padded(2048))).statusCode, 201, 'the limit itself');
  const detailOf = (body: string) => (JSON.parse(body) as { detail: string }).detail;
  const refusal = await start(padded(2049));
  t.equal(refusal.statusCode, 413, 'one more');
  t.equal(
    detailOf(refusal.body),
    'The body has 2049 bytes; this service accepts at most 2048 bytes (BODY_LIMIT=2kb). Send a smaller body, or ask an operator to raise BODY_LIMIT.',
  );

  const origin = await listen(app);
  const head = `POST /v1/coach/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
  const announced = answerIn(await exchange(origin, `${head}Content-Length: 1000000\r\n\r\n{`));
  t.strictSame([announced.statusCode, faultsOf('startCoachSession', announced)], [413, []], 'by what it says it is');
  t.match(
    detailOf(announced.body),
    /^The body has 1000000 bytes; this service accepts at most 2048 bytes \(BODY_LIMIT=2kb\)/u,
  );
  const chunked = answerIn(
    await exchange(origin, `${head}Transfer-Encoding: chunked\r\n\r\n1000\r\n${' '.repeat(4096)}\r\n`),
  );
  t.strictSame(
    [chunked.statusCode, faultsOf('startCoachSession', chunked)],
    [413, []],
    'a chunked body is counted as it arrives',
  );
  t.match(
    detailOf(chunked.body),
    /^The body is too large; this service accepts at most 2048 bytes \(BODY_LIMIT=2kb\)/u,
  );
});

t.test('queries: unknown, repeated and ill-typed parameters', async (t) => {
  const queries: readonly (readonly [operation: string, url: string])[] = [
    ...words`
      surprise=1 __proto__=1 __proto__[x]=1 constructor=1 constructor[prototype][x]=1 toString= = =1 %00=1 []=1
      pack=coach
    `.map((query) => ['listPacks', `/v1/packs?${query}`] as const),
    ...[
      `channel=${'x'.repeat(64)}`,
      ...words`
      channel=production&channel=staging channel[]=production channel= channel=Production channel=%00 channel=..
      channel=%ff channel=%zz channel=production%20 Channel=production channel=null;drop pack=onboarding
    `,
    ].map((query) => ['getActivePack', `/v1/packs/coach/active?${query}`] as const),
    ...['pack=coach&pack=coach', 'pack=', 'pack=../coach', 'pack=__proto__', 'style=direct'].map(
      (query) => ['getSystemPrompt', `/v1/prompts/system?${query}`] as const,
    ),
    ...[
      '',
      ...words`
      0 1001 -1 1.5 abc 1e9 NaN Infinity 1,000 9007199254740993 null true 1&limit=2 %31%00
    `,
    ].flatMap((limit) => [
      ['listVersions', `/v1/packs/coach/versions?limit=${limit}`] as const,
      ['listActivations', `/v1/packs/coach/activations?limit=${limit}`] as const,
    ]),
    ...[
      '',
      '!',
      'AAAA',
      'MS4wLjA=',
      '..',
      '%00',
      'x'.repeat(201),
      ...[
        '1.0.0\n',
        `${'9'.repeat(30)}.0.0`,
        '1.0.0 ',
        '9'.repeat(17),
        ...words`
        1.0 1.0.0- 1.0.0-01 v1.0.0 -1 0 1e3 {}
      `,
      ].map((cursorKey) => Buffer.from(cursorKey).toString('base64url')),
    ].flatMap((cursor) => [
      ['listVersions', `/v1/packs/coach/versions?cursor=${cursor}`] as const,
      ['listActivations', `/v1/packs/coach/activations?cursor=${cursor}`] as const,
    ]),
    ...['deleted', 'REGISTERED', ''].map(
      (status) => ['listVersions', `/v1/packs/coach/versions?status=${status}`] as const,
    ),
    ['listPacks', `/v1/packs?${'a=1&'.repeat(3000)}`],
    ['listPacks', `/v1/packs?${'x'.repeat(12_000)}`],
  ];
  for (const [operation, url] of queries)
    await refused(t, url.slice(0, 100), app.inject({ url }), 400, 'validation-failed', operation);
  for (const [operation, { url, good }] of Object.entries(BODIES)) {
    await refused(
      t,
      `${operation}: a query`,
      post(`${url}?dryRun=true`, JSON.stringify(good)),
      400,
      'validation-failed',
      operation,
    );
  }
});

t.test('unusual paths', async (t) => {
  const origin = await listen(app);
  const get = async (path: string): Promise<RawAnswer> =>
    answerIn(
      await exchange(
        origin,
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${AUTHORIZATION}\r\n`, 'latin1'),
      ),
    );
  const long = 'x'.repeat(201);
  const tricks: Readonly<Record<string, readonly string[]>> = {
    '400 validation-failed': [
      ...[
        'x'.repeat(64),
        ...words`
        .. . %2e%2e %2E%2E %2e ..%2f..%2fetc%2fpasswd %2f %5c %00 coach%00 coach%2f1.0.0 coach%20 %20 % %2 %zz %c0%af
        %ff %u0041 COACH coach;a=1 coach. -coach c* $(id) 'or'1 %0d%0aX:1 %E2%80%8Bcoach
      `,
      ].map((name) => `/v1/packs/${name}`),
      ...[
        `1.0.0-${'a'.repeat(60)}`,
        ...words`
        1.0 v1.0.0 01.0.0 1.0.0+build 1.0.0%2Bbuild 1.0.0- 1.0.0-01 1.0.0-a..b latest %2e%2e 1.0.0%00 =1.0.0 ^1.0.0
        9999999999999999.0.0
      `,
      ].map((version) => `/v1/packs/coach/versions/${version}`),
      ...['%2e%2e', '..', '%00', 'Supportive', 'supportive%00', 'a%2fb'].map((style) => `/v1/prompts/styles/${style}`),
      ...['NOPE', '%2e%2e', '__proto__'].map((code) => `/problems/${code}`),
      '/v1/packs/',
      '/v1/packs//active',
      '/v1/prompts/styles/',
      '/v1/coach/sessions/%',
      '/%',
    ],
    '404 not-found': words`
      /v1/packs/../../etc/passwd //v1/packs /v1//packs /v1/packs/coach/ /v1/packs/coach//active
      /v1/packs/coach/active/ /v1/./packs /v1/../v1/packs /%2e%2e/v1/packs /v1%2fpacks /V1/packs
      /v1/packs/coach/versions/1.0.0/ /problems/constructor /docs/../v1/packs /docs/static/..%2f..%2f..%2fpackage.json
      /docs/static/%2e%2e/%2e%2e/package.json /docs/static/../../package.json /\v1\packs
    `,
    '404 pack-not-found': ['/v1/packs/constructor', '/v1/packs/tostring', '/v1/packs/0'],
    '404 session-not-found': [
      '..',
      '%2e%2e',
      '%00',
      'a.b.c',
      'eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.',
      '__proto__',
      'x'.repeat(200),
    ].map((id) => `/v1/coach/sessions/${id}`),
    '414 uri-too-long': [
      `/v1/packs/${long}`,
      `/v1/packs/coach/versions/${long}`,
      `/v1/prompts/styles/${long}`,
      `/v1/coach/sessions/${long}`,
      `/problems/${long}`,
      `/v1/packs/${'%41'.repeat(201)}`,
    ],
  };
  for (const [expected, paths] of Object.entries(tricks)) {
    const [status = '', code = ''] = expected.split(' ');
    for (const path of paths) await refused(t, path.slice(0, 100), get(path), Number(status), code);
  }
});

t.test('invalid HTTP gets a problem response, and the connection is closed', async (t) => {
  const origin = await listen(app).catch(() => `http://127.0.0.1:${(app.server.address() as { port: number }).port}`);
  const junk: readonly (readonly [name: string, bytes: string, status: number, code: string])[] = [
    ['junk', 'hello\r\n\r\n', 400, 'validation-failed'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'validation-failed'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01', 400, 'validation-failed'],
    ['a method that is none', 'BREW /v1/packs HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'validation-failed'],
    ['a header that is none', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n', 400, 'validation-failed'],
    [
      'two lengths',
      'POST /v1/coach/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
      'validation-failed',
    ],
    [
      'a length and chunks',
      'POST /v1/coach/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'validation-failed',
    ],
    [
      'a chunk that is none',
      `POST /v1/coach/sessions HTTP/1.1\r\nHost: localhost\r\n${AUTHORIZATION}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      400,
      'validation-failed',
    ],
    ['a very long path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431, 'header-too-large'],
  ];
  for (const [name, bytes, status, code] of junk) {
    const answer = answerIn(await exchange(origin, Buffer.from(bytes, 'latin1')));
    t.equal(String(answer.headers['registry-revision']), String(app.registry.current.revision), name);
    await refused(t, name, answer, status, code);
  }
});

t.test('after all of these requests, the registry is unchanged', async (t) => {
  const [, , { body: first }] = [0, 0, await ask(t, 'listActivations', { query: { limit: 1000 } })];
  t.equal(first.activations.length, 2, 'the two of the first start');
  t.strictSame(
    (await ask(t, 'listVersions')).body.versions.map(({ version }: { version: string }) => version),
    ['2.0.0', '1.1.0', '1.0.0'],
  );
});
