/**
 * The fold: it takes events one by one and gives the state that they add up to.
 *
 * Problem: a snapshot must never change, but folding a million events over frozen maps would take minutes.
 * Rule: a fold copies what it touches once (`draft.ts`), changes the copy while events come, and freezes it once at the end.
 * Example: `foldFrom(snapshot)`, `add` a thousand events, `freeze(contents)`: one new snapshot; the old one is unchanged.
 */
import type { Event, EventType } from '../log/event.ts';
import { FrozenMap } from '../values/frozen.ts';
import type { PackContent } from '../model.ts';
import type { PackState, Snapshot, State } from './snapshot.ts';
import { LogBroken } from '../errors.ts';
import { Draft, type Appliers, type PackDraft } from './draft.ts';
import type { Pointer } from './records.ts';
import { type ChannelView, viewOf, freezeActor } from './views.ts';

export class Fold {
  readonly #base: Snapshot;
  readonly #draft: Draft;
  readonly #appliers: Appliers;
  #revision: number;
  #hash: string;
  #at: string;

  /** Callers start a fold with `foldFrom` (`registry/events.ts`), which knows all appliers. */
  constructor(base: Snapshot, appliers: Appliers) {
    this.#base = base;
    this.#draft = new Draft(base);
    this.#appliers = appliers;
    this.#revision = base.revision;
    this.#hash = base.hash;
    this.#at = base.at;
  }

  get revision(): number {
    return this.#revision;
  }

  get hash(): string {
    return this.#hash;
  }

  /**
   * Adds the next event.
   * @throws LogBroken if it does not follow the one before (SPEC R4, R11) or contradicts the state
   */
  add<T extends EventType>(event: Event<T>): void {
    if (event.revision !== this.#revision + 1)
      throw new LogBroken(`Revision ${event.revision} follows ${this.#revision}; ${this.#revision + 1} should.`);
    if (event.previousHash !== this.#hash)
      throw new LogBroken(`Revision ${event.revision} does not name the hash of the event before it.`);
    // A newer build's event stays in the log and in the chain, but has no effect here (rolling deploys).
    if (Object.hasOwn(this.#appliers, event.type)) this.#appliers[event.type](this.#draft, event);
    this.#revision = event.revision;
    this.#hash = event.hash;
    this.#at = event.at;
  }

  /** The digests of the versions that pointers moved to; `freeze` needs their contents. */
  movedDigests(): Set<string> {
    const digests = new Set<string>();
    for (const { pointers } of this.#draft.packs.values()) {
      for (const { last } of pointers.values()) if (last !== undefined) digests.add(last.digest);
    }
    return digests;
  }

  /**
   * The state as a snapshot. What did not change is the same object as in the base.
   *
   * @param contents of every pointer that moved, by digest
   * @throws LogBroken if one is missing
   */
  freeze(contents: { get(digest: string): PackContent | undefined }): Snapshot {
    if (this.#revision === this.#base.revision) return this.#base;
    const state = this.state();
    const { views } = this.#base;
    const moved: [string, FrozenMap<string, ChannelView>][] = [];
    for (const draft of this.#draft.packs.values()) {
      const pack = state.packs.get(draft.pack);
      if (pack !== undefined && draft.pointers.size > 0)
        moved.push([draft.pack, freezeViews(pack, draft, views.get(draft.pack), contents)]);
    }
    return Object.freeze({ ...state, views: moved.length > 0 ? views.with(moved) : views });
  }

  /** The state without the answers that need contents. */
  state(): State {
    const { registryId, epoch, epochStart, packs, keys } = this.#draft;
    const base = this.#base;
    return {
      registryId,
      epoch,
      epochStart,
      revision: this.#revision,
      hash: this.#hash,
      at: this.#at,
      packs:
        packs.size === 0
          ? base.packs
          : base.packs.with([...packs.values()].map((draft) => [draft.pack, freezePack(draft)] as const)),
      keys: keys.size === 0 ? base.keys : base.keys.with(keys),
    };
  }
}

function freezePack(draft: PackDraft): PackState {
  const { pack, base } = draft;
  let pointers = base?.pointers ?? new FrozenMap<string, Pointer>();
  if (draft.pointers.size > 0) {
    const next: [string, Pointer][] = [];
    for (const [channel, { last, stack, bottom, everActive }] of draft.pointers) {
      if (last === undefined) continue;
      next.push([
        channel,
        Object.freeze({
          ...last,
          activatedBy: freezeActor(last.activatedBy),
          stack: Object.freeze(stack.slice(bottom)),
          everActive,
        }),
      ]);
    }
    pointers = pointers.with(next);
  }
  return Object.freeze({ pack, versions: draft.versions, pointers, policy: draft.policy });
}

function freezeViews(
  state: PackState,
  draft: PackDraft,
  before: FrozenMap<string, ChannelView> | undefined,
  contents: { get(digest: string): PackContent | undefined },
): FrozenMap<string, ChannelView> {
  const next: [string, ChannelView][] = [];
  for (const channel of draft.pointers.keys()) {
    const pointer = state.pointers.get(channel);
    if (pointer === undefined) continue;
    const content = contents.get(pointer.digest);
    if (content === undefined)
      throw new LogBroken(`The content of ${pointer.pack} ${pointer.version} (${pointer.digest}) is not in the store.`);
    next.push([channel, viewOf(pointer, content)]);
  }
  return (before ?? new FrozenMap<string, ChannelView>()).with(next);
}
