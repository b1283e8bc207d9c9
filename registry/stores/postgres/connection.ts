/**
 * One open connection.
 *
 * Problem: the driver reconnects on its own, so a caller cannot know whether a failed statement was sent, and it abandons sockets without
 * closing them. A pooler in between may refuse settings at the start, and may run each transaction on another connection to the server.
 * Rule: a connection is handed out once the server has accepted it, and it never reconnects. A caller that doubts it destroys it. Settings
 * are made after connecting. Behind a pooler, nothing outlives a transaction: each statement runs in one that begins with the settings, and
 * none is prepared. A pooler is recognised by the process number that it reports: it differs from that of the server's process.
 * Example: `const connection = await openConnection(target, { limit: 1000 }); await connection.rows('SELECT 1', [])`.
 */
import type { Socket } from 'node:net';
import type postgres from 'postgres';
import { StartRefused } from '../../errors.ts';
import { openSocket } from './socket.ts';
import type { Target } from './url.ts';

export type Value = string | number | null;

export interface Connection {
  /** Runs one statement, in the transaction under way or in a new one. @returns its rows as arrays, bigints as text */
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
    import.meta.resolve('postgres');
  } catch (cause) {
    throw new StartRefused(
      78,
      'The PostgreSQL store needs the package "postgres", which is not installed: npm install postgres',
      { cause },
    );
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
  const { default: connect } = await import('postgres'); // the driver is optional: `requireDriver` reports it if it is missing
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
  };
  socket.once('close', close);
  try {
    const client = connect(driverOptions(target, { socket, close, notified }));
    const first = await client.unsafe<[{ pid: number }]>('SELECT pg_backend_pid() AS pid').simple(); // the driver's `reserve` never resolves on a connection without a first statement
    const pooled = first.state.pid !== first[0].pid;
    const sql = await client.reserve();
    const all = {
      default_transaction_isolation: 'read committed',
      idle_in_transaction_session_timeout: '10000',
      ...(target.searchPath !== undefined && { search_path: target.searchPath }),
      ...settings,
    };
    if (!pooled) await sql.unsafe(settingsStatement(all, false)).simple();
    const begin = pooled ? `BEGIN ISOLATION LEVEL READ COMMITTED; ${settingsStatement(all, true)}` : 'BEGIN';
    return {
      ...speaking(sql, { pooled, begin, giveUp: () => (close(), socket.destroy()) }),
      ended,
      get open() {
        return !closed;
      },
      destroy: () => {
        close();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param means.begin begins a transaction, with its settings behind a pooler; `giveUp` closes the connection */
function speaking(
  sql: postgres.ReservedSql,
  { pooled, begin, giveUp }: { readonly pooled: boolean; readonly begin: string; readonly giveUp: () => void },
): Pick<Connection, 'rows' | 'run' | 'transaction'> {
  let inTransaction = false;
  const run = async (text: string) => void (await sql.unsafe(text).simple());
  const one = async <Row extends readonly unknown[]>(text: string, values: readonly Value[]) =>
    [...(await sql.unsafe(text, [...values], { prepare: !pooled }).values())] as unknown as Row[];
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

interface Wiring {
  readonly socket: Socket;
  readonly close: () => void;
  readonly notified: ((payload: string) => void) | undefined;
}

/** Options that the driver accepts but its types lack; it has used all three since 3.0. */
interface Undocumented {
  readonly socket: () => Socket;
  readonly onnotify?: (channel: string, payload: string) => void;
  readonly max_pipeline: number;
}

/** Every option is set, since the driver would read missing ones from the environment. */
function driverOptions(
  { host, port, path, user, password, database, applicationName }: Target,
  { socket, close, notified }: Wiring,
) {
  let given = false;
  return {
    host,
    port,
    database,
    ...(path === undefined ? {} : { path }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    /** The driver asks again if a connection ends early, but there is only one. */
    socket: () => {
      if (given || socket.destroyed) throw new Error('the server closed the connection');
      given = true;
      return socket;
    },
    onclose: close,
    onnotice: () => undefined,
    ...(notified === undefined ? {} : { onnotify: (_channel: string, payload: string) => notified(payload) }),
    max: 1,
    ssl: false,
    prepare: true,
    fetch_types: false,
    debug: false,
    max_pipeline: 1,
    keep_alive: null,
    backoff: () => 0,
    connect_timeout: 0,
    idle_timeout: 0,
    max_lifetime: null,
    connection: { application_name: applicationName }, // nothing else: a pooler refuses parameters that it does not know
  } satisfies Partial<postgres.Options<Record<string, never>>> & Undocumented as postgres.Options<
    Record<string, never>
  >;
}
