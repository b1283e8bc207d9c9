/** Prints differences between versions as unified diffs, in color on a terminal. */
import type { components } from '@prompt-registry/client';
import { safe, type Output } from './output.ts';

export type Diff = Pick<
  components['schemas']['Diff'],
  'from' | 'to' | 'assets' | 'metadata' | 'stylesAdded' | 'stylesRemoved'
>;
type AssetDiff = components['schemas']['AssetDiff'];

/** Prints the whole difference. Prompt lines are unchanged unless they go to a terminal. */
export function printDiff(out: Output, { from, to, assets, metadata, stylesAdded, stylesRemoved }: Diff): void {
  const changed = assets.filter(({ change }) => change !== 'same');
  if (changed.length === 0 && metadata.length === 0) out.say(`No difference between ${from} and ${to}.`);
  for (const { field, from: before, to: after } of metadata) {
    out.line(out.paint('bold', safe(`${field}:`)));
    out.line(out.paint('red', `-${safe(before)}`));
    out.line(out.paint('green', `+${safe(after)}`));
  }
  for (const { asset, change, hunks } of changed) {
    out.line(out.paint('bold', safe(`--- ${change === 'added' ? '/dev/null' : `${from} ${asset}`}`)));
    out.line(out.paint('bold', safe(`+++ ${change === 'removed' ? '/dev/null' : `${to} ${asset}`}`)));
    for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
      out.line(out.paint('cyan', safe(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`)));
      for (const line of lines)
        out.promptLine(line, line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : undefined);
    }
  }
  printStyles(out, stylesAdded, stylesRemoved);
}

function printStyles(out: Output, added: readonly string[], removed: readonly string[]): void {
  if (added.length > 0) out.say(`styles added:   ${added.join(', ')}`);
  if (removed.length > 0) out.say(`styles removed: ${removed.join(', ')}`);
}

/** One line for each prompt that changed, with the number of lines. */
export function summaryOf(assets: readonly AssetDiff[]): string[] {
  const SIGNS = { added: '+', removed: '-', changed: '~' };
  return assets.flatMap(({ asset, change, hunks }) => {
    if (change === 'same') return [];
    const lines = hunks.flatMap((hunk) => hunk.lines);
    const countOf = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
    const [added, removed] = [countOf('+'), countOf('-')];
    const counts = [...(added > 0 ? [`+${added}`] : []), ...(removed > 0 ? [`-${removed}`] : [])].join(' ');
    return [`  ${SIGNS[change]} ${asset} (${counts} ${added + removed === 1 ? 'line' : 'lines'})`];
  });
}
