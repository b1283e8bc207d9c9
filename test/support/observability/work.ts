/**
 * Counting work instead of timing it: what is copied into maps, sets and frozen lists, and what is written to files.
 *
 * The counters stand in the places that every copy and every write must pass, so that they count whatever the code under test is made of.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { randomUUID } from 'node:crypto';

/** How many items a task puts into maps and sets, and how long the lists are that it freezes, all together. */
export async function copiedBy(task: () => unknown): Promise<number> {
  let copied = 0;
  const set = Reflect.get(Map.prototype, 'set') as (
    this: Map<unknown, unknown>,
    key: unknown,
    value: unknown,
  ) => Map<unknown, unknown>;
  const add = Reflect.get(Set.prototype, 'add') as (this: Set<unknown>, item: unknown) => Set<unknown>;
  const freeze = Object.freeze.bind(Object);
  Map.prototype.set = function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
    copied += 1;
    return set.call(this, key, value);
  };
  Set.prototype.add = function (this: Set<unknown>, item: unknown) {
    copied += 1;
    return add.call(this, item);
  };
  Object.freeze = (value: unknown) => {
    if (Array.isArray(value)) copied += value.length;
    return freeze(value);
  };
  try {
    await task();
    return copied;
  } finally {
    Map.prototype.set = set;
    Set.prototype.add = add;
    Object.freeze = freeze;
  }
}

/** What files were given and told to keep, by number of the file (inode). */
export interface FileWork {
  /** Bytes that were written. */
  written: number;
  /** For each file how long it was when it was last synced; what lies beyond is lost with the power. */
  readonly synced: ReadonlyMap<number, number>;
  /** Stops the counting. */
  stop(): void;
}

/** Counts what goes through file handles from now on. */
export async function watchFiles(): Promise<FileWork> {
  const name = join(tmpdir(), `probe-${randomUUID()}`);
  const probe = await open(name, 'wx');
  const handles = Object.getPrototypeOf(probe) as Record<
    'writeFile' | 'sync' | 'datasync',
    (this: typeof probe, ...given: unknown[]) => Promise<unknown>
  >;
  await probe.close();
  await rm(name);
  const real = { writeFile: handles.writeFile, sync: handles.sync, datasync: handles.datasync };
  const synced = new Map<number, number>();
  const work: FileWork = { written: 0, synced, stop: () => void Object.assign(handles, real) };
  handles.writeFile = function (data, ...given) {
    work.written += Buffer.byteLength(data as string | Buffer);
    return real.writeFile.call(this, data, ...given);
  };
  for (const kind of ['sync', 'datasync'] as const) {
    handles[kind] = async function () {
      await real[kind].call(this);
      const { ino, size } = await this.stat();
      synced.set(ino, size);
    };
  }
  return work;
}
