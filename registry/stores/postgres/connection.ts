/**
 * One open connection.
 *
 * Problem: a caller must know whether a failed statement was sent, and whether the server rolled it back. A pooler in between may refuse
 * settings at the start, and may run each transaction on another connection to the server.
 * Rule: a connection is handed out once the server has accepted it, and it never reconnects. A caller that doubts it destroys it. Settings
 * are made after connecting. Behind a pooler, nothing outlives a transaction: each statement runs in one that begins with the settings, and
 * none is prepared. A pooler is recognised by the process number that it reports: it differs from that of the server's process.
 * Example: `const connection = await openConnection(target, { limit: 1000 }); await connection.rows('SELECT 1', [])`.
 */
import type { Client, ClientConfig } from 'pg';
import { messageOf, StartRefused } from '../../errors.ts';
import { codeOf, RolledBack } from './faults.ts';
import { connectedStream, openSocket } from './socket.ts';
import type { Target } from './url.ts';

export type Value = string | number | null;

export interface Connection {
  /** Runs one statement, in the transaction under way or in a new one. @returns its rows as arrays; every value is text, or null */
  rows<Row extends readonly unknown[]>(text: string, values: readonly Value[]): Promise<Row[]>;
  /** Runs statements without values, in the transaction under way or in a new one. */
  run(text: string): Promise<void>;
  /** Runs the work in one transaction, which is rolled back if the work rejects. One at a time. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when the connection can no longer be used. */
  readonly ended: Promise<undefined>;
  readonly open: boolean;
  /** Closes the socket at once; running statements reject. */
  destroy(): void;
}

export interface ConnectionOptions {
  /** Milliseconds for connecting and logging in. */
  readonly limit: number;
  /** Settings of the server for this connection. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly notified?: (payload: string) => void;
}

/** @throws StartRefused (78) if the driver, an optional dependency, is not installed */
export function requireDriver(): void {
  try {
    import.meta.resolve('pg');
  } catch (cause) {
    throw new StartRefused(78, 'The PostgreSQL store needs the package "pg", which is not installed: npm install pg', {
      cause,
    });
  }
}

/**
 * SPEC R3: `done` means on disk. `remote_apply` is stronger, and is kept.
 * @param local for the transaction under way; else for the whole connection
 */
export const durable = (local: boolean) =>
  `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, ${local})`;

/** @param settings our own names and values, so nothing in them needs quoting */
function settingsStatement(settings: Readonly<Record<string, string>>, local: boolean): string {
  return `SELECT ${[...Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', ${local})`), durable(local)].join(', ')}`;
}

/** @throws Error if the server cannot be reached, or refuses the connection, within the limit. Nothing stays open then. */
export async function openConnection(
  target: Target,
  { limit, settings = {}, notified }: ConnectionOptions,
): Promise<Connection> {
  const deadline = performance.now() + limit;
  const { Client } = await import('pg'); // the driver is optional: `requireDriver` reports it if it is missing
  const socket = await openSocket(target, limit);
  // Without this, the driver would wait without a limit for the server's first message.
  const timer = setTimeout(
    () => socket.destroy(new Error(`the server sent nothing within ${Math.round(limit)} ms`)),
    Math.max(1, deadline - performance.now()),
  );
  let closed = false;
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const close = () => {
    closed = true;
    resolve(undefined);
    socket.destroy();
  };
  socket.once('close', close);
  try {
    const client = new Client({ ...loginOf(target), stream: () => connectedStream(socket) });
    client.on('error', close);
    if (notified !== undefined) client.on('notification', ({ payload = '' }) => notified(payload));
    await client.connect();
    const statements = new Statements(client, ended);
    const all = {
      default_transaction_isolation: 'read committed',
      idle_in_transaction_session_timeout: '10000',
      ...(target.searchPath !== undefined && { search_path: target.searchPath }),
      ...settings,
    };
    const pooled = await isPooled(client, statements);
    if (!pooled) await statements.run(settingsStatement(all, false));
    const begin = pooled ? `BEGIN ISOLATION LEVEL READ COMMITTED; ${settingsStatement(all, true)}` : 'BEGIN';
    return {
      ...speaking(statements, { pooled, begin, giveUp: close }),
      ended,
      get open() {
        return !closed;
      },
      destroy: close,
    };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Every option that the driver would read from the environment is set, except those that it documents as libpq's: PGUSER and PGPASSWORD (or
 * ~/.pgpass) apply if the URL has no user or password, and PGOPTIONS applies.
 */
function loginOf({ host, port, user, password, database, applicationName }: Target): ClientConfig {
  return {
    host,
    port,
    database,
    user,
    password,
    application_name: applicationName, // nothing else: a pooler refuses parameters that it does not know
    client_encoding: 'UTF8',
    ssl: false, // the socket has it already
    sslnegotiation: 'postgres',
    types: { getTypeParser: () => (text: string) => text },
  };
}

/**
 * Whether there is a pooler in between: it reports another process than the server's.
 * The driver's types do not name `processID`. If it is missing, the answer is yes, which is slower and never wrong.
 */
async function isPooled(client: Client & { readonly processID?: unknown }, statements: Statements): Promise<boolean> {
  const [row] = await statements.rows<[string]>('SELECT pg_backend_pid()', [], undefined);
  return Number(row?.[0]) !== client.processID;
}

/** Runs one statement at a time, each in one round trip. */
class Statements {
  readonly #client: Client;
  readonly #ended: Promise<undefined>;
  /** The server is ready for the next statement. */
  #ready = true;
  #wake: () => void = () => undefined;

  constructor(client: Client, ended: Promise<undefined>) {
    this.#client = client;
    this.#ended = ended;
    client.on('drain', () => {
      this.#ready = true;
      this.#wake();
    });
  }

  /** @param name keeps the statement prepared under this name */
  async rows<Row extends readonly unknown[]>(
    text: string,
    values: readonly Value[],
    name: string | undefined,
  ): Promise<Row[]> {
    const query = { text, values: [...values], rowMode: 'array' as const, ...(name !== undefined && { name }) };
    const { rows } = await this.#settled(() => this.#client.query(query));
    return rows as unknown as Row[];
  }

  async run(text: string): Promise<void> {
    await this.#settled(() => this.#client.query(text));
  }

  /** @throws RolledBack if the statement failed and the server is ready for the next one */
  async #settled<T>(send: () => Promise<T>): Promise<T> {
    this.#ready = false;
    try {
      return await send();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined || !(await this.#isReady())) throw error;
      throw new RolledBack(messageOf(error), code);
    }
  }

  /** After an ERROR the server says that it is ready; after a FATAL one it closes the connection. */
  #isReady(): boolean | Promise<boolean> {
    if (this.#ready) return true;
    const ready = new Promise<boolean>((resolve) => (this.#wake = () => resolve(true)));
    return Promise.race([ready, this.#ended.then(() => false)]);
  }
}

/** @param means.begin begins a transaction, with its settings behind a pooler; `giveUp` closes the connection */
function speaking(
  statements: Statements,
  { pooled, begin, giveUp }: { readonly pooled: boolean; readonly begin: string; readonly giveUp: () => void },
): Pick<Connection, 'rows' | 'run' | 'transaction'> {
  const names = new Map<string, string>();
  const nameOf = (text: string) => {
    const name = names.get(text) ?? `s${names.size}`;
    names.set(text, name);
    return name;
  };
  let inTransaction = false;
  const run = (text: string) => statements.run(text);
  const one = <Row extends readonly unknown[]>(text: string, values: readonly Value[]) =>
    statements.rows<Row>(text, values, pooled ? undefined : nameOf(text));
  const transaction = async <T>(work: () => Promise<T>): Promise<T> => {
    inTransaction = true;
    try {
      await run(begin);
      const result = await work();
      await run('COMMIT');
      return result;
    } catch (error) {
      await run('ROLLBACK').catch(giveUp); // if even that fails, closing the connection ends the transaction
      throw error;
    } finally {
      inTransaction = false;
    }
  };
  return {
    run,
    transaction,
    rows: (text, values) => (pooled && !inTransaction ? transaction(() => one(text, values)) : one(text, values)),
  };
}
