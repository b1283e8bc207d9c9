/**
 * Several instances of the service on one PostgreSQL, as an operator runs them: real processes, each behind its own fault proxy.
 *
 * Problem: the promises of a cluster show only between processes, while one of them has lost its connection to the store.
 * Rule: every instance has its own `DATA_DIR` and its own proxy, so a fault hits one instance; they share a database. They start one after the
 * other, so that the id of each is known, or all at once (`together`). All end with the test.
 * Example: `const { postgres, instances: [a, b] } = await startInstances(t, { count: 2 }); b.proxy.set('black-hole'); await a.ask('/readyz')`.
 */
import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { startFaultProxy, type FaultProxy } from '../chaos/fault-proxy.ts';
import { newFolder } from '../process/folder.ts';
import { startPostgres, type TestPostgres } from '../stores/postgres.ts';
import {
  operatorKeyIn,
  startServer,
  type ListeningServer,
  type Settings,
  type SpawnServerOptions,
} from './server-process.ts';

export interface InstancesOptions {
  readonly count: number;
  /** A running server, on which the instances get an empty database. Default: a new one. */
  readonly postgres?: TestPostgres;
  /** For a new PostgreSQL: whether commits survive a power loss. */
  readonly fsync?: boolean;
  /** Environment of every instance, in addition to DATA_DIR and STORE_URL. */
  readonly settings?: Settings;
  /** Environment of one instance, by its index. */
  readonly env?: (index: number) => Settings;
  /** The build of one instance, by its index. Default: this one. */
  readonly build?: (index: number) => Build | undefined;
  /** Start all at once on the empty database; their ids are then unknown. */
  readonly together?: boolean;
}

/** Where a build's server is, and the folder that it runs in. */
export type Build = Pick<SpawnServerOptions, 'script' | 'cwd'>;

export interface TestInstances {
  readonly postgres: TestPostgres;
  /** The database of the instances, not through a proxy: for SQL and for scripts. */
  readonly url: string;
  /** The operator key, from the data folder of the instance that created it. */
  readonly key: string;
  readonly instances: readonly TestInstance[];
}

/** A response. */
export interface Reply {
  readonly status: number;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly text: string;
  /** The body as JSON; `{}` if it is not JSON. */
  readonly body: Body;
  /** From the first byte sent to the last received, in milliseconds. */
  readonly ms: number;
  /** When the request was sent and when the response was complete, by `performance.now()`. */
  readonly sentAt: number;
  readonly doneAt: number;
}

/** A JSON body: members by name, of any type. */
export type Body = Readonly<Record<string, unknown>>;

/** Timeout of a response, in milliseconds. */
const PATIENCE = 60_000;
let names = 0;

/**
 * Starts PostgreSQL, an empty database, and instances on it.
 * @throws Error with the output of an instance that ended before it listened
 */
export async function startInstances(t: Test, options: InstancesOptions): Promise<TestInstances> {
  const { count, fsync, settings = {}, env = () => ({}), build = () => undefined, together = false } = options;
  const postgres = options.postgres ?? (await startPostgres(t, { ...(fsync !== undefined && { fsync }) }));
  const url = await postgres.database();
  const folder = newFolder(t);
  const keys: { key: string } = { key: '' };
  const instances: TestInstance[] = [];
  for (let index = 0; index < count; index += 1) {
    const proxy = await startFaultProxy(t, postgres);
    const storeUrl = new URL(url);
    storeUrl.port = String(proxy.port);
    const dataDir = join(folder, `data-${(names += 1)}`);
    const own = { RATE_LIMIT: '0', ...settings, ...env(index), DATA_DIR: dataDir, STORE_URL: storeUrl.href };
    instances.push(
      new TestInstance(t, {
        proxy,
        settings: own,
        build: build(index),
        key: () => keys.key,
        leases: () => postgres.sql('SELECT id FROM leases', url).then((rows) => rows.map(({ id }) => String(id))),
      }),
    );
  }
  if (together) await Promise.all(instances.map((instance) => startedAmongMany(instance)));
  else for (const instance of instances) await instance.start();
  const first = instances.find(({ dataDir }) => existsSync(join(dataDir, 'operator.key')));
  if (first !== undefined) keys.key = operatorKeyIn(first.dataDir);
  return { postgres, url, key: keys.key, instances };
}

/** One of many may listen before its turn at the store. Once it is ready, a useless key file is gone. */
async function startedAmongMany(instance: TestInstance): Promise<void> {
  await instance.start({ identify: false });
  await until('ready after a start among many', PATIENCE, async () => (await instance.ask('/readyz')).status === 200);
}

interface Means {
  readonly proxy: FaultProxy;
  readonly settings: Settings;
  readonly build: Build | undefined;
  readonly key: () => string;
  /** The ids of all instances that have a lease. */
  readonly leases: () => Promise<readonly string[]>;
}

export interface StartOptions {
  /** Environment in addition to that of the first start. */
  readonly more?: Settings;
  /** Whether to look up its id, which needs PostgreSQL. */
  readonly identify?: boolean;
  /** Another build on the same data folder. Default: that of the first start. */
  readonly build?: Build;
}

export class TestInstance {
  readonly proxy: FaultProxy;
  /** Its environment. */
  readonly settings: Settings;
  /** Its id in `listInstances`; undefined if it was not looked up. */
  id: string | undefined;
  readonly #t: Test;
  readonly #means: Means;
  readonly #agent = new Agent({ keepAlive: true });
  #server: ListeningServer | undefined;

  constructor(t: Test, means: Means) {
    this.#t = t;
    this.#means = means;
    this.proxy = means.proxy;
    this.settings = means.settings;
    t.teardown(() => this.#agent.destroy());
  }

  get dataDir(): string {
    return this.settings['DATA_DIR'] ?? '';
  }

  /** The running process, or the last one. */
  get server(): ListeningServer {
    if (this.#server === undefined) throw new Error('The instance was not started.');
    return this.#server;
  }

  get address(): string {
    return this.server.address;
  }

  /** Starts it, on the same data folder and through the same proxy. */
  async start({ more = {}, identify = true, build = this.#means.build }: StartOptions = {}): Promise<void> {
    // Before the very first start there are no tables.
    const before = identify ? await this.#means.leases().catch(() => []) : [];
    this.#server = await startServer(this.#t, { ...this.settings, ...more }, build);
    this.id = identify ? (await this.#means.leases()).find((id) => !before.includes(id)) : undefined;
  }

  /** Stops it with SIGTERM, waits for its end, and starts it. */
  async restart(options: StartOptions = {}): Promise<void> {
    await this.server.stop();
    await this.start(options);
  }

  /**
   * Sends a request with the operator key: a GET, or with a body a POST.
   * @param headers in addition to the usual ones, or instead of them; '' removes one
   */
  ask(path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const all: Record<string, string> = {
      authorization: `Bearer ${this.#means.key()}`,
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    };
    const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
    return send(this.address + path, this.#agent, kept, text);
  }
}

/** Sends a request over the connections of the agent. Rejects if the connection breaks, or after a minute without data. */
export function send(
  url: string,
  agent: Agent,
  headers: Readonly<Record<string, string>>,
  text?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sentAt = performance.now();
    const outgoing = request(
      url,
      { agent, method: text === undefined ? 'GET' : 'POST', headers, timeout: PATIENCE },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.once('error', reject);
        response.once('end', () => {
          const doneAt = performance.now();
          const header = (name: string) => [response.headers[name] ?? []].flat()[0];
          const json = /\bjson\b/u.test(header('content-type') ?? '') && received !== '';
          resolve({
            status: response.statusCode ?? 0,
            header,
            text: received,
            body: json ? (JSON.parse(received) as Body) : {},
            ms: doneAt - sentAt,
            sentAt,
            doneAt,
          });
        });
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error(`No answer of ${url} within a minute.`)));
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}

/**
 * Polls until a condition holds.
 * @param what completes the sentence "… did not come true within …", e.g. `b at revision 9`
 * @param within milliseconds
 * @returns the value of the condition
 * @throws Error with `what`, and the last error as its cause
 */
export async function until<T>(
  what: string,
  within: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + within;
  for (;;) {
    let last: unknown;
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) throw new Error(`"${what}" did not come true within ${within} ms.`, { cause: last });
    await pause(20);
  }
}

/** Waits until every instance serves a revision, current and unmarked. */
export async function allCurrent(instances: readonly TestInstance[], revision: number, within = 10_000): Promise<void> {
  await Promise.all(
    instances.map((instance, index) =>
      until(`instance ${index} current at revision ${revision}`, within, async () => {
        const { body } = await instance.ask('/readyz');
        return Number(body['revision']) >= revision && body['stale'] === false;
      }),
    ),
  );
}
