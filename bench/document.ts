/**
 * The last figures, in docs/performance.md.
 *
 * Problem: a table that is pasted by hand is soon from another run than the next one.
 * Rule: `--write` replaces the whole section of each table that was measured, and names the machine and the day in it. All other sections
 * are written by people and stay.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdown, wrapped, type Table } from './report.ts';

const FILE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** Replaces the section of a table. @throws Error if the document lacks it */
export function writeTable(table: Table, ranOn: string): void {
  writeFileSync(FILE, withTable(readFileSync(FILE, 'utf8'), table, ranOn));
}

/**
 * The document with this table in the section of the same title.
 * @param ranOn the machine and the day
 * @throws Error if there is no such section
 */
export function withTable(document: string, table: Table, ranOn: string): string {
  const heading = `## ${table.title}\n`;
  const start = document.indexOf(`\n${heading}`) + 1;
  if (start === 0)
    throw new Error(`docs/performance.md has no section "${table.title}". Add the heading, then run again.`);
  const next = document.indexOf('\n## ', start);
  const rest = next === -1 ? '' : document.slice(next);
  return `${document.slice(0, start)}${markdown(table)}\n${wrapped(ranOn)}\n${rest}`;
}
