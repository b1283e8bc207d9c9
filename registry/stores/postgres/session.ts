/**
 * One connection that is open, from its first word to its last.
 *
 * Problem: the driver connects by itself, so that nobody can say whether a statement that failed was sent; and it gives up sockets
 * without closing them.
 * Rule: a session is handed out when the server has let it in, and is never opened again. Whoever doubts it destroys it.
 * Example: `const session = await openSession(target, { limit: 1000 }); await session.rows('SELECT 1', [])`.
 */
import type { Socket } from 'node:net';
import type postgres from 'postgres';
import { StartRefused } from '../../errors.ts';
import { openSocket } from './socket.ts';
import type { Target } from './url.ts';

export type Value = string | number | null;

export interface Session {
  /** Runs one statement, which is prepared once per session. @returns its rows as arrays, bigints as text */
  rows<Row extends readonly unknown[]>(text: string, values: readonly Value[]): Promise<Row[]>;
  /** Runs statements without values, in one transaction unless they say otherwise. */
  run(text: string): Promise<void>;
  /** Resolves when it is no longer of use, at once where it is not already. */
  readonly ended: Promise<undefined>;
  readonly open: boolean;
  /** Closes the socket at once; what runs rejects. */
  destroy(): void;
}

export interface SessionOptions {
  /** Milliseconds for all of it. */
  readonly limit: number;
  /** Settings of the server for this session. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly notified?: (payload: string) => void;
}

/** @throws StartRefused (78) where the driver, which is installed by who uses this store, is not there */
export function requireDriver(): void {
  try {
    import.meta.resolve('postgres');
  } catch (cause) {
    throw new StartRefused(78, 'The PostgreSQL store needs the package "postgres", which is not installed: npm install postgres', { cause });
  }
}

/** SPEC R3: `done` means on disk. `remote_apply` is stronger yet, and left where the server has it. */
const DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";

/** @throws Error where the server cannot be reached or does not let it in, within the limit. Nothing is left open then. */
export async function openSession(target: Target, { limit, settings = {}, notified }: SessionOptions): Promise<Session> {
  const deadline = performance.now() + limit;
  const { default: connect } = await import('postgres'); // whoever imports this module may lack the driver: `requireDriver` says so
  const socket = await openSocket(target, limit);
  // What ends before it begins: the driver would wait for ever.
  const timer = setTimeout(() => socket.destroy(new Error(`the server said nothing within ${Math.round(limit)} ms`)), Math.max(1, deadline - performance.now()));
  let closed = false;
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  const close = () => {
    closed = true;
    resolve(undefined);
  };
  socket.once('close', close);
  try {
    const client = connect(driverOptions(target, { socket, settings, close, notified }));
    await client.unsafe(DURABLE).simple(); // the driver's `reserve` never resolves on a connection without a first statement
    const sql = await client.reserve();
    return {
      rows: async <Row extends readonly unknown[]>(text: string, values: readonly Value[]) => [...(await sql.unsafe(text, [...values], { prepare: true }).values())] as unknown as Row[],
      run: async (text) => void (await sql.unsafe(text).simple()),
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

interface Wiring {
  readonly socket: Socket;
  readonly settings: Readonly<Record<string, string>>;
  readonly close: () => void;
  readonly notified: ((payload: string) => void) | undefined;
}

/** What the driver takes and its types do not tell: it has used both since 3.0. */
interface Undocumented {
  readonly socket: () => Socket;
  readonly onnotify?: (channel: string, payload: string) => void;
}

/** Every option is given, as the driver would look for the others in the environment. */
function driverOptions({ host, port, path, user, password, database, applicationName, searchPath }: Target, { socket, settings, close, notified }: Wiring) {
  let given = false;
  return {
    ...{ host, port, database, ...(path === undefined ? {} : { path }), ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { pass: password }) },
    /** The driver asks again where a connection ends early; there is only the one. */
    socket: () => {
      if (given || socket.destroyed) throw new Error('the server closed the connection');
      given = true;
      return socket;
    },
    onclose: close,
    onnotice: () => undefined,
    ...(notified === undefined ? {} : { onnotify: (_channel: string, payload: string) => notified(payload) }),
    ...{ max: 1, ssl: false, prepare: true, fetch_types: false, debug: false, max_pipeline: 1, keep_alive: null, backoff: () => 0 },
    ...{ connect_timeout: 0, idle_timeout: 0, max_lifetime: null },
    connection: {
      application_name: applicationName,
      default_transaction_isolation: 'read committed',
      idle_in_transaction_session_timeout: 10_000,
      ...(searchPath === undefined ? {} : { search_path: searchPath }),
      ...settings,
    },
  } satisfies Partial<postgres.Options<Record<string, never>>> & Undocumented as postgres.Options<Record<string, never>>;
}
