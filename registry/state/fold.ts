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
import { channelViewOf, digestsNeeded, freezeActor, type ChannelView } from './views.ts';
import type { ChannelPlan } from './plans.ts';
import { planOf } from './plan-changes.ts';

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

  /** The digests of the contents that `freeze` needs. */
  neededDigests(): Set<string> {
    const digests = new Set<string>();
    for (const draft of this.#draft.packs.values()) {
      const before = this.#base.views.get(draft.pack);
      for (const channel of touchedChannels(draft)) {
        const pointer = draft.pointers.get(channel)?.last ?? draft.base?.pointers.get(channel);
        const needed = digestsNeeded(pointer, planOf(draft, channel)?.rollout, before?.get(channel));
        for (const digest of needed) digests.add(digest);
      }
    }
    return digests;
  }

  /**
   * The state as a snapshot. What did not change is the same object as in the base.
   *
   * @param contents has at least what `neededDigests` names
   * @throws LogBroken if one is missing
   */
  freeze(contents: { get(digest: string): PackContent | undefined }): Snapshot {
    if (this.#revision === this.#base.revision) return this.#base;
    const state = this.state();
    const { views } = this.#base;
    const moved: [string, FrozenMap<string, ChannelView>][] = [];
    for (const draft of this.#draft.packs.values()) {
      const pack = state.packs.get(draft.pack);
      if (pack === undefined) continue;
      const next = freezeViews(pack, touchedChannels(draft), views.get(draft.pack), contents);
      if (next !== undefined) moved.push([draft.pack, next]);
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
  const plans = base?.plans ?? new FrozenMap<string, ChannelPlan>();
  return Object.freeze({
    pack,
    versions: draft.versions,
    pointers,
    policy: draft.policy,
    plans: draft.plans.size === 0 ? plans : plans.with(draft.plans),
  });
}

function touchedChannels({ pointers, plans }: PackDraft): Set<string> {
  return new Set([...pointers.keys(), ...plans.keys()]);
}

/** The views with those that changed; undefined if none did. */
function freezeViews(
  state: PackState,
  channels: Iterable<string>,
  before: FrozenMap<string, ChannelView> | undefined,
  contents: { get(digest: string): PackContent | undefined },
): FrozenMap<string, ChannelView> | undefined {
  const next: [string, ChannelView][] = [];
  for (const channel of channels) {
    const pointer = state.pointers.get(channel);
    if (pointer === undefined) continue;
    const old = before?.get(channel);
    const view = channelViewOf(pointer, state.plans.get(channel)?.rollout, old, contents);
    if (view !== old) next.push([channel, view]);
  }
  return next.length === 0 ? undefined : (before ?? new FrozenMap<string, ChannelView>()).with(next);
}
