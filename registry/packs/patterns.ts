/**
 * RE2 patterns of a policy, and whether a pattern can match at all.
 *
 * Problem: a pattern that cannot match any prompt forbids nothing, and nobody notices.
 * Rule: a pattern compiles to the program of a finite automaton (Thompson 1968; Russ Cox, "Regular Expression Matching: the Virtual Machine
 * Approach"). The end of the program must be reachable over characters that a prompt can hold. The characters before and after a position
 * decide whether an anchor holds there. So a state is the instruction, the kind of character before it, and the kind after it.
 * Example: `\r\n` cannot match, because prompts are matched with every line end as `\n`. `$a` cannot match, because nothing follows the end.
 */
import { RE2JS } from 're2js';

/** The kinds of character that anchors and word boundaries distinguish; `edge` is the start or end of the text. */
const KINDS = ['edge', 'newline', 'word', 'other'] as const;
type Kind = (typeof KINDS)[number];

/** Instructions of the program, numbered as in re2js 2.10 (`Inst`). */
const OP = {
  alt: 1,
  altMatch: 2,
  capture: 3,
  emptyWidth: 4,
  match: 6,
  nop: 7,
  rune: 8,
  rune1: 9,
  any: 10,
  anyButNewline: 11,
} as const;
/** Conditions of an `emptyWidth` instruction (`Utils.EMPTY_*`). */
const BEGIN_LINE = 1,
  END_LINE = 2,
  BEGIN_TEXT = 4,
  END_TEXT = 8,
  WORD_BOUNDARY = 16,
  NO_WORD_BOUNDARY = 32;

interface Instruction {
  readonly op: number;
  readonly out: number;
  /** The second branch of an `alt`, or the conditions of an `emptyWidth`. */
  readonly arg: number;
  /** Of a `rune`: pairs of first and last code point, or a single code point. */
  readonly runes: ArrayLike<number>;
  matchRune(codePoint: number): boolean;
}

/** @throws the error of re2js if this is not an RE2 pattern */
export function compilePattern(pattern: string): RE2JS {
  return RE2JS.compile(pattern);
}

/** Whether some text without carriage returns, NULs and half surrogate pairs matches the pattern. */
export function canMatch(compiled: RE2JS): boolean {
  const program = compiled.re2Input.prog as { readonly inst: readonly Instruction[]; readonly start: number };
  const seen = new Set<string>();
  const pending: [index: number, before: Kind, after: Kind][] = [];
  const reach = (index: number, before: Kind, after: Kind) => {
    const state = `${index} ${before} ${after}`;
    if (seen.has(state)) return;
    seen.add(state);
    pending.push([index, before, after]);
  };
  for (const before of KINDS) for (const after of KINDS) reach(program.start, before, after);
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const [index, before, after] = state;
    const instruction = program.inst[index];
    if (instruction === undefined) return true; // an unknown kind of program: assume that it can match
    const { op, out, arg } = instruction;
    if (op === OP.match) return true;
    if (op === OP.alt || op === OP.altMatch) reach(arg, before, after);
    const continues =
      op === OP.alt ||
      op === OP.altMatch ||
      op === OP.capture ||
      op === OP.nop ||
      (op === OP.emptyWidth && (arg & ~holdsBetween(before, after)) === 0);
    if (continues) reach(out, before, after);
    if (op >= OP.rune && after !== 'edge' && accepts(instruction, after))
      for (const next of KINDS) reach(out, after, next);
  }
  return false;
}

/** The anchors and boundaries that hold between two characters. */
function holdsBetween(before: Kind, after: Kind): number {
  const atStart = (before === 'edge' ? BEGIN_TEXT : 0) | (before === 'edge' || before === 'newline' ? BEGIN_LINE : 0);
  const atEnd = (after === 'edge' ? END_TEXT : 0) | (after === 'edge' || after === 'newline' ? END_LINE : 0);
  return atStart | atEnd | ((before === 'word') === (after === 'word') ? NO_WORD_BOUNDARY : WORD_BOUNDARY);
}

/** Word characters of RE2: ASCII. */
const WORD_CHARACTERS = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', (character) =>
  character.charCodeAt(0),
);
/** Characters that are not `other`: NUL, carriage return, newline, word characters. */
const NOT_OTHER: ReadonlySet<number> = new Set([0, 10, 13, ...WORD_CHARACTERS]);

/** Whether an instruction accepts some character of a kind. */
function accepts(instruction: Instruction, kind: Kind): boolean {
  const { op } = instruction;
  if (op === OP.any) return true;
  if (op === OP.anyButNewline) return kind !== 'newline';
  if (kind === 'newline') return instruction.matchRune(10);
  if (kind === 'word') return WORD_CHARACTERS.some((character) => instruction.matchRune(character));
  return acceptsOther(instruction);
}

function acceptsOther(instruction: Instruction): boolean {
  const { runes } = instruction;
  if (runes.length === 1) {
    const [first = 0] = Array.from(runes);
    // Ignoring case, a word character may match a character that is not one: K matches U+212A KELVIN SIGN.
    return NOT_OTHER.has(first)
      ? [0x17f, 0x212a].some((character) => instruction.matchRune(character))
      : !isSurrogate(first);
  }
  for (let index = 0; index + 1 < runes.length; index += 2) {
    const last = runes[index + 1] ?? 0;
    for (let character = runes[index] ?? 0; character <= last; character++) {
      if (isSurrogate(character)) character = 0xdfff;
      else if (!NOT_OTHER.has(character)) return true;
    }
  }
  return false;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}
