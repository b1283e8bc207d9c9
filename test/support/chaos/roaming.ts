/**
 * A client of several instances that tries another one if one does not answer.
 *
 * Problem: an instance may be stopped, killed or cut off from its store, and a client that waits for it gets nothing.
 * Rule: an attempt has a timeout, after which it counts as cut and its connection is closed. A request repeated at another instance has the
 * same Idempotency-Key, so it has one effect (SPEC R6).
 * Example: `const roaming = new Roaming(t, instances, key); await roaming.attempt(1, { path: '/v1/packs' }, 2500)`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { KeepAlive, type Answer, type Ask } from '../http/keep-alive.ts';

/** The address of an instance, which changes with a restart. */
export interface Addressed {
  readonly address: string;
}

/** Timeout of an attempt in milliseconds: a write is answered within two seconds. */
export const ATTEMPT = 2500;
/** Between two attempts of `one`, in milliseconds. */
const PAUSE = 15;

export class Roaming {
  /** The instance that `one` asks first. */
  #at: number;
  readonly #instances: readonly Addressed[];
  readonly #key: string;
  readonly #connections = new Map<number, { readonly address: string; readonly connection: KeepAlive }>();

  constructor(t: Test, instances: readonly Addressed[], key: string, at = 0) {
    this.#instances = instances;
    this.#key = key;
    this.#at = at;
    t.teardown(() => this.close());
  }

  /** Asks one instance. @returns undefined if the connection was refused or cut, or the timeout passed: the outcome is unknown */
  async attempt(at: number, ask: Ask, patience = ATTEMPT): Promise<Answer | undefined> {
    const connection = this.#connectionTo(at);
    const timer = setTimeout(() => connection.close(), patience);
    try {
      return await connection.one(ask);
    } catch {
      this.#connections.delete(at);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks one instance after another until a response is not 503. @throws Error after a minute */
  async one(ask: Ask): Promise<Answer> {
    const deadline = performance.now() + 60_000;
    let last: Answer | undefined;
    while (performance.now() < deadline) {
      const answer = await this.attempt(this.#at, ask);
      if (answer !== undefined && answer.status !== 503) return answer;
      last = answer ?? last;
      this.hop();
      await pause(PAUSE);
    }
    throw new Error(
      `${ask.path} was answered by nobody for a minute; the last word was: ${last?.status} ${last?.text}`,
    );
  }

  /** Goes to the next instance. */
  hop(): void {
    this.#at = (this.#at + 1) % this.#instances.length;
  }

  close(): void {
    for (const { connection } of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #connectionTo(at: number): KeepAlive {
    const { address } = this.#instances[at]!;
    const known = this.#connections.get(at);
    if (known?.address === address) return known.connection;
    known?.connection.close();
    const connection = new KeepAlive(address, this.#key);
    this.#connections.set(at, { address, connection });
    return connection;
  }
}
