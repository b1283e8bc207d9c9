/**
 * The ear on the log: one LISTEN for all watchers.
 *
 * Problem: a notification that comes while nobody listens is lost, and a connection that is dead without a word brings none.
 * Rule: it listens as long as anybody watches, on a connection of its own, which is opened again whenever it ends or is doubted, for as
 * long as it takes. Watchers are woken each time that it begins to listen, as something may have happened before.
 * Example: `const stop = listener.watch((revision) => follow(revision))`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../machine/logger.ts';
import { nextAttempt, within } from './pool.ts';
import type { Connection } from './connection.ts';

/** NOTIFY reaches every listener of one database, and of that one only. */
export const CHANNEL = 'prompt_registry';

/** Milliseconds to connect, and then to say LISTEN. */
const LIMIT = 1000;

type Woken = (revision?: number) => void;

export class Listener {
  readonly #open: (notified: (payload: string) => void, limit: number) => Promise<Connection>;
  readonly #shown: string;
  readonly #logger: Logger;
  readonly #watchers = new Set<Woken>();
  #connection: Connection | undefined;
  /** Ends the loop that keeps listening. */
  #stop: AbortController | undefined;

  constructor(options: {
    open: (notified: (payload: string) => void, limit: number) => Promise<Connection>;
    shown: string;
    logger: Logger;
  }) {
    this.#open = options.open;
    this.#shown = options.shown;
    this.#logger = options.logger;
  }

  /** @returns a function that ends it */
  watch(woken: Woken): () => void {
    const watcher: Woken = (revision) => woken(revision);
    this.#watchers.add(watcher);
    if (this.#stop === undefined) {
      this.#stop = new AbortController();
      void this.#keepListening(this.#stop.signal);
    }
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#end();
    };
  }

  /** Where the server did not answer another connection, this one may be as dead: it is opened again. */
  doubt(): void {
    this.#connection?.destroy();
  }

  close(): void {
    this.#watchers.clear();
    this.#end();
  }

  #end(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #keepListening(stopped: AbortSignal): Promise<void> {
    let failed = false;
    while (!stopped.aborted) {
      const notBefore = nextAttempt(performance.now());
      try {
        const connection = await this.#listen(stopped);
        if (failed) this.#logger.info({ store: this.#shown }, 'The registry database tells of changes again.');
        failed = false;
        await connection.ended;
      } catch (error) {
        if (!failed && !stopped.aborted)
          this.#logger.warn(
            { store: this.#shown, reason: messageOf(error) },
            'The registry database cannot be listened to; changes are found by asking.',
          );
        failed = true;
      }
      // Its end through `stopped` is the one rejection there is.
      await pause(Math.max(0, notBefore - performance.now()), undefined, { signal: stopped }).catch(() => undefined);
    }
  }

  async #listen(stopped: AbortSignal): Promise<Connection> {
    const connection = await this.#open((payload) => this.#wake(payload), LIMIT);
    try {
      stopped.throwIfAborted();
      await within(performance.now() + LIMIT, connection.run(`LISTEN ${CHANNEL}`));
      stopped.throwIfAborted();
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.#connection = connection;
    this.#wake('');
    return connection;
  }

  #wake(payload: string): void {
    const revision = /^\d+$/.test(payload) ? Number(payload) : undefined;
    for (const woken of this.#watchers) queueMicrotask(() => woken(revision));
  }
}
