/** The channels that metrics report on, in the order in which they are reported up to a bound. */
import type { ActivePack, ChannelPlan, Registry, Rollout } from '../../registry/index.ts';

/** A channel of a pack. */
export interface ChannelRef {
  readonly pack: string;
  readonly channel: string;
}

/** The channels of all packs: first those with an active version, beginning with the default pack, then the others. */
export function* channelsOf(registry: Registry): Generator<ChannelRef> {
  yield* activePointers(registry);
  for (const pack of registry.current.packs.keys()) {
    const active = registry.current.views.get(pack);
    for (const channel of registry.channels) if (active?.has(channel) !== true) yield { pack, channel };
  }
}

/** What is active in each channel: first the default pack, then the others. */
export function* activePointers({ current: { views }, defaultPack }: Registry): Generator<ActivePack> {
  for (const pack of new Set([defaultPack, ...views.keys()]))
    for (const { activePack } of views.get(pack)?.values() ?? []) yield activePack;
}

/** What channels do besides pointing: first the default pack, then the others. */
export function* plansOf({ current: { packs }, defaultPack }: Registry): Generator<ChannelRef & ChannelPlan> {
  for (const pack of new Set([defaultPack, ...packs.keys()]))
    for (const plan of packs.get(pack)?.plans.values() ?? []) yield { pack, ...plan };
}

/** The rollouts that run, are paused or bake. */
export function* rolloutsOf(registry: Registry): Generator<Rollout> {
  for (const { rollout } of plansOf(registry)) if (rollout !== undefined) yield rollout;
}

/** The first items. */
export function* firstOf<T>(items: Iterable<T>, most: number): Generator<T> {
  let left = most;
  for (const item of items) {
    if ((left -= 1) < 0) return;
    yield item;
  }
}
