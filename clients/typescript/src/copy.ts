/**
 * The copy that outlives a process: what was served last, so that a restart during an outage goes on with it.
 *
 * Rule: what comes out of a copy is as untrusted as what comes over the network; a copy that is broken is none, and is said to be.
 */
import { messageOf, RegistryFailure } from './failure.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { NOWHERE, type Position } from './position.ts';

/** Where a copy is kept; `diskCopy` of `@prompt-registry/client/disk` keeps it in a file. */
export interface PackCopy {
  /** What was saved last; undefined where nothing was. Rejects where there is something that cannot be read. */
  load(): Promise<unknown>;
  /** Replaces what was saved, whole or not at all. */
  save(saved: SavedState): Promise<void>;
  /** Removes what was saved: where a version in it is revoked, and it cannot be replaced. */
  clear?(): Promise<void>;
}

/** What is saved: JSON. */
export interface SavedState {
  readonly format: 1;
  /** The channel that was asked for; null for the registry's default. */
  readonly channel: string | null;
  /** The pack to go on with; none where it was revoked and nothing came in its place. */
  readonly current?: CheckedPack | undefined;
  /** Versions that local sessions are pinned to. */
  readonly pinned: readonly CheckedPack[];
  /** Versions that must not be served again. */
  readonly revoked: readonly string[];
  /** The latest place that was seen. */
  readonly place: Position;
  readonly etag?: string | undefined;
  /** When the registry last said that `current` is; RFC 3339. */
  readonly confirmedAt: string;
}

/** What a copy holds, checked. */
export interface LoadedState extends SavedState {
  /** Milliseconds since `confirmedAt`. */
  readonly age: number;
}

/**
 * Checks what a copy gave, digests included. What was current in another channel is left out: it says nothing of this one.
 * @throws RegistryFailure `copy-failed` where it is of another pack, or broken
 */
export async function checkSaved(saved: unknown, pack: string, channel: string | undefined): Promise<LoadedState> {
  const broken = (why: string, cause?: unknown) =>
    new RegistryFailure('copy-failed', `The local copy of ${pack} is not used: ${why}.`, { cause });
  if (typeof saved !== 'object' || saved === null || (saved as SavedState).format !== 1)
    throw broken('it is of another format');
  const { channel: savedChannel, current, pinned, revoked, place, etag, confirmedAt } = saved as SavedState;
  const at = Date.parse(confirmedAt);
  if (
    savedChannel === undefined ||
    !Array.isArray(pinned) ||
    !Array.isArray(revoked) ||
    !isPosition(place) ||
    Number.isNaN(at)
  )
    throw broken('members are missing or of other types');
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
  if ([last, ...packs].some((each) => each !== undefined && each.pack !== pack)) throw broken('it is of another pack');
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
    age: Math.max(0, Date.now() - at), // a clock that went back says nothing of the age
  };
}

function isPosition(position: unknown): position is Position {
  const { epoch, revision } = { ...NOWHERE, ...(position as Position | null) };
  return typeof position === 'object' && Number.isSafeInteger(epoch) && Number.isSafeInteger(revision);
}
