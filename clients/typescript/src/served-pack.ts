/**
 * The results of a source, computed once when a pack is accepted, so that a read is a look-up.
 *
 * Rule: each result contains its pack, version, digest, revision, origin and age. All results come from the same whole pack.
 */
import type { Freshness } from './freshness.ts';
import type { CheckedPack, Compatibility, Style } from './pack.ts';

/** Where the pack came from. */
export type Origin = 'registry' | 'copy' | 'bundle';

/** Part of every result. */
export interface Provenance {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
  readonly origin: Origin;
  /** Milliseconds since the registry last confirmed this pack; computed on each access. */
  readonly age: number;
  /** Whether the pack may be out of date. */
  readonly stale: boolean;
}

export interface SystemPrompt extends Provenance {
  readonly text: string;
}

export interface StylePrompt extends SystemPrompt {
  readonly styleId: string;
  readonly title: string;
}

export interface ActivePack extends Provenance {
  readonly activatedAt: string;
  readonly defaultStyle: string;
  readonly compatibility: Compatibility;
  readonly system: string;
  readonly styles: readonly Style[];
}

/** A pack and its precomputed results. */
export interface ServedPack {
  readonly activePack: ActivePack;
  readonly system: SystemPrompt;
  readonly styles: ReadonlyMap<string, StylePrompt>;
}

export function serve(checked: CheckedPack, origin: Origin, freshness: Freshness): ServedPack {
  const { pack, channel, version, digest, revision, activatedAt, defaultStyle, compatibility, system, styles } =
    checked;
  const answer = <T extends object>(members: T): T & Provenance =>
    Object.freeze(
      Object.defineProperties({ pack, channel, version, digest, revision, origin, ...members } as T & Provenance, {
        age: { get: () => freshness.age, enumerable: true },
        stale: { get: () => freshness.isStale, enumerable: true },
      }),
    );
  return {
    activePack: answer({ activatedAt, defaultStyle, compatibility, system, styles }),
    system: answer({ text: system }),
    styles: new Map(styles.map(({ id, title, text }) => [id, answer({ styleId: id, title, text })])),
  };
}
