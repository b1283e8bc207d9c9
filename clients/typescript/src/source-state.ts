/**
 * Holds the packs of a source and decides which one is served.
 *
 * Problem: packs come from the registry, the local copy and the bundle. Each can be broken, outdated or revoked.
 * Rule: a pack is checked first, then replaces the current one in a single assignment. Within an epoch the revision never goes back. The
 * registry's pack comes first, then the copy's, then the bundle. A revoked version is never served.
 * Example: `await state.open()` starts with the copy; `await state.accept(document, { position, etag, age })` replaces it.
 */
import { CopyWriter } from './copy-writer.ts';
import { checkSaved, type PackCopy, type SavedState } from './copy.ts';
import type { Emitter } from './emitter.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { Freshness } from './freshness.ts';
import { checkPack, type ActivePackDocument, type CheckedPack } from './pack.ts';
import { isBefore, latest, START_POSITION, type Position } from './position.ts';
import { serve, type ActivePack, type Origin, type ServedPack } from './served-pack.ts';
import { bounded } from './timers.ts';

/** Events of a source. */
export interface SourceEvents {
  /** A different pack is served; `from` is undefined for the first one. */
  changed: { readonly from: ActivePack | undefined; readonly to: ActivePack };
  /** The pack may be out of date. `refused`: reads throw from now on, because it is older than `maxStale`. */
  stale: { readonly age: number; readonly refused: boolean };
  /** A registry confirmed that the pack is current: the first time, and after each `stale`. */
  fresh: { readonly revision: number };
  /** Something failed. The current pack stays in use, unless the failure says otherwise. */
  error: RegistryFailure;
}

export interface SourceStateOptions {
  readonly pack: string;
  readonly channel: string | undefined;
  readonly copy: PackCopy | undefined;
  readonly bundle: ActivePackDocument | undefined;
  readonly staleAfter: number;
  readonly maxStale: number;
}

/** Versions kept for local sessions; the oldest are dropped first. */
const MAX_PINNED = 8;
const MAX_REVOKED = 1000;
/** Milliseconds to wait for the copy before the bundle is served and the registry is read. */
const COPY_TIMEOUT = 1000;

/** What the headers of a response say. */
export interface ResponseInfo {
  readonly position: Position;
  readonly etag: string | undefined;
  /** Milliseconds since the instance was last in sync. */
  readonly age: number;
}

interface CurrentPack {
  readonly checked: CheckedPack;
  /** The epoch of its revision. */
  readonly epoch: number;
  readonly origin: Origin;
}

export class SourceState {
  readonly freshness: Freshness;
  readonly #options: SourceStateOptions;
  readonly #events: Emitter<SourceEvents>;
  readonly #copy: CopyWriter | undefined;
  readonly #pinned = new Map<string, CheckedPack>();
  readonly #revoked = new Set<string>();
  #bundle: CheckedPack | undefined;
  #current: CurrentPack | undefined;
  #served: ServedPack | undefined;
  /** The pack of the last `changed` event. */
  #announced: ActivePack | undefined;
  #position = START_POSITION;
  #etag: string | undefined;

  constructor(options: SourceStateOptions, events: Emitter<SourceEvents>) {
    this.#options = options;
    this.#events = events;
    const { pack, copy, staleAfter, maxStale } = options;
    const onFailure = (failure: RegistryFailure) => events.emit('error', failure);
    this.#copy = copy && new CopyWriter({ copy, pack, state: () => this.#savedState(), onFailure });
    this.freshness = new Freshness({ staleAfter, maxStale, onChange: (report) => this.#applyGrade(report) });
  }

  /** The pack to serve; undefined if it is missing or too old. */
  get served(): ServedPack | undefined {
    return this.#served;
  }

  /** The latest position in the log that was seen. */
  get position(): Position {
    return this.#position;
  }

  /** ETag of the registry's pack, for conditional requests. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** The current version. */
  get current(): CheckedPack | undefined {
    return this.#current?.checked;
  }

  /** The position at which the channel moved to the current version; undefined if not known. */
  get movedAt(): Position | undefined {
    if (this.#current === undefined || this.#current.origin === 'bundle') return undefined;
    return { epoch: this.#current.epoch, revision: this.#current.checked.revision };
  }

  /** All other versions that might be served, to a session or as a fallback. */
  get otherVersions(): readonly string[] {
    const versions = new Set(this.#pinned.keys());
    if (this.#bundle !== undefined) versions.add(this.#bundle.version);
    versions.delete(this.#current?.checked.version ?? '');
    return [...versions];
  }

  /** Starts with the copy, or with the bundle if the copy is slow. Reports and ignores whatever is broken. */
  async open(): Promise<void> {
    const copy = bounded({ timeout: COPY_TIMEOUT }, () => this.#loadCopy()).catch(() => {
      this.#events.emit(
        'error',
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
   * Checks a pack from the registry and makes it the current one.
   * @throws RegistryFailure `not-understood`, `digest-mismatch`, `older-than-seen`; then nothing changes
   */
  async accept(document: unknown, { position, etag, age }: ResponseInfo): Promise<void> {
    const checked = await checkPack(document);
    const { pack, channel } = this.#options;
    if (checked.pack !== pack || (channel !== undefined && checked.channel !== channel)) {
      throw new RegistryFailure(
        'not-understood',
        `Requested ${pack}${channel === undefined ? '' : ` ${channel}`}, but received ${checked.pack} ${checked.channel}.`,
      );
    }
    this.#refuseOlder(position);
    const { movedAt } = this;
    if (
      movedAt !== undefined &&
      this.current?.channel === checked.channel &&
      isBefore({ epoch: position.epoch, revision: checked.revision }, movedAt)
    ) {
      throw new RegistryFailure(
        'older-than-seen',
        `The registry is at revision ${checked.revision} of ${pack} ${checked.channel}, but revision ${movedAt.revision} was already seen. The newer pack stays in use.`,
      );
    }
    if (position.epoch === this.#position.epoch && this.#revoked.has(checked.version)) {
      throw new RegistryFailure(
        'older-than-seen',
        `${pack} ${checked.version} is revoked, but this instance does not know that yet. The version is not served.`,
      );
    }
    this.#advanceTo(position);
    this.#activate({ checked, epoch: position.epoch, origin: 'registry' }, () => this.freshness.confirm(age));
    this.#etag = etag;
    this.#copy?.changed();
  }

  /**
   * The registry confirmed the current pack at a position in its log, `age` milliseconds ago.
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
    this.#revoked.add(version);
    for (const eldest of this.#revoked) if (this.#revoked.size > MAX_REVOKED) this.#revoked.delete(eldest);
    this.#pinned.delete(version);
    if (this.#bundle?.version === version) this.#bundle = undefined;
    if (this.current?.version === version) this.#discard();
    this.#copy?.changed({ removesRevoked: true });
  }

  isRevoked(version: string): boolean {
    return this.#revoked.has(version);
  }

  /** Keeps a version for sessions. */
  pin(checked: CheckedPack): void {
    if (this.#revoked.has(checked.version)) return;
    const known = this.#pinned.delete(checked.version);
    this.#pinned.set(checked.version, checked);
    for (const eldest of this.#pinned.keys()) if (this.#pinned.size > MAX_PINNED) this.#pinned.delete(eldest);
    if (!known) this.#copy?.changed();
  }

  /** Finds a version among all that are held. */
  findVersion(version: string): CheckedPack | undefined {
    return [this.current, this.#pinned.get(version), this.#bundle].find((each) => each?.version === version);
  }

  /** The failure that explains why there is nothing to serve. */
  refusal(): RegistryFailure {
    const { pack, maxStale } = this.#options;
    if (this.#current !== undefined)
      return new RegistryFailure(
        'too-stale',
        `${pack} was last confirmed ${Math.round(this.freshness.age / 1000)} s ago; maxStale allows ${maxStale / 1000} s.`,
      );
    if (this.#revoked.size > 0)
      return new RegistryFailure(
        'revoked',
        `The current version of ${pack} was revoked, and its replacement could not be read yet.`,
      );
    return new RegistryFailure(
      'no-pack',
      `No pack ${pack} available: the registry has not responded yet, and there is no local copy or bundle. Await ready(), or listen for "error".`,
    );
  }

  /** Stops the timer and waits until the last copy is written, but not for a write that hangs. */
  async close(): Promise<void> {
    this.freshness.stop();
    if (this.#current?.origin === 'registry') this.#copy?.changed();
    await this.#copy?.close();
  }

  async #loadCopy(): Promise<void> {
    const { copy, pack, channel } = this.#options;
    if (copy === undefined) return;
    try {
      const saved = await copy.load();
      if (saved === undefined) return;
      const { current, pinned, revoked, place: position, etag, age } = await checkSaved(saved, pack, channel);
      this.#advanceTo(position);
      // A version that was revoked in an older epoch may not be revoked in this one.
      if (position.epoch === this.#position.epoch) for (const version of revoked) this.#revoked.add(version);
      for (const each of pinned) if (!this.#revoked.has(each.version)) this.#pinned.set(each.version, each);
      if (this.current !== undefined && this.#revoked.has(this.current.version)) this.#discard();
      if (
        (this.#current !== undefined && this.#current.origin !== 'bundle') ||
        current === undefined ||
        this.#revoked.has(current.version)
      )
        return;
      this.#etag = etag;
      this.#activate({ checked: current, epoch: position.epoch, origin: 'copy' }, () => this.freshness.restart(age));
    } catch (error) {
      this.#events.emit(
        'error',
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
      const checked = await checkPack(bundle);
      if (checked.pack !== pack) throw new RegistryFailure('not-understood', `it belongs to ${checked.pack}.`);
      this.#bundle = checked;
    } catch (error) {
      const code = error instanceof RegistryFailure ? error.code : 'not-understood';
      this.#events.emit(
        'error',
        new RegistryFailure(code, `The bundle of ${pack} is ignored: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  /** Serves the bundle if there is nothing better. */
  #fallBackToBundle(): void {
    if (this.#current !== undefined) return;
    if (this.#bundle === undefined || this.#revoked.has(this.#bundle.version)) {
      this.#bundle = undefined;
      this.#served = undefined;
      return;
    }
    // It was current when it was activated; nothing is known after that.
    const age = Math.max(0, Date.now() - Date.parse(this.#bundle.activatedAt));
    this.#activate({ checked: this.#bundle, epoch: 0, origin: 'bundle' }, () => this.freshness.restart(age));
  }

  /** Replaces the current pack in one assignment. @param updateAge sets its age; listeners of `fresh` and `stale` already find it */
  #activate(next: CurrentPack, updateAge: () => void): void {
    this.#current = next;
    updateAge();
    const served = serve(next.checked, next.origin, this.freshness);
    this.#served = this.freshness.grade === 'too-stale' ? undefined : served;
    const [from, to] = [this.#announced, served.activePack];
    this.#announced = to;
    if (from?.revision !== to.revision || from.digest !== to.digest) this.#events.emit('changed', { from, to });
  }

  /** Drops the current pack. */
  #discard(): void {
    this.#current = undefined;
    this.#etag = undefined;
    this.#fallBackToBundle();
  }

  /** Serves or withholds the current pack, according to its age. */
  #applyGrade(report: boolean): void {
    const { grade, age } = this.freshness;
    if (this.#current !== undefined)
      this.#served =
        grade === 'too-stale' ? undefined : serve(this.#current.checked, this.#current.origin, this.freshness);
    if (!report) return;
    if (grade === 'fresh') this.#events.emit('fresh', { revision: this.#position.revision });
    else this.#events.emit('stale', { age, refused: grade === 'too-stale' });
  }

  #refuseOlder(position: Position): void {
    if (!isBefore(position, this.#position)) return;
    const named = ({ epoch, revision }: Position) => `revision ${revision}${epoch === 1 ? '' : ` of epoch ${epoch}`}`;
    throw new RegistryFailure(
      'older-than-seen',
      `The registry is at ${named(position)}, but ${named(this.#position)} was already seen. It was restored to an older state, or is a different registry. The newer pack stays in use.`,
    );
  }

  /** Remembers the latest position. A new epoch has another history, so revocations are forgotten and read again. */
  #advanceTo(position: Position): void {
    if (position.epoch > this.#position.epoch) this.#revoked.clear();
    this.#position = latest(this.#position, position);
  }

  #savedState(): SavedState {
    const { channel = null } = this.#options;
    const current = this.#current?.origin === 'bundle' ? undefined : this.#current?.checked;
    const confirmedAt = new Date(Date.now() - Math.min(this.freshness.age, Date.now())).toISOString();
    return {
      format: 1,
      channel,
      current,
      pinned: [...this.#pinned.values()],
      revoked: [...this.#revoked],
      place: this.#position,
      etag: this.#etag,
      confirmedAt,
    };
  }
}
