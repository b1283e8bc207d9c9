/**
 * The versions of a pack in the order of SemVer, the highest first.
 *
 * Problem: a snapshot never changes, so one more version would mean a copy of all of them, for each publication.
 * Rule: a tree whose nodes hold at most `WIDTH` items and are never changed. A version more, or another record of one, makes the nodes on
 * the way to it anew; the others are shared with the versions before. So the work grows with the logarithm of their number.
 * Example: of 10,000 versions `with` makes four nodes anew.
 */
import { SemVer, parse } from 'semver';
import type { VersionRecord } from './records.ts';

/** The most items of a node. */
const WIDTH = 32;

interface Entry {
  readonly key: SemVer;
  readonly record: VersionRecord;
  readonly size: 1;
}

interface Leaf {
  /** The highest in it. */
  readonly key: SemVer;
  readonly entries: readonly Entry[];
  readonly size: number;
}

interface Branch {
  readonly key: SemVer;
  readonly nodes: readonly Node[];
  readonly size: number;
}

type Node = Leaf | Branch;

export class Versions implements Iterable<VersionRecord> {
  static readonly NONE: Versions = new Versions(undefined);
  readonly #root: Node | undefined;

  private constructor(root: Node | undefined) {
    this.#root = root;
    Object.freeze(this);
  }

  get size(): number {
    return this.#root?.size ?? 0;
  }

  /** The record of a version; undefined where there is none, or where that is no version. */
  get(version: string): VersionRecord | undefined {
    const key = parse(version);
    const found = key === null ? undefined : entryOf(this.#root, key)?.record;
    return found?.version === version ? found : undefined; // `v1.0.0` is read as 1.0.0
  }

  has(version: string): boolean {
    return this.get(version) !== undefined;
  }

  /** These versions and this one, in the place of another record of it. @throws TypeError where its name is no SemVer version */
  with(record: VersionRecord): Versions {
    const entry = Object.freeze({ key: new SemVer(record.version), record, size: 1 as const });
    if (this.#root === undefined) return new Versions(leafOf([entry]));
    const nodes = put(this.#root, entry);
    const [only] = nodes;
    return new Versions(nodes.length === 1 ? only : branchOf(nodes));
  }

  /** The highest version first. */
  [Symbol.iterator](): Generator<VersionRecord, undefined> {
    return walk(this.#root);
  }

  /** The highest version that is as wanted. */
  find(wanted: (record: VersionRecord) => boolean): VersionRecord | undefined {
    for (const record of this) if (wanted(record)) return record;
    return undefined;
  }

  /** So many versions, the highest first. */
  highest(count: number): VersionRecord[] {
    return firstOf(this, count);
  }

  /** Those that are lower than a SemVer version, the highest first. */
  below(version: string): Generator<VersionRecord, undefined> {
    return walk(this.#root, new SemVer(version));
  }
}

/** The first items of a sequence, which is not read any further. */
export function firstOf<T>(sequence: Iterable<T>, count: number): T[] {
  const items: T[] = [];
  if (count < 1) return items;
  for (const item of sequence) if (items.push(item) >= count) break;
  return items;
}

/** How many of the items are as high as the key, or higher. */
function countDownTo(items: readonly { readonly key: SemVer }[], key: SemVer): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.key.compare(key) ?? -1) >= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function entryOf(root: Node | undefined, key: SemVer): Entry | undefined {
  let node = root;
  while (node !== undefined && 'nodes' in node) node = node.nodes[countDownTo(node.nodes, key) - 1];
  const entry = node?.entries[countDownTo(node.entries, key) - 1];
  return entry?.key.compare(key) === 0 ? entry : undefined;
}

/** The node with the entry in it: one, or two where it became too wide. */
function put(node: Node, entry: Entry): readonly Node[] {
  if ('entries' in node) {
    const index = countDownTo(node.entries, entry.key);
    const known = node.entries[index - 1]?.key.compare(entry.key) === 0;
    return halved(known ? node.entries.with(index - 1, entry) : node.entries.toSpliced(index, 0, entry), leafOf);
  }
  const index = Math.max(0, countDownTo(node.nodes, entry.key) - 1);
  const child = node.nodes[index];
  return child === undefined ? [node] : halved(node.nodes.toSpliced(index, 1, ...put(child, entry)), branchOf);
}

function halved<T>(items: readonly T[], made: (items: readonly T[]) => Node): readonly Node[] {
  if (items.length <= WIDTH) return [made(items)];
  const middle = items.length >>> 1;
  return [made(items.slice(0, middle)), made(items.slice(middle))];
}

function leafOf(entries: readonly Entry[]): Leaf {
  return Object.freeze({ key: firstKey(entries), entries: Object.freeze(entries), size: entries.length });
}

function branchOf(nodes: readonly Node[]): Branch {
  return Object.freeze({
    key: firstKey(nodes),
    nodes: Object.freeze(nodes),
    size: nodes.reduce((size, node) => size + node.size, 0),
  });
}

function firstKey([first]: readonly { readonly key: SemVer }[]): SemVer {
  if (first === undefined) throw new RangeError('A node has at least one item.');
  return first.key;
}

/** From the first that is lower than the limit on. */
function* walk(node: Node | undefined, limit?: SemVer): Generator<VersionRecord, undefined> {
  if (node === undefined) return;
  if ('entries' in node) {
    for (const { record } of limit === undefined ? node.entries : node.entries.slice(countDownTo(node.entries, limit)))
      yield record;
    return;
  }
  // The node that begins above the limit may hold lower ones as well; those after it are lower as a whole.
  const start = limit === undefined ? 0 : Math.max(0, countDownTo(node.nodes, limit) - 1);
  for (let index = start; index < node.nodes.length; index += 1)
    yield* walk(node.nodes[index], index === start ? limit : undefined);
}
