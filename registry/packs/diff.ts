/**
 * How two versions differ, asset by asset, so that an operator sees what a move would change before making it.
 *
 * Problem: the search for the shortest difference grows with the square of the lines that differ, and a process that answers reads
 * must not stand still for it.
 * Rule: unified hunks are from jsdiff (Myers 1986). A search that is not over soon goes on in steps, one a turn of the event loop. Where
 * two texts have so little in common that even this would take long, one hunk says that all of it was replaced.
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
  /** Each begins with a blank (as it was), `-` (gone) or `+` (new). */
  readonly lines: readonly string[];
}

export interface AssetDiff {
  /** `system` or `styles/<id>`. */
  readonly asset: string;
  readonly change: 'added' | 'removed' | 'changed' | 'same';
  readonly hunks: readonly Hunk[];
}

/** A field of the metadata that differs, both sides as JSON text. */
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

/** Lines gone or new that are looked for in one comparison, before what is left is called replaced; the time grows with their square. */
const MOST_EDITS = 1000;

/** Edits that are looked for in one turn of the event loop: 10 to 20 ms of work, and enough for a prompt of 200 lines that was written anew. */
const EDITS_AT_ONCE = 400;

/** What changes from one edition to another; from nothing, everything is added. Lets others run between its steps. */
export async function differences(from: Edition | undefined, to: Edition): Promise<Differences> {
  const before = assetsOf(from?.content);
  const after = assetsOf(to.content);
  let edits = MOST_EDITS;
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

/** @param edits the most that are looked for */
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

/** Every line is ended, the last one too, as in the file that a text comes from: so no hunk has to speak of a missing newline. */
async function hunksOf(gone: readonly string[], came: readonly string[], edits: number): Promise<Hunk[]> {
  const [before, after] = [gone, came].map((lines) => lines.map((line) => `${line}\n`).join('')) as [string, string];
  const soon = structuredPatch('', '', before, after, undefined, undefined, {
    context: 3,
    maxEditLength: Math.min(edits, EDITS_AT_ONCE),
  });
  const patch = soon ?? (edits > EDITS_AT_ONCE ? await patchInSteps(before, after, edits) : undefined);
  if (patch !== undefined)
    return patch.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
      oldStart,
      oldLines,
      newStart,
      newLines,
      lines,
    }));
  return [
    {
      oldStart: 1,
      oldLines: gone.length,
      newStart: 1,
      newLines: came.length,
      lines: [...gone.map((line) => `-${line}`), ...came.map((line) => `+${line}`)],
    },
  ];
}

/** The same search, one step of it a turn; undefined if there are more edits than that. */
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
