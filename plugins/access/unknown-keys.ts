/**
 * Reads the log for keys that this instance does not know yet: created on the host, or by another instance a moment ago.
 *
 * Problem: the log must be read before such a key is refused, but anybody can send keys that never existed.
 * Rule: all waiting requests share one read, and reads start at least a second apart. A request waits for a read that starts after it, so
 * the read sees everything that was in the log when the request arrived. So strangers can neither overload the store nor block a valid key.
 * Example: a stranger's token caused a read half a second ago. A key created on another instance is known here half a second later.
 */
import { setTimeout } from 'node:timers/promises';
import { messageOf, type Registry } from '../../registry/index.ts';
import type { FastifyBaseLogger } from 'fastify';

/** Time between the starts of two reads, in milliseconds. */
const INTERVAL = 1000;
/** Timeout of a read, in milliseconds. */
const TIMEOUT = 2000;

export class UnknownKeys {
  readonly #registry: Registry;
  readonly #log: FastifyBaseLogger;
  #next: Promise<boolean> | undefined;
  #beganAt = -Infinity;
  #failed = false;

  constructor(registry: Registry, log: FastifyBaseLogger) {
    this.#registry = registry;
    this.#log = log;
  }

  /** Waits for a read that starts after this call. Never rejects. @returns whether the log could be read in time */
  look(): Promise<boolean> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<boolean> {
    await setTimeout(Math.max(0, this.#beganAt + INTERVAL - performance.now()));
    this.#next = undefined; // later requests wait for the next read
    this.#beganAt = performance.now();
    const ended = new AbortController();
    const late = setTimeout(TIMEOUT, undefined, { signal: ended.signal }).then(() =>
      Promise.reject(new Error('The store does not respond.')),
    );
    try {
      await Promise.race([this.#registry.instance.catchUp(), late]);
      this.#failed = false;
      return true;
    } catch (error) {
      if (!this.#failed)
        this.#log.warn({ reason: messageOf(error) }, 'The log could not be read to look for an unknown key.');
      this.#failed = true;
      return false;
    } finally {
      late.catch(() => undefined);
      ended.abort();
    }
  }
}
