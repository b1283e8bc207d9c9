/** `data` of the events that move pointers. */
import type { Actor } from '../../model.ts';

/** One channel's move within an event. */
export interface Move {
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly previousVersion: string | null;
}

/** More about a move. Builds that do not know a member ignore it. */
export interface MoveDetails {
  /** What happens to running sessions; missing: they keep their version. */
  readonly sessions?: 'next-turn' | 'end';
  /** The rollout that this move promotes. */
  readonly rollout?: number;
  /** When this trial ends unless it is confirmed; RFC 3339 UTC by the store's clock. */
  readonly revertAt?: string;
  /** The trial that this move ends, because its time was over. */
  readonly trial?: number;
  /** The scheduled activation that this move carries out, and who asked for it. */
  readonly schedule?: string;
  readonly scheduledBy?: Actor;
}

export interface MoveEvents {
  'version-activated': MoveDetails & { readonly digest: string; readonly previousVersion: string | null };
  'version-rolled-back': MoveDetails & { readonly digest: string; readonly previousVersion: string | null };
  'version-revoked': {
    readonly replacement?: string;
    readonly moves: readonly Move[];
    readonly sessions?: 'next-turn' | 'end';
  };
}
