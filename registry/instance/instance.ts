/**
 * One running instance of the registry: what it applies and serves, and how it keeps up with the log and with the other instances.
 * `registry.ts` is what callers see of it.
 *
 * Problem: a start may find the store away, the log may turn out to be another one, and readers must be answered all the while.
 * Rule: one cell (`state/current.ts`) holds what is applied (what the log says) and what is served (the same, or a forced version), and
 * only `#show` changes it. A start adds its part to the log as soon as the store is there. Until there is a whole snapshot, nothing is
 * served.
 * Example: PostgreSQL is away at the start, so the last good snapshot is served, marked as stale. A minute later the store is back: the rest
 * of the log is applied, and the start adds its part.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Contents } from '../local/contents.ts';
import { messageOf, RegistryError, StartRefused, LogBroken, notReady } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { Follower, type Followed } from '../following/follower.ts';
import { Freshness } from '../following/freshness.ts';
import { Instances, type Reach } from '../following/instances.ts';
import type { SavedState } from '../local/snapshot-file.ts';
import type { LastGood } from '../local/last-good.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { healthOf, type Health } from './health.ts';
import { openLog, readLog, restoreAccepted, type Opened } from './open.ts';
import { defaultChannelOf, type RegistryOptions } from './options.ts';
import { ForcedViews, forcedRecord } from './forced-version.ts';
import { reach, type WantedPosition } from './reach.ts';
import { Start } from './start.ts';
import { Timekeeper } from './timekeeper.ts';
import { Sessions } from '../sessions/session-ids.ts';
import { SnapshotCheck } from '../proof/snapshot-check.ts';
import { Current } from '../state/current.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { LeaseClaim, SessionKey, Store } from '../log/store.ts';
import { StoreClock } from '../log/store-clock.ts';
import { Executor } from '../writing/executor.ts';
import { Writer } from '../writing/writer.ts';
import { SYSTEM_CLOCK } from '../machine/clock.ts';

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

/**
 * Called after each change, once it is visible. `events` is empty if the whole history was replaced. It must not throw; if it does, that
 * is logged.
 */
export type ChangeListener = (events: readonly Event[], snapshot: Snapshot) => void;

/** What this build knows beyond the first release. */
const KNOWS = Object.freeze(['rollouts']);

/** Between two notes on the disk that the last good snapshot is still current, in milliseconds. */
const CONFIRM_PAUSE = 10_000;

export class Instance {
  /** One start of one process. */
  readonly id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly store: Store;
  readonly contents: Contents;
  /** What events, and the ends of keys and sessions, go by. */
  readonly clock: StoreClock;
  /** What is applied and what is served: for everybody else, to read. */
  readonly current: Current;
  readonly executor: Executor;
  readonly #options: RegistryOptions;
  readonly #logger: Logger;
  readonly #startedAt: string;
  readonly #writer: Writer;
  readonly #start: Start;
  readonly #follower: Follower;
  readonly #freshness: Freshness;
  readonly #instances = new Instances(this.id);
  readonly #lastGood: LastGood | undefined;
  readonly #check: SnapshotCheck | undefined;
  readonly #timekeeper: Timekeeper;
  readonly #listeners = new Set<ChangeListener>();
  readonly #closing = new AbortController();
  #sessionKeys: readonly SessionKey[];
  #sessions: Sessions | undefined;
  #forced: ForcedViews | undefined;
  /** Whether the start has added its part to the log, or was refused: either way it is not tried again. */
  #startOver = false;
  #confirmedAt = -Infinity;
  /** What is served, if the rest of the log must not be folded onto it. */
  #outdated: SavedState | undefined;

  private constructor(options: RegistryOptions, opened: Opened) {
    const { snapshot, contents, lastGood, unproven, sessionKeys, confirmedAt } = opened;
    const { store, channels, defaultPack, logger = SILENT } = options;
    this.#options = options;
    this.#outdated = opened.outdated;
    this.store = store;
    this.contents = contents;
    this.#lastGood = lastGood;
    this.#logger = logger;
    const clock = (this.clock = new StoreClock(store, options.clock ?? SYSTEM_CLOCK, logger));
    this.#startedAt = new Date(clock.now()).toISOString();
    this.#sessionKeys = sessionKeys;
    if (sessionKeys.length > 0) this.#sessions = new Sessions(sessionKeys, options.sessionTtl);
    const age = confirmedAt === undefined ? 0 : Math.max(0, Date.now() - confirmedAt);
    const freshness = (this.#freshness = new Freshness(performance.now() - age));
    const current = (this.current = new Current(snapshot, { pack: defaultPack, channel: defaultChannelOf(channels) }));
    const writer = (this.#writer = new Writer({
      store,
      contents,
      clock,
      current,
      show: (next, events) => this.#showAndAnnounce(next, events),
      diverged: (reason) => this.#follower.divergedBecause(reason),
    }));
    const executor = (this.executor = new Executor({ writer, store, current, channels, clock }));
    this.#timekeeper = new Timekeeper({ executor, clock, current, logger });
    const takeLog = () => writer.replace(() => readLog(store, contents));
    const check = (this.#check = unproven && new SnapshotCheck({ store, saved: unproven, logger, takeLog }));
    this.#start = new Start({ options, instanceId: this.id, store, contents, clock, logger, writer, current, check });
    const [instances, followed] = [this.#instances, this.#followed()];
    this.#follower = new Follower({ store, logger, clock, freshness, instances, followed });
  }

  /**
   * Opens an instance: the last good snapshot if the log still holds its position, then the rest of the log, then what this start adds to
   * it. After that it follows the log. With `failStatic` it also opens while the store is away.
   *
   * @throws StartRefused what is wrong with the shipped packs or the settings; RegistryError `store-unavailable`; LogBroken
   */
  static async open(options: RegistryOptions): Promise<Instance> {
    const { store, dataDir, sessionTtl, snapshotKey, failStatic = false, logger = SILENT, shipped = [] } = options;
    const opened = await openLog({ store, dataDir, sessionTtl, snapshotKey, failStatic, logger });
    for (const { version } of shipped)
      if (version.content.version === options.pinVersion?.version)
        opened.contents.remember(version.digest, version.content);
    const instance = new Instance(options, opened);
    try {
      if (opened.unread === undefined) await instance.#finishStart();
      else await instance.#serve();
    } catch (error) {
      if (!failStatic || !(error instanceof RegistryError)) {
        await instance.#writer.close();
        throw error;
      }
      logger.warn({ reason: error.message }, 'The store went away during the start.');
      await instance.#serve();
    }
    if (opened.unread?.because === 'diverged') instance.#follower.divergedBecause(opened.unread.reason);
    await instance.#follower.start();
    return instance;
  }

  /** Whole seconds since this instance last knew that it was current; undefined while it still is (SPEC R10). */
  get staleSeconds(): number | undefined {
    return this.#freshness.staleSeconds;
  }

  /** `coach@1.0.0` if this instance serves a forced version, whatever the log says. */
  get pinnedVersion(): string | undefined {
    return this.#forced?.name;
  }

  /** Whether there is a whole snapshot to answer from. */
  get ready(): boolean {
    return this.#sessions !== undefined && this.current.served.revision > 0;
  }

  /** Reads and signs session ids. @throws RegistryError `not-ready` */
  get sessions(): Sessions {
    if (this.#sessions === undefined) throw notReady();
    return this.#sessions;
  }

  health(): Health {
    return healthOf({
      ready: this.ready,
      staleSeconds: this.staleSeconds,
      pinnedVersion: this.pinnedVersion,
      diverged: this.#follower.diverged,
      clockBehindLog: this.clock.behind(this.current.applied.at),
      clockInDoubt: this.#timekeeper.doubt,
      snapshotDiffers: this.#check?.differs,
    });
  }

  /**
   * Waits until a position in the history is applied here, two seconds at most (SPEC R10).
   * @param position without an epoch: of the epoch in force
   * @throws RegistryError `revision-not-reached` if that takes longer, `revision-unknown` if the log ends before it
   */
  reach(position: WantedPosition): Promise<void> {
    const { current } = this;
    return reach(position, { current, diverged: this.#follower.diverged !== undefined, catchUp: () => this.catchUp() });
  }

  /**
   * Waits until every live instance has applied a revision, the time is up, or this instance closes.
   * @param seconds the longest wait
   * @returns who has applied it, and who has not
   */
  settled(revision: number, seconds: number): Promise<Reach> {
    const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1000), this.#closing.signal]);
    const { epoch } = this.current.applied;
    return this.#follower.renewingOften(() => this.#instances.settled({ epoch, revision }, signal));
  }

  /** Every instance that has a lease, the longest running first. This one is listed as it is now. */
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

  /** The ids of live instances whose build does not know rollouts: they serve the stable version to everybody. */
  get olderInstances(): readonly string[] {
    return this.#instances.lacking('rollouts');
  }

  /** Applies what the log holds beyond the current snapshot. @throws RegistryError `store-unavailable`; LogBroken */
  async catchUp(upTo?: number): Promise<void> {
    if (this.#outdated !== undefined) await this.#foldWholeLog(this.#outdated);
    await this.#writer.catchUp(upTo);
  }

  /** Calls the listener after each change. Returns a function that stops that. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends waits for other instances: each is answered with who has applied the move by now. To be called before the server is closed. */
  stopWaiting(): void {
    this.#closing.abort();
  }

  /** Waits for the write under way, gives the lease back, saves the last good snapshot, closes the store. */
  async close(): Promise<void> {
    this.stopWaiting();
    this.#check?.end();
    const kept = this.#timekeeper.close();
    const written = this.#writer.close();
    await this.#follower.stop();
    await written;
    await kept;
    await this.#lastGood?.close();
    await this.store.close();
  }

  /** Replaces what an outdated snapshot said by what the log says. @throws RegistryError `store-unavailable`; LogBroken */
  async #foldWholeLog(outdated: SavedState): Promise<void> {
    const { store, contents } = this;
    await this.#writer.replace(() => readLog(store, contents, outdated));
    this.#outdated = undefined;
    this.#check?.end();
  }

  #followed(): Followed {
    return {
      current: () => this.current.applied,
      claim: () => this.#claim(),
      seeFence: (fence) => this.#writer.seeFence(fence),
      catchUp: (upTo) => this.catchUp(upTo),
      takeOver: () => this.#takeOver(),
      afterRenewal: () => this.#afterRenewal(),
    };
  }

  #claim(): LeaseClaim {
    const { epoch, revision } = this.current.applied;
    // An instance that has applied another log has applied nothing of this one.
    const appliedRevision = this.#follower.diverged === undefined ? revision : 0;
    const { id, pinnedVersion } = this;
    const claim = { id, startedAt: this.#startedAt, epoch, appliedRevision, knows: KNOWS };
    return pinnedVersion === undefined ? claim : { ...claim, pinnedVersion };
  }

  /** Takes over the history of the log, if an operator has accepted that it was restored. @returns whether one has */
  async #takeOver(): Promise<boolean> {
    const taken = await this.#writer.replace(async (applied) =>
      (await restoreAccepted(this.store, applied)) ? readLog(this.store, this.contents) : undefined,
    );
    if (taken) this.#check?.end();
    return taken;
  }

  /**
   * Adds to the log what this start has to add; from then on everything is served.
   * @throws StartRefused; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; LogBroken
   */
  async #finishStart(): Promise<void> {
    this.#sessionKeys = await this.#start.addToLog();
    this.#sessions = new Sessions(this.#sessionKeys, this.#options.sessionTtl);
    this.#startOver = true;
    await this.#serve();
    this.#check?.start();
  }

  /** Serves what is applied, or the forced version if there is one. @throws StartRefused if the forced version may not be served */
  async #serve(): Promise<void> {
    const { applied } = this.current;
    if (applied.revision === 0) return;
    const { pinVersion } = this.#options;
    if (pinVersion !== undefined && this.#forced === undefined) {
      const content = await this.contents.get(forcedRecord(applied, pinVersion).digest);
      this.#forced = new ForcedViews(pinVersion, content);
      const pinned = this.#forced.name;
      this.#logger.warn(
        { pinned },
        `PIN_VERSION: this instance serves ${pinned} whatever the log says, until it is restarted without that setting.`,
      );
    }
    this.#show(this.current.applied);
  }

  /** After each renewal of the lease: finishes a start that had found the store away, and notes now and then that the disk is current. */
  async #afterRenewal(): Promise<void> {
    if (!this.#startOver && this.#follower.diverged === undefined) await this.#finishLateStart();
    this.clock.watch(this.current.applied.at);
    this.#timekeeper.look();
    if (this.#lastGood === undefined || this.staleSeconds !== undefined) return;
    if (performance.now() - this.#confirmedAt < CONFIRM_PAUSE) return;
    this.#confirmedAt = performance.now();
    await this.#lastGood.confirm();
  }

  async #finishLateStart(): Promise<void> {
    const serving = this.ready;
    try {
      await this.catchUp();
      await this.#finishStart();
    } catch (error) {
      if (!(error instanceof StartRefused) && !(error instanceof LogBroken && !serving)) throw error;
      this.#startOver = true;
      this.#logger.error(
        { reason: messageOf(error) },
        serving
          ? 'What this start would have added to the log is refused. What was served before is still served.'
          : 'The store holds something that refuses this start.',
      );
      if (!serving) this.#options.onRefused?.(error);
    }
  }

  #showAndAnnounce(next: Snapshot, events: readonly Event[]): void {
    this.#show(next, events);
    for (const listener of this.#listeners) {
      try {
        listener(events, this.current.served);
      } catch (error) {
        this.#logger.error(
          { err: error, revision: next.revision },
          'A change listener failed. The change itself was made.',
        );
      }
    }
  }

  #show(next: Snapshot, events: readonly Event[] = []): void {
    if (this.#sessions === undefined) return this.current.apply(next); // the start is not complete: nothing is served yet
    this.current.show(next, this.#forcedOver(next) ?? next);
    this.#lastGood?.save(next, this.#sessionKeys, events);
  }

  #forcedOver(next: Snapshot): Snapshot | undefined {
    const forced = this.#forced?.over(next);
    if (this.#forced !== undefined && forced === undefined) {
      const pinned = this.#forced.name;
      this.#logger.error(
        { pinned },
        `PIN_VERSION: ${pinned} may not be served any more (revoked, or below the floor). This instance serves what the log says again.`,
      );
      this.#forced = undefined;
    }
    return forced;
  }
}
