/**
 * Looks at the log for keys that this instance has not heard of: made on the host, or by another instance a moment ago.
 *
 * Problem: the log must be asked before such a key is refused, yet anybody can send keys that nobody ever made.
 * Rule: one look serves everybody who waits, and looks begin a second apart at least. Who asks waits for a look that begins after, so that
 * whatever was in the log by then is seen: strangers can neither make the store work nor keep a good key out.
 * Example: a stranger's token had the log read half a second ago; a key made on another instance is known here half a second later.
 */
import { setTimeout } from 'node:timers/promises';
import { messageOf, type Registry } from '../../registry/index.ts';
import type { FastifyBaseLogger } from 'fastify';

/** Between the beginnings of two looks, in milliseconds. */
const PAUSE = 1000;
/** How long a look is waited for, in milliseconds. */
const PATIENCE = 2000;

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

  /** Waits for a look that begins after this call. Never rejects. @returns whether the log could be read in time */
  look(): Promise<boolean> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<boolean> {
    await setTimeout(Math.max(0, this.#beganAt + PAUSE - performance.now()));
    this.#next = undefined; // whoever asks from here on waits for the one after
    this.#beganAt = performance.now();
    const ended = new AbortController();
    const late = setTimeout(PATIENCE, undefined, { signal: ended.signal }).then(() =>
      Promise.reject(new Error('The store does not answer.')),
    );
    try {
      await Promise.race([this.#registry.instance.catchUp(), late]);
      this.#failed = false;
      return true;
    } catch (error) {
      if (!this.#failed)
        this.#log.warn({ reason: messageOf(error) }, 'The log could not be read for a key that is not known here.');
      this.#failed = true;
      return false;
    } finally {
      late.catch(() => undefined);
      ended.abort();
    }
  }
}
