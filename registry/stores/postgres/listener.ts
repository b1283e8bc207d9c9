/**
 * Notifications: one LISTEN for all watchers.
 *
 * Problem: a notification that arrives while nobody listens is lost, and a dead connection brings none.
 * Rule: as long as there are watchers, it listens on its own connection. The connection is reopened whenever it ends or is doubted, until
 * that succeeds. Watchers are notified each time it starts to listen, since something may have happened before.
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

type OnChange = (revision?: number) => void;

export class Listener {
  readonly #open: (notified: (payload: string) => void, limit: number) => Promise<Connection>;
  readonly #shown: string;
  readonly #logger: Logger;
  readonly #watchers = new Set<OnChange>();
  #connection: Connection | undefined;
  /** Stops the loop that keeps listening. */
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

  /** @returns a function that ends the watch */
  watch(onChange: OnChange): () => void {
    const watcher: OnChange = (revision) => onChange(revision);
    this.#watchers.add(watcher);
    if (this.#stop === undefined) {
      this.#stop = new AbortController();
      void this.#keepListening(this.#stop.signal);
    }
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#end();
    };
  }

  /** The server did not answer on another connection, so this one may be dead too: it is reopened. */
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
        if (failed) this.#logger.info({ store: this.#shown }, 'Notifications from the registry database work again.');
        failed = false;
        await connection.ended;
      } catch (error) {
        if (!failed && !stopped.aborted)
          this.#logger.warn(
            { store: this.#shown, reason: messageOf(error) },
            'Notifications from the registry database are not available; changes are found by polling.',
          );
        failed = true;
      }
      // It rejects only if `stopped` aborts it.
      await pause(Math.max(0, notBefore - performance.now()), undefined, { signal: stopped }).catch(() => undefined);
    }
  }

  async #listen(stopped: AbortSignal): Promise<Connection> {
    const connection = await this.#open((payload) => this.#notify(payload), LIMIT);
    try {
      stopped.throwIfAborted();
      await within(performance.now() + LIMIT, connection.run(`LISTEN ${CHANNEL}`));
      stopped.throwIfAborted();
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.#connection = connection;
    this.#notify('');
    return connection;
  }

  #notify(payload: string): void {
    const revision = /^\d+$/.test(payload) ? Number(payload) : undefined;
    for (const onChange of this.#watchers) queueMicrotask(() => onChange(revision));
  }
}
