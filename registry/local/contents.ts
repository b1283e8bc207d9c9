/**
 * Contents by digest: a bounded cache in front of the store.
 *
 * Problem: the texts of thousands of versions must not all be in memory, but a session's pin is read again and again.
 * Rule: active contents belong to the snapshot's views; this cache holds the others. A content from a disk or the store is digested again,
 * so that a damaged one is refused, not served (SPEC R1). The instance's own disk (`contents-on-disk.ts`) is read before the store, so that
 * pinned sessions work during an outage (SPEC R9).
 */
import { LRUCache } from 'lru-cache';
import { StoreDamaged } from '../errors.ts';
import type { PackContent } from '../model.ts';
import type { LocalContents } from './contents-on-disk.ts';
import { digestOf } from '../packs/pack.ts';
import type { Store } from '../log/store.ts';
import { deepFreeze } from '../values/frozen.ts';

/** About how many characters of prompt text the cache holds. */
const CHARACTERS = 16 * 1024 * 1024;

export class Contents {
  readonly #store: Store;
  readonly #local: LocalContents | undefined;
  readonly #recent = new LRUCache<string, PackContent>({ maxSize: CHARACTERS, sizeCalculation: charactersOf });

  constructor(store: Store, local?: LocalContents) {
    this.#store = store;
    this.#local = local;
  }

  /** Puts a content into the cache. */
  remember(digest: string, content: PackContent): void {
    this.#recent.set(digest, content);
  }

  /** The content if it is cached; never reads the store. */
  peek(digest: string): PackContent | undefined {
    return this.#recent.get(digest);
  }

  /**
   * The content of a digest that the log names.
   * @throws RegistryError `store-unavailable` if the store cannot be read; StoreDamaged if the content is missing or has another digest
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
    return false; // it cannot be digested: it holds half a surrogate pair
  }
}

/** About how many characters a content has. */
export function charactersOf(content: PackContent): number {
  return content.styles.reduce((size, { text }) => size + text.length, content.system.length) + 1;
}
