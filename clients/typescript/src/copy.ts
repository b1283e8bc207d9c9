/**
 * The copy that outlives a process: what was served last, so that a restart during an outage goes on with it.
 *
 * Rule: what comes out of a copy is as untrusted as what comes over the network; a copy that is broken is none, and is said to be.
 */
import { RegistryFailure } from './failure.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { NOWHERE, type Place } from './place.ts';

/** Where a copy is kept; `diskCopy` of `@prompt-registry/client/disk` keeps it in a file. */
export interface PackCopy {
  /** What was saved last; undefined where nothing was. Rejects where there is something that cannot be read. */
  load(): Promise<unknown>;
  /** Replaces what was saved, whole or not at all. */
  save(saved: SavedState): Promise<void>;
}

/** What is saved: JSON. */
export interface SavedState {
  readonly format: 1;
  /** The pack to go on with; none where it was revoked and nothing came in its place. */
  readonly current?: CheckedPack | undefined;
  /** Versions that local sessions are pinned to. */
  readonly pinned: readonly CheckedPack[];
  /** Versions that must not be served again. */
  readonly revoked: readonly string[];
  /** The latest place that was seen. */
  readonly place: Place;
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
 * Checks what a copy gave, digests included.
 * @throws RegistryFailure `copy-failed` where it is of another pack or channel, or broken
 */
export async function checkSaved(saved: unknown, pack: string, channel: string | undefined): Promise<LoadedState> {
  const broken = (why: string, cause?: unknown) => new RegistryFailure('copy-failed', `The local copy of ${pack} is not used: ${why}.`, { cause });
  if (typeof saved !== 'object' || saved === null || (saved as SavedState).format !== 1) throw broken('it is of another format');
  const { current, pinned, revoked, place, etag, confirmedAt } = saved as SavedState;
  const at = Date.parse(confirmedAt);
  if (!Array.isArray(pinned) || !Array.isArray(revoked) || !isPlace(place) || Number.isNaN(at)) throw broken('members are missing or of other types');
  const packs: CheckedPack[] = [];
  try {
    for (const each of [...(current === undefined ? [] : [current]), ...(pinned as readonly CheckedPack[])]) packs.push(await checkPack(each));
  } catch (error) {
    throw broken(error instanceof Error ? error.message : String(error), error);
  }
  if (packs.some((each) => each.pack !== pack || (channel !== undefined && each.channel !== channel))) throw broken('it is of another pack or channel');
  return {
    format: 1,
    current: current === undefined ? undefined : packs[0],
    pinned: current === undefined ? packs : packs.slice(1),
    revoked: revoked.filter((each) => typeof each === 'string'),
    place,
    etag: typeof etag === 'string' ? etag : undefined,
    confirmedAt,
    age: Math.max(0, Date.now() - at), // a clock that went back says nothing of the age
  };
}

function isPlace(place: unknown): place is Place {
  const { epoch, revision } = { ...NOWHERE, ...(place as Place | null) };
  return typeof place === 'object' && Number.isSafeInteger(epoch) && Number.isSafeInteger(revision);
}
