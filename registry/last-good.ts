/**
 * The last good snapshot, kept on the instance's own disk so that a start need not fold a long log.
 *
 * Problem: a boot over a million events takes seconds; without the store there would be no boot at all (SPEC R9); and a file that a crash
 * cut in half must never be believed.
 * Rule: the file holds one line a pack and a first line with the place in the log, the keys (API keys as hashes, session keys) and a
 * digest over all; it is written off the write path, within 500 ms of a flip, to a temporary file that is synced and then renamed.
 * The active contents are on the disk before it is (`local-contents.ts`). A file that does not verify is as good as none; of two that do,
 * the later one counts.
 * Example: after 1,000 events on one pack of a hundred, ninety-nine lines are the ones made before.
 */
import { createHash } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { FrozenMap } from './frozen-map.ts';
import { SILENT, type Log } from './log.ts';
import { messageOf } from './errors.ts';
import type { Contents } from './contents.ts';
import type { LocalContents } from './local-contents.ts';
import type { PackContent } from './model.ts';
import { deepFreeze } from './pack.ts';
import { reaches, standIn, type KeyRecord, type PackState, type Pointer, type PolicyRecord, type Snapshot, type VersionRecord } from './snapshot.ts';
import type { SessionKey } from './store.ts';

/** A snapshot as it was saved: all but the views, which are made from contents. */
export type SavedSnapshot = Omit<Snapshot, 'views'>;

/** Where contents come from, and where those are put that must outlive the store. */
export interface Texts {
  readonly contents: Contents;
  readonly local: LocalContents;
}

/** What the disk gave back. */
export interface Saved {
  readonly state: SavedSnapshot;
  readonly sessionKeys: readonly SessionKey[];
  /** When the process before this one last said that it was current; milliseconds since the epoch. */
  readonly confirmedAt: number;
}

const FORMAT = 3;
const FILE = 'snapshot.jsonl';
/** How long a write may wait for further flips, in milliseconds. */
const WRITE_DELAY = 250;

/** Where in which log the snapshot is, and what belongs to no pack. */
interface Common extends Omit<Snapshot, 'packs' | 'keys' | 'views'> {
  readonly keys: readonly KeyRecord[];
  readonly sessionKeys: readonly SessionKey[];
}

interface Header extends Common {
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
  readonly #texts: Texts | undefined;
  readonly #lines = new WeakMap<PackState, Line>();
  #sessionKeys: readonly SessionKey[] = [];
  #wanted: Snapshot | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param dir an existing folder that only this process's user may read
   * @param texts where the contents in use are put beside it; nowhere where not given
   */
  constructor(dir: string, log: Log, texts?: Texts) {
    this.#path = join(dir, FILE);
    this.#log = log;
    this.#texts = texts;
  }

  /** The latest saved snapshot, or undefined where there is none that verifies; the log then says why. */
  async load(): Promise<Saved | undefined> {
    // A crash between the sync and the rename leaves the later one under its temporary name.
    const [file, temporary] = [await this.#loadFrom(this.#path, this.#log), await this.#loadFrom(this.#temporary, SILENT)]; // one that was cut in half was never the last good one
    if (file === undefined || temporary === undefined) return file ?? temporary;
    return temporary.state.registryId === file.state.registryId && reaches(temporary.state, file.state) ? temporary : file;
  }

  /** Has this snapshot written soon, or a later one in its place. */
  save(snapshot: Snapshot, sessionKeys: readonly SessionKey[]): void {
    this.#wanted = snapshot;
    this.#sessionKeys = sessionKeys;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY).unref();
  }

  /** Notes on the file that what it holds is still current. Never rejects. */
  async confirm(): Promise<void> {
    const now = new Date();
    if (this.#wanted === undefined) await utimes(this.#path, now, now).catch(() => undefined); // the next one to be written says it as well
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

  get #temporary(): string {
    return `${this.#path}.tmp`;
  }

  async #loadFrom(path: string, log: Log): Promise<Saved | undefined> {
    let text: string;
    let confirmedAt: number;
    try {
      text = await readFile(path, 'utf8');
      confirmedAt = (await stat(path)).mtimeMs;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn({ path, err: error }, 'The last good snapshot cannot be read; the log is folded instead.');
      return undefined;
    }
    try {
      const { state, sessionKeys } = this.#parse(text);
      return { state, sessionKeys, confirmedAt };
    } catch (error) {
      log.warn({ path, reason: messageOf(error) }, 'The last good snapshot is damaged, or of another build, and is not used; the log is folded instead.');
      return undefined;
    }
  }

  async #write(snapshot: Snapshot): Promise<void> {
    if (this.#texts !== undefined) await this.#texts.local.keep(await this.#contentsInUse(snapshot, this.#texts.contents));
    const lines = [...snapshot.packs.values()].map((state) => this.#lineOf(state));
    const { registryId, epoch, epochStart, revision, hash, at } = snapshot;
    const common: Common = { registryId, epoch, epochStart, revision, hash, at, keys: [...snapshot.keys.values()], sessionKeys: this.#sessionKeys };
    const header: Header = { format: FORMAT, ...common, digest: digestOver([JSON.stringify(common), ...lines.map(({ digest }) => digest)]) };
    const file = await open(this.#temporary, 'w', 0o600);
    try {
      await file.writeFile([JSON.stringify(header), ...lines.map(({ text }) => text), ''].join('\n'));
      await file.sync();
    } catch (error) {
      await file.close();
      await unlink(this.#temporary);
      throw error;
    }
    await file.close();
    await rename(this.#temporary, this.#path);
  }

  /** What is active, and what stands in for revoked versions. */
  async #contentsInUse({ packs, views }: Snapshot, contents: Contents): Promise<Map<string, PackContent>> {
    const inUse = new Map<string, PackContent>();
    for (const channels of views.values()) for (const { activePack, content } of channels.values()) inUse.set(activePack.digest, content);
    for (const state of packs.values()) {
      for (const record of state.sorted) {
        const digest = record.revocation === undefined ? undefined : standIn(state, record)?.digest;
        if (digest === undefined || inUse.has(digest)) continue;
        try {
          inUse.set(digest, await contents.get(digest));
        } catch (error) {
          this.#log.warn({ digest, reason: messageOf(error) }, 'The content that stands in for a revoked version could not be put on this disk; the next flip tries again.');
        }
      }
    }
    return inUse;
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

  #parse(text: string): Pick<Saved, 'state' | 'sessionKeys'> {
    const [first = '', ...rest] = text.split('\n');
    if (rest.pop() !== '') throw new Error('It is cut short.');
    const { format, digest, ...common } = JSON.parse(first) as Header;
    if (format !== FORMAT) throw new Error(`It is of format ${format}, of another build; this one reads ${FORMAT}.`);
    if (digestOver([JSON.stringify(common), ...rest.map((line) => digestOver([line]))]) !== digest) throw new Error('Its digest does not match.');
    const packs = new FrozenMap(
      rest.map((line) => {
        const state = parseState(line);
        this.#lines.set(state, { text: line, digest: digestOver([line]) });
        return [state.pack, state] as const;
      }),
    );
    const { keys, sessionKeys, ...place } = common;
    return { state: { ...place, packs, keys: new FrozenMap(deepFreeze(keys).map((record) => [record.keyId, record] as const)) }, sessionKeys: deepFreeze(sessionKeys) };
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
