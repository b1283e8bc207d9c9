/**
 * The local copy of a source, so that a restart during an outage can continue with what was served last.
 *
 * Rule: a copy is as untrusted as the network. A broken copy is reported and not used.
 */
import { messageOf, RegistryFailure } from './failure.ts';
import { channelOf, checkChannel, type CheckedChannel } from './channel.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { START_POSITION, type Position } from './position.ts';
import type { Etags } from './reading.ts';

/** Storage for the local copy. `diskCopy` of `@prompt-registry/client/disk` stores it in a file. */
export interface PackCopy {
  /** Returns what was saved last; undefined if nothing was saved. Rejects if it cannot be read. */
  load(): Promise<unknown>;
  /** Replaces the saved state atomically. */
  save(saved: SavedState): Promise<void>;
  /** Removes the saved state. Called if it contains a revoked version and cannot be replaced. */
  clear?(): Promise<void>;
}

/**
 * The saved state; it can be stored as JSON. Clients that know no rollouts read the members that they know: `current` is the stable version.
 */
export interface SavedState {
  readonly format: 1;
  /** The configured channel; null for the registry's default. */
  readonly channel: string | null;
  /** The stable pack; missing if it was revoked and not yet replaced. */
  readonly current?: CheckedPack | undefined;
  /** The rest of the channel, as `getChannel` has it. Missing in copies of older clients. */
  readonly rest?: Omit<CheckedChannel, 'stable'> | undefined;
  /** Versions that local sessions are pinned to. */
  readonly pinned: readonly CheckedPack[];
  /** Versions that must not be served again. */
  readonly revoked: readonly string[];
  /** The latest position in the log that was seen. */
  readonly place: Position;
  /** The ETag of `getActivePack`. */
  readonly etag?: string | undefined;
  /** The ETag of `getChannel`. */
  readonly channelEtag?: string | undefined;
  /** When the registry last confirmed that `current` is up to date; RFC 3339. */
  readonly confirmedAt: string;
}

/** What a source has to save, and what is left of it after it was loaded and checked. */
export interface CopiedState extends Pick<SavedState, 'channel' | 'pinned' | 'revoked' | 'place'> {
  readonly current: CheckedChannel | undefined;
  readonly etags: Etags;
  /** Milliseconds since the registry last confirmed `current`. */
  readonly age: number;
}

export function savedState({ current, etags, age, ...others }: CopiedState): SavedState {
  const { stable, ...rest } = current ?? {};
  return {
    format: 1,
    ...others,
    current: stable,
    ...(current !== undefined && { rest: rest as Omit<CheckedChannel, 'stable'> }),
    etag: etags.active,
    channelEtag: etags.channel,
    confirmedAt: new Date(Date.now() - Math.min(age, Date.now())).toISOString(),
  };
}

/**
 * Checks a loaded copy, including its digests. Its channel is dropped if it is another one.
 * @param onFailure reports a rollout that this client does not understand
 * @throws RegistryFailure `copy-failed` if the copy is broken or belongs to another pack
 */
export async function checkSaved(
  saved: unknown,
  pack: string,
  channel: string | undefined,
  onFailure: (failure: RegistryFailure) => void,
): Promise<CopiedState> {
  const broken = (why: string, cause?: unknown) =>
    new RegistryFailure('copy-failed', `The local copy of ${pack} is ignored: ${why}.`, { cause });
  if (typeof saved !== 'object' || saved === null || (saved as SavedState).format !== 1)
    throw broken('its format is unknown');
  const {
    channel: savedChannel,
    current,
    rest,
    pinned,
    revoked,
    place,
    etag,
    channelEtag,
    confirmedAt,
  } = saved as SavedState;
  const at = Date.parse(confirmedAt);
  if (
    savedChannel === undefined ||
    !Array.isArray(pinned) ||
    !Array.isArray(revoked) ||
    !isPosition(place) ||
    Number.isNaN(at)
  )
    throw broken('fields are missing or have wrong types');
  const check = async <T>(checking: Promise<T>): Promise<T> => {
    try {
      return await checking;
    } catch (error) {
      throw broken(messageOf(error), error);
    }
  };
  const packs: CheckedPack[] = [];
  for (const each of pinned as readonly unknown[]) packs.push(await check(checkPack(each)));
  const last =
    current === undefined
      ? undefined
      : rest === undefined
        ? channelOf(await check(checkPack(current)))
        : await check(checkChannel({ ...rest, stable: current }, onFailure));
  if ([last?.stable, ...packs].some((each) => each !== undefined && each.pack !== pack))
    throw broken('it belongs to another pack');
  const fits = savedChannel === (channel ?? null);
  return {
    channel: savedChannel,
    current: fits ? last : undefined,
    pinned: packs,
    revoked: revoked.filter((each) => typeof each === 'string'),
    place,
    etags: fits ? { active: textOf(etag), channel: textOf(channelEtag) } : {},
    age: Math.max(0, Date.now() - at), // the clock may have been set back
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isPosition(place: unknown): place is Position {
  const { epoch, revision } = { ...START_POSITION, ...(place as Position | null) };
  return typeof place === 'object' && Number.isSafeInteger(epoch) && Number.isSafeInteger(revision);
}
