/** Why a source does not serve, or does not take, a pack. */
import { RegistryFailure } from './failure.ts';
import type { CheckedPack } from './pack.ts';
import { idOf, type Position } from './position.ts';

/** The pack is older than `maxStale`. @param age in milliseconds */
export function tooStale(pack: string, age: number, maxStale: number): RegistryFailure {
  return new RegistryFailure(
    'too-stale',
    `${pack} was last confirmed ${Math.round(age / 1000)} s ago; maxStale allows ${maxStale / 1000} s.`,
  );
}

/** @param isRevoked whether there was a pack, which was revoked */
export function nothingToServe(pack: string, isRevoked: boolean): RegistryFailure {
  return isRevoked
    ? new RegistryFailure(
        'revoked',
        `The current version of ${pack} was revoked, and its replacement could not be read yet.`,
      )
    : new RegistryFailure(
        'no-pack',
        `No pack ${pack} available: the registry has not responded yet, and there is no local copy or bundle. Await ready(), or listen for "error".`,
      );
}

/** @throws RegistryFailure `not-understood` if a pack is not the one that was asked for */
export function requireRequested(given: CheckedPack, pack: string, channel: string | undefined): void {
  if (given.pack === pack && (channel === undefined || given.channel === channel)) return;
  throw new RegistryFailure(
    'not-understood',
    `Requested ${pack}${channel === undefined ? '' : ` ${channel}`}, but received ${given.pack} ${given.channel}.`,
  );
}

export function registryIsOlder(position: Position, seen: Position): RegistryFailure {
  return new RegistryFailure(
    'older-than-seen',
    `The registry is at ${named(position)}, but ${named(seen)} was already seen. It was restored to an older state, or is a different registry. The newer pack stays in use.`,
  );
}

export function channelIsOlder({ pack, channel }: CheckedPack, position: Position, seen: Position): RegistryFailure {
  return new RegistryFailure(
    'older-than-seen',
    `The registry is at revision ${idOf(position)} of ${pack} ${channel}, but revision ${idOf(seen)} was already seen. The newer pack stays in use.`,
  );
}

export function doesNotKnowRevocation({ pack, version }: CheckedPack): RegistryFailure {
  return new RegistryFailure(
    'older-than-seen',
    `${pack} ${version} is revoked, but this instance does not know that yet. The version is not served.`,
  );
}

function named({ epoch, revision }: Position): string {
  return `revision ${revision}${epoch === 1 ? '' : ` of epoch ${epoch}`}`;
}
