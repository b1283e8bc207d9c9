/**
 * The versions of a pack in SemVer order, highest first.
 *
 * Problem: a snapshot never changes, so each publication would copy the list of all versions.
 * Rule: an immutable tree with at most `WIDTH` items per node. Adding or replacing a version creates new nodes only on the path to it and
 * shares all others with the old tree. The work grows with the logarithm of the number of versions.
 * Example: with 10,000 versions, `with` creates four nodes.
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
  /** The highest version in it. */
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

  /** The record of a version; undefined if it is unknown or not a SemVer version. */
  get(version: string): VersionRecord | undefined {
    const key = parse(version);
    const found = key === null ? undefined : entryOf(this.#root, key)?.record;
    return found?.version === version ? found : undefined; // `parse` also accepts `v1.0.0`
  }

  has(version: string): boolean {
    return this.get(version) !== undefined;
  }

  /** These versions with this record added or replaced. @throws TypeError if its version is not SemVer */
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

  /** The highest version that matches. */
  find(matches: (record: VersionRecord) => boolean): VersionRecord | undefined {
    for (const record of this) if (matches(record)) return record;
    return undefined;
  }

  /** The `count` highest versions, highest first. */
  highest(count: number): VersionRecord[] {
    return firstOf(this, count);
  }

  /** The versions lower than a SemVer version, highest first. */
  below(version: string): Generator<VersionRecord, undefined> {
    return walk(this.#root, new SemVer(version));
  }
}

/** The first items of a sequence; reads no further. */
export function firstOf<T>(sequence: Iterable<T>, count: number): T[] {
  const items: T[] = [];
  if (count < 1) return items;
  for (const item of sequence) if (items.push(item) >= count) break;
  return items;
}

/** How many items are at least as high as the key. */
function countAtLeast(items: readonly { readonly key: SemVer }[], key: SemVer): number {
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
  while (node !== undefined && 'nodes' in node) node = node.nodes[countAtLeast(node.nodes, key) - 1];
  const entry = node?.entries[countAtLeast(node.entries, key) - 1];
  return entry?.key.compare(key) === 0 ? entry : undefined;
}

/** The node with the entry in it; two nodes if it became too wide. */
function put(node: Node, entry: Entry): readonly Node[] {
  if ('entries' in node) {
    const index = countAtLeast(node.entries, entry.key);
    const known = node.entries[index - 1]?.key.compare(entry.key) === 0;
    return splitIfFull(known ? node.entries.with(index - 1, entry) : node.entries.toSpliced(index, 0, entry), leafOf);
  }
  const index = Math.max(0, countAtLeast(node.nodes, entry.key) - 1);
  const child = node.nodes[index];
  return child === undefined ? [node] : splitIfFull(node.nodes.toSpliced(index, 1, ...put(child, entry)), branchOf);
}

function splitIfFull<T>(items: readonly T[], build: (items: readonly T[]) => Node): readonly Node[] {
  if (items.length <= WIDTH) return [build(items)];
  const middle = items.length >>> 1;
  return [build(items.slice(0, middle)), build(items.slice(middle))];
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

/** The records of a node, highest first; with a limit, only those lower than it. */
function* walk(node: Node | undefined, limit?: SemVer): Generator<VersionRecord, undefined> {
  if (node === undefined) return;
  if ('entries' in node) {
    for (const { record } of limit === undefined ? node.entries : node.entries.slice(countAtLeast(node.entries, limit)))
      yield record;
    return;
  }
  // The last node whose highest version reaches the limit may also hold lower ones; all nodes after it are lower.
  const start = limit === undefined ? 0 : Math.max(0, countAtLeast(node.nodes, limit) - 1);
  for (let index = start; index < node.nodes.length; index += 1)
    yield* walk(node.nodes[index], index === start ? limit : undefined);
}
