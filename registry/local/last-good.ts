/**
 * The last good snapshot, kept on the instance's own disk so that a start need not fold a long log.
 *
 * Problem: a boot over a million events takes seconds; without the store there would be no boot at all (SPEC R9); and a file that a crash
 * cut in half must never be believed.
 * Rule: what a flip appended to the log is appended to the file, off the write path, within 500 ms, and synced. When as much was appended as
 * the state takes, and at each start, the state is written anew: aside, a piece at a time so that reads go on, synced, then renamed. What the
 * lines say is told in `snapshot-file.ts`. The active contents are on the disk before the file names them (`contents-in-use.ts`). A file that
 * does not verify is as good as none; of two that do, the later one counts.
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
import { reaches, type Snapshot } from '../state/snapshot.ts';
import type { SessionKey } from '../log/store.ts';

/** What the disk gave back. */
export interface Saved extends SavedState {
  /** When the process before this one last said that it was current; milliseconds since the epoch. */
  readonly confirmedAt: number;
  /** Whether it carries a MAC, which nobody without the key can make. */
  readonly authentic: boolean;
}

export interface LastGoodOptions {
  readonly logger: Logger;
  /** With it the file carries a MAC, and one without is refused. */
  readonly key?: SealKey | undefined;
  /** Where the contents in use are put beside the file; nowhere if missing. */
  readonly inUse?: ContentsInUse;
}

const FILE = 'snapshot.jsonl';
/** How long a write may wait for further flips, in milliseconds. */
const WRITE_DELAY = 250;
/** Characters of a whole state that are written at once: a millisecond of work. */
const PIECE = 65_536;
/** Bytes of events that are appended at least before the state is written anew. */
const LEAST_APPENDED = 1024 * 1024;
/** Events that wait to be appended at most; beyond, the state is written anew. */
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
  /** What came since the last write; undefined where the state is to be written anew. */
  #events: Event[] | undefined;
  #wanted = false;
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

  /** The latest saved snapshot, or undefined where there is none that verifies; the log then says why. */
  async load(): Promise<Saved | undefined> {
    // A crash between the sync and the rename leaves the later one under its temporary name.
    const [file, temporary] = [
      await this.#loadFrom(this.#path, this.#logger),
      await this.#loadFrom(temporaryOf(this.#path), SILENT),
    ]; // one that was cut in half was never the last good one
    if (file === undefined || temporary === undefined) return file ?? temporary;
    return temporary.state.registryId === file.state.registryId && reaches(temporary.state, file.state)
      ? temporary
      : file;
  }

  /**
   * Has this snapshot written soon, or a later one in its place.
   * @param events what led to it from the one that was saved before; none where that is not known
   */
  save(snapshot: Snapshot, sessionKeys: readonly SessionKey[], events: readonly Event[] = []): void {
    const before = this.#latest;
    const goesOn =
      before?.sessionKeys === sessionKeys &&
      (snapshot === before.snapshot || events[0]?.previousHash === before.snapshot.hash);
    if (!goesOn || (this.#events?.length ?? 0) + events.length > MOST_WAITING) this.#events = undefined;
    else if (snapshot !== before.snapshot) this.#events?.push(...events);
    this.#latest = { snapshot, sessionKeys };
    this.#wanted = true;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY).unref();
  }

  /** Notes on the file that what it holds is still current. Never rejects. */
  async confirm(): Promise<void> {
    const now = new Date();
    if (!this.#wanted) await this.#written?.file.utimes(now, now).catch(() => undefined); // the next one to be written says it as well
  }

  /** Writes what is wanted, now. Never rejects: a failure is logged, and the next flip tries again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeWanted());
    await this.#writing;
  }

  /** Writes what is wanted, and gives the file back. Never rejects. */
  async close(): Promise<void> {
    await this.flush();
    await this.#letGo();
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
          'The last good snapshot is damaged, or of another build, and is not used; the log is folded instead.',
        );
      else
        logger.error(
          fields,
          'The last good snapshot does not carry the MAC of SNAPSHOT_KEY_FILE and is not used; the log is folded instead. That is expected at the first start with a new key. Else find out who wrote to DATA_DIR.',
        );
      return undefined;
    }
  }

  async #writeWanted(): Promise<void> {
    const [latest, events] = [this.#latest, this.#events];
    if (!this.#wanted || latest === undefined) return;
    this.#wanted = false;
    this.#events = [];
    try {
      await this.#inUse?.keep(latest.snapshot, events);
      if (events === undefined || !(await this.#append(events)))
        await this.#writeWhole(latest.snapshot, latest.sessionKeys);
    } catch (error) {
      this.#events = undefined;
      await this.#letGo();
      this.#logger.error(
        { path: this.#path, err: error },
        'The last good snapshot could not be written; the next start will fold more of the log.',
      );
    }
  }

  /** Appends events to the file. @returns whether it is there, as it was left, and has room */
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
    await this.#letGo();
    this.#written = { file, seal, whole, size: whole };
  }

  async #letGo(): Promise<void> {
    const written = this.#written;
    this.#written = undefined;
    await written?.file.close().catch(() => undefined);
  }
}
