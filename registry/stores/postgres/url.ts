/**
 * Reads a `postgres://` URL as libpq does
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
 *
 * Problem: if a misspelt setting is ignored, somebody notices in an incident: `sslmode=verify_full` would verify nothing. And a URL holds a
 * password, which would be in every message that quotes it.
 * Rule: an unknown parameter is refused, and the message lists the known ones. No message holds the URL, only `shown`, which has no password.
 * Example: `postgres://registry:secret@db.example/registry?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem`, shown as
 * `postgres://registry@db.example:5432/registry`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { messageOf, StartRefused } from '../../errors.ts';

/** How much TLS proves; https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'search_path',
  'host',
  'port',
  'user',
];

export interface Tls {
  /** Whether to connect without TLS if the server does not offer it. */
  readonly optional: boolean;
  readonly options: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'checkServerIdentity'>;
}

/** Where a database is and how to get there. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** The Unix socket, instead of host and port. */
  readonly path: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: Tls | undefined;
  readonly applicationName: string;
  readonly searchPath: string | undefined;
  /** The URL for people: without the password. */
  readonly shown: string;
}

/**
 * Reads the URL and the files that it names.
 * @param fallback the password if the URL has none
 * @throws StartRefused (78) if a part of it is not valid; the message names that part and never quotes the URL
 */
export function parsePostgresUrl(text: string, fallback?: string): Target {
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null)
    throw refused(
      'is not a URL of the form postgres://user@host:port/database; percent-encode special characters in a user name or password',
    );
  const parameters = parametersOf(url);
  const database = decoded(url.pathname.slice(1));
  if (database === '' || database.includes('/'))
    throw refused('names no database. Write postgres://user@host/database');
  const searchPath = parameters.get('search_path');
  if (searchPath !== undefined && !/^[a-z_][a-z0-9_]*(,[a-z_][a-z0-9_]*)*$/i.test(searchPath))
    throw refused('has a search_path that is not a list of plain schema names');

  const user = parameters.get('user') ?? (decoded(url.username) || undefined);
  const { shownAddress, ...address } = addressOf(url, parameters);
  return Object.freeze({
    ...address,
    user,
    database,
    searchPath,
    password: decoded(url.password) || fallback,
    tls: address.path === undefined ? tlsOf(parameters) : undefined,
    applicationName: parameters.get('application_name') ?? 'prompt-registry',
    shown: `postgres://${user === undefined ? '' : `${user}@`}${shownAddress}/${database}`,
  });
}

function addressOf(
  url: URL,
  parameters: ReadonlyMap<string, string>,
): Pick<Target, 'host' | 'port' | 'path'> & { readonly shownAddress: string } {
  const host = (parameters.get('host') ?? decoded(url.hostname)).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw refused('names no host. Write postgres://user@host/database, or ?host=/folder/of/the/socket');
  if (host.includes(',')) throw refused('names several hosts; name one');
  const port = Number(parameters.get('port') ?? (url.port === '' ? '5432' : url.port));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw refused('has a port that is not a number from 1 to 65535');
  if (host.startsWith('/')) {
    const path = join(host, `.s.PGSQL.${port}`);
    return { host, port, path, shownAddress: path };
  }
  return { host, port, path: undefined, shownAddress: `${host.includes(':') ? `[${host}]` : host}:${port}` };
}

function parametersOf(url: URL): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!PARAMETERS.includes(name))
      throw refused(`has the parameter ${JSON.stringify(name)}, which is unknown. Known are ${PARAMETERS.join(', ')}`);
    if (value === '') throw refused(`has an empty ${name}`);
    if (parameters.has(name)) throw refused(`has ${name} twice`);
    parameters.set(name, value);
  }
  if (url.hash !== '') throw refused('has a "#"; write it as %23');
  return parameters;
}

function tlsOf(parameters: ReadonlyMap<string, string>): Tls | undefined {
  const mode = parameters.get('sslmode') ?? 'prefer';
  if (!SSL_MODES.some((known) => known === mode))
    throw refused(`has an unknown sslmode. Known are ${SSL_MODES.join(', ')}`);
  const files = (['sslrootcert', 'sslcert', 'sslkey'] as const).filter((name) => parameters.has(name));
  if (mode === 'disable') {
    if (files.length > 0) throw refused(`has sslmode=disable and ${files.join(', ')}; remove one of the two`);
    return undefined;
  }
  if (parameters.has('sslcert') !== parameters.has('sslkey'))
    throw refused('has only one of sslcert and sslkey; give both');
  const [ca, cert, key] = (['sslrootcert', 'sslcert', 'sslkey'] as const).map((name) =>
    pem(name, parameters.get(name)),
  );
  // As in libpq: with a root certificate, `require` verifies the server too.
  const verified = mode === 'verify-full' || mode === 'verify-ca' || (mode === 'require' && ca !== undefined);
  return {
    optional: mode === 'prefer',
    options: {
      rejectUnauthorized: verified,
      ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

/** `system` means the authorities that Node.js knows, its default without a file. */
function pem(name: string, file: string | undefined): string | undefined {
  if (file === undefined || (name === 'sslrootcert' && file === 'system')) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw refused(`names ${name} ${file}, which cannot be read (${messageOf(cause)})`);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('has a "%" that does not start a percent-encoded character; write it as %25');
  }
}

function refused(what: string): StartRefused {
  return new StartRefused(78, `The store's URL ${what}.`);
}
