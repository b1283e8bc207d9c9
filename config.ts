/**
 * Reads the settings from the environment, checks them against one schema, and freezes them. All faults are reported at once.
 */
import { join, resolve } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ChannelName, PackName, StartRefused, Version } from './registry/index.ts';
import { readSecrets } from './settings/secrets.ts';
import { escaped, PUBLIC_URL_FORM, shown, textFault } from './settings/texts.ts';
import {
  durationOf,
  headersOf,
  isProxy,
  LONGEST_DURATION,
  originOf,
  pinOf,
  sizeOf,
  trustOf,
  type PinnedVersion,
} from './settings/units.ts';

/** A setting. `right` completes the sentence "It must be …". */
const setting = (right: string, pattern?: string) =>
  Type.String({ description: right, minLength: 1, ...(pattern !== undefined && { pattern }) });

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The environment as text, before durations and sizes are converted. */
export const Environment = Type.Object({
  HOST: Type.Optional(setting('an address or a host name to listen on, e.g. 127.0.0.1 or 0.0.0.0')),
  PORT: Type.Optional(
    setting(
      'a port number from 0 to 65535; 0 chooses a free one',
      '^([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$',
    ),
  ),
  PUBLIC_URL: Type.Optional(setting(PUBLIC_URL_FORM)),
  DATA_DIR: Type.Optional(setting('a folder that this process can write to')),
  SNAPSHOT_KEY_FILE: Type.Optional(setting('the path of a file outside DATA_DIR with a secret of at least 32 bytes')),
  STORE_URL: Type.Optional(
    setting(
      'postgres://user:password@host:port/database, sqlite:<path of the database file> or memory:',
      '^(sqlite:[^]+|memory:|postgres(ql)?://[^]*)$',
    ),
  ),
  PGPASSWORD: Type.Optional(setting('the password of the database user')),
  PACKS_DIR: Type.Optional(setting('the folder of the shipped packs')),
  DEFAULT_PACK: Type.Optional(
    setting('a pack name: lower-case letters, digits and hyphens, at most 63', PackName.pattern),
  ),
  DEFAULT_VERSION: Type.Optional(setting('a SemVer version without build metadata, e.g. 1.2.0', Version.pattern)),
  CHANNELS: Type.Optional(
    setting('a comma-separated list of channel names, each once, the default one first, e.g. production,staging'),
  ),
  SESSION_TTL: Type.Optional(
    setting('a duration from 1s to 365d in s, m, h or d, e.g. 24h', '^[1-9][0-9]{0,8}[smhd]$'),
  ),
  BODY_LIMIT: Type.Optional(setting('a size from 1kb to 64mb, e.g. 1mb', '^[1-9][0-9]{0,5}[km]b$')),
  RATE_LIMIT: Type.Optional(
    setting('requests a minute per key, a whole number from 0 to 99999999; 0 is off', '^[0-9]{1,8}$'),
  ),
  KEY_MAX_STALE: Type.Optional(
    setting(
      'a duration from 1s to 365d in s, m, h or d, e.g. 12h, or unlimited',
      '^([1-9][0-9]{0,8}[smhd]|unlimited)$',
    ),
  ),
  PIN_VERSION: Type.Optional(setting('<pack>@<version>, e.g. coach@1.0.0')),
  CORS_ORIGINS: Type.Optional(
    setting(
      'a comma-separated list of origins without paths and wildcards, e.g. https://console.example.com, or off for none',
    ),
  ),
  TRUST_PROXY: Type.Optional(
    setting('on, off, or a comma-separated list of the addresses of the proxies, e.g. loopback, 10.0.0.0/8'),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    setting(
      'the http or https URL of an OpenTelemetry collector, e.g. http://collector:4318',
      '^https?://[^\\s/?#]+[^\\s?#]*$',
    ),
  ),
  OTEL_EXPORTER_OTLP_HEADERS: Type.Optional(
    setting('a comma-separated list of name=value, percent-encoded, e.g. authorization=Bearer%20abc'),
  ),
  OTEL_SERVICE_NAME: Type.Optional(
    setting('a name of at most 255 characters without leading or trailing spaces', '^\\S(.{0,253}\\S)?$'),
  ),
  LOG_LEVEL: Type.Optional(setting(`one of ${LOG_LEVELS.join(', ')}`, `^(${LOG_LEVELS.join('|')})$`)),
});
type Environment = Static<typeof Environment>;

/** The defaults. `STORE_URL` defaults to a file in `DATA_DIR`; the other settings that are missing here are optional. */
export const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '3000',
  DATA_DIR: './data',
  PACKS_DIR: './packs',
  DEFAULT_PACK: 'coach',
  CHANNELS: 'production,staging',
  SESSION_TTL: '24h',
  BODY_LIMIT: '1mb',
  RATE_LIMIT: '6000',
  KEY_MAX_STALE: 'unlimited',
  CORS_ORIGINS: 'off',
  TRUST_PROXY: 'off',
  LOG_LEVEL: 'info',
};
type WithDefaults = Environment & typeof DEFAULTS;

export interface Config {
  readonly host: string;
  readonly port: number;
  /** The address that users see, without a trailing slash, e.g. `https://prompts.example.org/registry`. */
  readonly publicUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  readonly store:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly url: string; readonly password?: string }
    | { readonly kind: 'memory' };
  /** Absolute path of the key for the MAC of the last good snapshot, if any. */
  readonly snapshotKeyFile: string | undefined;
  readonly packsDir: string;
  readonly defaultPack: string;
  readonly defaultVersion: string | undefined;
  readonly channels: readonly string[];
  /** Milliseconds. */
  readonly sessionTtl: number;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Requests a minute per key; 0 for no limit. */
  readonly rateLimit: number;
  /** For how many seconds keys are accepted while the store is unreachable. */
  readonly keyMaxStale: number;
  /** Break-glass: the version that this instance serves, whatever the log says. */
  readonly pinVersion: PinnedVersion | undefined;
  /** Empty: no page of another origin may read responses. */
  readonly corsOrigins: readonly string[];
  readonly trustProxy: boolean | string;
  /** The collector and the service name for traces; undefined without tracing. */
  readonly tracing:
    | {
        readonly endpoint: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly serviceName: string | undefined;
      }
    | undefined;
  readonly logLevel: string;
}

const LARGEST_BODY = 64 * 1024 * 1024;

/**
 * Reads the settings from an environment.
 *
 * @param env e.g. `process.env`; an empty value counts as not set
 * @throws StartRefused (78) that names every wrong value and what is expected
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const secrets = readSecrets(env);
  const given: Record<string, string> = {};
  for (const name of Object.keys(Environment.properties)) {
    const value = secrets.read.get(name)?.value ?? env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const values: WithDefaults = { ...DEFAULTS, ...(given as Environment) };
  const rights = rightsOf(given);
  const units = unitsOf(values, (name) => {
    if (!rights.has(name)) rights.set(name, Environment.properties[name].description ?? '');
  });
  const faults = [...secrets.faults.values()];
  for (const [name, right] of rights) {
    const file = secrets.read.get(name)?.file;
    const subject =
      file === undefined ? `${name}="${shown(name, given[name] ?? '')}"` : `${name}, read from "${escaped(file)}",`;
    faults.push(`${subject} is wrong: it must be ${right}.`);
  }
  if (faults.length > 0)
    throw new StartRefused(
      78,
      `The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
  const dataDir = resolve(values.DATA_DIR);
  return Object.freeze({
    ...units,
    host: values.HOST,
    port: Number(values.PORT),
    publicUrl: values.PUBLIC_URL === undefined ? undefined : new URL(values.PUBLIC_URL).href.replace(/\/$/u, ''),
    dataDir,
    store: storeOf(values, dataDir),
    snapshotKeyFile: values.SNAPSHOT_KEY_FILE === undefined ? undefined : resolve(values.SNAPSHOT_KEY_FILE),
    packsDir: values.PACKS_DIR,
    defaultPack: values.DEFAULT_PACK,
    defaultVersion: values.DEFAULT_VERSION,
    rateLimit: Number(values.RATE_LIMIT),
    logLevel: values.LOG_LEVEL,
  });
}

/** Checks the texts. @returns what each wrong one must be, by setting */
function rightsOf(given: Readonly<Record<string, string>>): Map<string, string> {
  const rights = new Map<string, string>();
  for (const { path, schema } of Value.Errors(Environment, given)) rights.set(path.slice(1), schema.description ?? '');
  for (const [name, value] of Object.entries(given)) {
    const right = textFault(name, value);
    if (right !== undefined) rights.set(name, right);
  }
  return rights;
}

/** Converts and checks the settings that need more than a pattern. */
function unitsOf(
  values: WithDefaults,
  fault: (name: keyof typeof Environment.properties) => void,
): Pick<
  Config,
  'channels' | 'sessionTtl' | 'bodyLimit' | 'trustProxy' | 'keyMaxStale' | 'pinVersion' | 'corsOrigins' | 'tracing'
> {
  const channels = values.CHANNELS.split(',').map((name) => name.trim());
  const sessionTtl = durationOf(values.SESSION_TTL);
  const bodyLimit = sizeOf(values.BODY_LIMIT);
  const trustProxy = trustOf(values.TRUST_PROXY);
  if (new Set(channels).size < channels.length || !channels.every((name) => Value.Check(ChannelName, name)))
    fault('CHANNELS');
  if (sessionTtl > LONGEST_DURATION) fault('SESSION_TTL');
  if (bodyLimit > LARGEST_BODY) fault('BODY_LIMIT');
  if (typeof trustProxy === 'string' && !trustProxy.split(',').every((proxy) => isProxy(proxy.trim())))
    fault('TRUST_PROXY');
  const keyMaxStale = values.KEY_MAX_STALE === 'unlimited' ? Infinity : durationOf(values.KEY_MAX_STALE) / 1000;
  if (keyMaxStale !== Infinity && keyMaxStale * 1000 > LONGEST_DURATION) fault('KEY_MAX_STALE');
  const pinVersion = values.PIN_VERSION === undefined ? undefined : pinOf(values.PIN_VERSION);
  if (values.PIN_VERSION !== undefined && pinVersion === undefined) fault('PIN_VERSION');
  const origins =
    values.CORS_ORIGINS === 'off' ? [] : values.CORS_ORIGINS.split(',').map((origin) => originOf(origin.trim()));
  const corsOrigins = Object.freeze([...new Set(origins.filter((origin) => origin !== undefined))]);
  if (origins.includes(undefined)) fault('CORS_ORIGINS');
  const headers = headersOf(values.OTEL_EXPORTER_OTLP_HEADERS ?? '');
  if (headers === undefined) fault('OTEL_EXPORTER_OTLP_HEADERS');
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: serviceName } = values;
  return {
    channels: Object.freeze(channels),
    sessionTtl,
    bodyLimit,
    trustProxy,
    keyMaxStale,
    pinVersion,
    corsOrigins,
    tracing: endpoint === undefined ? undefined : Object.freeze({ endpoint, headers: headers ?? {}, serviceName }),
  };
}

function storeOf(
  { STORE_URL: url, PGPASSWORD: password }: Pick<Environment, 'STORE_URL' | 'PGPASSWORD'>,
  dataDir: string,
): Config['store'] {
  if (url === 'memory:') return Object.freeze({ kind: 'memory' });
  if (url?.startsWith('postgres') === true)
    return Object.freeze({ kind: 'postgres', url, ...(password !== undefined && { password }) });
  return Object.freeze({
    kind: 'sqlite',
    file: url === undefined ? join(dataDir, 'registry.db') : resolve(url.slice('sqlite:'.length)),
  });
}
