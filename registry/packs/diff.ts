/**
 * How two versions differ, asset by asset, so that operators can see what a move would change before they make it.
 *
 * Problem: the time to find the shortest difference grows with the square of the differing lines, and a search must not block reads.
 * Rule: jsdiff (Myers 1986) makes the unified hunks. A long search continues in steps, one per turn of the event loop. If two texts have
 * too little in common even for that, one hunk replaces the whole text.
 */
import { setImmediate } from 'node:timers/promises';
import { structuredPatch, type StructuredPatch } from 'diff';
import { canonical } from '../values/canonical.ts';
import type { PackContent } from '../model.ts';
import type { VersionRecord } from '../state/records.ts';

export interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** Each begins with a space (unchanged), `-` (removed) or `+` (added). */
  readonly lines: readonly string[];
}

export interface AssetDiff {
  /** `system` or `styles/<id>`. */
  readonly asset: string;
  readonly change: 'added' | 'removed' | 'changed' | 'same';
  readonly hunks: readonly Hunk[];
}

/** A metadata field that differs; both sides as JSON text. */
export interface MetadataDiff {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

export interface Differences {
  readonly assets: readonly AssetDiff[];
  readonly metadata: readonly MetadataDiff[];
  readonly stylesAdded: readonly string[];
  readonly stylesRemoved: readonly string[];
}

/** A version with its texts. */
export interface Edition {
  readonly record: VersionRecord;
  readonly content: PackContent;
}

/** The most removed and added lines that one comparison searches for; the rest counts as replaced. Time grows with the square of this. */
const MAX_EDITS = 1000;

/** Edits searched for in one turn of the event loop: 10 to 20 ms of work, enough for a rewritten prompt of 200 lines. */
const EDITS_PER_TURN = 400;

/** What changes from one version to another. Without `from`, everything is added. Yields to the event loop between steps. */
export async function differences(from: Edition | undefined, to: Edition): Promise<Differences> {
  const before = assetsOf(from?.content);
  const after = assetsOf(to.content);
  let edits = MAX_EDITS;
  const assets: AssetDiff[] = [];
  for (const asset of new Set([...after.keys(), ...before.keys()])) {
    const diff = await assetDiff(asset, before.get(asset), after.get(asset), edits);
    edits = Math.max(0, edits - editsIn(diff));
    assets.push(diff);
  }
  const styles = (content: PackContent | undefined) => content?.styles.map(({ id }) => id) ?? [];
  return {
    assets,
    metadata: from === undefined ? [] : metadataDiff(from.record, to.record),
    stylesAdded: styles(to.content).filter((id) => !styles(from?.content).includes(id)),
    stylesRemoved: styles(from?.content).filter((id) => !styles(to.content).includes(id)),
  };
}

function assetsOf(content: PackContent | undefined): Map<string, string> {
  const assets = new Map<string, string>();
  if (content === undefined) return assets;
  assets.set('system', content.system);
  for (const { id, text } of content.styles) assets.set(`styles/${id}`, text);
  return assets;
}

function editsIn({ hunks }: AssetDiff): number {
  return hunks.reduce((sum, { lines }) => sum + lines.filter((line) => !line.startsWith(' ')).length, 0);
}

/** @param edits the most to search for */
async function assetDiff(
  asset: string,
  before: string | undefined,
  after: string | undefined,
  edits: number,
): Promise<AssetDiff> {
  if (before === after) return { asset, change: 'same', hunks: [] };
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  await setImmediate();
  return { asset, change, hunks: await hunksOf(linesOf(before), linesOf(after), edits) };
}

function linesOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split('\n');
}

/** Every line gets a line end, the last one too, so that no hunk reports a missing newline. */
async function hunksOf(oldLines: readonly string[], newLines: readonly string[], edits: number): Promise<Hunk[]> {
  const [before, after] = [oldLines, newLines].map((lines) => lines.map((line) => `${line}\n`).join('')) as [
    string,
    string,
  ];
  const quick = structuredPatch('', '', before, after, undefined, undefined, {
    context: 3,
    maxEditLength: Math.min(edits, EDITS_PER_TURN),
  });
  const patch = quick ?? (edits > EDITS_PER_TURN ? await patchInSteps(before, after, edits) : undefined);
  if (patch !== undefined)
    return patch.hunks.map((hunk) => ({
      oldStart: hunk.oldStart,
      oldLines: hunk.oldLines,
      newStart: hunk.newStart,
      newLines: hunk.newLines,
      lines: hunk.lines,
    }));
  return [
    {
      oldStart: 1,
      oldLines: oldLines.length,
      newStart: 1,
      newLines: newLines.length,
      lines: [...oldLines.map((line) => `-${line}`), ...newLines.map((line) => `+${line}`)],
    },
  ];
}

/** The same search, one step per turn; undefined if there are more edits. */
function patchInSteps(before: string, after: string, edits: number): Promise<StructuredPatch | undefined> {
  return new Promise(
    (callback) =>
      void structuredPatch('', '', before, after, undefined, undefined, { context: 3, maxEditLength: edits, callback }),
  );
}

function metadataDiff(from: VersionRecord, to: VersionRecord): MetadataDiff[] {
  const fields = ['summary', 'author', 'defaultStyle', 'compatibility', 'styles'] as const;
  return fields
    .map((field) => ({ field, from: canonical(from[field]), to: canonical(to[field]) }))
    .filter((field) => field.from !== field.to);
}
