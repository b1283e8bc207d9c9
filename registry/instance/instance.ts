/**
 * One instance of the registry, running: what it was opened from, what it applies and serves, and how it stands to the log and to the
 * other instances. `registry.ts` is what callers see of it.
 *
 * Problem: a start may find the store away, a log may turn out to be another, and readers must be answered all the while.
 * Rule: what is applied (`applied`, what the log says) and what is served (`current`, under a pinned version where one is set) change in one
 * place, `#show`, by one assignment each. What a start adds to the log is added as soon as the store is there; before there is a whole
 * snapshot nothing is served.
 * Example: PostgreSQL is away at the start; the last good snapshot is served, marked; a minute later the store is back, the tail of the
 * log is applied, and what this start has to add is appended.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Contents } from '../local/contents.ts';
import { messageOf, RegistryError, StartRefused, LogBroken, notReady } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { addsToLog, alarmUnderFloor, planStart } from './first-start.ts';
import { Follower, type Followed } from '../following/follower.ts';
import { Freshness } from '../following/freshness.ts';
import { Instances, type Reach } from '../following/instances.ts';
import { keyOfToken, newKey, type NewKey } from '../keys/keys.ts';
import type { LastGood } from '../local/last-good.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { openLog, readLog, restoreAccepted, type Opened } from './open.ts';
import type { RegistryOptions } from './options.ts';
import { pinText, pinnedRecord, withPin, type Pin } from './forced-version.ts';
import { newSessionKey, Sessions } from '../sessions/session-ids.ts';
import { SnapshotCheck } from '../proof/snapshot-check.ts';
import { reaches, type Snapshot } from '../state/snapshot.ts';
import type { PackContent } from '../model.ts';
import type { LeaseClaim, SessionKey, Store } from '../log/store.ts';
import { StoreClock } from '../log/store-clock.ts';
import { Writer, type Propose } from '../writing/writer.ts';
import { SYSTEM_CLOCK } from '../machine/clock.ts';

/** What a probe or an operator asks of an instance. */
export interface Health {
  /** Whether there is a whole snapshot to answer from. */
  readonly ready: boolean;
  /** What is not as it should be, for people; empty where all is. */
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly name: 'waiting' | 'stale' | 'pinned' | 'log-diverged' | 'clock-behind-log' | 'snapshot-differs';
  readonly detail: string;
}

/** An instance, as `listInstances` shows it. */
export interface InstanceRecord {
  readonly id: string;
  readonly startedAt: string;
  readonly appliedRevision: number;
  /** How many revisions it is behind this instance. */
  readonly behind: number;
  readonly lastSeenAt: string;
  readonly pinnedVersion?: string;
}

/** Hears of changes after they are visible; of a history that was replaced whole, without events. It must not throw; what it throws is logged. */
export type ChangeListener = (events: readonly Event[], snapshot: Snapshot) => void;

/** For how long a reader waits for a revision that has not arrived yet, in milliseconds. */
const REACH_PATIENCE = 2000;
/** Between two notes on the disk that the last good snapshot is still current, in milliseconds. */
const CONFIRM_PAUSE = 10_000;

export class Instance {
  /** One start of one process. */
  readonly id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly #startedAt: string;
  readonly #options: RegistryOptions;
  readonly store: Store;
  readonly contents: Contents;
  readonly #writer: Writer;
  readonly #follower: Follower;
  readonly #freshness: Freshness;
  readonly #instances = new Instances(this.id);
  readonly #lastGood: LastGood | undefined;
  readonly #check: SnapshotCheck | undefined;
  readonly #logger: Logger;
  /** What events, and the ends of keys and sessions, go by. */
  readonly clock: StoreClock;
  readonly #listeners = new Set<ChangeListener>();
  readonly #closing = new AbortController();
  #sessionKeys: readonly SessionKey[];
  #sessions: Sessions | undefined;
  /** What the log says; `#current` is what is served. */
  #applied: Snapshot;
  #current: Snapshot;
  #pin: { readonly pin: Pin; readonly content: PackContent } | undefined;
  /** What is served under the pin. */
  #pinned: Snapshot | undefined;
  /** What this start adds to the log is in it. */
  #begun = false;
  #confirmedAt = -Infinity;
  /** What this start made, one and the same at each try: the log may hold it although a try failed. */
  #operatorKey: NewKey | undefined;
  #onShow: ((current: Snapshot) => void) | undefined;

  private constructor(
    options: RegistryOptions,
    { snapshot, contents, lastGood, unproven, sessionKeys, confirmedAt }: Opened,
  ) {
    this.#options = options;
    this.store = options.store;
    this.contents = contents;
    this.#lastGood = lastGood;
    this.#logger = options.logger ?? SILENT;
    this.clock = new StoreClock(options.store, options.clock ?? SYSTEM_CLOCK, this.#logger);
    this.#startedAt = new Date(this.clock.now()).toISOString();
    this.#sessionKeys = sessionKeys;
    if (sessionKeys.length > 0) this.#sessions = new Sessions(sessionKeys, options.sessionTtl);
    this.#freshness = new Freshness(
      confirmedAt === undefined ? undefined : performance.now() - Math.max(0, Date.now() - confirmedAt),
    );
    this.#applied = this.#current = snapshot;
    const { clock, logger, store } = { clock: this.clock, logger: this.#logger, store: options.store };
    this.#writer = new Writer(snapshot, {
      store,
      contents,
      clock,
      logger,
      publish: (next, events) => this.#publish(next, events),
      diverged: (reason) => this.#follower.divergedBecause(reason),
    });
    this.#check =
      unproven &&
      new SnapshotCheck({
        store,
        saved: unproven,
        logger,
        takeLog: () => this.#writer.replace(() => readLog(store, contents)),
      });
    this.#follower = new Follower({
      store,
      logger,
      clock,
      freshness: this.#freshness,
      instances: this.#instances,
      followed: this.#followed(),
    });
  }

  /**
   * Opens an instance: the last good snapshot where the log still holds its place, the rest of the log, then what this start
   * adds to it; then it follows the log. With `failStatic` it opens also where the store is away.
   *
   * @throws StartRefused what is wrong with the shipped packs or the settings; RegistryError `store-unavailable`; LogBroken
   */
  static async open(options: RegistryOptions): Promise<Instance> {
    const { failStatic = false, logger = SILENT, shipped = [] } = options;
    const opened = await openLog({
      store: options.store,
      dataDir: options.dataDir,
      sessionTtl: options.sessionTtl,
      snapshotKey: options.snapshotKey,
      failStatic,
      logger,
    });
    for (const { version } of shipped)
      if (version.content.version === options.pinVersion?.version)
        opened.contents.remember(version.digest, version.content);
    const instance = new Instance(options, opened);
    try {
      if (opened.unread === undefined) await instance.#begin();
      else await instance.#serveAsItIs();
    } catch (error) {
      if (!failStatic || !(error instanceof RegistryError)) {
        await instance.#writer.close();
        throw error;
      }
      logger.warn({ reason: error.message }, 'The store went away during the start.');
      await instance.#serveAsItIs();
    }
    if (opened.unread?.because === 'diverged') instance.#follower.divergedBecause(opened.unread.reason);
    await instance.#follower.start();
    return instance;
  }

  /** The snapshot that answers are computed from. Take it once per answer. */
  get current(): Snapshot {
    return this.#current;
  }

  /** Whole seconds since this instance last knew that it was current; undefined where it still does (SPEC R10). */
  get staleSeconds(): number | undefined {
    return this.#freshness.staleSeconds;
  }

  /** `coach@1.0.0` where this instance serves a version of its own, whatever the log says. */
  get pinnedVersion(): string | undefined {
    return this.#pin === undefined ? undefined : pinText(this.#pin.pin);
  }

  /** Whether there is a whole snapshot to answer from. */
  get ready(): boolean {
    return this.#sessions !== undefined && this.#current.revision > 0;
  }

  /** What reads and signs session ids. @throws RegistryError `not-ready` */
  get sessions(): Sessions {
    if (this.#sessions === undefined) throw notReady();
    return this.#sessions;
  }

  /** How this instance is. */
  health(): Health {
    const { staleSeconds, pinnedVersion, ready } = this;
    const conditions: Condition[] = [];
    if (!ready)
      conditions.push({
        name: 'waiting',
        detail: 'The store cannot be reached, and there is no last good snapshot to serve meanwhile.',
      });
    else if (staleSeconds !== undefined)
      conditions.push({
        name: 'stale',
        detail: `It has been ${staleSeconds} s since this instance knew that it is current.`,
      });
    if (pinnedVersion !== undefined)
      conditions.push({ name: 'pinned', detail: `PIN_VERSION: ${pinnedVersion} is served, whatever the log says.` });
    if (this.#follower.diverged !== undefined)
      conditions.push({
        name: 'log-diverged',
        detail: 'The log in the store is not the one that this instance has applied; it is not followed.',
      });
    const behind = this.clock.behind(this.#applied.at);
    if (behind !== undefined) conditions.push({ name: 'clock-behind-log', detail: behind });
    if (this.#check?.differs !== undefined)
      conditions.push({
        name: 'snapshot-differs',
        detail: `The last good snapshot that this start was made from and the log differ: ${this.#check.differs}.`,
      });
    return { ready, conditions };
  }

  /**
   * Waits until a place in the history is applied here, for two seconds at most (SPEC R10).
   *
   * @param position of the epoch in force where it names none
   * @throws RegistryError `revision-not-reached` where it is not in time, `revision-unknown` where the log ends before it
   */
  async reach({ epoch, revision }: { readonly epoch?: number | undefined; readonly revision: number }): Promise<void> {
    const reached = () => reaches(this.#applied, { epoch: epoch ?? this.#applied.epoch, revision });
    if (reached()) return;
    const later = (cause?: unknown) =>
      new RegistryError(
        'revision-not-reached',
        `This instance is at revision ${this.#applied.revision} and cannot reach revision ${revision} at the moment.`,
        { currentRevision: this.#applied.revision },
        { cause },
      );
    if (this.#follower.diverged !== undefined) throw later();
    let timer: NodeJS.Timeout | undefined;
    try {
      const limit = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(later()), REACH_PATIENCE)));
      await Promise.race([this.catchUp(), limit]);
    } catch (error) {
      throw error instanceof RegistryError && error.code === 'revision-not-reached' ? error : later(error);
    } finally {
      clearTimeout(timer);
    }
    if (reached()) return;
    const currentRevision = this.#applied.revision;
    throw new RegistryError(
      'revision-unknown',
      `The log ends at revision ${currentRevision}; there is no revision ${revision}${epoch === undefined ? '' : ` of epoch ${epoch}`} in it.`,
      { currentRevision },
    );
  }

  /**
   * Waits until every live instance has applied a revision, or until the time is up or this instance closes.
   * @param seconds how long to wait
   * @returns who has applied it, and who has not
   */
  settled(revision: number, seconds: number): Promise<Reach> {
    const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1000), this.#closing.signal]);
    return this.#follower.hastened(() => this.#instances.settled({ epoch: this.#applied.epoch, revision }, signal));
  }

  /** Every instance that has a lease, the longest running first, this one as it is now. */
  list(): InstanceRecord[] {
    const claim = this.#claim();
    const leases = this.#instances.leases.map((lease) => (lease.id === claim.id ? { ...lease, ...claim } : lease));
    return leases.map(({ id, startedAt, epoch, appliedRevision, lastSeenAt, pinnedVersion }) => ({
      id,
      startedAt,
      appliedRevision,
      lastSeenAt,
      behind: epoch === claim.epoch ? Math.max(0, claim.appliedRevision - appliedRevision) : claim.appliedRevision,
      ...(pinnedVersion !== undefined && { pinnedVersion }),
    }));
  }

  /** Makes a change durable, then visible; an answer without one closes the door behind it (SPEC R5). See `Writer.commit`. */
  commit(propose: Propose): ReturnType<Writer['commit']> {
    return this.#writer.commit(propose, { closes: true });
  }

  /**
   * What a decision comes to, without a change. A refusal is looked at twice, as a change's is: another instance may be ahead (SPEC R5).
   * @throws RegistryError what the decision refuses with; `store-unavailable`, `store-busy`
   */
  async foreseen<T>(decision: (base: Snapshot) => T): Promise<{ seen: T; snapshot: Snapshot }> {
    const base = this.#current;
    try {
      return { seen: decision(base), snapshot: base };
    } catch (refusal) {
      if (!(refusal instanceof RegistryError)) throw refusal;
    }
    const { snapshot } = await this.#writer.commit((newest) => {
      decision(newest);
      return { events: [], contents: [] };
    });
    return { seen: decision(snapshot), snapshot };
  }

  /** Applies what the log holds beyond the current snapshot. @throws RegistryError `store-unavailable`; LogBroken */
  catchUp(): Promise<void> {
    return this.#writer.catchUp();
  }

  /** Has `show` called with what is served, now and at each flip, before anybody else hears of it. */
  onShow(show: (current: Snapshot) => void): void {
    this.#onShow = show;
    show(this.#current);
  }

  /** Calls the listener after each change. Returns what ends that. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends waits for other instances; who had applied the move by then is their answer. Before the server is closed. */
  stopWaiting(): void {
    this.#closing.abort();
  }

  /** Ends the writes under way, gives the lease back, saves the last good snapshot, closes the store. */
  async close(): Promise<void> {
    this.stopWaiting();
    this.#check?.end();
    const written = this.#writer.close();
    await this.#follower.stop();
    await written;
    await this.#lastGood?.close();
    await this.store.close();
  }

  #followed(): Followed {
    return {
      current: () => this.#applied,
      claim: () => this.#claim(),
      seeFence: (fence) => this.#writer.seeFence(fence),
      catchUp: () => this.#writer.catchUp(),
      takeOver: async () => {
        const taken = await this.#writer.replace(async (applied) =>
          (await restoreAccepted(this.store, applied)) ? readLog(this.store, this.contents) : undefined,
        );
        if (taken) this.#check?.end();
        return taken;
      },
      settle: () => this.#settle(),
    };
  }

  #claim(): LeaseClaim {
    const { epoch, revision } = this.#applied;
    // Who has applied another log has applied nothing of this one.
    const appliedRevision = this.#follower.diverged === undefined ? revision : 0;
    return {
      id: this.id,
      startedAt: this.#startedAt,
      epoch,
      appliedRevision,
      ...(this.#pin !== undefined && { pinnedVersion: pinText(this.#pin.pin) }),
    };
  }

  /**
   * Adds to the log what this start has to add, in one append; from then on all is served.
   * @throws StartRefused; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; LogBroken
   */
  async #begin(): Promise<void> {
    const { operatorKey, channels, defaultPack, defaultVersion, shipped = [], policies = [] } = this.#options;
    const { clock } = this;
    await clock.known();
    clock.warnAtStart(this.#applied.at);
    const means = {
      newId: () => clock.newId(),
      newSessionKey: () => newSessionKey(new Date(clock.now()).toISOString()),
      newKey: () => (this.#operatorKey ??= newKey()),
      instance: this.id,
      operatorKey,
      knownContent: (digest: string) => this.contents.get(digest),
      logger: this.#logger,
    };
    const planned = { shipped, policies, channels, defaultPack, defaultVersion };
    // What this start adds for good must not rest on a snapshot that somebody may have edited.
    if (this.#check !== undefined && (await addsToLog(this.#applied, planned, means))) await this.#check.now();
    await this.#writer.commit((base) => planStart(base, planned, means), { large: true });
    // Another instance may have made its own key first, and a start before this one may have died before it could say where its key is.
    await operatorKey?.settle((token) => keyOfToken(this.#applied, token) !== undefined);
    alarmUnderFloor(this.#applied, this.#logger);
    this.#sessionKeys = await this.store.sessionKeys();
    this.#sessions = new Sessions(this.#sessionKeys, this.#options.sessionTtl);
    this.#begun = true;
    await this.#serveAsItIs();
    this.#check?.start();
  }

  /** Serves what there is, under a pinned version where one is set. @throws StartRefused where that one may not be served */
  async #serveAsItIs(): Promise<void> {
    const { pinVersion: pin } = this.#options;
    if (pin !== undefined && this.#pin === undefined && this.#applied.revision > 0) {
      this.#pin = { pin, content: await this.contents.get(pinnedRecord(this.#applied, pin).digest) };
      this.#logger.warn(
        { pinned: pinText(pin) },
        `PIN_VERSION: this instance serves ${pinText(pin)} whatever the log says, until it is restarted without.`,
      );
    }
    if (this.#applied.revision > 0) this.#show(this.#applied);
  }

  /** What a start that found the store away has left to do; and, now and then, a note that the disk is still current. */
  async #settle(): Promise<void> {
    if (!this.#begun && this.#follower.diverged === undefined) {
      const serving = this.ready;
      try {
        await this.#writer.catchUp();
        await this.#begin();
      } catch (error) {
        if (!(error instanceof StartRefused) && !(error instanceof LogBroken && !serving)) throw error;
        this.#begun = true; // what was refused once is not tried again
        this.#logger.error(
          { reason: messageOf(error) },
          serving
            ? 'What this start would have added to the log is refused. What was there before is served.'
            : 'The start is refused by what is in the store.',
        );
        if (!serving) this.#options.onRefused?.(error);
      }
    }
    this.clock.watch(this.#applied.at);
    if (
      this.#lastGood === undefined ||
      performance.now() - this.#confirmedAt < CONFIRM_PAUSE ||
      this.staleSeconds !== undefined
    )
      return;
    this.#confirmedAt = performance.now();
    await this.#lastGood.confirm();
  }

  #publish(next: Snapshot, events: readonly Event[]): void {
    this.#show(next, events);
    for (const listener of this.#listeners) {
      try {
        listener(events, this.#current);
      } catch (error) {
        this.#logger.error(
          { err: error, revision: next.revision },
          'A listener to changes failed; the change itself is made.',
        );
      }
    }
  }

  /** The atomic flip: from here on every read answers from `next`. */
  #show(next: Snapshot, events: readonly Event[] = []): void {
    this.#applied = next;
    if (!this.#begun && this.#sessions === undefined) return; // a start under way: nothing is served before it is whole
    const pinned = this.#pin === undefined ? undefined : withPin(next, this.#pin.pin, this.#pin.content, this.#pinned);
    if (this.#pin !== undefined && pinned === undefined) {
      this.#logger.error(
        { pinned: pinText(this.#pin.pin) },
        `PIN_VERSION: ${pinText(this.#pin.pin)} may not be served any more (revoked, or under the floor); this instance is back at what the log says.`,
      );
      this.#pin = undefined;
    }
    this.#pinned = pinned;
    this.#current = pinned ?? next;
    this.#onShow?.(this.#current);
    this.#lastGood?.save(next, this.#sessionKeys, events);
  }
}
