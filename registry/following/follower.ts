/**
 * Following: how this instance hears of what others append, and how it knows that it is current (SPEC R10).
 *
 * Problem: a notification can be lost, a connection half dead, the database another one than before.
 * Rule: a hint only wakes; the log is read, in strict revision order. Once a second the lease is renewed, whose answer names the log's
 * head, so that a lost hint costs a second and no more. The pause between two tries is jittered, so that instances whose store comes
 * back do not all come at once. A log that is not the one applied here is never followed: what was applied goes on being served,
 * marked, until the log is put right or an operator accepts the restore (`registry-restored`).
 * Example: another instance appends revision 8; the hint arrives, 8 is read and applied, and the lease says so within 50 ms.
 */
import { messageOf, LogBroken } from '../errors.ts';
import type { Freshness } from './freshness.ts';
import type { Instances } from './instances.ts';
import type { Logger } from '../machine/logger.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { StoreClock } from '../log/store-clock.ts';
import type { LeaseClaim, Store } from '../log/store.ts';

/** Between two renewals, in milliseconds; each pause is up to a tenth shorter or longer. */
const POLL = 1000;
/** Between two renewals while somebody waits for them, or has just applied something, in milliseconds. */
const HASTE = 50;

/** What the follower moves; the registry behind it. */
export interface Followed {
  /** What is applied. */
  current(): Snapshot;
  /** What this instance says of itself at the next renewal. */
  claim(): LeaseClaim;
  /** Hears of the store's fence. */
  seeFence(fence: number): void;
  /** Applies what the log holds beyond. @throws RegistryError `store-unavailable`; LogBroken */
  catchUp(): Promise<void>;
  /** Takes over the history of a log whose restore was accepted. @returns whether there was one to take over */
  takeOver(): Promise<boolean>;
  /** What a start still has to do once the store is there; called until it has been done. */
  settle(): Promise<void>;
}

export interface FollowerOptions {
  readonly store: Store;
  readonly followed: Followed;
  readonly freshness: Freshness;
  readonly instances: Instances;
  /** Hears what time it is for the store. */
  readonly clock?: Pick<StoreClock, 'observe'>;
  readonly logger: Logger;
}

export class Follower {
  readonly #options: FollowerOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #pulling = false;
  #again = false;
  #unwatch: () => void = () => undefined;
  #waiting = 0;
  #reported = 0;
  #away = false;
  #diverged: string | undefined;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Why the log is not followed; undefined where it is. */
  get diverged(): string | undefined {
    return this.#diverged;
  }

  /** Begins to follow: hints first, then the log, so that nothing falls between them. Never rejects. */
  async start(): Promise<void> {
    this.#unwatch = this.#options.store.watch((revision) => {
      if (revision === undefined || revision > this.#options.followed.current().revision) void this.#pull();
    });
    await this.#tick();
  }

  /** Ends the following and gives the lease back, so that nobody waits for this instance. Never rejects. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#timer);
    await this.#round;
    const { store, followed, freshness, logger } = this.#options;
    freshness.doubt(); // whoever waits does not wait for this instance from here on
    await store
      .release(followed.claim().id)
      .catch((error: unknown) =>
        logger.warn({ reason: messageOf(error) }, 'The lease could not be given back; it runs out by itself.'),
      );
  }

  /** Renews often while a task runs that waits for others. */
  async hastened<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#schedule(0);
    try {
      return await task();
    } finally {
      this.#waiting -= 1;
    }
  }

  /** A log that is not the one applied here was met elsewhere, e.g. in a write. */
  divergedBecause(reason: string): void {
    const { freshness, logger, followed } = this.#options;
    freshness.doubt();
    if (this.#diverged === undefined && !this.#closed) {
      logger.error(
        {
          reason,
          epoch: followed.current().epoch,
          revision: followed.current().revision,
          registryId: followed.current().registryId,
        },
        'The log is not the one that this instance has applied. It is not followed; what was applied is served, marked as stale. Put the right database back, or accept the restore (npm run restore:accept).',
      );
    }
    this.#diverged = reason;
  }

  /** Applies what is new; a hint that comes meanwhile has it look once more. */
  async #pull(): Promise<void> {
    this.#again = true;
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (this.#again && !this.#closed && this.#diverged === undefined) {
        this.#again = false;
        await this.#options.followed.catchUp();
      }
      // Whoever waits for this instance hears of it soon, also where nobody waits here.
      if (this.#options.instances.live > 1 && this.#options.followed.current().revision > this.#reported)
        this.#schedule(HASTE);
    } catch (error) {
      if (error instanceof LogBroken) this.divergedBecause(error.message);
      // Else the next renewal meets it as well, and says so.
    } finally {
      this.#pulling = false;
    }
  }

  #schedule(pause: number): void {
    if (this.#closed || this.#round !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), pause).unref();
  }

  async #tick(): Promise<void> {
    if (this.#closed || this.#round !== undefined) return;
    clearTimeout(this.#timer);
    this.#round = this.#renew();
    await this.#round;
    this.#round = undefined;
    const behind =
      this.#options.instances.live > 1 && !this.#away && this.#options.followed.current().revision > this.#reported;
    this.#schedule(
      this.#waiting > 0 || behind ? HASTE : POLL * (this.#away ? 0.5 + Math.random() / 2 : 0.9 + Math.random() / 5),
    );
  }

  async #renew(): Promise<void> {
    const { store, followed, freshness, instances, clock, logger } = this.#options;
    const sentAt = performance.now();
    try {
      const claim = followed.claim();
      const { head, fence, leases, now } = await store.renew(claim);
      clock?.observe(now, sentAt);
      followed.seeFence(fence);
      this.#reported = claim.appliedRevision;
      instances.observe(leases, sentAt);
      for (const { id, counter } of instances.forgotten) await store.release(id, counter);
      await followed.settle();
      const current = followed.current();
      if (this.#diverged !== undefined || head?.revision !== current.revision || head.hash !== current.hash)
        await this.#comeInLine();
      if (this.#closed) return;
      freshness.confirm(sentAt);
      if (this.#away)
        logger.info({ revision: followed.current().revision }, 'The store is back; this instance is current again.');
      this.#away = false;
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof LogBroken) return this.divergedBecause(error.message);
      if (!this.#away)
        logger.warn(
          { reason: messageOf(error) },
          'The store cannot be reached. What was applied goes on being served, marked as stale.',
        );
      this.#away = true;
    }
  }

  /** The log has moved on, or is another. @throws LogBroken where it still is another */
  async #comeInLine(): Promise<void> {
    const { followed, logger } = this.#options;
    try {
      await followed.catchUp();
    } catch (error) {
      if (!(error instanceof LogBroken) || !(await followed.takeOver())) throw error;
    }
    if (this.#diverged === undefined) return;
    this.#diverged = undefined;
    logger.info(
      { epoch: followed.current().epoch, revision: followed.current().revision },
      'The log can be followed again.',
    );
  }
}
