/**
 * What a registry is opened with.
 *
 * Problem: who embeds the registry may not have TypeScript, and an option that is wrong is found when it is needed: a session that cannot
 * be started, a snapshot that cannot be saved.
 * Rule: options are checked when the registry is opened, before anything is read or made; every fault is named at once.
 * Example: `sessionTtl: -1` refuses the start: "sessionTtl: -1 is wrong: it must be a number of milliseconds …".
 */
import { inspect } from 'node:util';
import { Value } from '@sinclair/typebox/value';
import { messageOf, StartRefused, type LogBroken } from '../errors.ts';
import type { OperatorKeyFile } from '../keys/operator-key.ts';
import type { Logger } from '../machine/logger.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { ChannelName, PackName } from '../model.ts';
import type { ShippedPolicy, ShippedVersion } from '../packs/pack-folder.ts';
import type { ForcedVersion } from './forced-version.ts';
import { SHORTEST_KEY } from '../local/seal.ts';
import type { Clock } from '../machine/clock.ts';
import type { Store } from '../log/store.ts';

export interface RegistryOptions {
  /** Owned by the registry once it is open: `close` closes it. Where opening is refused it stays with whoever opened it. */
  readonly store: Store;
  /** The channels there are; the first is the default one. At least one. */
  readonly channels: readonly string[];
  /** The pack that reads and sessions mean where none is named. */
  readonly defaultPack: string;
  /** Activated at the first start, where `defaultPack` has no pointer yet. */
  readonly defaultVersion?: string | undefined;
  /** How long a session may run, in milliseconds; 365 days at most. */
  readonly sessionTtl: number;
  /** Versions to register at the start (`readPackFolders`). */
  readonly shipped?: readonly ShippedVersion[];
  /** Policies to put in force at the start (`readPolicies`). */
  readonly policies?: readonly ShippedPolicy[];
  /** Where the last good snapshot is kept: a private folder, which is made where there is none. None is kept without it. */
  readonly dataDir?: string;
  /** The key of a MAC that the last good snapshot then carries, at least 32 bytes; without a fitting one it is not used. No MAC without it. */
  readonly snapshotKey?: Uint8Array | undefined;
  /** Where a key that can do everything is put, if the log has none. None is made without it. */
  readonly operatorKey?: OperatorKeyFile;
  /**
   * Open also where the store is away: from the last good snapshot, or, where there is none, waiting for the store. For stores on
   * another machine.
   */
  readonly failStatic?: boolean;
  /** Hears that a start that had to wait for the store is refused by what it found there; the registry never gets ready then. */
  readonly onRefused?: (refusal: StartRefused | LogBroken) => void;
  /** Break-glass: the version that this instance serves of its pack, whatever the log says. */
  readonly pinVersion?: ForcedVersion | undefined;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

const LONGEST_SESSION = 365 * 86_400_000;

/** What each option must be; `right` completes the sentence "It must be …". */
const CHECKS: readonly {
  readonly name:
    | 'store'
    | 'channels'
    | 'defaultPack'
    | 'sessionTtl'
    | 'shipped'
    | 'policies'
    | 'dataDir'
    | 'snapshotKey'
    | 'pinVersion';
  readonly right: string;
  readonly holds: (value: unknown) => boolean;
}[] = [
  {
    name: 'store',
    right: 'an open store, e.g. new MemoryStore()',
    holds: (store) => typeof store === 'object' && store !== null && 'append' in store,
  },
  {
    name: 'channels',
    right: "a list of at least one channel name, each once, the default one first, e.g. ['production']",
    holds: isChannels,
  },
  {
    name: 'defaultPack',
    right: 'a pack name: lower-case letters, digits and hyphens, at most 63',
    holds: (name) => Value.Check(PackName, name),
  },
  {
    name: 'sessionTtl',
    right: 'a number of milliseconds from 1 to 31536000000 (365 days), e.g. 86400000',
    holds: (ttl) => typeof ttl === 'number' && ttl >= 1 && ttl <= LONGEST_SESSION,
  },
  // A list that is none may still be one to a loop: a policy that is a path would be no floor at all.
  {
    name: 'shipped',
    right: 'what readPackFolders gives, e.g. await readPackFolders(folder)',
    holds: (shipped) => isListOf(shipped, 'version', 'path'),
  },
  {
    name: 'policies',
    right: 'what readPolicies gives, e.g. await readPolicies(folder)',
    holds: (policies) => isListOf(policies, 'policy', 'path'),
  },
  {
    name: 'dataDir',
    right: 'the path of a folder',
    holds: (path) => path === undefined || (typeof path === 'string' && path !== ''),
  },
  {
    name: 'snapshotKey',
    right: `at least ${SHORTEST_KEY} bytes, e.g. what readSnapshotKey gives`,
    holds: (key) => key === undefined || (key instanceof Uint8Array && key.length >= SHORTEST_KEY),
  },
  {
    name: 'pinVersion',
    right: "a pack and its version, e.g. { pack: 'coach', version: '1.0.0' }",
    holds: (pin) => pin === undefined || isWith(pin, 'pack', 'version'),
  },
];

function isWith(value: unknown, ...members: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && members.every((member) => member in value);
}

function isListOf(list: unknown, ...members: readonly string[]): boolean {
  return list === undefined || (Array.isArray(list) && list.every((each) => isWith(each, ...members)));
}

function isChannels(channels: unknown): boolean {
  return (
    Array.isArray(channels) &&
    channels.length > 0 &&
    new Set(channels).size === channels.length &&
    channels.every((name) => Value.Check(ChannelName, name))
  );
}

/** Behind the name; nothing of a store, whose address may hold a password, and nothing of a key. */
function shown(name: string, value: unknown): string {
  return name === 'store' || name === 'snapshotKey'
    ? ''
    : `: ${inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 10, maxStringLength: 60 })}`;
}

/**
 * Checks the options, and makes the folder of the last good snapshot.
 * @throws StartRefused (78) that names every wrong option, and what would be right
 */
export function checkOptions(options: RegistryOptions): void {
  const faults = CHECKS.filter(({ name, holds }) => !holds(options[name])).map(
    ({ name, right }) => `${name}${shown(name, options[name])} is wrong: it must be ${right}.`,
  );
  if (faults.length > 0)
    throw new StartRefused(
      78,
      `The registry's options have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
  const { dataDir } = options;
  if (dataDir === undefined) return;
  try {
    makeFolder(dataDir);
  } catch (cause) {
    throw new StartRefused(
      78,
      `The registry's dataDir "${dataDir}" cannot be made: ${messageOf(cause)}. Name a folder that this process may write to.`,
      { cause },
    );
  }
}

/** The channel that is meant where none is named: the first. @throws RangeError where there is none */
export function defaultChannelOf(channels: readonly string[]): string {
  const [first] = channels;
  if (first === undefined) throw new RangeError('There must be at least one channel.');
  return first;
}
