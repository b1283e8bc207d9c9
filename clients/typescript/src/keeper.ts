/**
 * What a source has, and which of it is served.
 *
 * Problem: prompts come from the registry, from a copy and from the caller; each of them can be broken, old or revoked.
 * Rule: everything is checked before it is taken, and taken whole, by one assignment. Within an epoch there is no way back to a lower
 * revision. What the registry said last is served, then the copy, then the bundle; a revoked version is served by none of them.
 * Example: `await keeper.open()` goes on with the copy; `await keeper.take(document, { position, etag, age })` replaces it.
 */
import { CopyWriter } from './copy-writer.ts';
import { checkSaved, type PackCopy, type SavedState } from './copy.ts';
import type { Emitter } from './emitter.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { Freshness } from './freshness.ts';
import { checkPack, type ActivePackDocument, type CheckedPack } from './pack.ts';
import { isBefore, latest, NOWHERE, type Position } from './position.ts';
import { serve, type ActivePack, type Origin, type Served } from './served.ts';
import { bounded } from './timers.ts';

/** What a source tells of. */
export interface SourceEvents {
  /** Another pack is served than before; `from` is none at the first. */
  changed: { readonly from: ActivePack | undefined; readonly to: ActivePack };
  /** The source does not know any more that what it serves is current; `refused` where reads throw from now on, by `maxStale`. */
  stale: { readonly age: number; readonly refused: boolean };
  /** A registry said that what is served is current: at the first time, and again after `stale`. */
  fresh: { readonly revision: number };
  /** Something went wrong; what is served is served on, unless the failure says otherwise. */
  error: RegistryFailure;
}

export interface KeeperOptions {
  readonly pack: string;
  readonly channel: string | undefined;
  readonly copy: PackCopy | undefined;
  readonly bundle: ActivePackDocument | undefined;
  readonly staleAfter: number;
  readonly maxStale: number;
}

/** Versions of local sessions that are kept beside the current one; the eldest go first. */
const MOST_PINNED = 8;
const MOST_REVOKED = 1000;
/** For how long reading the copy may keep the bundle from being served and the registry from being asked, in milliseconds. */
const COPY_FIRST = 1000;

/** What the registry says beside a pack. */
export interface Told {
  readonly position: Position;
  readonly etag: string | undefined;
  /** Milliseconds since the instance that answered knew that it is current. */
  readonly age: number;
}

interface Held {
  readonly checked: CheckedPack;
  /** Which history its revision is of. */
  readonly epoch: number;
  readonly origin: Origin;
}

export class Keeper {
  readonly freshness: Freshness;
  readonly #options: KeeperOptions;
  readonly #events: Emitter<SourceEvents>;
  readonly #copy: CopyWriter | undefined;
  readonly #pinned = new Map<string, CheckedPack>();
  readonly #revoked = new Set<string>();
  #bundle: CheckedPack | undefined;
  #held: Held | undefined;
  #served: Served | undefined;
  /** What `changed` said last. */
  #told: ActivePack | undefined;
  #position = NOWHERE;
  #etag: string | undefined;

  constructor(options: KeeperOptions, events: Emitter<SourceEvents>) {
    this.#options = options;
    this.#events = events;
    const { pack, copy, staleAfter, maxStale } = options;
    const onFailure = (failure: RegistryFailure) => events.emit('error', failure);
    this.#copy = copy && new CopyWriter({ copy, pack, state: () => this.#state(), onFailure });
    this.freshness = new Freshness({ staleAfter, maxStale, onChange: (news) => this.#grade(news) });
  }

  /** What is answered from now; undefined where there is nothing, or nothing young enough. */
  get served(): Served | undefined {
    return this.#served;
  }

  /** The latest place in the log that was seen. */
  get position(): Position {
    return this.#position;
  }

  /** Of what is held from the registry, so that asking again costs nothing. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** The version that is held as the current one. */
  get current(): CheckedPack | undefined {
    return this.#held?.checked;
  }

  /** Where the log was when the registry moved the channel to it; undefined where nobody can say. */
  get movedAt(): Position | undefined {
    if (this.#held === undefined || this.#held.origin === 'bundle') return undefined;
    return { epoch: this.#held.epoch, revision: this.#held.checked.revision };
  }

  /** Every other version that could be served: to a session, or when nothing else is left. */
  get others(): readonly string[] {
    const versions = new Set(this.#pinned.keys());
    if (this.#bundle !== undefined) versions.add(this.#bundle.version);
    versions.delete(this.#held?.checked.version ?? '');
    return [...versions];
  }

  /** Begins with the copy, or with the bundle where the copy does not come soon. What is broken is told, and not taken. */
  async open(): Promise<void> {
    const copy = bounded({ timeout: COPY_FIRST }, () => this.#loadCopy()).catch(() => {
      this.#events.emit(
        'error',
        new RegistryFailure(
          'copy-failed',
          `The local copy of ${this.#options.pack} is not read after ${COPY_FIRST / 1000} s. The source begins without it.`,
        ),
      );
    });
    await Promise.all([this.#loadBundle(), copy]);
    this.#fallBack();
  }

  /**
   * Takes a pack that came from the registry.
   * @throws RegistryFailure `not-understood`, `digest-mismatch`, `older-than-seen`; then everything is as it was
   */
  async take(document: unknown, { position, etag, age }: Told): Promise<void> {
    const checked = await checkPack(document);
    const { pack, channel } = this.#options;
    if (checked.pack !== pack || (channel !== undefined && checked.channel !== channel)) {
      throw new RegistryFailure(
        'not-understood',
        `${pack}${channel === undefined ? '' : ` ${channel}`} was asked for, ${checked.pack} ${checked.channel} came.`,
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
        `${pack} ${checked.channel} is at revision ${checked.revision} there; revision ${movedAt.revision} was seen. What was seen last is served on.`,
      );
    }
    if (position.epoch === this.#position.epoch && this.#revoked.has(checked.version)) {
      throw new RegistryFailure(
        'older-than-seen',
        `${pack} ${checked.version} is revoked, and the registry has not heard of it where it was asked. It is not served.`,
      );
    }
    this.#reached(position);
    this.#hold({ checked, epoch: position.epoch, origin: 'registry' }, () => this.freshness.confirm(age));
    this.#etag = etag;
    this.#copy?.changed();
  }

  /**
   * The registry knew so many milliseconds ago, at a place in its log, that what is held is current.
   * @throws RegistryFailure `older-than-seen` where a later place was seen
   */
  confirm(position: Position, age: number): void {
    this.#refuseOlder(position);
    this.#reached(position);
    if (this.#held === undefined || this.#held.origin === 'bundle') return;
    if (this.#held.origin === 'copy')
      this.#hold({ ...this.#held, origin: 'registry' }, () => this.freshness.confirm(age));
    else this.freshness.confirm(age);
    this.#copy?.confirmed();
  }

  /** Never serves a version again, from anywhere. @param position where the registry said so: what is from before is not believed any more */
  revoke(version: string, position: Position): void {
    this.#reached(position);
    this.#revoked.add(version);
    for (const eldest of this.#revoked) if (this.#revoked.size > MOST_REVOKED) this.#revoked.delete(eldest);
    this.#pinned.delete(version);
    if (this.#bundle?.version === version) this.#bundle = undefined;
    if (this.current?.version === version) this.#drop();
    this.#copy?.changed({ evicts: true });
  }

  isRevoked(version: string): boolean {
    return this.#revoked.has(version);
  }

  /** Keeps a version for a session. */
  pin(checked: CheckedPack): void {
    if (this.#revoked.has(checked.version)) return;
    const known = this.#pinned.delete(checked.version);
    this.#pinned.set(checked.version, checked);
    for (const eldest of this.#pinned.keys()) if (this.#pinned.size > MOST_PINNED) this.#pinned.delete(eldest);
    if (!known) this.#copy?.changed();
  }

  /** A version that is held, whatever for. */
  versionAtHand(version: string): CheckedPack | undefined {
    return [this.current, this.#pinned.get(version), this.#bundle].find((each) => each?.version === version);
  }

  /** Why there is nothing to answer from. */
  refusal(): RegistryFailure {
    const { pack, maxStale } = this.#options;
    if (this.#held !== undefined)
      return new RegistryFailure(
        'too-stale',
        `${pack} was last known to be current ${Math.round(this.freshness.age / 1000)} s ago; maxStale allows ${maxStale / 1000} s.`,
      );
    if (this.#revoked.size > 0)
      return new RegistryFailure(
        'revoked',
        `The version of ${pack} that was served is revoked, and its replacement could not be read yet.`,
      );
    return new RegistryFailure(
      'no-pack',
      `There is no ${pack} to answer from: the registry has not answered yet, and there is no copy and no bundle. Wait for ready(), or listen for "error".`,
    );
  }

  /** Stops its timer and waits until the last copy is written. One that hangs was told of, and is left to itself. */
  async close(): Promise<void> {
    this.freshness.stop();
    if (this.#held?.origin === 'registry') this.#copy?.changed();
    await this.#copy?.close();
  }

  async #loadCopy(): Promise<void> {
    const { copy, pack, channel } = this.#options;
    if (copy === undefined) return;
    try {
      const saved = await copy.load();
      if (saved === undefined) return;
      const { current, pinned, revoked, place: position, etag, age } = await checkSaved(saved, pack, channel);
      this.#reached(position);
      // What was revoked in a history that was left may not be in the one that is followed.
      if (position.epoch === this.#position.epoch) for (const version of revoked) this.#revoked.add(version);
      for (const each of pinned) if (!this.#revoked.has(each.version)) this.#pinned.set(each.version, each);
      if (this.current !== undefined && this.#revoked.has(this.current.version)) this.#drop();
      if (
        (this.#held !== undefined && this.#held.origin !== 'bundle') ||
        current === undefined ||
        this.#revoked.has(current.version)
      )
        return;
      this.#etag = etag;
      this.#hold({ checked: current, epoch: position.epoch, origin: 'copy' }, () => this.freshness.restart(age));
    } catch (error) {
      this.#events.emit(
        'error',
        error instanceof RegistryFailure
          ? error
          : new RegistryFailure(
              'copy-failed',
              `The local copy of ${pack} cannot be read: ${messageOf(error)}. It is not used.`,
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
      if (checked.pack !== pack) throw new RegistryFailure('not-understood', `it is of ${checked.pack}.`);
      this.#bundle = checked;
    } catch (error) {
      const code = error instanceof RegistryFailure ? error.code : 'not-understood';
      this.#events.emit(
        'error',
        new RegistryFailure(code, `The bundle of ${pack} is not used: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  /** Serves the bundle where there is nothing better. */
  #fallBack(): void {
    if (this.#held !== undefined) return;
    if (this.#bundle === undefined || this.#revoked.has(this.#bundle.version)) {
      this.#bundle = undefined;
      this.#served = undefined;
      return;
    }
    // It was current when it was activated; nobody knows for how long after.
    const age = Math.max(0, Date.now() - Date.parse(this.#bundle.activatedAt));
    this.#hold({ checked: this.#bundle, epoch: 0, origin: 'bundle' }, () => this.freshness.restart(age));
  }

  /** The flip: one assignment. @param date says how old it is; who hears of that must find it already */
  #hold(held: Held, date: () => void): void {
    this.#held = held;
    date();
    const served = serve(held.checked, held.origin, this.freshness);
    this.#served = this.freshness.grade === 'too-stale' ? undefined : served;
    const [from, to] = [this.#told, served.activePack];
    this.#told = to;
    if (from?.revision !== to.revision || from.digest !== to.digest) this.#events.emit('changed', { from, to });
  }

  /** Lets go of what is held. */
  #drop(): void {
    this.#held = undefined;
    this.#etag = undefined;
    this.#fallBack();
  }

  /** Reads are refused or allowed again, by age. */
  #grade(news: boolean): void {
    const { grade, age } = this.freshness;
    if (this.#held !== undefined)
      this.#served = grade === 'too-stale' ? undefined : serve(this.#held.checked, this.#held.origin, this.freshness);
    if (!news) return;
    if (grade === 'fresh') this.#events.emit('fresh', { revision: this.#position.revision });
    else this.#events.emit('stale', { age, refused: grade === 'too-stale' });
  }

  #refuseOlder(position: Position): void {
    if (!isBefore(position, this.#position)) return;
    const named = ({ epoch, revision }: Position) => `revision ${revision}${epoch === 1 ? '' : ` of epoch ${epoch}`}`;
    throw new RegistryFailure(
      'older-than-seen',
      `The registry is at ${named(position)}; ${named(this.#position)} was seen. It is restored to an older state, or another one. What was seen last is served on.`,
    );
  }

  /** A place in the log was seen. A later epoch is another history, in which what was revoked may not be: it is asked again. */
  #reached(position: Position): void {
    if (position.epoch > this.#position.epoch) this.#revoked.clear();
    this.#position = latest(this.#position, position);
  }

  #state(): SavedState {
    const { channel = null } = this.#options;
    const current = this.#held?.origin === 'bundle' ? undefined : this.#held?.checked;
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
