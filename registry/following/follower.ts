/**
 * Following: how this instance learns what others append, and how it knows that it is current (SPEC R10).
 *
 * Problem: a notification can be lost, a connection half dead, or the database replaced by another.
 * Rule: a notification only triggers a read; the log itself is read, in strict revision order. The lease is renewed once a second, and the
 * response names the log's head, so a lost notification costs at most a second. Retries are jittered, so that instances do not all reconnect
 * at once. A log that is not the one applied here is never followed: the instance keeps serving what it has applied, marked as stale, until
 * the log is repaired or an operator accepts the restore (`registry-restored`).
 * Example: another instance appends revision 8; the notification arrives, 8 is read and applied, and the lease says so within 50 ms.
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
/** Between two renewals while a caller waits for them, or after something was applied, in milliseconds. */
const HASTE = 50;

/** What the follower keeps current. */
export interface Followed {
  /** What is applied. */
  current(): Snapshot;
  /** What this instance reports about itself at the next renewal. */
  claim(): LeaseClaim;
  /** Receives the store's fence. */
  seeFence(fence: number): void;
  /**
   * Applies what is new in the log, unless a revision is applied by then.
   * @throws RegistryError `store-unavailable`; LogBroken
   */
  catchUp(upTo?: number): Promise<void>;
  /** Takes over the history of a log whose restore was accepted. @returns whether there was one to take over */
  takeOver(): Promise<boolean>;
  /** Called after each renewal, e.g. to finish a start that had found the store unreachable. */
  afterRenewal(): Promise<void>;
}

export interface FollowerOptions {
  readonly store: Store;
  readonly followed: Followed;
  readonly freshness: Freshness;
  readonly instances: Instances;
  /** Receives the store's time. */
  readonly clock?: Pick<StoreClock, 'observe'>;
  readonly logger: Logger;
}

export class Follower {
  readonly #options: FollowerOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #pulling = false;
  /** The highest revision that a notification has named since the log was last read; Infinity if one named none. */
  #hinted = 0;
  #unwatch: () => void = () => undefined;
  #waiting = 0;
  #reported = 0;
  #away = false;
  #diverged: string | undefined;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Why the log is not followed; undefined if it is. */
  get diverged(): string | undefined {
    return this.#diverged;
  }

  /** Starts to follow: notifications first, then the log, so that nothing is missed in between. Never rejects. */
  async start(): Promise<void> {
    this.#unwatch = this.#options.store.watch((revision) => void this.#pull(revision));
    await this.#tick();
  }

  /** Stops following and releases the lease, so that nobody waits for this instance. Never rejects. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#timer);
    await this.#round;
    const { store, followed, freshness, logger } = this.#options;
    freshness.doubt(); // from here on nobody waits for this instance
    await store
      .release(followed.claim().id)
      .catch((error: unknown) =>
        logger.warn({ reason: messageOf(error) }, 'The lease could not be released; it will expire.'),
      );
  }

  /** Renews often while a task runs that waits for others. */
  async renewingOften<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#schedule(0);
    try {
      return await task();
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Something else, such as a write, found that the log is not the one applied here. */
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
        'The log is not the one that this instance has applied, so the instance does not follow it. It keeps serving what it has applied, marked as stale. Put the right database back, or accept the restore (npm run restore:accept).',
      );
    }
    this.#diverged = reason;
  }

  /** Applies what is new. A notification that arrives meanwhile makes it look again, unless it names what is applied by then. */
  async #pull(hinted = Infinity): Promise<void> {
    const { followed } = this.#options;
    this.#hinted = Math.max(this.#hinted, hinted);
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (this.#hinted > followed.current().revision && !this.#closed && this.#diverged === undefined) {
        const upTo = this.#hinted;
        this.#hinted = 0;
        await followed.catchUp(upTo);
      }
      // Renew soon: another instance may be waiting for this one.
      if (this.#options.instances.live > 1 && this.#options.followed.current().revision > this.#reported)
        this.#schedule(HASTE);
    } catch (error) {
      if (error instanceof LogBroken) this.divergedBecause(error.message);
      // Any other error: the next renewal meets it too, and reports it.
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
      await followed.afterRenewal();
      const current = followed.current();
      if (this.#diverged !== undefined || head?.revision !== current.revision || head.hash !== current.hash)
        await this.#catchUpOrTakeOver();
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
          'The store cannot be reached. This instance keeps serving what it has applied, marked as stale.',
        );
      this.#away = true;
    }
  }

  /** The log has moved on, or is another one. @throws LogBroken if it still is another one */
  async #catchUpOrTakeOver(): Promise<void> {
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
