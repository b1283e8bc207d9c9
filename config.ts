/**
 * Reads the settings from the environment, checks them against one schema, and freezes them. All faults are reported at once.
 */
import { isIP } from 'node:net';
import { resolve, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ChannelName, PackName, StartRefused, Version } from './registry/index.ts';

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
  DATA_DIR: Type.Optional(setting('a folder that this process can write to')),
  SNAPSHOT_KEY_FILE: Type.Optional(setting('the path of a file outside DATA_DIR with a secret of at least 32 bytes')),
  STORE_URL: Type.Optional(
    setting(
      'postgres://user:password@host:port/database, sqlite:<path of the database file> or memory:',
      '^(sqlite:[^]+|memory:|postgres(ql)?://[^]*)$',
    ),
  ),
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
  /** Absolute. */
  readonly dataDir: string;
  readonly store:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly url: string }
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
  readonly pinVersion: { readonly pack: string; readonly version: string } | undefined;
  /** Empty: no page of another origin may read responses. */
  readonly corsOrigins: readonly string[];
  readonly trustProxy: boolean | string;
  /** The collector and the service name for traces; undefined without tracing. */
  readonly tracing: { readonly endpoint: string; readonly serviceName: string | undefined } | undefined;
  readonly logLevel: string;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LONGEST_SESSION = 365 * SECONDS.d * 1000;
const LARGEST_BODY = 64 * 1024 * 1024;

/**
 * Reads the settings from an environment.
 *
 * @param env e.g. `process.env`; an empty value counts as not set
 * @throws StartRefused (78) that names every wrong value and what is expected
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given: Record<string, string> = {};
  for (const name of Object.keys(Environment.properties)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const faults = new Map<string, string>();
  for (const { path, schema } of Value.Errors(Environment, given)) faults.set(path.slice(1), schema.description ?? '');
  const values: WithDefaults = { ...DEFAULTS, ...(given as Environment) };

  for (const [name, value] of Object.entries(given)) {
    const right = textFault(name, value);
    if (right !== undefined) faults.set(name, right);
  }
  const { channels, sessionTtl, bodyLimit, trustProxy, keyMaxStale, pinVersion, corsOrigins } = unitsOf(
    values,
    (name) => {
      if (!faults.has(name)) faults.set(name, Environment.properties[name].description ?? '');
    },
  );
  if (faults.size > 0) {
    const lines = [...faults].map(
      ([name, right]) => `${name}="${shown(name, given[name] ?? '')}" is wrong: it must be ${right}.`,
    );
    throw new StartRefused(
      78,
      `The settings have ${faults.size === 1 ? 'a fault' : `${faults.size} faults`}:\n  ${lines.join('\n  ')}`,
    );
  }
  const dataDir = resolve(values.DATA_DIR);
  return Object.freeze({
    host: values.HOST,
    port: Number(values.PORT),
    dataDir,
    store: storeOf(values.STORE_URL, dataDir),
    snapshotKeyFile: values.SNAPSHOT_KEY_FILE === undefined ? undefined : resolve(values.SNAPSHOT_KEY_FILE),
    packsDir: values.PACKS_DIR,
    defaultPack: values.DEFAULT_PACK,
    defaultVersion: values.DEFAULT_VERSION,
    channels,
    sessionTtl,
    bodyLimit,
    rateLimit: Number(values.RATE_LIMIT),
    keyMaxStale,
    pinVersion,
    corsOrigins,
    trustProxy,
    tracing:
      values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? undefined
        : Object.freeze({ endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT, serviceName: values.OTEL_SERVICE_NAME }),
    logLevel: values.LOG_LEVEL,
  });
}

/** Converts and checks the settings that need more than a pattern. */
function unitsOf(
  values: WithDefaults,
  fault: (
    name: 'CHANNELS' | 'SESSION_TTL' | 'BODY_LIMIT' | 'TRUST_PROXY' | 'KEY_MAX_STALE' | 'PIN_VERSION' | 'CORS_ORIGINS',
  ) => void,
): Pick<Config, 'channels' | 'sessionTtl' | 'bodyLimit' | 'trustProxy' | 'keyMaxStale' | 'pinVersion' | 'corsOrigins'> {
  const channels = values.CHANNELS.split(',').map((name) => name.trim());
  const sessionTtl = durationOf(values.SESSION_TTL);
  const bodyLimit = sizeOf(values.BODY_LIMIT);
  const trustProxy = trustOf(values.TRUST_PROXY);
  if (new Set(channels).size < channels.length || !channels.every((name) => Value.Check(ChannelName, name)))
    fault('CHANNELS');
  if (sessionTtl > LONGEST_SESSION) fault('SESSION_TTL');
  if (bodyLimit > LARGEST_BODY) fault('BODY_LIMIT');
  if (typeof trustProxy === 'string' && !trustProxy.split(',').every((proxy) => isProxy(proxy.trim())))
    fault('TRUST_PROXY');
  const keyMaxStale = values.KEY_MAX_STALE === 'unlimited' ? Infinity : durationOf(values.KEY_MAX_STALE) / 1000;
  if (keyMaxStale !== Infinity && keyMaxStale * 1000 > LONGEST_SESSION) fault('KEY_MAX_STALE');
  const pinVersion = values.PIN_VERSION === undefined ? undefined : pinOf(values.PIN_VERSION);
  if (values.PIN_VERSION !== undefined && pinVersion === undefined) fault('PIN_VERSION');
  const origins =
    values.CORS_ORIGINS === 'off' ? [] : values.CORS_ORIGINS.split(',').map((origin) => originOf(origin.trim()));
  const corsOrigins = Object.freeze([...new Set(origins.filter((origin) => origin !== undefined))]);
  if (origins.includes(undefined)) fault('CORS_ORIGINS');
  return { channels: Object.freeze(channels), sessionTtl, bodyLimit, trustProxy, keyMaxStale, pinVersion, corsOrigins };
}

/** An origin as a browser sends it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin); undefined if the text is not an origin. */
function originOf(text: string): string | undefined {
  const [, authority] = /^https?:\/\/([^/?#\\\s@*]+)$/iu.exec(text) ?? [];
  return authority !== undefined && URL.canParse(text) ? new URL(text).origin : undefined;
}

/** Settings that are paths. */
const PATHS: readonly string[] = ['DATA_DIR', 'PACKS_DIR', 'SNAPSHOT_KEY_FILE'];

/**
 * Finds text that a file or a service unit has garbled: line ends, quotes, unexpanded variables. Without this check such a path would silently
 * create an oddly named folder.
 * @returns the end of "it must be …"; undefined if the text is fine
 */
function textFault(name: string, value: string): string | undefined {
  if (/\p{Cc}/u.test(value))
    return 'free of control characters (a \\r means that the file that sets it has Windows line ends)';
  const path = PATHS.includes(name) ? value : name === 'STORE_URL' ? /^sqlite:(.*)$/u.exec(value)?.[1] : undefined;
  if ([value, path ?? ''].some((text) => /^(["']).*\1$/u.test(text)))
    return 'written without quotes: here they would be part of the value';
  return path === undefined ? undefined : pathFault(path, name === 'STORE_URL');
}

function pathFault(path: string, isUrl: boolean): string | undefined {
  if (path.startsWith('~')) return 'a path without ~, which only a shell expands, e.g. /home/registry/data';
  if (/\$[A-Za-z_{(]/u.test(path)) return 'a path without variables, which only a shell expands';
  if (path !== path.trim()) return 'a path without leading or trailing spaces';
  if (isUrl && /^\/\/(?!\/)/u.test(path))
    return 'sqlite:<path> without //, e.g. sqlite:data/registry.db below the working folder, or sqlite:/srv/registry/registry.db';
  if (isUrl && /[?#]|%[0-9a-f]{2}/iu.test(path))
    return 'sqlite:<path> without parameters and without percent-encoding such as %20';
  if (!isUrl && /^[a-z][a-z0-9+.-]*:\/\//iu.test(path)) return 'a path, not a URL, e.g. /srv/registry';
  return undefined;
}

function storeOf(url: string | undefined, dataDir: string): Config['store'] {
  if (url === 'memory:') return Object.freeze({ kind: 'memory' });
  if (url?.startsWith('postgres') === true) return Object.freeze({ kind: 'postgres', url });
  return Object.freeze({
    kind: 'sqlite',
    file: url === undefined ? join(dataDir, 'registry.db') : resolve(url.slice('sqlite:'.length)),
  });
}

function pinOf(text: string): Config['pinVersion'] {
  const [pack = '', version = '', ...more] = text.split('@');
  return more.length === 0 && Value.Check(PackName, pack) && Value.Check(Version, version)
    ? Object.freeze({ pack, version })
    : undefined;
}

/** Control characters with a short escape. */
const SHORT: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\t': '\\t' };

/** A wrong value as a message may show it. A URL may contain a password, and after a typo it can be anywhere in the text. */
function shown(name: string, value: string): string {
  if (['STORE_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'CORS_ORIGINS'].includes(name) && /@|password/iu.test(value))
    return `${/^[^:@/]*:/u.exec(value)?.[0] ?? ''}…`;
  return value.replaceAll(
    /\p{Cc}/gu,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function trustOf(value: string): boolean | string {
  if (value === 'on' || value === 'off') return value === 'on';
  return value;
}

/** An address, a range, or the name of a range. */
function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix = '1', ...more] = text.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return more.length === 0 && /^[1-9][0-9]{0,2}$/u.test(prefix) && Number(prefix) <= bits;
}

function durationOf(text: string): number {
  const unit = text.at(-1) as keyof typeof SECONDS;
  return parseInt(text, 10) * (SECONDS[unit] ?? 1) * 1000;
}

function sizeOf(text: string): number {
  return parseInt(text, 10) * (text.endsWith('mb') ? 1024 * 1024 : 1024);
}
