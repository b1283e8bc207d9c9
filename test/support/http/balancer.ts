/**
 * A small load balancer: it sends requests to the instances that are ready.
 *
 * Rule: it polls `/readyz` of each, and removes an instance as soon as that fails or a connection is refused. It reuses connections. It never
 * repeats a request: without a response, the request has failed.
 * Example: `const balancer = new Balancer(t, instances, key); await balancer.allIn(); await balancer.one({ path: '/v1/packs' })`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { until, type TestInstance } from '../apps/instances.ts';
import { KeepAlive, type Answer, type Ask } from './keep-alive.ts';

/** Between two polls of an instance, in milliseconds: well below the second of notice that an instance gives before it closes. */
const LOOK = 100;

interface Backend {
  readonly instance: TestInstance;
  /** Its address when it was last ready; undefined while it is out. */
  address: string | undefined;
  idle: KeepAlive[];
}

export class Balancer {
  /** Requests that each instance was sent, by place. */
  readonly sent: number[];
  /** How often an instance was taken out. */
  taken = 0;
  readonly #backends: readonly Backend[];
  readonly #key: string;
  #turn = 0;
  #closed = false;

  constructor(t: Test, instances: readonly TestInstance[], key: string) {
    this.#key = key;
    this.#backends = instances.map((instance) => ({ instance, address: undefined, idle: [] }));
    this.sent = instances.map(() => 0);
    for (const backend of this.#backends) void this.#watch(backend);
    t.teardown(() => this.close());
  }

  /** Waits until every instance gets requests. */
  async allIn(): Promise<void> {
    await until('all instances behind the balancer', 30_000, () =>
      this.#backends.every(({ address, instance }) => address === instance.address),
    );
  }

  /** Sends a request to the next instance that is ready. @throws where its answer does not come; where none is ready */
  async one(ask: Ask): Promise<Answer> {
    for (let tries = 0; tries < 2 * this.#backends.length; tries += 1) {
      this.#turn += 1;
      const index = this.#turn % this.#backends.length;
      const backend = this.#backends[index]!;
      const { address } = backend;
      if (address === undefined) continue;
      const connection = backend.idle.pop() ?? new KeepAlive(address, this.#key);
      try {
        const answer = await connection.one(ask);
        this.sent[index]! += 1;
        if (backend.address === address) backend.idle.push(connection);
        else connection.close();
        return answer;
      } catch (error) {
        this.#takeOut(backend);
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error; // it was sent
      }
    }
    throw new Error('No instance is ready.');
  }

  close(): void {
    this.#closed = true;
    for (const backend of this.#backends) this.#takeOut(backend);
  }

  async #watch(backend: Backend): Promise<void> {
    while (!this.#closed) {
      const { address } = backend.instance;
      const isReady = await backend.instance.ask('/readyz').then(
        ({ status }) => status === 200,
        () => false,
      );
      if (!isReady && backend.address !== undefined) this.#takeOut(backend);
      if (isReady && !this.#closed) backend.address = address;
      await pause(LOOK);
    }
  }

  #takeOut(backend: Backend): void {
    if (backend.address !== undefined) this.taken += 1;
    backend.address = undefined;
    for (const connection of backend.idle.splice(0)) connection.close();
  }
}
