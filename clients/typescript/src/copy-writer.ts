/**
 * Writes the copy of a source, one at a time.
 *
 * Problem: a disk is slow, full or read-only, and what it still holds is served by the next process.
 * Rule: what changes while a copy is written is in the next one. A failure is told once, until one succeeds, and tried again when there is
 * news. A copy that may hold a revoked version and cannot be replaced is removed; where that fails, too, it is said each time.
 */
import type { PackCopy, SavedState } from './copy.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { bounded, later } from './timers.ts';

export interface CopyWriterOptions {
  readonly copy: PackCopy;
  readonly pack: string;
  /** What is to be written now. */
  readonly state: () => SavedState;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** Between two copies that differ in their time only, in milliseconds. */
const CONFIRM_EVERY = 60_000;
/** After how many milliseconds a copy that is being written is told of, and not waited for at the end. */
const LATE = 10_000;

export class CopyWriter {
  readonly #options: CopyWriterOptions;
  #writtenAt = -Infinity;
  #dirty = false;
  #writing: Promise<void> | undefined;
  #failed = false;
  /** A version was revoked that the copy may hold. */
  #evicts = false;

  constructor(options: CopyWriterOptions) {
    this.#options = options;
  }

  /** There is news. @param options.evicts whether a version was revoked */
  changed({ evicts = false } = {}): void {
    this.#dirty = true;
    this.#evicts ||= evicts;
    this.#writing ??= this.#write();
  }

  /** What is in the copy is still current: written now and then, and where writing failed before. */
  confirmed(): void {
    if (this.#dirty || performance.now() - this.#writtenAt > CONFIRM_EVERY) this.changed();
  }

  /** Waits until the last one is written. One that hangs was told of, and is left to itself. */
  async close(): Promise<void> {
    await bounded({ timeout: LATE }, async () => this.#writing).catch(() => undefined);
  }

  async #write(): Promise<void> {
    while (this.#dirty && (await this.#writeOnce()));
    this.#writing = undefined; // at once: what changes after the last look begins anew
  }

  /** @returns whether to go on: it is written, or there was news meanwhile */
  async #writeOnce(): Promise<boolean> {
    const { copy, state } = this.#options;
    const evicts = this.#evicts;
    this.#dirty = this.#evicts = false;
    this.#writtenAt = performance.now();
    const late = later(LATE, () => this.#tell(`is not written after ${LATE / 1000} s`));
    try {
      await copy.save(state());
      this.#failed = false;
      return true;
    } catch (error) {
      const rest = evicts ? await this.#remove(copy) : '';
      if (evicts || !this.#failed) this.#tell(`cannot be written: ${messageOf(error)}${rest}`, error);
      const news = this.#dirty;
      this.#failed = this.#dirty = true;
      return news;
    } finally {
      clearTimeout(late);
    }
  }

  /** Removes a copy that may hold a revoked version. @returns what became of it */
  async #remove(copy: PackCopy): Promise<string> {
    try {
      if (copy.clear === undefined) throw new Error('it has no clear()');
      await copy.clear();
      return '. It was removed, as a revoked version may have been in it';
    } catch (error) {
      this.#evicts = true;
      return `. A revoked version may still be in it, and it cannot be removed either (${messageOf(error)}): remove it`;
    }
  }

  #tell(what: string, cause?: unknown): void {
    this.#options.onFailure(
      new RegistryFailure(
        'copy-failed',
        `The local copy of ${this.#options.pack} ${what}. It is tried again when there is news.`,
        { cause },
      ),
    );
  }
}
