/**
 * The local copy of a source, so that a restart during an outage can continue with what was served last.
 *
 * Rule: a copy is as untrusted as the network. A broken copy is reported and not used.
 */
import { messageOf, RegistryFailure } from './failure.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { START_POSITION, type Position } from './position.ts';

/** Storage for the local copy. `diskCopy` of `@prompt-registry/client/disk` stores it in a file. */
export interface PackCopy {
  /** Returns what was saved last; undefined if nothing was saved. Rejects if it cannot be read. */
  load(): Promise<unknown>;
  /** Replaces the saved state atomically. */
  save(saved: SavedState): Promise<void>;
  /** Removes the saved state. Called if it contains a revoked version and cannot be replaced. */
  clear?(): Promise<void>;
}

/** The saved state; it can be stored as JSON. */
export interface SavedState {
  readonly format: 1;
  /** The configured channel; null for the registry's default. */
  readonly channel: string | null;
  /** The current pack; missing if it was revoked and not yet replaced. */
  readonly current?: CheckedPack | undefined;
  /** Versions that local sessions are pinned to. */
  readonly pinned: readonly CheckedPack[];
  /** Versions that must not be served again. */
  readonly revoked: readonly string[];
  /** The latest position in the log that was seen. */
  readonly place: Position;
  readonly etag?: string | undefined;
  /** When the registry last confirmed that `current` is up to date; RFC 3339. */
  readonly confirmedAt: string;
}

/** A saved state that was checked. */
export interface LoadedState extends SavedState {
  /** Milliseconds since `confirmedAt`. */
  readonly age: number;
}

/**
 * Checks a loaded copy, including its digests. Its current pack is dropped if it is from another channel.
 * @throws RegistryFailure `copy-failed` if the copy is broken or belongs to another pack
 */
export async function checkSaved(saved: unknown, pack: string, channel: string | undefined): Promise<LoadedState> {
  const broken = (why: string, cause?: unknown) =>
    new RegistryFailure('copy-failed', `The local copy of ${pack} is ignored: ${why}.`, { cause });
  if (typeof saved !== 'object' || saved === null || (saved as SavedState).format !== 1)
    throw broken('its format is unknown');
  const { channel: savedChannel, current, pinned, revoked, place, etag, confirmedAt } = saved as SavedState;
  const at = Date.parse(confirmedAt);
  if (
    savedChannel === undefined ||
    !Array.isArray(pinned) ||
    !Array.isArray(revoked) ||
    !isPosition(place) ||
    Number.isNaN(at)
  )
    throw broken('fields are missing or have wrong types');
  const check = async (each: unknown): Promise<CheckedPack> => {
    try {
      return await checkPack(each);
    } catch (error) {
      throw broken(messageOf(error), error);
    }
  };
  const packs: CheckedPack[] = [];
  for (const each of pinned as readonly unknown[]) packs.push(await check(each));
  const last = current === undefined ? undefined : await check(current);
  if ([last, ...packs].some((each) => each !== undefined && each.pack !== pack))
    throw broken('it belongs to another pack');
  const fits = savedChannel === (channel ?? null);
  return {
    format: 1,
    channel: savedChannel,
    current: fits ? last : undefined,
    pinned: packs,
    revoked: revoked.filter((each) => typeof each === 'string'),
    place,
    etag: fits && typeof etag === 'string' ? etag : undefined,
    confirmedAt,
    age: Math.max(0, Date.now() - at), // the clock may have been set back
  };
}

function isPosition(place: unknown): place is Position {
  const { epoch, revision } = { ...START_POSITION, ...(place as Position | null) };
  return typeof place === 'object' && Number.isSafeInteger(epoch) && Number.isSafeInteger(revision);
}
