/** The records of the state: versions, policies, keys and pointers. */
import type { GrowingSet } from '../values/growing-set.ts';
import type { Actor, Compatibility, MoveKind, Scope, StyleTitle, Violation, Policy } from '../model.ts';

/** A registered version without its texts. */
export interface VersionRecord {
  readonly pack: string;
  readonly version: string;
  readonly digest: string;
  readonly summary: string;
  readonly author: string;
  readonly defaultStyle: string;
  readonly styles: readonly Readonly<StyleTitle>[];
  readonly compatibility: Readonly<Compatibility>;
  readonly publishedAt: string;
  readonly publishedBy: Actor;
  /** Violations of the policy in force; a version with violations cannot be activated (SPEC R7). */
  readonly violations: readonly Violation[];
  readonly revocation?: Revocation;
}

/** Since when and why a version must not be served. */
export interface Revocation {
  readonly revision: number;
  readonly at: string;
  readonly by: Actor;
  readonly reason: string;
  readonly replacement: string | undefined;
  /** Sessions on the version end; missing: they go on with what replaces it (SPEC R16). */
  readonly sessions?: 'end';
}

/** A pack's policy in force. */
export interface PolicyRecord {
  readonly policy: Policy;
  readonly digest: string;
  readonly revision: number;
  readonly changedAt: string;
  readonly changedBy: Actor;
}

/** A key. Only the hash of its secret is kept. */
export interface KeyRecord {
  readonly keyId: string;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly createdBy: Actor;
  readonly expiresAt: string | undefined;
  readonly revokedAt: string | undefined;
  /** Lower-case hex SHA-256 of the secret part of the token. */
  readonly secretHash: string;
}

/** Where a channel of a pack points, and how it got there. */
export interface Pointer {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  /** The event that last moved it. */
  readonly revision: number;
  readonly kind: MoveKind;
  readonly previousVersion: string | null;
  readonly activatedAt: string;
  readonly activatedBy: Actor;
  readonly reason: string;
  /** The versions that a rollback walks down: bottom first, active version last. At most `STACK_DEPTH` entries. */
  readonly stack: readonly string[];
  /** Every version that was ever active here, in order of first activation. */
  readonly everActive: GrowingSet<string>;
}
