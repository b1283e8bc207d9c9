/**
 * The parser of queries, with a short cut for reads that a rollout decides.
 *
 * Problem: such a query has a parameter for each attribute. Parsing it like any other and checking it against its schema takes a third of
 * the time of the read.
 * Rule: a separate parser knows `pack`, `channel`, `subject` and `attribute` alone, and checks while it reads. What it accepts, the schema
 * of those reads accepts too, with the same meaning (`routes/wire/subject.ts`). In any doubt the general parser and the validator decide;
 * they also explain what is wrong.
 * Example: `subject=user-42&attribute=country:de` makes a `ReadQuery`. `subject=` does not: the validator says that it must not be empty.
 */
import { parse } from 'fast-querystring';
import { attributeName, MOST_ATTRIBUTES, PackName, unfitText } from '../registry/index.ts';

/** In UTF-16 units. The schemas count code points, of which a text never has more. */
const LONGEST_VALUE = 200;
/** Of packs and of channels. */
const NAME = new RegExp(PackName.pattern ?? '', 'u');
const COLON = 0x3a;

/** The query of a read under a rollout, parsed and checked. */
export class ReadQuery {
  readonly text: string;
  pack: string | undefined;
  channel: string | undefined;
  subject: string | undefined;
  readonly attributes: Record<string, string> = {};
  attributeCount = 0;

  constructor(text: string) {
    this.text = text;
  }
}

/** Parses the part of an address after its `?`. */
export function queryOf(text: string): Record<string, unknown> {
  return text === '' ? {} : ((readQueryOf(text) as Record<string, unknown> | undefined) ?? parse(text));
}

/** A query as the general parser reads it. Operations that take no subject refuse it in these terms. */
export function generalQuery(query: Record<string, unknown>): Record<string, unknown> {
  return query instanceof ReadQuery ? parse(query.text) : query;
}

/** Parses a query that names a subject or an attribute; undefined in any doubt. */
function readQueryOf(text: string): ReadQuery | undefined {
  const query = new ReadQuery(text);
  const isEncoded = text.includes('%') || text.includes('+');
  for (let start = 0; start <= text.length;) {
    const found = text.indexOf('&', start);
    const end = found === -1 ? text.length : found;
    if (!takeParameter(query, start, end, isEncoded)) return undefined;
    start = end + 1;
  }
  return query.subject === undefined && query.attributeCount === 0 ? undefined : query;
}

/** Takes the parameter from `start` to `end`. @returns whether it is right without a doubt */
function takeParameter(query: ReadQuery, start: number, end: number, isEncoded: boolean): boolean {
  const { text } = query;
  if (text.startsWith('attribute=', start)) return takeAttribute(query, start + 10, end, isEncoded);
  if (text.startsWith('subject=', start)) {
    if (query.subject !== undefined) return false;
    query.subject = valueIn(text, start + 8, end, isEncoded);
    return query.subject !== undefined && query.subject !== '';
  }
  if (text.startsWith('channel=', start)) {
    if (query.channel !== undefined) return false;
    query.channel = text.slice(start + 8, end);
    return NAME.test(query.channel);
  }
  if (query.pack !== undefined || !text.startsWith('pack=', start)) return false;
  query.pack = text.slice(start + 5, end);
  return NAME.test(query.pack);
}

/** Takes `name:value`, or `name%3Avalue`, as browsers write it. */
function takeAttribute(query: ReadQuery, start: number, end: number, isEncoded: boolean): boolean {
  const { text, attributes } = query;
  let colon = start;
  while (isLetterOrDigit(text.charCodeAt(colon))) colon += 1;
  const separator = text.charCodeAt(colon) === COLON ? 1 : text.startsWith('%3A', colon) ? 3 : 0;
  const name = attributeName(text.slice(start, colon));
  if (separator === 0 || name === undefined || typeof attributes[name] === 'string') return false; // every object has a `constructor`, but it is no text
  const value = valueIn(text, colon + separator, end, isEncoded);
  if (value === undefined) return false;
  attributes[name] = value;
  query.attributeCount += 1;
  return query.attributeCount <= MOST_ATTRIBUTES;
}

function valueIn(text: string, start: number, end: number, isEncoded: boolean): string | undefined {
  const raw = text.slice(start, end);
  const value = isEncoded ? decoded(raw) : raw;
  return value === undefined || value.length > LONGEST_VALUE || unfitText(value) !== undefined ? undefined : value;
}

function decoded(raw: string): string | undefined {
  const spaced = raw.includes('+') ? raw.replaceAll('+', ' ') : raw;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
}
