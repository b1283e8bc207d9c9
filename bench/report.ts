/** Tables of ratios in Markdown, each row with its goal, and the verdict over all of them. */
import { cpus, loadavg, release, type } from 'node:os';
import { styleText } from 'node:util';
import type { Spread } from './measure.ts';

const WIDTH = 140;

/** What a figure must reach. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** A figure, its unit, and what it must reach; without a goal it is for information only. */
export interface Figure {
  readonly spread: Spread;
  readonly unit: '×' | 'ms' | 'µs' | 'ns' | 'KB' | 'MB' | '%' | '/s';
  readonly goal?: Goal;
}

export interface Row {
  readonly what: string;
  /** By column. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** Why the figures say nothing, if so. Such a row neither meets nor misses its goals. */
  readonly doesNotCount?: string;
}

export interface Table {
  readonly title: string;
  /** What is compared with what, in a sentence or two. */
  readonly about: string;
  readonly rows: readonly Row[];
}

/** A figure that is measured once. */
export function single(figure: number): Spread {
  return { median: figure, min: figure, max: figure };
}

/** Shares as figures in per cent. */
export function percent({ median, min, max }: Spread): Spread {
  return { median: median * 100, min: min * 100, max: max * 100 };
}

/** Whether every goal of the row is met; undefined if it has none. */
export function met({ figures }: Row): boolean | undefined {
  const goals = Object.values(figures).filter(({ goal, spread }) => goal !== undefined && !Number.isNaN(spread.median));
  return goals.length === 0 ? undefined : goals.every(reached);
}

function reached({ spread, goal }: Figure): boolean {
  if (goal === undefined) return true;
  return 'atLeast' in goal ? spread.median >= goal.atLeast : spread.median <= goal.atMost;
}

/** A paragraph in lines that the linter of documents accepts. */
export function wrapped(paragraph: string): string {
  const lines = [''];
  for (const word of paragraph.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join('\n');
}

function judged(row: Row): string {
  if (row.doesNotCount !== undefined) return '**does not count**';
  return { true: 'yes', false: '**no**', undefined: '' }[String(met(row)) as 'true'];
}

/** The table as Markdown, and as it is read on a terminal. */
export function markdown({ title, about, rows }: Table): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const cells = [
    ['', ...columns, 'goal met'],
    ...rows.map((row) => [row.what, ...columns.map((column) => cellOf(row.figures[column])), judged(row)]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0), 3));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return `## ${title}\n\n${wrapped(about)}\n\n${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}

/** `0.81× (0.74–0.86) ≥ 0.75`. */
function cellOf(figure: Figure | undefined): string {
  if (figure === undefined || Number.isNaN(figure.spread.median)) return '–';
  const { spread, unit, goal } = figure;
  const { median, min, max } = spread;
  const value = `${written(median)}${unit === '×' ? '×' : ` ${unit}`}`;
  const range = min === max ? value : `${value} (${written(min)}–${written(max)})`;
  if (goal === undefined) return range;
  return `${range} ${'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`}`;
}

function written(figure: number): string {
  if (figure >= 100) return figure.toFixed(0);
  return figure >= 10 ? figure.toFixed(1) : figure.toFixed(2);
}

/** How many rows meet their goals, in one line, then one line for each that misses one or does not count. */
export function verdict(tables: readonly Table[]): string {
  const all = tables.flatMap(({ title, rows }) => rows.map((row) => ({ title, row })));
  const counted = all.filter(({ row }) => row.doesNotCount === undefined);
  const missed = counted.filter(({ row }) => met(row) === false);
  const uncounted = all.filter(({ row }) => row.doesNotCount !== undefined);
  const summary = `${counted.filter(({ row }) => met(row)).length} goals met, ${missed.length} missed, ${uncounted.length} not counted`;
  return [
    styleText(missed.length + uncounted.length === 0 ? 'green' : 'red', summary),
    ...missed.map(({ title, row }) => `- missed: ${title}: ${row.what}`),
    ...uncounted.map(({ title, row }) => `- does not count: ${title}: ${row.what}: ${row.doesNotCount}`),
  ].join('\n');
}

/**
 * What the figures were taken on, and how busy it was with other things at the start.
 * @param preferred whether the benchmark goes before all other programs
 */
export function machine(preferred: boolean): string {
  const cores = cpus();
  return `Machine: ${cores.length} cores, ${cores[0]?.model.trim() ?? 'unknown CPU'}; Node ${process.version}; ${type()} ${release()}; load average ${(loadavg()[0] ?? NaN).toFixed(1)} at the start; ${preferred ? 'highest' : 'usual'} priority; ${new Date().toISOString().slice(0, 10)}`;
}
