/**
 * The results of a source, computed once when a channel is accepted, so that a read is a look-up.
 *
 * Rule: each result contains its pack, version, digest, revision, origin and age. All results of an arm come from the same whole pack.
 */
import type { Arm, Assign } from '../../../registry/assignment/assign.ts';
import { ruleOf, type CheckedChannel } from './channel.ts';
import type { RegistryFailure } from './failure.ts';
import type { Freshness } from './freshness.ts';
import type { CheckedPack, Compatibility, Style } from './pack.ts';
import type { CheckedFor } from './subject.ts';

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

/** Which arm of which rollout somebody gets. */
export interface Assignment {
  /** The id of the rollout. */
  readonly rollout: number;
  readonly arm: Arm;
}

/** One arm: its results, and the assignment of those who get them. */
export interface ServedArm extends ServedPack {
  readonly checked: CheckedPack;
  /** Undefined if no rollout is under way. */
  readonly assignment: Assignment | undefined;
}

/** Both arms of a channel. */
export interface ServedChannel {
  readonly stable: ServedArm;
  /** Undefined if no rollout is under way. */
  readonly candidate: ServedArm | undefined;
  readonly assign: Assign;
}

const EVERYBODY_STABLE: Assign = () => 'stable';

export function serveChannel({ stable, rollout }: CheckedChannel, origin: Origin, freshness: Freshness): ServedChannel {
  const arm = (checked: CheckedPack, arm: Arm): ServedArm => ({
    ...serve(checked, origin, freshness),
    checked,
    assignment: rollout && Object.freeze({ rollout: rollout.id, arm }),
  });
  return {
    stable: arm(stable, 'stable'),
    candidate: rollout && arm(rollout.candidate, 'candidate'),
    assign: rollout === undefined ? EVERYBODY_STABLE : ruleOf(rollout),
  };
}

function serve(checked: CheckedPack, origin: Origin, freshness: Freshness): ServedPack {
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

interface Servable {
  readonly served: ServedChannel | undefined;
  /** Why nothing is served. */
  refusal(): RegistryFailure;
}

/** @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
export function servedBy(state: Servable): ServedChannel {
  const { served } = state;
  if (served === undefined) throw state.refusal();
  return served;
}

/** The arm that a subject gets; the stable one without a subject. */
export function armFor({ stable, candidate, assign }: ServedChannel, whom: CheckedFor | undefined): ServedArm {
  if (candidate === undefined || whom === undefined) return stable;
  return assign(whom.subject, whom.attributes) === 'candidate' ? candidate : stable;
}
