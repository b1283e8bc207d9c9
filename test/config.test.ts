/**
 * Settings: the defaults, how each one is read, and that one error names every invalid one.
 */
import { join, resolve } from 'node:path';
import t from 'tap';
import { Environment, readConfig } from '../config.ts';
import { StartRefused } from '../registry/index.ts';

/** What a refused environment is told. */
function refusal(env: Readonly<Record<string, string>>): StartRefused {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof StartRefused) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(env)} was taken.`);
}

/** The variables that a refusal names, in order. */
function named(env: Readonly<Record<string, string>>): string[] {
  return refusal(env)
    .message.split('\n')
    .slice(1)
    .map((line) => line.trim().split('=')[0] ?? '');
}

const DEFAULTS = {
  host: '127.0.0.1',
  port: 3000,
  publicUrl: undefined,
  dataDir: resolve('data'),
  store: { kind: 'sqlite', file: resolve('data', 'registry.db') },
  snapshotKeyFile: undefined,
  packsDir: './packs',
  defaultPack: 'coach',
  defaultVersion: undefined,
  channels: ['production', 'staging'],
  sessionTtl: 86_400_000,
  bodyLimit: 1_048_576,
  rateLimit: 6000,
  keyMaxStale: Infinity,
  pinVersion: undefined,
  corsOrigins: [],
  trustProxy: false,
  tracing: undefined,
  logLevel: 'info',
};

t.test('an empty environment gives the defaults', async (t) => {
  t.strictSame({ ...readConfig({}) }, DEFAULTS);
});

t.test('an empty value counts as not set, and other variables are ignored', async (t) => {
  const empty = Object.fromEntries(Object.keys(Environment.properties).map((name) => [name, '']));
  t.strictSame({ ...readConfig({ ...empty, PATH: '/usr/bin', port: '80', __proto__: 'x' }) }, DEFAULTS);
});

t.test('every setting is read', async (t) => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '0',
    PUBLIC_URL: 'https://prompts.example.org/registry/',
    DATA_DIR: '/srv/registry',
    PACKS_DIR: '/srv/packs',
    DEFAULT_PACK: 'onboarding',
    DEFAULT_VERSION: '2.0.0-rc.1',
    CHANNELS: 'live, beta ,test',
    SESSION_TTL: '90m',
    BODY_LIMIT: '512kb',
    TRUST_PROXY: '10.0.0.0/8, ::1',
    LOG_LEVEL: 'debug',
    RATE_LIMIT: '0',
    CORS_ORIGINS: 'https://Console.Example.com:443, http://localhost:8080',
    KEY_MAX_STALE: '12h',
    PIN_VERSION: 'coach@1.0.0-rc.1',
    SNAPSHOT_KEY_FILE: '/etc/registry/snapshot.key',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.internal:4318/otlp',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
    OTEL_SERVICE_NAME: 'coach registry',
  });
  t.strictSame(
    { ...config },
    {
      host: '0.0.0.0',
      port: 0,
      publicUrl: 'https://prompts.example.org/registry',
      dataDir: '/srv/registry',
      store: { kind: 'sqlite', file: '/srv/registry/registry.db' },
      packsDir: '/srv/packs',
      defaultPack: 'onboarding',
      defaultVersion: '2.0.0-rc.1',
      channels: ['live', 'beta', 'test'],
      sessionTtl: 5_400_000,
      bodyLimit: 524_288,
      trustProxy: '10.0.0.0/8, ::1',
      logLevel: 'debug',
      rateLimit: 0,
      corsOrigins: ['https://console.example.com', 'http://localhost:8080'],
      keyMaxStale: 43_200,
      snapshotKeyFile: '/etc/registry/snapshot.key',
      pinVersion: { pack: 'coach', version: '1.0.0-rc.1' },
      tracing: {
        endpoint: 'https://collector.internal:4318/otlp',
        headers: { authorization: 'Bearer abc' },
        serviceName: 'coach registry',
      },
    },
  );
  t.strictSame(Object.keys(config).sort(), Object.keys(DEFAULTS).sort());
});

t.test('where the store lies', async (t) => {
  t.strictSame(readConfig({ STORE_URL: 'memory:' }).store, { kind: 'memory' });
  t.strictSame(readConfig({ STORE_URL: 'sqlite:/srv/other.db' }).store, { kind: 'sqlite', file: '/srv/other.db' });
  t.strictSame(
    readConfig({ STORE_URL: 'sqlite:other.db', DATA_DIR: '/srv' }).store,
    { kind: 'sqlite', file: resolve('other.db') },
    'relative to the process',
  );
  for (const url of [
    'postgres://registry:secret@db.internal:5432/registry?sslmode=verify-full',
    'postgresql://localhost/registry',
    'postgres://',
  ])
    t.strictSame(readConfig({ STORE_URL: url }).store, { kind: 'postgres', url }, 'as it was given');
  t.strictSame(readConfig({ DATA_DIR: 'here' }).store, { kind: 'sqlite', file: join(resolve('here'), 'registry.db') });
});

t.test('a garbled path is refused, and the message says why', async (t) => {
  const says = (env: Readonly<Record<string, string>>) => refusal(env).message;
  t.match(says({ DATA_DIR: '/srv/data\r' }), 'DATA_DIR="/srv/data\\r" is wrong: it must be free of control characters');
  t.match(says({ PACKS_DIR: '"/srv/q"' }), 'written without quotes');
  t.match(says({ DATA_DIR: '~/x' }), 'a path without ~, which only a shell expands');
  t.match(
    says({ STORE_URL: 'sqlite://x.db' }),
    'sqlite:data/registry.db below the working folder, or sqlite:/srv/registry/registry.db',
  );
  t.strictSame(
    readConfig({ STORE_URL: 'sqlite:///srv/other.db' }).store,
    { kind: 'sqlite', file: '/srv/other.db' },
    'a URL without a host has an absolute path',
  );
  for (const DATA_DIR of ['/srv/it’s "fine"', '/srv/a b', '/srv/~x', './~x', '/srv/100%', '/srv/ä'])
    t.equal(readConfig({ DATA_DIR }).dataDir, resolve(DATA_DIR));
  t.notMatch(says({ CORS_ORIGINS: 'https://user:hunter2@a.example' }), /hunter2/u);
});

t.test('origins as a browser sends them', async (t) => {
  const origins = (CORS_ORIGINS: string) => readConfig({ CORS_ORIGINS }).corsOrigins;
  t.strictSame(
    origins(
      'https://Console.Example.com:443,HTTP://LOCALHOST:80, http://[::0001]:8080,https://bücher.example,https://a.example:80',
    ),
    [
      'https://console.example.com',
      'http://localhost',
      'http://[::1]:8080',
      'https://xn--bcher-kva.example',
      'https://a.example:80',
    ],
  );
  t.strictSame(origins('https://a.example,https://A.example:443'), ['https://a.example'], 'each once');
});

t.test('durations and sizes in their units', async (t) => {
  const ttl = (SESSION_TTL: string) => readConfig({ SESSION_TTL }).sessionTtl;
  t.strictSame(
    ['1s', '2m', '3h', '4d', '365d', '31536000s'].map(ttl),
    [1000, 120_000, 10_800_000, 345_600_000, 31_536_000_000, 31_536_000_000],
  );
  const limit = (BODY_LIMIT: string) => readConfig({ BODY_LIMIT }).bodyLimit;
  t.strictSame(['1kb', '64mb', '65536kb'].map(limit), [1024, 67_108_864, 67_108_864]);
});

t.test('for how long keys are accepted while the store is down, in seconds', async (t) => {
  const stale = (KEY_MAX_STALE: string) => readConfig({ KEY_MAX_STALE }).keyMaxStale;
  t.strictSame(['1s', '2m', '3h', '365d', 'unlimited'].map(stale), [1, 120, 10_800, 31_536_000, Infinity]);
});

t.test('the public URL in its normal form', async (t) => {
  const publicUrl = (PUBLIC_URL: string) => readConfig({ PUBLIC_URL }).publicUrl;
  t.strictSame(
    [
      'HTTPS://Prompts.Example.org:443',
      'http://localhost:8080/',
      'https://[::1]/a/b-c/d_e.f~/',
      'https://bücher.example/registry',
    ].map(publicUrl),
    [
      'https://prompts.example.org',
      'http://localhost:8080',
      'https://[::1]/a/b-c/d_e.f~',
      'https://xn--bcher-kva.example/registry',
    ],
  );
  const says = (PUBLIC_URL: string) => refusal({ PUBLIC_URL }).message;
  t.match(says('https://a.example?x'), 'without a query and a fragment.');
  t.match(says('https://registry:hunter2@a.example'), 'without a user name and a password.');
  t.match(says('https://a.example/a/../b'), 'with a path of letters, digits, ".", "_", "~" and "-".');
  t.notMatch(says('https://registry:hunter2@a.example'), /hunter2/u);
});

t.test('headers for the collector', async (t) => {
  const headers = (OTEL_EXPORTER_OTLP_HEADERS: string) =>
    readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_EXPORTER_OTLP_HEADERS }).tracing?.headers;
  t.strictSame(headers('Api-Key = a%2Cb=c ,x-tenant=1,'), { 'api-key': 'a,b=c', 'x-tenant': '1' });
  t.strictSame(headers(''), {});
});

t.test('a refusal never shows the password in an address', async (t) => {
  const addresses = [
    'mysql://registry:hunter2@db.internal/registry',
    'Postgres://registry:hunter2@db.internal',
    'postgres:/registry:hunter2@db.internal',
    'postgres:registry:hunter2@db.internal/registry',
    'registry:hunter2@db.internal',
    'mysql://registry:hunter2@hunter2@db.internal',
    'mysql://registry:hunter2/hunter2@db.internal',
    'mysql://:hunter2@db.internal',
    'mysql://db.internal/registry?user=registry&password=hunter2',
    'mysql://registry:hun\nter2hunter2@db.internal',
  ];
  for (const STORE_URL of addresses) {
    const { message } = refusal({ STORE_URL });
    t.match(message, /STORE_URL=".*" is wrong: it must be (postgres:|free of control characters)/u);
    t.notMatch(message, /hunter2/u, STORE_URL);
  }
  t.notMatch(
    refusal({ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://registry:hunter2@collector.internal' }).message,
    /hunter2/u,
    'nor that of a collector',
  );
});

t.test('proxies', async (t) => {
  const trust = (TRUST_PROXY: string) => readConfig({ TRUST_PROXY }).trustProxy;
  t.strictSame(['on', 'off', '127.0.0.1', 'loopback', 'loopback,10.1.0.0/16', 'fd00::/8'].map(trust), [
    true,
    false,
    '127.0.0.1',
    'loopback',
    'loopback,10.1.0.0/16',
    'fd00::/8',
  ]);
});

t.test('a configuration cannot be changed', async (t) => {
  const config = readConfig({});
  t.ok([config, config.channels, config.store].every(Object.isFrozen));
  t.throws(() => Object.assign(config, { port: 1 }), TypeError);
});

/** Values that are wrong, by variable; each alone is refused, by name. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  PORT: ['-1', '65536', '99999', '80a', '8 0', '1e3', '0x50', '٣'],
  DATA_DIR: [
    '/srv/data\r',
    '/srv/da\nta',
    '"/srv/q"',
    "'/srv/q'",
    '~/x',
    '~',
    '~registry/x',
    '/srv/data ',
    ' /srv/data',
    '$HOME/data',
    '${DATA}',
    'file:///srv/data',
  ],
  PUBLIC_URL: [
    'prompts.example.org',
    'ftp://prompts.example.org',
    'https:prompts.example.org',
    'https://',
    'https://a b.example',
    'https://a.example:99999',
    'https://a.example/?x',
    'https://a.example/#x',
    'https://a.example\\x',
    'https://a.example//x',
    'https://a.example/a b',
    'https://a.example/%20',
    'https://a.example/.x',
    'https://a.example\r',
    '"https://a.example"',
  ],
  PACKS_DIR: ['./packs\t', '"packs"', '~/packs', '/srv/\u0085'],
  HOST: ['127.0.0.1\r', '"127.0.0.1"'],
  STORE_URL: [
    'sqlite://x.db',
    'sqlite://srv/registry.db',
    'sqlite:~/x.db',
    'sqlite:x.db\r',
    '"sqlite:x.db"',
    'sqlite:"x.db"',
    'sqlite:x.db?mode=ro',
    'sqlite:/srv/my%20data/x.db',
    'sqlite: x.db',
    'postgres://db/registry\r',
    'memory:\r',
    'sqlite:',
    'memory:x',
    'mysql://localhost',
    'registry.db',
    'MEMORY:',
  ],
  DEFAULT_PACK: ['Coach', '-coach', 'a/b', '../etc', 'c'.repeat(64), 'coach\n'],
  DEFAULT_VERSION: ['1', '1.0', 'v1.0.0', '1.0.0+build', '01.0.0', 'latest', '1.0.0 '],
  CHANNELS: [
    ',',
    'production,',
    'production,,staging',
    'production,production',
    'Production',
    'a b',
    `production,${'c'.repeat(64)}`,
  ],
  SESSION_TTL: ['24', '0h', '-1h', '1w', '1.5h', '366d', '31536001s', '999999999d', 'h', '24H'],
  BODY_LIMIT: ['1', '1gb', '0kb', '65mb', '65537kb', '1.5mb', '-1kb', '1MB'],
  TRUST_PROXY: [
    'yes',
    'true',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0',
    '127.0.0.1,',
    '300.0.0.1',
    '::1/129',
    '10.0.0.0/',
  ],
  RATE_LIMIT: ['-1', '1.5', 'off', '100000000'],
  CORS_ORIGINS: [
    '*',
    'console.example.com',
    'https://a.example/',
    'https://a.example,',
    'ftp://a.example',
    'https://*.example.com',
    'https://a.example:*',
    'https://a.example/path',
    'https://a.example?x',
    'https://a.example:99999',
    'https://a b.example',
    'null',
    'https://a.example\r',
    '"https://a.example"',
    'https://a.example\\x',
  ],
  KEY_MAX_STALE: ['24', '0h', 'never', '366d', 'Infinity', '1w'],
  PIN_VERSION: [
    'coach',
    'coach@',
    '@1.0.0',
    'coach@1.0',
    'Coach@1.0.0',
    'coach@1.0.0@2.0.0',
    'coach@latest',
    'coach 1.0.0',
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    'collector:4318',
    'grpc://collector:4317',
    'http://',
    'http://collector:4318?x=1',
    'http://a b',
  ],
  OTEL_SERVICE_NAME: [' ', ' registry', 'r'.repeat(256)],
  LOG_LEVEL: ['verbose', 'INFO', 'info ', '30'],
};

/** Control characters as a message shows them. */
const escaped = (value: string) =>
  value.replaceAll(
    /\p{Cc}/gu,
    (character) =>
      ({ '\r': '\\r', '\n': '\\n', '\t': '\\t' })[character] ??
      `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

t.test('each wrong value is refused by name, with the value and what is expected', async (t) => {
  for (const [name, values] of Object.entries(WRONG)) {
    for (const value of values) {
      const { exitCode, message } = refusal({ [name]: value });
      t.equal(exitCode, 78);
      t.match(
        message,
        `The settings have a fault:\n  ${name}="${escaped(value)}" is wrong: it must be `,
        `${name}=${JSON.stringify(value)}`,
      );
      t.match(message.trimEnd(), /must be [^.]+.*\.$/u, 'ends in a full sentence');
    }
  }
});

t.test('all faults are reported at once', async (t) => {
  const env = Object.fromEntries(Object.entries(WRONG).map(([name, [value = '']]) => [name, value]));
  t.strictSame(named(env).sort(), Object.keys(WRONG).sort());
  t.match(refusal(env).message, `The settings have ${Object.keys(WRONG).length} faults:`);
  t.strictSame(
    named({ PORT: 'x', SESSION_TTL: 'x', HOST: 'localhost' }).sort(),
    ['PORT', 'SESSION_TTL'],
    'and what is right is not named',
  );
});

t.test('a fault in a unit is reported once', async (t) => {
  t.strictSame(named({ SESSION_TTL: 'x', BODY_LIMIT: '1' }).sort(), ['BODY_LIMIT', 'SESSION_TTL']);
});
