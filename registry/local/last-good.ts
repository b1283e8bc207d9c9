/**
 * The last good snapshot, kept on the instance's own disk so that a start need not fold a long log.
 *
 * Problem: folding a million events takes seconds at each start, a start without the store would be impossible (SPEC R9), and a file that a
 * crash cut in half must never be trusted.
 * Rule: the events of a flip are appended to the file within 500 ms, off the write path, and synced. At each start, and when the appended
 * events are as large as the state, the whole state is rewritten: to a temporary file, in pieces so that reads continue, synced, then renamed.
 * `snapshot-file.ts` describes the lines. Active contents are on the disk before the file names them (`contents-in-use.ts`). A file that does
 * not verify is ignored; of two that do, the later one is used.
 * Example: the 10,000th version of a pack is one line of a kilobyte.
 */
import { readFile, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContentsInUse } from './contents-in-use.ts';
import { messageOf } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { replacePrivate, temporaryOf } from '../machine/private-file.ts';
import { Seal, type SealKey } from './seal.ts';
import { eventsLine, linesOf, readSnapshotFile, sealLine, type SavedState } from './snapshot-file.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { SessionKey } from '../log/store.ts';
import { reaches } from '../state/position.ts';

/** A snapshot read from the disk. */
export interface Saved extends SavedState {
  /** When the previous process last noted that the file was current; milliseconds since the epoch. */
  readonly confirmedAt: number;
  /** Whether it carries a MAC, which only the holder of the key can make. */
  readonly authentic: boolean;
}

export interface LastGoodOptions {
  readonly logger: Logger;
  /** With a key, the file carries a MAC, and a file without one is refused. */
  readonly key?: SealKey | undefined;
  /** Saves the contents in use next to the file; default: not saved. */
  readonly inUse?: ContentsInUse;
}

const FILE = 'snapshot.jsonl';
/** How long a write may wait for further flips, in milliseconds. */
const WRITE_DELAY = 250;
/** Characters of the state that are written at once: about a millisecond of work. */
const PIECE = 65_536;
/** Bytes of events that are appended at least before the state is rewritten. */
const LEAST_APPENDED = 1024 * 1024;
/** The most events that wait to be appended; with more, the state is rewritten. */
const MOST_WAITING = 10_000;

/** The file as this process has written it. */
interface Written {
  readonly file: FileHandle;
  readonly seal: Seal;
  /** Bytes of the state. */
  readonly whole: number;
  /** Bytes of all of it. */
  size: number;
}

export class LastGood {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #key: SealKey | undefined;
  readonly #inUse: ContentsInUse | undefined;
  #latest: { readonly snapshot: Snapshot; readonly sessionKeys: readonly SessionKey[] } | undefined;
  /** Events since the last write; undefined if the whole state must be rewritten. */
  #events: Event[] | undefined;
  #pending = false;
  #written: Written | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param dir an existing folder that only this process's user may read */
  constructor(dir: string, { logger, key, inUse }: LastGoodOptions) {
    this.#path = join(dir, FILE);
    this.#logger = logger;
    this.#key = key;
    this.#inUse = inUse;
  }

  /** The latest saved snapshot, or undefined if none verifies; the reason is logged. */
  async load(): Promise<Saved | undefined> {
    // A crash between the sync and the rename leaves the later file under its temporary name.
    const [file, temporary] = [
      await this.#loadFrom(this.#path, this.#logger),
      await this.#loadFrom(temporaryOf(this.#path), SILENT),
    ]; // not logged: a temporary file that was cut in half was never the last good one
    if (file === undefined || temporary === undefined) return file ?? temporary;
    return temporary.state.registryId === file.state.registryId && reaches(temporary.state, file.state)
      ? temporary
      : file;
  }

  /**
   * Schedules a write of this snapshot, or of a later one.
   * @param events the events since the snapshot that was saved before; empty if unknown
   */
  save(snapshot: Snapshot, sessionKeys: readonly SessionKey[], events: readonly Event[] = []): void {
    const before = this.#latest;
    const goesOn =
      before?.sessionKeys === sessionKeys &&
      (snapshot === before.snapshot || events[0]?.previousHash === before.snapshot.hash);
    if (!goesOn || (this.#events?.length ?? 0) + events.length > MOST_WAITING) this.#events = undefined;
    else if (snapshot !== before.snapshot) this.#events?.push(...events);
    this.#latest = { snapshot, sessionKeys };
    this.#pending = true;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY).unref();
  }

  /** Notes that the file is still current, by its modification time. Never rejects. */
  async confirm(): Promise<void> {
    const now = new Date();
    if (!this.#pending) await this.#written?.file.utimes(now, now).catch(() => undefined); // a pending write updates the time as well
  }

  /** Writes what is pending, now. Never rejects: a failure is logged, and the next flip retries. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writePending());
    await this.#writing;
  }

  /** Writes what is pending and closes the file. Never rejects. */
  async close(): Promise<void> {
    await this.flush();
    await this.#closeFile();
  }

  async #loadFrom(path: string, logger: Logger): Promise<Saved | undefined> {
    let bytes: Buffer;
    let confirmedAt: number;
    try {
      bytes = await readFile(path);
      confirmedAt = (await stat(path)).mtimeMs;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        logger.warn({ path, err: error }, 'The last good snapshot cannot be read; the log is folded instead.');
      return undefined;
    }
    try {
      return { ...readSnapshotFile(bytes, this.#key), confirmedAt, authentic: this.#key !== undefined };
    } catch (error) {
      const fields = { path, reason: messageOf(error) };
      if (this.#key === undefined)
        logger.warn(
          fields,
          'The last good snapshot is damaged or was written by another build, so it is not used; the log is folded instead.',
        );
      else
        logger.error(
          fields,
          'The last good snapshot does not carry the MAC of SNAPSHOT_KEY_FILE, so it is not used; the log is folded instead. This is expected at the first start with a new key. Otherwise find out who wrote to DATA_DIR.',
        );
      return undefined;
    }
  }

  async #writePending(): Promise<void> {
    const [latest, events] = [this.#latest, this.#events];
    if (!this.#pending || latest === undefined) return;
    this.#pending = false;
    this.#events = [];
    try {
      await this.#inUse?.keep(latest.snapshot, events);
      if (events === undefined || !(await this.#append(events)))
        await this.#writeWhole(latest.snapshot, latest.sessionKeys);
    } catch (error) {
      this.#events = undefined;
      await this.#closeFile();
      this.#logger.error(
        { path: this.#path, err: error },
        'The last good snapshot could not be written; the next start will fold more of the log.',
      );
    }
  }

  /** Appends events to the file. @returns false if the file is missing, was changed or is full, so that the state must be rewritten */
  async #append(events: readonly Event[]): Promise<boolean> {
    const written = this.#written;
    if (
      written === undefined ||
      written.size - written.whole > Math.max(LEAST_APPENDED, written.whole) ||
      !(await this.#isAsLeft(written))
    )
      return false;
    if (events.length === 0) return true;
    const line = Buffer.from(eventsLine(events, written.seal));
    await written.file.writeFile(line);
    await written.file.datasync();
    written.size += line.length;
    return true;
  }

  /** Whether the file has not been moved away, replaced or cut since. */
  async #isAsLeft({ file, size }: Written): Promise<boolean> {
    const [mine, there] = [await file.stat(), await stat(this.#path).catch(() => undefined)];
    return there?.ino === mine.ino && there.dev === mine.dev && there.size === size;
  }

  async #writeWhole(snapshot: Snapshot, sessionKeys: readonly SessionKey[]): Promise<void> {
    const seal = new Seal(this.#key);
    let whole = 0;
    const file = await replacePrivate(this.#path, async (opened) => {
      const write = async (text: string) => {
        const piece = Buffer.from(text);
        whole += piece.length;
        await opened.writeFile(piece);
      };
      let piece = '';
      for (const line of linesOf(snapshot, sessionKeys, seal.kind)) {
        piece += line;
        if (piece.length < PIECE) continue;
        seal.update(piece);
        await write(piece);
        piece = '';
      }
      await write(`${piece}${sealLine(seal.update(piece))}`);
    });
    await this.#closeFile();
    this.#written = { file, seal, whole, size: whole };
  }

  async #closeFile(): Promise<void> {
    const written = this.#written;
    this.#written = undefined;
    await written?.file.close().catch(() => undefined);
  }
}
