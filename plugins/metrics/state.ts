/**
 * The state of this instance: which revision it has applied, whether it knows that it is current, the active version of each channel.
 *
 * Everything is read at the time of the scrape. An unknown value (the head of the log while the store is unreachable) has no sample.
 */
import { Gauge, type Registry as Register } from 'prom-client';
import type { Registry } from '../../registry/index.ts';
import { activePointers, firstOf } from './channels.ts';

/** The sources of the values. */
export interface State {
  readonly registry: Registry;
  /** Whether the process is shutting down. */
  readonly draining: () => boolean;
  /** The head of the log, if known. */
  readonly knownHead: () => number | undefined;
  readonly openStreams: () => number;
  /** The maximum number of channels to report. */
  readonly most: number;
  readonly register: Register;
}

/** Registers gauges that report the state at each scrape. */
export function reportState({ registry, draining, knownHead, openStreams, most, register }: State): void {
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
  const has = (...conditions: readonly string[]) =>
    registry.health().conditions.some(({ name }) => conditions.includes(name));
  const isDiverged = () => has('log-diverged');

  gauge(
    'prompt_registry_applied_revision',
    'The revision that responses are computed from.',
    () => registry.current.revision,
  );
  gauge(
    'prompt_registry_epoch',
    'The history that the revision belongs to; grows by one with each accepted restore.',
    () => registry.current.epoch,
  );
  gauge(
    'prompt_registry_revisions_behind',
    'How many revisions of the log are not applied here; no sample while the store is unreachable or has another log.',
    () => (isDiverged() ? undefined : behind(registry, knownHead())),
  );
  gauge(
    'prompt_registry_stale_seconds',
    'Seconds since this instance last knew that it was current; 0 while it knows.',
    () => registry.staleSeconds ?? 0,
  );
  gauge('prompt_registry_ready', 'Whether this instance accepts requests, as /readyz says.', () =>
    Number(registry.ready && !draining()),
  );
  gauge(
    'prompt_registry_pinned',
    'Whether this instance serves a forced version (PIN_VERSION) instead of the active one.',
    () => Number(registry.pinnedVersion !== undefined),
  );
  gauge('prompt_registry_log_diverged', 'Whether the log in the store differs from the one applied here.', () =>
    Number(isDiverged()),
  );
  gauge(
    'prompt_registry_clock_in_doubt',
    'Whether the clock of the store has jumped or is behind the log, so that nothing that is due by time is done.',
    () => Number(has('clock-in-doubt', 'clock-behind-log')),
  );
  gauge(
    'prompt_registry_overdue_seconds',
    'For how long the oldest step, schedule or end of a trial has been due and was not done; 0 if nothing is due.',
    () => registry.rollouts.overdueSeconds,
  );
  gauge('prompt_registry_watchers', 'Open event streams.', openStreams);
  gauge('prompt_registry_packs', 'Registered packs.', () => registry.current.packs.size);

  new Gauge({
    name: 'prompt_registry_active_revision',
    help: 'The active version of each channel of each pack, with the revision that activated it.',
    labelNames: ['pack', 'channel', 'version'],
    registers: [register],
    collect() {
      this.reset();
      for (const { pack, channel, version, revision } of firstOf(activePointers(registry), most))
        this.set({ pack, channel, version }, revision);
    },
  });
}

/** Also reported while the instance is stale: it may reach the store and still fail to read the log. */
function behind({ current }: Registry, head: number | undefined): number | undefined {
  return head === undefined ? undefined : Math.max(0, head - current.revision);
}
