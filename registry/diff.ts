/**
 * How two versions differ, asset by asset, so that an operator sees what a move would change before making it.
 *
 * Unified hunks are from jsdiff (Myers 1986); where two texts have so little in common that this would take long, one hunk says
 * that all of it was replaced.
 */
import { structuredPatch } from 'diff';
import { canonical } from './event.ts';
import type { PackContent } from './model.ts';
import type { VersionRecord } from './snapshot.ts';

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
const MOST_EDITS = 2000;

/** What changes from one edition to another; from nothing, everything is added. */
export function differences(from: Edition | undefined, to: Edition): Differences {
  const before = assetsOf(from?.content);
  const after = assetsOf(to.content);
  let edits = MOST_EDITS;
  const assets = [...new Set([...after.keys(), ...before.keys()])].map((asset) => {
    const diff = assetDiff(asset, before.get(asset), after.get(asset), edits);
    edits = Math.max(0, edits - editsIn(diff));
    return diff;
  });
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
function assetDiff(asset: string, before: string | undefined, after: string | undefined, edits: number): AssetDiff {
  if (before === after) return { asset, change: 'same', hunks: [] };
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { asset, change, hunks: hunksOf(asset, linesOf(before), linesOf(after), edits) };
}

function linesOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split('\n');
}

/** Every line is ended, the last one too, as in the file that a text comes from: so no hunk has to speak of a missing newline. */
function hunksOf(asset: string, gone: readonly string[], came: readonly string[], edits: number): Hunk[] {
  const ended = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const patch = structuredPatch(asset, asset, ended(gone), ended(came), undefined, undefined, { context: 3, maxEditLength: edits });
  if (patch !== undefined) return patch.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({ oldStart, oldLines, newStart, newLines, lines }));
  return [{ oldStart: 1, oldLines: gone.length, newStart: 1, newLines: came.length, lines: [...gone.map((line) => `-${line}`), ...came.map((line) => `+${line}`)] }];
}

function metadataDiff(from: VersionRecord, to: VersionRecord): MetadataDiff[] {
  const fields = ['summary', 'author', 'defaultStyle', 'compatibility', 'styles'] as const;
  return fields
    .map((field) => ({ field, from: canonical(from[field]), to: canonical(to[field]) }))
    .filter((field) => field.from !== field.to);
}
