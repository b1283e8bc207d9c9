/**
 * How this instance stands: what it has applied, whether it knows that it is current, what each channel is at.
 *
 * All of it is looked up when it is scraped. What is not known (how far the log is, while the store is away) has no sample rather than
 * a wrong one.
 */
import { Gauge, type Registry as Register } from 'prom-client';
import type { ActivePack, Registry } from '../../registry/index.ts';

/** Where the numbers come from. */
export interface State {
  readonly registry: Registry;
  /** Whether the process was asked to end. */
  readonly draining: () => boolean;
  /** The head of the log, as far as it is known. */
  readonly knownHead: () => number | undefined;
  readonly openStreams: () => number;
  /** The most channels of packs to name. */
  readonly most: number;
  readonly register: Register;
}

/** Has the state told at each scrape. */
export function tellState({ registry, draining, knownHead, openStreams, most, register }: State): void {
  const gauge = (name: string, help: string, look: () => number | undefined) => {
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        const value = look();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  };
  const isDiverged = () => registry.health().conditions.some(({ name }) => name === 'log-diverged');

  gauge(
    'prompt_registry_applied_revision',
    'The revision that answers are computed from.',
    () => registry.current.revision,
  );
  gauge(
    'prompt_registry_epoch',
    'Which history the revision is of: one more after each accepted restore.',
    () => registry.current.epoch,
  );
  gauge(
    'prompt_registry_revisions_behind',
    'How many revisions of the log are not applied here; no sample while the store cannot be asked, or holds another log.',
    () => (isDiverged() ? undefined : behind(registry, knownHead())),
  );
  gauge(
    'prompt_registry_stale_seconds',
    'Seconds since this instance last knew that it was current; 0 where it does.',
    () => registry.staleSeconds ?? 0,
  );
  gauge('prompt_registry_ready', 'Whether requests may be sent here, as /readyz says.', () =>
    Number(registry.ready && !draining()),
  );
  gauge('prompt_registry_pinned', 'Whether a version is served whatever the log says (PIN_VERSION).', () =>
    Number(registry.pinnedVersion !== undefined),
  );
  gauge('prompt_registry_log_diverged', 'Whether the log in the store is another than the one applied here.', () =>
    Number(isDiverged()),
  );
  gauge('prompt_registry_watchers', 'Streams of events that are open.', openStreams);
  gauge('prompt_registry_packs', 'Packs that are registered.', () => registry.current.packs.size);

  new Gauge({
    name: 'prompt_registry_active_revision',
    help: 'What each channel of each pack is at, and the revision that moved it there.',
    labelNames: ['pack', 'channel', 'version'],
    registers: [register],
    collect() {
      this.reset();
      for (const { pack, channel, version, revision } of activePointers(registry, most))
        this.set({ pack, channel, version }, revision);
    },
  });
}

/** Also of an instance that is stale: whoever reaches the store but cannot read what it holds is that within seconds. */
function behind({ current }: Registry, head: number | undefined): number | undefined {
  return head === undefined ? undefined : Math.max(0, head - current.revision);
}

/** What channels are at: of the default pack first, then of the others, as far as there is room. */
export function* activePointers({ current: { views }, defaultPack }: Registry, most: number): Generator<ActivePack> {
  let left = most;
  for (const pack of new Set([defaultPack, ...views.keys()])) {
    for (const { activePack } of views.get(pack)?.values() ?? []) {
      if ((left -= 1) < 0) return;
      yield activePack;
    }
  }
}
