/** `data` of the events that move pointers. */

/** One channel's move within an event. */
export interface Move {
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly previousVersion: string | null;
}

export interface MoveEvents {
  'version-activated': { readonly digest: string; readonly previousVersion: string | null };
  'version-rolled-back': { readonly digest: string; readonly previousVersion: string | null };
  'version-revoked': { readonly replacement?: string; readonly moves: readonly Move[] };
}
