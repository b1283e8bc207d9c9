/**
 * Whether a version is within a SemVer range, as npm understands ranges.
 *
 * Problem: a rollout's audience may ask for versions of an app, and the client package decides that in browsers, too. The library `semver` is
 * CommonJS, which no browser loads without a bundler.
 * Rule: the library checks a range at the door; this evaluates one that is valid, with the same result. A range is a list of alternatives
 * (`||`), each a list of comparators that must all hold. A pre-release is within an alternative only if one of its comparators names a
 * pre-release of the same major, minor and patch version. Order: https://semver.org/#spec-item-11.
 * Grammar: https://github.com/npm/node-semver#range-grammar.
 * Example: `rangeOf('^2.1 || 4.x')('2.3.0')` → true.
 */

/** Major, minor, patch, and the identifiers of a pre-release. */
interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

type Comparison = '<' | '<=' | '>' | '>=' | '=';

interface Comparator {
  readonly comparison: Comparison;
  readonly version: Version;
}

const NUMBER = '0|[1-9]\\d*';
const IDENTIFIER = `(?:\\d*[A-Za-z-][0-9A-Za-z-]*|${NUMBER})`;
const SUFFIX = `(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const VERSION = new RegExp(`^v?(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})${SUFFIX}$`, 'u');
/** Parts may be missing, or be `x`, `X` or `*`. */
const PART = `(${NUMBER}|[xX*])`;
const PARTIAL = new RegExp(`^(\\^|~>?|[<>]?=?)[v=\\s]*${PART}(?:\\.${PART}(?:\\.${PART}${SUFFIX})?)?$`, 'u');
/** The longest version, in characters, and the largest number in one: as in the library. */
const LONGEST = 256;

/** Compiles a valid range. @returns whether a text is a version within it */
export function rangeOf(range: string): (version: string) => boolean {
  const all = range.split('||').map((each) => alternativeOf(each.trim()));
  const alternatives = all.some((each) => each.length === 0) ? [[]] : all; // next to "any version" the library ignores the others
  return (text) => {
    const version = versionOf(text);
    return version !== undefined && alternatives.some((comparators) => isWithin(version, comparators));
  };
}

function versionOf(text: string): Version | undefined {
  const [whole, major, minor, patch, pre] = text.length > LONGEST ? [] : (VERSION.exec(text.trim()) ?? []);
  if (whole === undefined) return undefined;
  const numbers = [Number(major), Number(minor), Number(patch)] as const;
  return numbers.every(Number.isSafeInteger) ? { numbers, pre: pre?.split('.') ?? [] } : undefined;
}

function isWithin(version: Version, comparators: readonly Comparator[]): boolean {
  if (!comparators.every(({ comparison, version: limit }) => holds(compare(version, limit), comparison))) return false;
  return (
    version.pre.length === 0 ||
    comparators.some(
      ({ version: { numbers, pre } }) => pre.length > 0 && compareNumbers(numbers, version.numbers) === 0,
    )
  );
}

function holds(order: number, comparison: Comparison): boolean {
  return order === 0 ? comparison.endsWith('=') : comparison.startsWith(order < 0 ? '<' : '>');
}

function compare(one: Version, other: Version): number {
  return compareNumbers(one.numbers, other.numbers) || comparePre(one.pre, other.pre);
}

function compareNumbers(one: Version['numbers'], other: Version['numbers']): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/** A pre-release comes before its version; numbers come before texts, and a shorter list before a longer one. */
function comparePre(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return other.length - one.length;
  for (const [index, left] of one.entries()) {
    const right = other[index];
    if (right === undefined) return 1;
    if (left === right) continue;
    const [isLeftNumber, isRightNumber] = [/^\d+$/u.test(left), /^\d+$/u.test(right)];
    if (isLeftNumber && isRightNumber) return Number(left) - Number(right);
    if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return one.length - other.length;
}

function alternativeOf(text: string): Comparator[] {
  const [from, to] = text.split(/\s+-\s+/u);
  const words =
    from !== undefined && to !== undefined
      ? [`>=${from}`, `<=${to}`]
      : text.replaceAll(/([\^~<>=]+)\s+/gu, '$1').split(/\s+/u);
  return words.flatMap((word) => (word === '' ? [] : comparatorsOf(word))).filter((each) => !isAny(each));
}

/** `>=0.0.0` */
function isAny({ comparison, version: { numbers, pre } }: Comparator): boolean {
  return comparison === '>=' && pre.length === 0 && numbers.every((each) => each === 0);
}

/** What one word of a range means. @throws Error if it is not valid, which the door excludes */
function comparatorsOf(word: string): Comparator[] {
  const [whole, operator = '', ...parts] = PARTIAL.exec(word) ?? [];
  if (whole === undefined) throw new Error(`"${word}" is not part of a valid range.`);
  const [major, minor, patch] = parts.slice(0, 3).map(numberIn);
  if (major === undefined) return operator === '<' || operator === '>' ? [NOTHING] : [];
  if (minor !== undefined && patch !== undefined) {
    const version: Version = { numbers: [major, minor, patch], pre: parts[3]?.split('.') ?? [] };
    if (operator === '^') return between(version, caretEnd(major, minor, patch));
    if (operator.startsWith('~')) return between(version, [major, minor + 1, 0]);
    return [{ comparison: (operator || '=') as Comparison, version }];
  }
  return partial(operator, major, minor);
}

/** A word without a patch version, or without a minor one. */
function partial(operator: string, major: number, minor: number | undefined): Comparator[] {
  const start: Version = { numbers: [major, minor ?? 0, 0], pre: [] };
  const next: Version['numbers'] = minor === undefined ? [major + 1, 0, 0] : [major, minor + 1, 0];
  switch (operator) {
    case '>':
      return [{ comparison: '>=', version: { numbers: next, pre: [] } }];
    case '>=':
      return [{ comparison: '>=', version: start }];
    case '<':
      return [below(start.numbers)];
    case '<=':
      return [below(next)];
    default:
      return between(start, operator === '^' ? caretEnd(major, minor, undefined) : next);
  }
}

/** Undefined if the part is missing, `x`, `X` or `*`. */
function numberIn(part: string | undefined): number | undefined {
  return part === undefined || /[xX*]/u.test(part) ? undefined : Number(part);
}

/** Nothing is below the first pre-release of all. */
const NOTHING = below([0, 0, 0]);

/** `^` keeps the leftmost number that is not zero. */
function caretEnd(major: number, minor: number | undefined, patch: number | undefined): Version['numbers'] {
  if (major > 0 || minor === undefined) return [major + 1, 0, 0];
  if (minor > 0 || patch === undefined) return [0, minor + 1, 0];
  return [0, 0, patch + 1];
}

function between(start: Version, end: Version['numbers']): Comparator[] {
  return [{ comparison: '>=', version: start }, below(end)];
}

/** Below a version and all its pre-releases. */
function below(numbers: Version['numbers']): Comparator {
  return { comparison: '<', version: { numbers, pre: ['0'] } };
}
