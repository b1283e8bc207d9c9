/**
 * The SQL of an event query.
 *
 * Problem: a planner that guesses wrong reads a million events for a hundred.
 * Rule: a query is one or more searches, each of which an index gives in order of revision and stops at the limit; they are merged.
 * Every value is bound. There are few shapes, so their statements can be kept prepared.
 * Example: two types of one pack, newest first, are two searches of `events_by_type`.
 */
import type { EventQuery } from '../../log/store.ts';
import type { Value } from './connection.ts';

/** Revocations move channels without being events of one channel. */
const MOVED = String.raw`type = 'version-revoked' AND replace(body, '\u0000', '\ufffd')::jsonb #> '{data,moves}' @> `;

/** Times are as ordered as revisions are, so a time is looked up once and becomes a revision. */
const upTo = (comparison: string) =>
  `coalesce((SELECT revision FROM events WHERE at ${comparison} ORDER BY at DESC, revision DESC LIMIT 1), 0)`;

/** Whether PostgreSQL can hold the text. What it cannot hold, no event has. */
export function isText(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed();
}

/** SQL whose columns are an event's body and its revision, in order, and the values of `$1`, `$2`, …; undefined where none can fit. */
export function eventStatement(
  query: EventQuery,
): { readonly sql: string; readonly values: readonly Value[] } | undefined {
  const { pack, channel, actor, id, from, to, after, before, order } = query;
  const types = query.types && [...new Set(query.types)];
  if ([pack, channel, actor, id, from, to, ...(types ?? [])].some((text) => text !== undefined && !isText(text)))
    return undefined;

  const values: Value[] = [];
  const bound = (value: Value) => `$${values.push(value)}`;
  const common = [
    after !== undefined && `revision > ${bound(after)}`,
    before !== undefined && `revision < ${bound(before)}`,
    pack !== undefined && `pack = ${bound(pack)}`,
    actor !== undefined && `actor = ${bound(actor)}`,
    id !== undefined && `id = ${bound(id)}`,
    from !== undefined && `revision > ${upTo(`< ${bound(from)}`)}`,
    to !== undefined && `revision <= ${upTo(`<= ${bound(to)}`)}`,
  ].filter((condition) => condition !== false);
  const limit = `ORDER BY revision ${order === 'ascending' ? 'ASC' : 'DESC'} LIMIT ${bound(Math.max(0, query.limit))}`;
  const searches = searchesOf(channel, types, bound).map((conditions) => {
    const all = [...common, ...conditions];
    return `SELECT body, revision FROM events${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''} ${limit}`;
  });
  return { sql: searches.length === 1 ? searches.join('') : `(${searches.join(') UNION ALL (')}) ${limit}`, values };
}

/** The conditions of each search. */
function searchesOf(
  channel: string | undefined,
  types: readonly string[] | undefined,
  bound: (value: Value) => string,
): string[][] {
  if (types?.length === 0) return [['false']];
  if (channel !== undefined) {
    const typeIn = types === undefined ? [] : [`type IN (${types.map(bound).join(', ')})`];
    const own = [`channel = ${bound(channel)}`, ...typeIn];
    if (types !== undefined && !types.includes('version-revoked')) return [own];
    // An event that fits both ways would be found twice.
    return [
      own,
      [`${MOVED}${bound(JSON.stringify([{ channel }]))}::jsonb AND channel IS DISTINCT FROM ${bound(channel)}`],
    ];
  }
  if (types === undefined) return [[]];
  return types.map((type) => [`type = ${bound(type)}`]);
}
