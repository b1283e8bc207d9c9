/**
 * RE2 patterns of a policy, and whether one can match at all.
 *
 * Problem: a pattern that no prompt can match forbids nothing, and nobody notices.
 * Rule: a pattern is compiled to a program of a finite automaton (Thompson 1968; Russ Cox, "Regular Expression Matching: the Virtual Machine
 * Approach"), and the end of the program must be reachable over characters that a prompt can hold. What stands before and after a place
 * decides whether an anchor holds there; so a state is the instruction, the kind of the character before it, and the kind of the one after.
 * Example: `\r\n` cannot match, as prompts are matched with every line end as `\n`; `$a` cannot, as nothing comes after the end.
 */
import { RE2JS } from 're2js';

/** What anchors and word boundaries tell apart; `edge` is the beginning or the end of the text. */
const KINDS = ['edge', 'newline', 'word', 'other'] as const;
type Kind = (typeof KINDS)[number];

/** Instructions of the program, as re2js 2.10 numbers them (`Inst`). */
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
/** What an `emptyWidth` instruction asks for (`Utils.EMPTY_*`). */
const BEGIN_LINE = 1,
  END_LINE = 2,
  BEGIN_TEXT = 4,
  END_TEXT = 8,
  WORD_BOUNDARY = 16,
  NO_WORD_BOUNDARY = 32;

interface Instruction {
  readonly op: number;
  readonly out: number;
  /** The second way of an `alt`, or what an `emptyWidth` asks for. */
  readonly arg: number;
  /** Of a `rune`: pairs of first and last code point, or one alone. */
  readonly runes: ArrayLike<number>;
  matchRune(codePoint: number): boolean;
}

/** @throws what re2js throws for what is no RE2 pattern */
export function compilePattern(pattern: string): RE2JS {
  return RE2JS.compile(pattern);
}

/** Whether there is a text that the pattern is found in, among texts without carriage returns, NULs and halves of surrogate pairs. */
export function canMatch(compiled: RE2JS): boolean {
  const program = compiled.re2Input.prog as { readonly inst: readonly Instruction[]; readonly start: number };
  const seen = new Set<string>();
  const open: [instructionIndex: number, before: Kind, after: Kind][] = [];
  const reach = (instructionIndex: number, before: Kind, after: Kind) => {
    const state = `${instructionIndex} ${before} ${after}`;
    if (seen.has(state)) return;
    seen.add(state);
    open.push([instructionIndex, before, after]);
  };
  for (const before of KINDS) for (const after of KINDS) reach(program.start, before, after);
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const [instructionIndex, before, after] = state;
    const instruction = program.inst[instructionIndex];
    if (instruction === undefined) return true; // another program than is known here: nothing is claimed of it
    const { op, out, arg } = instruction;
    if (op === OP.match) return true;
    if (op === OP.alt || op === OP.altMatch) reach(arg, before, after);
    const goesOn =
      op === OP.alt ||
      op === OP.altMatch ||
      op === OP.capture ||
      op === OP.nop ||
      (op === OP.emptyWidth && (arg & ~holdsBetween(before, after)) === 0);
    if (goesOn) reach(out, before, after);
    if (op >= OP.rune && after !== 'edge' && takes(instruction, after))
      for (const next of KINDS) reach(out, after, next);
  }
  return false;
}

/** The anchors and boundaries that hold between two characters. */
function holdsBetween(before: Kind, after: Kind): number {
  const begins = (before === 'edge' ? BEGIN_TEXT : 0) | (before === 'edge' || before === 'newline' ? BEGIN_LINE : 0);
  const ends = (after === 'edge' ? END_TEXT : 0) | (after === 'edge' || after === 'newline' ? END_LINE : 0);
  return begins | ends | ((before === 'word') === (after === 'word') ? NO_WORD_BOUNDARY : WORD_BOUNDARY);
}

/** Word characters of RE2: ASCII. */
const WORD_CHARACTERS = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', (character) =>
  character.charCodeAt(0),
);
/** What is of no kind, or no `other`: NUL and carriage returns, newlines, word characters. */
const NO_OTHER: ReadonlySet<number> = new Set([0, 10, 13, ...WORD_CHARACTERS]);

/** Whether an instruction takes a character of a kind. */
function takes(instruction: Instruction, kind: Kind): boolean {
  const { op } = instruction;
  if (op === OP.any) return true;
  if (op === OP.anyButNewline) return kind !== 'newline';
  if (kind === 'newline') return instruction.matchRune(10);
  if (kind === 'word') return WORD_CHARACTERS.some((character) => instruction.matchRune(character));
  return takesOther(instruction);
}

function takesOther(instruction: Instruction): boolean {
  const { runes } = instruction;
  if (runes.length === 1) {
    const [first = 0] = Array.from(runes);
    // In any case, a word character may take one that is none: K takes U+212A KELVIN SIGN.
    return NO_OTHER.has(first)
      ? [0x17f, 0x212a].some((character) => instruction.matchRune(character))
      : !isSurrogate(first);
  }
  for (let index = 0; index + 1 < runes.length; index += 2) {
    const last = runes[index + 1] ?? 0;
    for (let character = runes[index] ?? 0; character <= last; character++) {
      if (isSurrogate(character)) character = 0xdfff;
      else if (!NO_OTHER.has(character)) return true;
    }
  }
  return false;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}
