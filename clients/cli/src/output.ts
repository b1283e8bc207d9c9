/**
 * Output of a command: results on stdout, everything else on stderr.
 *
 * Problem: prompts, labels and reasons are written by other people, and a terminal obeys control characters.
 * Rule: all text goes through `safe`, which shows control characters instead of sending them. Only a prompt that goes to a file or a pipe
 * stays unchanged. Colors are for terminals; NO_COLOR and FORCE_COLOR are honored.
 * Example: the label `ops\u001b[2J` is shown as `ops\x1b[2J` and does not clear the screen.
 */
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { CliError } from './exit.ts';
import { widthOf } from './width.ts';

/** The process environment of a command: streams, variables, working directory. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** Text, optionally styled. */
export type Cell = string | readonly [Style, string];

/** C0, DEL, C1, and characters that reverse a line or are invisible. */
// eslint-disable-next-line no-control-regex -- finding control characters is the purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Text on one line, with control characters escaped. */
export function safe(text: string): string {
  return text.replace(CONTROL, escaped);
}

/** Text on several lines: keeps line ends and tabs. */
export function safeLines(text: string): string {
  return text.replace(CONTROL, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/** JSON on one line. Control characters are written as `\uXXXX`, which is equivalent. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    CONTROL,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export interface OutputOptions {
  readonly json: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

export class Output {
  readonly json: boolean;
  readonly #io: Io;
  readonly #color: boolean;

  constructor(io: Io, { json, color }: OutputOptions) {
    this.#io = io;
    this.json = json;
    this.#color = color;
  }

  /** Whether stdout is a terminal. */
  get onTerminal(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Escaped text, styled if the stream supports it. */
  paint(style: Style, text: string, stream: Writable & { readonly isTTY?: boolean } = this.#io.stdout): string {
    return this.#styled(style, safeLines(text), stream);
  }

  #styled(style: Style, text: string, stream: Writable & { readonly isTTY?: boolean }): string {
    return this.#colored(stream) ? styleText(style, text, { validateStream: false }) : text;
  }

  #colored(stream: { readonly isTTY?: boolean }): boolean {
    const { NO_COLOR = '', FORCE_COLOR = '', TERM } = this.#io.env;
    if (!this.#color || NO_COLOR !== '') return false;
    if (FORCE_COLOR !== '') return FORCE_COLOR !== '0';
    return stream.isTTY === true && TERM !== 'dumb';
  }

  /** A line on stdout, unchanged. */
  line(text = ''): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** Lines on stdout, escaped. */
  say(text: string): void {
    this.line(safeLines(text));
  }

  /** A line of a prompt: escaped only on a terminal. */
  promptLine(text: string, style?: Style): void {
    const line = this.onTerminal ? safe(text) : text;
    this.line(style === undefined ? line : this.#styled(style, line, this.#io.stdout));
  }

  /** A whole prompt: unchanged, but escaped and with a final line end on a terminal. */
  exact(text: string): void {
    this.#io.stdout.write(this.onTerminal ? `${safeLines(text)}\n` : text);
  }

  /** The result of a command, as JSON or as text. */
  result(value: unknown, printText: () => void): void {
    if (this.json) this.line(jsonText(value));
    else printText();
  }

  /** A table with aligned columns; cells are escaped. @param indent spaces before each row */
  table(rows: readonly (readonly Cell[])[], indent = ''): void {
    const textOf = (cell: Cell) => safe(typeof cell === 'string' ? cell : cell[1]);
    const widths: number[] = [];
    for (const row of rows) {
      row.forEach((cell, column) => {
        widths[column] = Math.max(widths[column] ?? 0, widthOf(textOf(cell)));
      });
    }
    for (const row of rows) {
      const last = row.findLastIndex((cell) => textOf(cell) !== '');
      const cells = row.slice(0, last + 1).map((cell, column) => {
        const gap = column === last ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(textOf(cell)) + 2);
        return `${typeof cell === 'string' ? textOf(cell) : this.paint(cell[0], textOf(cell))}${gap}`;
      });
      this.line(`${indent}${cells.join('')}`);
    }
  }

  /** A remark on stderr, escaped; omitted with `--json`. */
  note(text: string): void {
    if (!this.json) this.#io.stderr.write(`${this.paint('dim', text, this.#io.stderr)}\n`);
  }

  /** A warning on stderr, escaped; omitted with `--json`, where the result contains it. */
  warn(text: string): void {
    if (!this.json) this.#io.stderr.write(`${this.paint('yellow', text, this.#io.stderr)}\n`);
  }

  /** Context of a question, on stderr, escaped. */
  aside(text: string): void {
    this.#io.stderr.write(`${safeLines(text)}\n`);
  }

  /** An error on stderr: one JSON object, or a message and a hint. */
  printError({ message, code, hint, exit, members }: CliError): void {
    if (this.json) {
      this.#io.stderr.write(
        `${jsonText({ code, message, ...(hint !== undefined && { hint }), exitCode: exit, ...members })}\n`,
      );
      return;
    }
    this.#io.stderr.write(
      `${this.paint('red', 'error:', this.#io.stderr)} ${safeLines(message)}\n${hint === undefined ? '' : `${safeLines(hint)}\n`}`,
    );
  }
}
