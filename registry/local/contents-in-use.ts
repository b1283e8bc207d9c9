/**
 * Which contents must be available without the store: those of active versions, and of replacements for revoked ones (SPEC R8, R9).
 *
 * Problem: a pack may have thousands of versions, and scanning them at each flip would cost more with each version.
 * Rule: all versions are scanned once; after that the events say what changes.
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
  /** Digests of the replacements of revoked versions. */
  #replacements = new Set<string>();

  constructor(contents: Contents, local: LocalContents, logger: Logger) {
    this.#contents = contents;
    this.#local = local;
    this.#logger = logger;
  }

  /**
   * Saves the contents in use on this instance's disk.
   * @param events the events since the last call; undefined if unknown
   * @throws what the file system throws
   */
  async keep(snapshot: Snapshot, events: readonly Event[] | undefined): Promise<void> {
    if (events === undefined) this.#scan(snapshot);
    else
      for (const event of events)
        if (event.type === 'version-revoked') this.#revoked(snapshot.packs.get(event.pack ?? ''), event.version);
    const inUse = new Map<string, PackContent>();
    for (const channels of snapshot.views.values())
      for (const view of channels.values())
        for (const arm of [view, ...(view.rollout === undefined ? [] : [view.rollout.candidate])])
          inUse.set(arm.activePack.digest, arm.content);
    for (const digest of this.#replacements) {
      if (inUse.has(digest)) continue;
      try {
        inUse.set(digest, await this.#contents.get(digest));
      } catch (error) {
        this.#logger.warn(
          { digest, reason: messageOf(error) },
          'The content of a replacement could not be saved on this disk; the next flip retries.',
        );
      }
    }
    await this.#local.keep(inUse);
  }

  #scan({ packs }: Snapshot): void {
    this.#replacements = new Set();
    for (const state of packs.values()) for (const record of state.versions) this.#add(state, record);
  }

  /** A revoked version no longer replaces others; its own replacement does. */
  #revoked(state: PackState | undefined, version = ''): void {
    const record = state?.versions.get(version);
    if (state === undefined || record === undefined) return;
    this.#replacements.delete(record.digest);
    this.#add(state, record);
  }

  #add(state: PackState, record: VersionRecord): void {
    const digest = record.revocation === undefined ? undefined : replacementOf(state, record)?.digest;
    if (digest !== undefined) this.#replacements.add(digest);
  }
}
