/**
 * What a source answers: made once when a pack is taken, so that a read is a look-up.
 *
 * Rule: each answer says which pack, version, digest and revision it is of, where that came from, and how old it is; all answers of a
 * pack come from the same whole pack.
 */
import type { Freshness } from './freshness.ts';
import type { CheckedPack, Compatibility, Style } from './pack.ts';

/** Where what is served came from. */
export type Origin = 'registry' | 'copy' | 'bundle';

/** What every answer says of itself. */
export interface Provenance {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
  readonly origin: Origin;
  /** Milliseconds since the registry last said that this is current; counted on as one looks. */
  readonly age: number;
  /** Whether the source does not know any more that this is current. */
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

/** A pack, ready to be answered from. */
export interface Served {
  readonly activePack: ActivePack;
  readonly system: SystemPrompt;
  readonly styles: ReadonlyMap<string, StylePrompt>;
}

export function serve(checked: CheckedPack, origin: Origin, freshness: Freshness): Served {
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
