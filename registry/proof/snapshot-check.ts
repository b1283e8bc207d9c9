/**
 * Compares the last good snapshot that a start used with the log.
 *
 * Problem: anyone who can write to the data folder can edit a snapshot without a MAC, its seal included. A revocation could be removed, or a
 * key added.
 * Rule: after each start from such a file, the log is folded in the background from its first event to the position of the file, and compared
 * with it. The work is done in small slices with long pauses, so that reads stay fast. If they differ, the log is right.
 * Example: a revocation was removed from the file. That is found a second after the start, and the log's state is served from then on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { differencesOf, StateProof } from './comparison.ts';
import { messageOf, LogBroken } from '../errors.ts';
import { hashOf } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import { LastGood } from '../local/last-good.ts';
import type { Logger } from '../machine/logger.ts';
import type { SealKey } from '../local/seal.ts';
import type { SavedState } from '../local/snapshot-file.ts';
import { EMPTY_SNAPSHOT } from '../state/snapshot.ts';
import type { SessionKey, Store } from '../log/store.ts';

/** Events folded between two pauses: a millisecond or two of work, even for an engine that reads on this thread. */
const SLICE = 100;
/** Events folded at once if a start waits for the result. */
const LARGE_SLICE = 2000;
/** The length of a pause, as a multiple of the work before it. */
const REST = 2;
/** Milliseconds between two attempts while the store cannot be read. */
const RETRY = 1000;

export interface SnapshotCheckOptions {
  readonly store: Store;
  readonly saved: SavedState;
  readonly logger: Logger;
  /** Replaces the applied state with the log's. @throws RegistryError `store-unavailable`; LogBroken */
  readonly takeLog: () => Promise<unknown>;
}

export class SnapshotCheck {
  readonly #options: SnapshotCheckOptions;
  readonly #ended = new AbortController();
  #fold = foldFrom(EMPTY_SNAPSHOT);
  #running: Promise<void> | undefined;
  #differs: string | undefined;

  constructor(options: SnapshotCheckOptions) {
    this.#options = options;
  }

  /** How the snapshot and the log differ, in words; undefined if they do not, or if that is not known yet. */
  get differs(): string | undefined {
    return this.#differs;
  }

  /** Compares in the background, once. Never rejects: while the store cannot be read, it retries. */
  start(): void {
    if (!this.#ended.signal.aborted) this.#running ??= this.#untilDone();
  }

  /** Compares at once, if that has not been done yet. @throws RegistryError `store-unavailable`; LogBroken */
  async now(): Promise<void> {
    if (this.#running !== undefined || this.#ended.signal.aborted) return;
    await this.#compare(LARGE_SLICE, () => Promise.resolve());
    this.end();
  }

  /** Ends the comparison: the applied state was replaced, or the registry closes. */
  end(): void {
    this.#ended.abort();
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#ended;
    const rest = (ms: number) => sleep(ms, undefined, { signal, ref: false });
    while (!signal.aborted) {
      try {
        await this.#compare(SLICE, rest);
        return;
      } catch (error) {
        if (error instanceof LogBroken) return this.#differ([`the log cannot be folded: ${error.message}`], false);
        if (signal.aborted) return;
        this.#options.logger.info(
          { reason: messageOf(error) },
          'The last good snapshot could not be compared with the log yet. It will be retried.',
        );
        await rest(RETRY).catch(() => undefined);
      }
    }
  }

  async #compare(slice: number, rest: (ms: number) => Promise<unknown>): Promise<void> {
    const { store, saved, takeLog } = this.#options;
    const { state, sessionKeys } = saved;
    while (this.#fold.revision < state.revision) {
      const started = performance.now();
      const events = await store.events({
        after: this.#fold.revision,
        before: state.revision + 1,
        order: 'ascending',
        limit: slice,
      });
      for (const event of events) {
        if (hashOf(event) !== event.hash)
          throw new LogBroken(`Revision ${event.revision} does not have its hash: it was changed.`);
        this.#fold.add(event);
      }
      if (events.length === 0) return; // the log ends before the snapshot: the follower handles that
      await rest(REST * (performance.now() - started));
    }
    if (this.#fold.hash !== state.hash) return; // another history, which is not followed
    const found = [
      ...(await differencesOf(state, this.#fold.state())),
      ...keyDifferences(sessionKeys, await store.sessionKeys()),
    ];
    this.#fold = foldFrom(EMPTY_SNAPSHOT);
    if (found.length === 0 || this.#ended.signal.aborted) return;
    this.#differ(found, true);
    await takeLog();
  }

  /** @param taken whether the log's state is served from now on */
  #differ(found: readonly string[], taken: boolean): void {
    if (this.#differs !== undefined) return;
    this.#differs = found.join(', ');
    const { logger, saved } = this.#options;
    logger.error(
      { differs: found, revision: saved.state.revision, hash: saved.state.hash },
      taken
        ? 'The last good snapshot that this start used differs from the log. From now on the log is served. Somebody or something changed snapshot.jsonl in DATA_DIR: find out who can write there, and check the audit for what was done since the start.'
        : 'The log is broken, so it cannot prove the last good snapshot that this start used. The snapshot is still served. Run npm run audit:verify.',
    );
  }
}

/**
 * The proof for `verifyLog` that compares the last good snapshot of a data folder with the log; undefined if no snapshot there is valid.
 * @param logger receives what is wrong with the file
 */
export async function savedProof(
  store: Store,
  dataDir: string,
  logger: Logger,
  key?: SealKey,
): Promise<StateProof | undefined> {
  const saved = await new LastGood(dataDir, { logger, key }).load();
  return saved && new StateProof(saved.state, async () => keyDifferences(saved.sessionKeys, await store.sessionKeys()));
}

/** Each key of the snapshot must be in the store; the store may have more by now. */
function keyDifferences(saved: readonly SessionKey[], stored: readonly SessionKey[]): string[] {
  const known = new Map(stored.map(({ keyId, secret }) => [keyId, secret]));
  return saved.filter(({ keyId, secret }) => known.get(keyId) !== secret).map(({ keyId }) => `session key ${keyId}`);
}
