/**
 * Holds the channel of a source and decides what is served.
 *
 * Problem: packs come from the registry, the local copy and the bundle. Each can be broken, outdated or revoked.
 * Rule: a channel is checked first, then replaces the current one in a single assignment, both arms and the rule between them. Within an
 * epoch the revision never goes back. The registry's channel comes first, then the copy's, then the bundle. A revoked version is never
 * served.
 * Example: `await state.open()` starts with the copy; `await state.accept(reading)` replaces it.
 */
import { armsOf, channelOf, checkBundle, checkChannel, type Bundle, type CheckedChannel } from './channel.ts';
import { CopyWriter } from './copy-writer.ts';
import { checkSaved, savedState, type PackCopy } from './copy.ts';
import type { Emitter } from './emitter.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { Freshness } from './freshness.ts';
import { HeldVersions } from './held-versions.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { isBefore, latest, START_POSITION, type Position } from './position.ts';
import type { Etags, Reading } from './reading.ts';
import {
  channelIsOlder,
  doesNotKnowRevocation,
  nothingToServe,
  registryIsOlder,
  requireRequested,
  tooStale,
} from './refusals.ts';
import { serveChannel, type Origin, type ServedChannel } from './served-pack.ts';
import { changeBetween, summaryOf, type SourceEvents } from './source-events.ts';
import { bounded } from './timers.ts';

export interface SourceStateOptions {
  readonly pack: string;
  readonly channel: string | undefined;
  readonly copy: PackCopy | undefined;
  readonly bundle: Bundle | undefined;
  readonly staleAfter: number;
  readonly maxStale: number;
}

/** Milliseconds to wait for the copy before the bundle is served and the registry is read. */
const COPY_TIMEOUT = 1000;

interface CurrentChannel {
  readonly channel: CheckedChannel;
  /** The epoch of its revision. */
  readonly epoch: number;
  readonly origin: Origin;
}

export class SourceState {
  readonly freshness: Freshness;
  readonly #options: SourceStateOptions;
  readonly #events: Emitter<SourceEvents>;
  readonly #copy: CopyWriter | undefined;
  readonly #held = new HeldVersions();
  #bundle: CheckedChannel | undefined;
  #current: CurrentChannel | undefined;
  #served: ServedChannel | undefined;
  /** What the last `changed` event told. */
  #told: Parameters<typeof changeBetween>[0];
  #position = START_POSITION;
  #etags: Etags = {};

  constructor(options: SourceStateOptions, events: Emitter<SourceEvents>) {
    this.#options = options;
    this.#events = events;
    const { pack, copy, staleAfter, maxStale } = options;
    this.#copy = copy && new CopyWriter({ copy, pack, state: () => this.#savedState(), onFailure: this.#onFailure });
    this.freshness = new Freshness({ staleAfter, maxStale, onChange: (report) => this.#applyGrade(report) });
  }

  /** What to serve; undefined if it is missing or too old. */
  get served(): ServedChannel | undefined {
    return this.#served;
  }

  /** The latest position in the log that was seen. */
  get position(): Position {
    return this.#position;
  }

  /** For conditional requests. */
  get etags(): Etags {
    return this.#etags;
  }

  get channel(): CheckedChannel | undefined {
    return this.#current?.channel;
  }

  /** The stable version. */
  get current(): CheckedPack | undefined {
    return this.#current?.channel.stable;
  }

  /** The epoch of the current channel's revisions. */
  get epoch(): number {
    return Math.max(1, this.#current?.epoch ?? 1);
  }

  /** The position at which any part of the channel last changed; undefined if not known. */
  get changedAt(): Position | undefined {
    if (this.#current === undefined || this.#current.origin === 'bundle') return undefined;
    return { epoch: this.#current.epoch, revision: this.#current.channel.revision };
  }

  /** All versions besides the stable one that might be served: the candidate, to a session, or as a fallback. */
  get otherVersions(): readonly string[] {
    const packs = [...this.#held.pinned, ...armsOf(this.#bundle), ...armsOf(this.channel)];
    const versions = new Set(packs.map(({ version }) => version));
    versions.delete(this.current?.version ?? '');
    return [...versions];
  }

  /** Starts with the copy, or with the bundle if the copy is slow. Reports and ignores whatever is broken. */
  async open(): Promise<void> {
    const copy = bounded({ timeout: COPY_TIMEOUT }, () => this.#loadCopy()).catch(() => {
      this.#onFailure(
        new RegistryFailure(
          'copy-failed',
          `The local copy of ${this.#options.pack} is still not read after ${COPY_TIMEOUT / 1000} s. Starting without it.`,
        ),
      );
    });
    await Promise.all([this.#loadBundle(), copy]);
    this.#fallBackToBundle();
  }

  /**
   * Takes what the registry says: a channel, or that it is unchanged.
   * @throws RegistryFailure `not-understood`, `digest-mismatch`, `older-than-seen`; then nothing changes
   */
  async accept({ operation, document, position, etags, age }: Reading): Promise<void> {
    if (document === undefined) {
      this.confirm(position, age);
      this.#etags = { ...this.#etags, ...etags };
      return;
    }
    const next =
      operation === 'channel'
        ? await checkChannel(document, this.#onFailure)
        : this.#withRollout(await checkPack(document), position);
    requireRequested(next.stable, this.#options.pack, this.#options.channel);
    this.#refuseOlder(position);
    this.#refuseOlderChannel(next, position.epoch);
    const revoked = armsOf(next).find(({ version }) => this.isRevoked(version));
    if (revoked !== undefined && position.epoch === this.#position.epoch) throw doesNotKnowRevocation(revoked);
    this.#advanceTo(position);
    const isSamePack = isSame(this.current, next.stable);
    this.#activate({ channel: next, epoch: position.epoch, origin: 'registry' }, () => this.freshness.confirm(age));
    this.#etags = { ...(isSamePack && this.#etags), ...etags };
    this.#copy?.changed();
  }

  /**
   * The registry confirmed the current channel at a position in its log, `age` milliseconds ago.
   * @throws RegistryFailure `older-than-seen` if a later position was seen
   */
  confirm(position: Position, age: number): void {
    this.#refuseOlder(position);
    this.#advanceTo(position);
    if (this.#current === undefined || this.#current.origin === 'bundle') return;
    if (this.#current.origin === 'copy')
      this.#activate({ ...this.#current, origin: 'registry' }, () => this.freshness.confirm(age));
    else this.freshness.confirm(age);
    this.#copy?.confirmed();
  }

  /** Never serves this version again. @param position the position of the revocation; responses from before it are rejected */
  revoke(version: string, position: Position): void {
    this.#advanceTo(position);
    this.#held.revoke(version);
    if (this.current?.version === version) this.#discard();
    else if (this.channel?.rollout?.candidate.version === version) this.endRollout(position);
    this.#bundle = this.#unrevoked(this.#bundle);
    this.#copy?.changed({ removesRevoked: true });
  }

  /** Everybody gets the stable version again. @param position the position of the event that ended the rollout */
  endRollout(position: Position): void {
    if (this.#current?.channel.rollout === undefined) return;
    this.#advanceTo(position);
    const { rollout: _, ...rest } = this.#current.channel;
    this.#activate({ ...this.#current, channel: Object.freeze(rest) }, () => undefined);
    this.#etags = { active: this.#etags.active };
    this.#copy?.changed();
  }

  isRevoked(version: string): boolean {
    return this.#held.isRevoked(version);
  }

  /** Keeps a version for sessions. */
  pin(checked: CheckedPack): void {
    if (this.#held.pin(checked)) this.#copy?.changed();
  }

  /** Finds a version among all that are held. */
  findVersion(version: string): CheckedPack | undefined {
    return (
      [...armsOf(this.channel), ...armsOf(this.#bundle)].find((each) => each.version === version) ??
      this.#held.get(version)
    );
  }

  /** The failure that explains why there is nothing to serve. */
  refusal(): RegistryFailure {
    const { pack, maxStale } = this.#options;
    return this.#current === undefined
      ? nothingToServe(pack, this.#held.revoked.length > 0)
      : tooStale(pack, this.freshness.age, maxStale);
  }

  /** Stops the timer and waits until the last copy is written, but not for a write that hangs. */
  async close(): Promise<void> {
    this.freshness.stop();
    if (this.#current?.origin === 'registry') this.#copy?.changed();
    await this.#copy?.close();
  }

  readonly #onFailure = (failure: RegistryFailure): void => this.#events.emit('error', failure);

  async #loadCopy(): Promise<void> {
    const { copy, pack, channel } = this.#options;
    if (copy === undefined) return;
    try {
      const saved = await copy.load();
      if (saved === undefined) return;
      const {
        current,
        pinned,
        revoked,
        place: position,
        etags,
        age,
      } = await checkSaved(saved, pack, channel, this.#onFailure);
      this.#advanceTo(position);
      // A version that was revoked in an older epoch may not be revoked in this one.
      if (position.epoch === this.#position.epoch) for (const version of revoked) this.#held.revoke(version);
      for (const each of pinned) this.#held.pin(each);
      const usable = this.#unrevoked(current);
      if (this.current !== undefined && this.isRevoked(this.current.version)) this.#discard();
      if ((this.#current !== undefined && this.#current.origin !== 'bundle') || usable === undefined) return;
      this.#etags = etags;
      this.#activate({ channel: usable, epoch: position.epoch, origin: 'copy' }, () => this.freshness.restart(age));
    } catch (error) {
      this.#onFailure(
        error instanceof RegistryFailure
          ? error
          : new RegistryFailure(
              'copy-failed',
              `Cannot read the local copy of ${pack}: ${messageOf(error)}. It is ignored.`,
              { cause: error },
            ),
      );
    }
  }

  async #loadBundle(): Promise<void> {
    const { bundle, pack } = this.#options;
    if (bundle === undefined) return;
    try {
      const checked = await checkBundle(bundle, this.#onFailure);
      if (checked.stable.pack !== pack)
        throw new RegistryFailure('not-understood', `it belongs to ${checked.stable.pack}.`);
      this.#bundle = checked;
    } catch (error) {
      const code = error instanceof RegistryFailure ? error.code : 'not-understood';
      this.#onFailure(
        new RegistryFailure(code, `The bundle of ${pack} is ignored: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  /** Serves the bundle if there is nothing better. */
  #fallBackToBundle(): void {
    if (this.#current !== undefined) return;
    this.#bundle = this.#unrevoked(this.#bundle);
    if (this.#bundle === undefined) {
      this.#served = undefined;
      return;
    }
    // It was current when it was activated; nothing is known after that.
    const age = Math.max(0, Date.now() - Date.parse(this.#bundle.stable.activatedAt));
    this.#activate({ channel: this.#bundle, epoch: 0, origin: 'bundle' }, () => this.freshness.restart(age));
  }

  /** Replaces the current channel in one assignment. @param updateAge sets its age; listeners of `fresh` and `stale` already find it */
  #activate(next: CurrentChannel, updateAge: () => void): void {
    this.#current = next;
    updateAge();
    const served = serveChannel(next.channel, next.origin, this.freshness);
    this.#served = this.freshness.grade === 'too-stale' ? undefined : served;
    const now = { pack: served.stable.activePack, rollout: summaryOf(next.channel.rollout) };
    const change = changeBetween(this.#told, now);
    this.#told = now;
    if (change !== undefined) this.#events.emit('changed', change);
  }

  /** Drops the current channel. */
  #discard(): void {
    this.#current = undefined;
    this.#etags = {};
    this.#fallBackToBundle();
  }

  /** Serves or withholds the current channel, according to its age. */
  #applyGrade(report: boolean): void {
    const { grade, age } = this.freshness;
    if (this.#current !== undefined)
      this.#served =
        grade === 'too-stale' ? undefined : serveChannel(this.#current.channel, this.#current.origin, this.freshness);
    if (!report) return;
    if (grade === 'fresh') this.#events.emit('fresh', { revision: this.#position.revision });
    else this.#events.emit('stale', { age, refused: grade === 'too-stale' });
  }

  /** The channel that an older instance shows. It knows no rollout: one that is known goes on until the channel moves. */
  #withRollout(stable: CheckedPack, { epoch }: Position): CheckedChannel {
    const known = this.#current?.epoch === epoch ? this.#current.channel : undefined;
    return known !== undefined && isSame(known.stable, stable) ? known : channelOf(stable);
  }

  /** The part of a channel that may be served; undefined if its stable version is revoked. */
  #unrevoked(channel: CheckedChannel | undefined): CheckedChannel | undefined {
    if (channel === undefined || this.isRevoked(channel.stable.version)) return undefined;
    const { rollout, ...rest } = channel;
    return rollout !== undefined && this.isRevoked(rollout.candidate.version) ? Object.freeze(rest) : channel;
  }

  #refuseOlder(position: Position): void {
    if (isBefore(position, this.#position)) throw registryIsOlder(position, this.#position);
  }

  #refuseOlderChannel({ stable, revision }: CheckedChannel, epoch: number): void {
    const { changedAt, current } = this;
    if (changedAt === undefined || current?.channel !== stable.channel) return;
    const movedAt = { epoch: changedAt.epoch, revision: current.revision };
    if (isBefore({ epoch, revision: stable.revision }, movedAt))
      throw channelIsOlder(stable, { epoch, revision: stable.revision }, movedAt);
    if (isBefore({ epoch, revision }, changedAt)) throw channelIsOlder(stable, { epoch, revision }, changedAt);
  }

  /** Remembers the latest position. A new epoch has another history, so revocations are forgotten and read again. */
  #advanceTo(position: Position): void {
    if (position.epoch > this.#position.epoch) this.#held.forgetRevoked();
    this.#position = latest(this.#position, position);
  }

  #savedState() {
    const { channel = null } = this.#options;
    return savedState({
      channel,
      current: this.#current?.origin === 'bundle' ? undefined : this.#current?.channel,
      pinned: this.#held.pinned,
      revoked: this.#held.revoked,
      place: this.#position,
      etags: this.#etags,
      age: this.freshness.age,
    });
  }
}

function isSame(one: CheckedPack | undefined, other: CheckedPack): boolean {
  return one?.revision === other.revision && one.digest === other.digest && one.channel === other.channel;
}
