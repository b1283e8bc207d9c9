/**
 * Contents on the instance's own disk, so that active versions and pinned sessions are answered while the store is away, also after a
 * restart (SPEC R9).
 *
 * Problem: the last good snapshot holds no texts, and a session may be pinned to a version that is not active any more.
 * Rule: one file for each digest, written atomically (`private-file.ts`) and digested again when it is read. A damaged file is ignored. A
 * content is kept as long as a session may need it: `SESSION_TTL` after it was last active.
 * Example: 1.1.0 is rolled back from at noon; with a `SESSION_TTL` of 24h its file is removed after noon of the next day.
 */
import { readdir, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Logger } from '../machine/logger.ts';
import { makeFolder } from '../machine/make-folder.ts';
import type { PackContent } from '../model.ts';
import { digestOf } from '../packs/pack.ts';
import { writePrivate } from '../machine/private-file.ts';

const FILE = /^[0-9a-f]{64}\.json$/u;
/** Between two searches for files that are no longer needed, in milliseconds. */
const PRUNE_PAUSE = 600_000;

export class LocalContents {
  readonly #dir: string;
  readonly #ttl: number;
  readonly #logger: Logger;
  /** Digests whose file is known to be whole. */
  readonly #there = new Set<string>();
  #kept: ReadonlySet<string> = new Set();
  #prunedAt = -Infinity;

  /**
   * @param dataDir an existing folder that only this process's user may read
   * @param ttl how long a content is needed after it was last active, in milliseconds
   */
  constructor(dataDir: string, ttl: number, logger: Logger) {
    this.#dir = join(dataDir, 'contents');
    this.#ttl = ttl;
    this.#logger = logger;
  }

  /** The content of a digest, or undefined if it is missing or damaged; damage is logged. */
  async read(digest: string): Promise<PackContent | undefined> {
    let text: string;
    try {
      text = await readFile(this.#pathOf(digest), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#logger.warn({ digest, reason: messageOf(error) }, 'The local copy of a content cannot be read.');
      return undefined;
    }
    try {
      const content = JSON.parse(text) as PackContent;
      if (digestOf(content) === digest) return content;
    } catch {
      // not JSON, or a value without a digest: damaged as well
    }
    this.#there.delete(digest);
    this.#logger.warn({ digest }, 'The local copy of a content is damaged and is not used.');
    return undefined;
  }

  /**
   * Saves these contents, and deletes those that no session can need any more.
   * @param needed the contents in use, by digest
   * @throws what the file system throws
   */
  async keep(needed: ReadonlyMap<string, PackContent>): Promise<void> {
    makeFolder(this.#dir);
    for (const [digest, content] of needed) {
      if (!this.#there.has(digest) && (await this.read(digest)) === undefined) await this.#write(digest, content);
      this.#there.add(digest);
    }
    const now = new Date();
    // It is no longer active: its `SESSION_TTL` starts now.
    for (const digest of this.#kept)
      if (!needed.has(digest)) await utimes(this.#pathOf(digest), now, now).catch(() => undefined);
    this.#kept = new Set(needed.keys());
    if (performance.now() - this.#prunedAt >= PRUNE_PAUSE) await this.#prune(now.getTime());
  }

  /** Sets what was in use when the previous process ended. */
  assumeKept(digests: Iterable<string>): void {
    this.#kept = new Set(digests);
  }

  async #write(digest: string, content: PackContent): Promise<void> {
    await writePrivate(this.#pathOf(digest), JSON.stringify(content));
  }

  async #prune(now: number): Promise<void> {
    this.#prunedAt = performance.now();
    for (const name of await readdir(this.#dir)) {
      if (!FILE.test(name)) continue;
      const digest = `sha256:${name.slice(0, 64)}`;
      if (this.#kept.has(digest)) continue;
      const path = join(this.#dir, name);
      if ((await stat(path)).mtimeMs + this.#ttl >= now) continue;
      await unlink(path);
      this.#there.delete(digest);
    }
  }

  #pathOf(digest: string): string {
    return join(this.#dir, `${digest.slice('sha256:'.length)}.json`);
  }
}
