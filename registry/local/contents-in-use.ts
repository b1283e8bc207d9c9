/**
 * Which contents must outlive the store: those of active versions, and of versions that stand in for revoked ones (SPEC R8, R9).
 *
 * Problem: a pack may have thousands of versions, and looking through them at each flip would cost more with each version.
 * Rule: all are looked through once; from then on the events say what changes.
 */
import type { Contents } from './contents.ts';
import { messageOf } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { LocalContents } from './contents-on-disk.ts';
import type { Logger } from '../machine/logger.ts';
import type { PackContent } from '../model.ts';
import { replacementOf, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { VersionRecord } from '../state/records.ts';

export class ContentsInUse {
  readonly #contents: Contents;
  readonly #local: LocalContents;
  readonly #logger: Logger;
  /** Digests of what stands in for a revoked version. */
  #replacementOfs = new Set<string>();

  constructor(contents: Contents, local: LocalContents, logger: Logger) {
    this.#contents = contents;
    this.#local = local;
    this.#logger = logger;
  }

  /**
   * Has the contents in use on this instance's disk.
   * @param events what came since the last call; undefined where that is not known
   * @throws what the file system throws
   */
  async keep(snapshot: Snapshot, events: readonly Event[] | undefined): Promise<void> {
    if (events === undefined) this.#lookThrough(snapshot);
    else
      for (const event of events)
        if (event.type === 'version-revoked') this.#revoked(snapshot.packs.get(event.pack ?? ''), event.version);
    const inUse = new Map<string, PackContent>();
    for (const channels of snapshot.views.values())
      for (const { activePack, content } of channels.values()) inUse.set(activePack.digest, content);
    for (const digest of this.#replacementOfs) {
      if (inUse.has(digest)) continue;
      try {
        inUse.set(digest, await this.#contents.get(digest));
      } catch (error) {
        this.#logger.warn(
          { digest, reason: messageOf(error) },
          'The content that stands in for a revoked version could not be put on this disk; the next flip tries again.',
        );
      }
    }
    await this.#local.keep(inUse);
  }

  #lookThrough({ packs }: Snapshot): void {
    this.#replacementOfs = new Set();
    for (const state of packs.values()) for (const record of state.versions) this.#add(state, record);
  }

  /** What stood in for others stands in no more; what stands in for it does so for them, too. */
  #revoked(state: PackState | undefined, version = ''): void {
    const record = state?.versions.get(version);
    if (state === undefined || record === undefined) return;
    this.#replacementOfs.delete(record.digest);
    this.#add(state, record);
  }

  #add(state: PackState, record: VersionRecord): void {
    const digest = record.revocation === undefined ? undefined : replacementOf(state, record)?.digest;
    if (digest !== undefined) this.#replacementOfs.add(digest);
  }
}
