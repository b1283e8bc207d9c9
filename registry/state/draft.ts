/**
 * The state during a fold: everything that changed since the base snapshot, copied once and then changed in place.
 *
 * Each room's `apply.ts` changes it, `fold.ts` freezes it at the end. `registry/events.ts` joins the rooms' appliers.
 */
import type { Event, EventType } from '../log/event.ts';
import type { GrowingSet } from '../values/growing-set.ts';
import type { ChannelPlan } from './plans.ts';
import type { KeyRecord, Pointer, PolicyRecord, VersionRecord } from './records.ts';
import type { PackState, Snapshot } from './snapshot.ts';
import { Versions } from './versions.ts';
import { LogBroken } from '../errors.ts';

/** Applies an event to the draft. The fold has checked that it follows the one before. @throws LogBroken if it contradicts the state */
export type Applier<T extends EventType> = (draft: Draft, event: Event<T>) => void;

/** One applier for each of these event types. */
export type Appliers<T extends EventType = EventType> = { readonly [K in T]: Applier<K> };

export interface PointerDraft {
  /** The latest move; undefined before the first one. */
  last: Omit<Pointer, 'stack' | 'everActive'> | undefined;
  /** Begins at `bottom`. Entries below it have fallen off; they are removed only now and then, because removing copies the rest. */
  readonly stack: string[];
  bottom: number;
  everActive: GrowingSet<string>;
}

export interface PackDraft {
  readonly pack: string;
  versions: Versions;
  readonly pointers: Map<string, PointerDraft>;
  policy: PolicyRecord | undefined;
  /** Plans that an event changed, by channel. */
  readonly plans: Map<string, ChannelPlan>;
  readonly base: PackState | undefined;
}

export class Draft {
  readonly #base: Snapshot;
  registryId: string;
  epoch: number;
  epochStart: number;
  /** Packs that an event touched. */
  readonly packs = new Map<string, PackDraft>();
  /** Keys that were created or changed. */
  readonly keys = new Map<string, KeyRecord>();

  constructor(base: Snapshot) {
    this.#base = base;
    this.registryId = base.registryId;
    this.epoch = base.epoch;
    this.epochStart = base.epochStart;
  }

  /** The pack that an event names. @throws LogBroken if it names none */
  packOf(event: Event): PackDraft {
    return this.pack(named(event, 'pack'));
  }

  /** A pack, for changes. */
  pack(pack: string): PackDraft {
    let draft = this.packs.get(pack);
    if (draft === undefined) {
      const base = this.#base.packs.get(pack);
      draft = {
        pack,
        versions: base?.versions ?? Versions.NONE,
        pointers: new Map(),
        policy: base?.policy,
        plans: new Map(),
        base,
      };
      this.packs.set(pack, draft);
    }
    return draft;
  }

  key(keyId: string): KeyRecord | undefined {
    return this.keys.get(keyId) ?? this.#base.keys.get(keyId);
  }
}

/** A field that an event of this type must have. @throws LogBroken if it is missing */
export function named(event: Event, field: 'pack' | 'channel' | 'version'): string {
  const value = event[field];
  if (value === undefined) throw new LogBroken(`Revision ${event.revision} (${event.type}) names no ${field}.`);
  return value;
}

/** Changes the record of a version. @throws LogBroken if no event published it */
export function changeRecord(pack: PackDraft, version: string, event: Event, change: Partial<VersionRecord>): void {
  const before = pack.versions.get(version);
  if (before === undefined)
    throw new LogBroken(
      `Revision ${event.revision} (${event.type}) names ${pack.pack} ${version}, which no event published.`,
    );
  pack.versions = pack.versions.with(Object.freeze({ ...before, ...change }));
}
