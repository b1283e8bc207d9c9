/**
 * Writes the local copy, one write at a time.
 *
 * Problem: a disk may be slow, full or read-only, and the next process serves what it holds.
 * Rule: changes during a write go into the next one. A failure is reported once until a write succeeds, and retried at the next change. A
 * copy that may contain a revoked version and cannot be replaced is removed; if that fails as well, it is reported every time.
 */
import type { PackCopy, SavedState } from './copy.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { bounded, later } from './timers.ts';

export interface CopyWriterOptions {
  readonly copy: PackCopy;
  readonly pack: string;
  /** Returns what to write. */
  readonly state: () => SavedState;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** Milliseconds between two copies that differ only in their time. */
const CONFIRM_INTERVAL = 60_000;
/** Milliseconds after which a write in progress is reported as slow; `close` does not wait longer either. */
const SLOW_AFTER = 10_000;

export class CopyWriter {
  readonly #options: CopyWriterOptions;
  #writtenAt = -Infinity;
  #dirty = false;
  #writing: Promise<void> | undefined;
  #failed = false;
  /** The copy may contain a version that was revoked. */
  #removesRevoked = false;

  constructor(options: CopyWriterOptions) {
    this.#options = options;
  }

  /** Writes the changed state. @param options.removesRevoked whether a version was revoked */
  changed({ removesRevoked = false } = {}): void {
    this.#dirty = true;
    this.#removesRevoked ||= removesRevoked;
    this.#writing ??= this.#write();
  }

  /** The content is still current: writes it once a minute, and after a failure. */
  confirmed(): void {
    if (this.#dirty || performance.now() - this.#writtenAt > CONFIRM_INTERVAL) this.changed();
  }

  /** Waits until the last copy is written, but not for a write that hangs. */
  async close(): Promise<void> {
    await bounded({ timeout: SLOW_AFTER }, async () => this.#writing).catch(() => undefined);
  }

  async #write(): Promise<void> {
    while (this.#dirty && (await this.#writeOnce()));
    this.#writing = undefined; // in the same tick: a later change starts a new write
  }

  /** @returns whether to continue: it succeeded, or there was another change */
  async #writeOnce(): Promise<boolean> {
    const { copy, state } = this.#options;
    const removesRevoked = this.#removesRevoked;
    this.#dirty = this.#removesRevoked = false;
    this.#writtenAt = performance.now();
    const late = later(SLOW_AFTER, () => this.#report(`is still not written after ${SLOW_AFTER / 1000} s`));
    try {
      await copy.save(state());
      this.#failed = false;
      return true;
    } catch (error) {
      const rest = removesRevoked ? await this.#remove(copy) : '';
      if (removesRevoked || !this.#failed) this.#report(`cannot be written: ${messageOf(error)}${rest}`, error);
      const changedAgain = this.#dirty;
      this.#failed = this.#dirty = true;
      return changedAgain;
    } finally {
      clearTimeout(late);
    }
  }

  /** Removes a copy that may contain a revoked version. @returns the result, for the message */
  async #remove(copy: PackCopy): Promise<string> {
    try {
      if (copy.clear === undefined) throw new Error('it has no clear() method');
      await copy.clear();
      return '. It was removed, because it may contain a revoked version';
    } catch (error) {
      this.#removesRevoked = true;
      return `. It may still contain a revoked version and could not be removed (${messageOf(error)}): remove it by hand`;
    }
  }

  #report(what: string, cause?: unknown): void {
    this.#options.onFailure(
      new RegistryFailure(
        'copy-failed',
        `The local copy of ${this.#options.pack} ${what}. The next change will retry.`,
        { cause },
      ),
    );
  }
}
