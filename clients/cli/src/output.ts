/**
 * What a command says: answers on stdout, everything else on stderr.
 *
 * Problem: texts, labels and reasons come from whoever wrote them, and a terminal obeys control characters.
 * Rule: what is shown goes through `safe`, which shows such characters instead of sending them; only a prompt text that goes into a
 * file or a pipe is exact. Colours are for terminals; NO_COLOR and FORCE_COLOR are honoured.
 * Example: a label `ops\u001b[2J` is shown as `ops\x1b[2J`, and clears no screen.
 */
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Complaint } from './exit.ts';
import { widthOf } from './width.ts';

/** Where a command runs: its streams, its environment, its folder. */
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
/** A text, or one in a style. */
export type Cell = string | readonly [Style, string];

/** C0, DEL, C1, and what turns the direction of a line round or hides in it. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function shown(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** A text on one line, its control characters shown instead of sent. */
export function safe(text: string): string {
  return text.replace(CONTROL, shown);
}

/** A text of several lines; line ends and tabs stay. */
export function safeLines(text: string): string {
  return text.replace(CONTROL, (character) =>
    character === '\n' || character === '\t' ? character : shown(character),
  );
}

/** JSON on one line; what a terminal would obey is written as `\uXXXX`, which means the same. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    CONTROL,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export interface OutputOptions {
  readonly json: boolean;
  /** False where `--no-color` was given. */
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

  /** Whether what goes to stdout is seen on a terminal. */
  get onTerminal(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** A text made safe, in a style where the stream shows styles. */
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

  /** A line on stdout, as it is. */
  line(text = ''): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** Lines on stdout, made safe. */
  say(text: string): void {
    this.line(safeLines(text));
  }

  /** A line of a prompt: exact, but for a terminal. */
  promptLine(text: string, style?: Style): void {
    const line = this.onTerminal ? safe(text) : text;
    this.line(style === undefined ? line : this.#styled(style, line, this.#io.stdout));
  }

  /** A prompt text alone: exact, but for a terminal, which gets no control characters and a line end. */
  exact(text: string): void {
    this.#io.stdout.write(this.onTerminal ? `${safeLines(text)}\n` : text);
  }

  /** The answer of a command: as JSON where that was asked for, else as a person reads it. */
  answer(value: unknown, forPeople: () => void): void {
    if (this.json) this.line(jsonText(value));
    else forPeople();
  }

  /** Rows under each other, columns aligned; the cells are made safe. @param indent blanks before each row */
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

  /** Something beside the answer, for people only, on stderr. Made safe. */
  note(text: string): void {
    if (!this.json) this.#io.stderr.write(`${this.paint('dim', text, this.#io.stderr)}\n`);
  }

  /** What should not be missed, on stderr; programs find it in the answer. Made safe. */
  warn(text: string): void {
    if (!this.json) this.#io.stderr.write(`${this.paint('yellow', text, this.#io.stderr)}\n`);
  }

  /** What belongs to a question, on stderr. Made safe. */
  aside(text: string): void {
    this.#io.stderr.write(`${safeLines(text)}\n`);
  }

  /** Why it could not be done, on stderr: one JSON object, or a message and what to do. */
  complain({ message, code, hint, exit, members }: Complaint): void {
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
