/**
 * What a registry is opened with.
 *
 * Problem: an application that embeds the registry may not use TypeScript. A wrong option would show only when it is needed: a session that
 * cannot be started, a snapshot that cannot be saved.
 * Rule: options are checked when the registry is opened, before anything is read or created. All faults are reported at once.
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
  /** The registry owns it once it is open, and `close` closes it. If opening is refused, closing it is up to the caller. */
  readonly store: Store;
  /** All channels, at least one; the first is the default. */
  readonly channels: readonly string[];
  /** The pack that reads and sessions mean if they name none. */
  readonly defaultPack: string;
  /** Activated at a start if `defaultPack` has no pointer yet. Default: its highest release. */
  readonly defaultVersion?: string | undefined;
  /** How long a session may run, in milliseconds; 365 days at most. */
  readonly sessionTtl: number;
  /** Versions to register at the start (`readPackFolders`). */
  readonly shipped?: readonly ShippedVersion[];
  /** Policies to put in force at the start (`readPolicies`). */
  readonly policies?: readonly ShippedPolicy[];
  /** A private folder for the last good snapshot; created if missing. Default: no snapshot is kept. */
  readonly dataDir?: string;
  /** Signs the last good snapshot with a MAC; at least 32 bytes. A snapshot without a matching MAC is then not used. Default: no MAC. */
  readonly snapshotKey?: Uint8Array | undefined;
  /** Where to write a key with all scopes, if the log has none. Default: no key is created. */
  readonly operatorKey?: OperatorKeyFile;
  /**
   * Also open while the store cannot be reached: from the last good snapshot, or, without one, by waiting for the store. For stores on
   * another machine. Default: false.
   */
  readonly failStatic?: boolean;
  /** Called if a start had to wait for the store and is then refused because of what it finds there. The registry never becomes ready then. */
  readonly onRefused?: (refusal: StartRefused | LogBroken) => void;
  /** Break-glass: the version of its pack that this instance serves, whatever the log says. */
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
  // A string is iterable too: a path passed as `policies` would silently mean "no policy".
  {
    name: 'shipped',
    right: 'the result of readPackFolders, e.g. await readPackFolders(folder)',
    holds: (shipped) => isListOf(shipped, 'version', 'path'),
  },
  {
    name: 'policies',
    right: 'the result of readPolicies, e.g. await readPolicies(folder)',
    holds: (policies) => isListOf(policies, 'policy', 'path'),
  },
  {
    name: 'dataDir',
    right: 'the path of a folder',
    holds: (path) => path === undefined || (typeof path === 'string' && path !== ''),
  },
  {
    name: 'snapshotKey',
    right: `at least ${SHORTEST_KEY} bytes, e.g. the result of readSnapshotKey`,
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

/** The value as a message shows it. A store is not shown, as its address may hold a password; neither is a key. */
function shown(name: string, value: unknown): string {
  return name === 'store' || name === 'snapshotKey'
    ? ''
    : `: ${inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 10, maxStringLength: 60 })}`;
}

/**
 * Checks the options, and creates the folder of the last good snapshot.
 * @throws StartRefused (78) with every wrong option, and what it must be
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
      `The registry's dataDir "${dataDir}" cannot be created: ${messageOf(cause)}. Name a folder that this process may write to.`,
      { cause },
    );
  }
}

/** The channel that is meant if none is named: the first. @throws RangeError if there is none */
export function defaultChannelOf(channels: readonly string[]): string {
  const [first] = channels;
  if (first === undefined) throw new RangeError('There must be at least one channel.');
  return first;
}
