/**
 * A pool of connections that are opened on demand and destroyed at the first doubt, and the time limit of each call.
 *
 * Problem: an unreachable server answers nothing at all, and when it comes back every instance reconnects at once.
 * Rule: a call has one deadline for waiting for a connection, opening one, and the response. At the deadline the connection is destroyed,
 * since a late response could be mistaken for the next call's. A slot tries to connect at most once in 350 to 700 ms (with seven slots at
 * most 20 times a second), and at once if its last attempt was longer ago.
 * Example: `await pool.use(performance.now() + 1500, (connection) => connection.rows('SELECT 1', []))`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isOutdated, isRolledBack, NotSent, TimeLimit } from './faults.ts';
import { messageOf } from '../../errors.ts';
import type { Connection } from './connection.ts';

/** Milliseconds for a connection. */
const CONNECT_LIMIT = 1000;
/** The least and the most time from one attempt to the next. */
const BETWEEN_ATTEMPTS = [350, 700] as const;

/** When the next attempt may be made, if one is made now. */
export function nextAttempt(now: number): number {
  const [least, most] = BETWEEN_ATTEMPTS;
  return now + least + Math.random() * (most - least);
}

export type Opens = (limit: number) => Promise<Connection>;

/** Settles like the work, or rejects with TimeLimit at the deadline (performance.now() milliseconds). */
export async function within<T>(deadline: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeLimit()), Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Room for one connection. One caller at a time. */
class Slot {
  readonly #open: Opens;
  #connection: Connection | undefined;
  #notBefore = 0;
  closed = false;

  constructor(open: Opens) {
    this.#open = open;
  }

  get connected(): boolean {
    return this.#connection?.open === true;
  }

  /** @throws NotSent if there is no connection by the deadline */
  async connection(deadline: number): Promise<Connection> {
    if (this.#connection?.open === true) return this.#connection;
    const now = performance.now();
    if (this.#notBefore >= deadline) {
      await pause(Math.max(0, deadline - now));
      throw new NotSent('no connection could be opened yet; retry later');
    }
    if (this.#notBefore > now) await pause(this.#notBefore - now);
    this.#requireOpen();
    this.#notBefore = nextAttempt(performance.now());
    try {
      const connection = await this.#open(Math.max(1, Math.min(CONNECT_LIMIT, deadline - performance.now())));
      this.#connection = connection;
    } catch (cause) {
      // A name with several addresses fails once for each.
      throw new NotSent(cause instanceof AggregateError ? cause.errors.map(messageOf).join('; ') : messageOf(cause), {
        cause,
      });
    }
    if (this.closed) this.drop();
    this.#requireOpen();
    return this.#connection;
  }

  drop(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  #requireOpen(): void {
    if (this.closed) throw new NotSent('the store is closed');
  }
}

/** A few connections for calls of one kind. */
export class Pool {
  readonly #slots: Slot[];
  readonly #free: Slot[];
  readonly #waiting: { readonly give: (slot: Slot) => void; readonly refuse: (error: Error) => void }[] = [];
  readonly #limitReached: () => void;
  #closed = false;

  /** @param limitReached is called when a connection was destroyed at a deadline: the server may be unreachable */
  constructor(size: number, open: Opens, limitReached: () => void = () => undefined) {
    this.#slots = Array.from({ length: size }, () => new Slot(open));
    this.#free = [...this.#slots];
    this.#limitReached = limitReached;
  }

  /**
   * Does the work on a connection that no other call uses meanwhile.
   * @param deadline in milliseconds of performance.now()
   * @throws NotSent if the work did not start; what the work throws; TimeLimit if it started and is not done by the deadline
   */
  async use<T>(deadline: number, work: (connection: Connection) => Promise<T>): Promise<T> {
    const slot = await this.#take(deadline);
    try {
      const connection = await slot.connection(deadline);
      return await this.#dropIfDoubtful(slot, within(deadline, work(connection)));
    } finally {
      this.#give(slot);
    }
  }

  /** Destroys every connection. Calls that run or wait are rejected. */
  close(): void {
    this.#closed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(new NotSent('the store is closed'));
    for (const slot of this.#slots) {
      slot.closed = true;
      slot.drop();
    }
  }

  async #dropIfDoubtful<T>(slot: Slot, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!isRolledBack(error) || isOutdated(error)) slot.drop();
      if (error instanceof TimeLimit) this.#limitReached();
      throw error;
    }
  }

  async #take(deadline: number): Promise<Slot> {
    if (this.#closed) throw new NotSent('the store is closed');
    const connected = this.#free.findIndex((slot) => slot.connected);
    const [slot] = this.#free.splice(Math.max(0, connected), 1);
    if (slot !== undefined) return slot;
    return new Promise((resolve, reject) => {
      const forget = () => {
        const index = this.#waiting.indexOf(waiting);
        if (index >= 0) this.#waiting.splice(index, 1);
      };
      const timer = setTimeout(
        () => {
          forget();
          reject(new NotSent('every connection is in use'));
        },
        Math.max(0, deadline - performance.now()),
      );
      const waiting = {
        give: (free: Slot) => {
          clearTimeout(timer);
          resolve(free);
        },
        refuse: (error: Error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #give(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next === undefined)
      this.#free.unshift(slot); // the one used last has its statements prepared and its pages at hand
    else next.give(slot);
  }
}
