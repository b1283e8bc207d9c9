/** Reading pages: their text, their sections and their blocks of code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../apps/server-process.ts';

/** The text of a file of the repository. @param path from the root, e.g. `docs/packs.md` */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** What is below a heading of any level from `##` on, up to the next heading; empty if there is no such heading. */
export function sectionOf(page: string, heading: string): string {
  return page.split(/^##+ /mu).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of code at the beginning of a line, in order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gmu)].map(([, language = '', text = '']) => ({
    language,
    text: text.trim(),
  }));
}
