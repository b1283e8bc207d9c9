/**
 * Carries out a start: adds its events to the log, in one append.
 *
 * Problem: a start may fail half-way, or the store may be unavailable; then it is retried.
 * Rule: each attempt plans against the current log. The operator key is made once, because the log may hold it although the attempt
 * failed. What a start adds is permanent, so it must not rest on a snapshot that somebody may have edited: the snapshot is compared with
 * the log first.
 * Example: PostgreSQL is down at the start. It is back a minute later, and then the start registers the shipped versions.
 */
import type { Contents } from '../local/contents.ts';
import { addsToLog, alarmBelowFloor, planStart } from './first-start.ts';
import { keyOfToken, newKey, type NewKey } from '../keys/keys.ts';
import type { Logger } from '../machine/logger.ts';
import type { RegistryOptions } from './options.ts';
import { newSessionKey } from '../sessions/session-ids.ts';
import type { SnapshotCheck } from '../proof/snapshot-check.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { SessionKey, Store } from '../log/store.ts';
import type { StoreClock } from '../log/store-clock.ts';
import type { Writer } from '../writing/writer.ts';

export interface StartParts {
  readonly options: RegistryOptions;
  readonly instanceId: string;
  readonly store: Store;
  readonly contents: Contents;
  readonly clock: StoreClock;
  readonly logger: Logger;
  readonly writer: Writer;
  readonly current: { readonly applied: Snapshot };
  /** Compares the snapshot of this start with the log, if neither a MAC nor the log has proved it yet. */
  readonly check: SnapshotCheck | undefined;
}

export class Start {
  readonly #parts: StartParts;
  /** The same at each attempt: the log may hold it although an attempt failed. */
  #operatorKey: NewKey | undefined;

  constructor(parts: StartParts) {
    this.#parts = parts;
  }

  /**
   * Adds to the log what this start has to add, if anything.
   * @returns all session keys, the newest last
   * @throws StartRefused; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; LogBroken
   */
  async addToLog(): Promise<readonly SessionKey[]> {
    const { options, instanceId, store, contents, clock, logger, writer, current, check } = this.#parts;
    const { operatorKey, channels, defaultPack, defaultVersion, shipped = [], policies = [] } = options;
    await clock.known();
    clock.warnAtStart(current.applied.at);
    const resources = {
      newId: () => clock.newId(),
      newSessionKey: () => newSessionKey(new Date(clock.now()).toISOString()),
      newKey: () => (this.#operatorKey ??= newKey()),
      instance: instanceId,
      operatorKey,
      knownContent: (digest: string) => contents.get(digest),
      logger,
    };
    const planned = { shipped, policies, channels, defaultPack, defaultVersion };
    if (check !== undefined && (await addsToLog(current.applied, planned, resources))) await check.now();
    const prepare = async (base: Snapshot) => {
      const plan = await planStart(base, planned, resources);
      return () => plan;
    };
    await writer.commit(prepare, { large: true });
    // Another instance may have made its key first, and an earlier start may have died before it could say where its key is.
    await operatorKey?.finishWrite((token) => keyOfToken(current.applied, token) !== undefined);
    alarmBelowFloor(current.applied, logger);
    return store.sessionKeys();
  }
}
