/**
 * Contents by digest: a bounded memory of what was used lately, in front of the store.
 *
 * Problem: prompt texts of thousands of versions must not all lie in memory, yet a session's pin is read again and again.
 * Rule: active contents hang on the snapshot's views and are not counted here; others come through this bound. A content is
 * digested again when it comes from a disk or the store, so that a damaged one is refused instead of served (SPEC R1). Before the
 * store is asked, the instance's own disk is (`contents-on-disk.ts`), so that pins outlive an outage (SPEC R9).
 */
import { LRUCache } from 'lru-cache';
import { StoreDamaged } from '../errors.ts';
import type { PackContent } from '../model.ts';
import type { LocalContents } from './contents-on-disk.ts';
import { digestOf } from '../packs/pack.ts';
import type { Store } from '../log/store.ts';
import { deepFreeze } from '../values/frozen.ts';

/** About how many characters of prompt text are remembered. */
const CHARACTERS = 16 * 1024 * 1024;

export class Contents {
  readonly #store: Store;
  readonly #local: LocalContents | undefined;
  readonly #recent = new LRUCache<string, PackContent>({ maxSize: CHARACTERS, sizeCalculation: sizeOf });

  constructor(store: Store, local?: LocalContents) {
    this.#store = store;
    this.#local = local;
  }

  /** Keeps a content at hand. */
  remember(digest: string, content: PackContent): void {
    this.#recent.set(digest, content);
  }

  /** The content where it is at hand, without asking the store. */
  peek(digest: string): PackContent | undefined {
    return this.#recent.get(digest);
  }

  /**
   * The content of a digest that the log names.
   * @throws RegistryError `store-unavailable` where the store cannot be asked; StoreDamaged where it holds another content or none under it
   */
  async get(digest: string): Promise<PackContent> {
    const recent = this.#recent.get(digest);
    if (recent !== undefined) return recent;
    const content = (await this.#local?.read(digest)) ?? (await this.#store.content(digest));
    if (content === undefined)
      throw new StoreDamaged(`The store has lost the content ${digest}; restore it from a backup.`);
    if (!isIntact(content, digest))
      throw new StoreDamaged(
        `The store's content ${digest} was changed and no longer has that digest; restore it from a backup.`,
      ); // SPEC R1
    deepFreeze(content);
    this.#recent.set(digest, content);
    return content;
  }

  /** The contents of all these digests, by digest. @throws RegistryError as `get` */
  async all(digests: Iterable<string>): Promise<Map<string, PackContent>> {
    const contents = new Map<string, PackContent>();
    for (const digest of digests) contents.set(digest, await this.get(digest));
    return contents;
  }
}

function isIntact(content: PackContent, digest: string): boolean {
  try {
    return digestOf(content) === digest;
  } catch {
    return false; // it holds what has no digest: half a surrogate pair
  }
}

function sizeOf(content: PackContent): number {
  return content.styles.reduce((size, { text }) => size + text.length, content.system.length) + 1;
}
