/**
 * The last good snapshot, kept on the instance's own disk so that a start need not fold a long log.
 *
 * Problem: a boot over a million events takes seconds, and a file that a crash cut in half must never be believed.
 * Rule: the file holds one line a pack and a first line with the place in the log, the keys and a digest over all; it is written
 * off the write path, within 500 ms of a flip, to a temporary file that is synced and then renamed. A file that does not
 * verify is as good as none.
 * Example: after 1,000 events on one pack of a hundred, ninety-nine lines are the ones made before.
 */
import { createHash } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FrozenMap } from './frozen-map.ts';
import type { Log } from './log.ts';
import { messageOf } from './errors.ts';
import { deepFreeze } from './pack.ts';
import type { KeyRecord, PackState, Pointer, PolicyRecord, Snapshot, VersionRecord } from './snapshot.ts';

/** A snapshot as it was saved: all but the views, which are made from contents. */
export type SavedSnapshot = Omit<Snapshot, 'views'>;

const FORMAT = 2;
const FILE = 'snapshot.jsonl';
/** How long a write may wait for further flips, in milliseconds. */
const WRITE_DELAY = 250;

/** Where in which log the snapshot is, and what belongs to no pack. */
interface Place {
  readonly registryId: string;
  readonly revision: number;
  readonly hash: string;
  readonly at: string;
  readonly keys: readonly KeyRecord[];
}

interface Header extends Place {
  readonly format: number;
  readonly digest: string;
}

interface Line {
  readonly text: string;
  readonly digest: string;
}

export class LastGood {
  readonly #path: string;
  readonly #log: Log;
  readonly #lines = new WeakMap<PackState, Line>();
  #wanted: Snapshot | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param dir an existing folder that only this process's user may read */
  constructor(dir: string, log: Log) {
    this.#path = join(dir, FILE);
    this.#log = log;
  }

  /** The saved snapshot, or undefined where there is none or it does not verify; the log then says why. */
  async load(): Promise<SavedSnapshot | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.warn({ path: this.#path, err: error }, 'The last good snapshot cannot be read; the log is folded instead.');
      return undefined;
    }
    try {
      return this.#parse(text);
    } catch (error) {
      this.#log.warn({ path: this.#path, reason: messageOf(error) }, 'The last good snapshot is damaged and is not used; the log is folded instead.');
      return undefined;
    }
  }

  /** Has this snapshot written soon, or a later one in its place. */
  save(snapshot: Snapshot): void {
    this.#wanted = snapshot;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY).unref();
  }

  /** Writes what is wanted, now. Never rejects: a failure is logged, and the next flip tries again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const snapshot = this.#wanted;
    this.#wanted = undefined;
    if (snapshot !== undefined) {
      this.#writing = this.#writing.then(async () => {
        try {
          await this.#write(snapshot);
        } catch (error) {
          this.#log.error({ path: this.#path, err: error }, 'The last good snapshot could not be written; the next start will fold more of the log.');
        }
      });
    }
    await this.#writing;
  }

  async #write(snapshot: Snapshot): Promise<void> {
    const lines = [...snapshot.packs.values()].map((state) => this.#lineOf(state));
    const { registryId, revision, hash, at } = snapshot;
    const place: Place = { registryId, revision, hash, at, keys: [...snapshot.keys.values()] };
    const header: Header = { format: FORMAT, ...place, digest: digestOver([JSON.stringify(place), ...lines.map(({ digest }) => digest)]) };
    const temporary = `${this.#path}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile([JSON.stringify(header), ...lines.map(({ text }) => text), ''].join('\n'));
      await file.sync();
    } catch (error) {
      await file.close();
      await unlink(temporary);
      throw error;
    }
    await file.close();
    await rename(temporary, this.#path);
  }

  #lineOf(state: PackState): Line {
    let line = this.#lines.get(state);
    if (line === undefined) {
      const text = JSON.stringify({ pack: state.pack, versions: state.sorted, pointers: [...state.pointers.values()], policy: state.policy });
      line = { text, digest: digestOver([text]) };
      this.#lines.set(state, line);
    }
    return line;
  }

  #parse(text: string): SavedSnapshot {
    const [first = '', ...rest] = text.split('\n');
    if (rest.pop() !== '') throw new Error('It is cut short.');
    const { format, digest, ...place } = JSON.parse(first) as Header;
    if (format !== FORMAT) throw new Error(`It is of format ${format}; this service reads ${FORMAT}.`);
    if (digestOver([JSON.stringify(place), ...rest.map((line) => digestOver([line]))]) !== digest) throw new Error('Its digest does not match.');
    const packs = new FrozenMap(
      rest.map((line) => {
        const state = parseState(line);
        this.#lines.set(state, { text: line, digest: digestOver([line]) });
        return [state.pack, state] as const;
      }),
    );
    return { ...place, packs, keys: new FrozenMap(deepFreeze(place.keys).map((record) => [record.keyId, record] as const)) };
  }
}

function parseState(line: string): PackState {
  const saved = deepFreeze(JSON.parse(line) as { pack: string; versions: VersionRecord[]; pointers: Pointer[]; policy?: PolicyRecord });
  return Object.freeze({
    pack: saved.pack,
    versions: new FrozenMap(saved.versions.map((record) => [record.version, record] as const)),
    sorted: saved.versions,
    pointers: new FrozenMap(saved.pointers.map((pointer) => [pointer.channel, pointer] as const)),
    policy: saved.policy,
  });
}

function digestOver(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
