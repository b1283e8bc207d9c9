/** What a registry is opened with. */
import type { OperatorKeyFile } from './first-start.ts';
import type { LogBroken } from './fold.ts';
import type { StartRefused } from './errors.ts';
import type { Log } from './log.ts';
import type { ShippedPolicy, ShippedVersion } from './pack-folder.ts';
import type { Pin } from './pinned-version.ts';
import type { Store } from './store.ts';
import type { Clock } from './writer.ts';

export interface RegistryOptions {
  /** Owned by the registry from here on: `close` closes it. */
  readonly store: Store;
  /** The channels there are; the first is the default one. At least one. */
  readonly channels: readonly string[];
  /** The pack that reads and sessions mean where none is named. */
  readonly defaultPack: string;
  /** Activated at the first start, where `defaultPack` has no pointer yet. */
  readonly defaultVersion?: string | undefined;
  /** How long a session may run, in milliseconds. */
  readonly sessionTtl: number;
  /** Versions to register at the start (`readPackFolders`). */
  readonly shipped?: readonly ShippedVersion[];
  /** Policies to put in force at the start (`readPolicies`). */
  readonly policies?: readonly ShippedPolicy[];
  /** Where the last good snapshot is kept: an existing, private folder. None is kept without it. */
  readonly dataDir?: string;
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
  readonly pinVersion?: Pin | undefined;
  readonly log?: Log;
  readonly clock?: Clock;
}

/** The channel that is meant where none is named: the first. @throws RangeError where there is none */
export function defaultChannelOf(channels: readonly string[]): string {
  const [first] = channels;
  if (first === undefined) throw new RangeError('There must be at least one channel.');
  return first;
}
