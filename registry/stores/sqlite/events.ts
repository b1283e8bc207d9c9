/**
 * The SQL of an event query.
 *
 * Problem: without statistics SQLite guesses which index to take, and a wrong guess reads a million events for a hundred.
 * Rule: the conditions decide the index, here. Every value is bound. There are few shapes, so their statements can be kept.
 * A query is one or more searches, each in order of revision, which SQLite merges and stops at the limit.
 * Example: two types of one pack, newest first, are two searches of `events_by_type`.
 */
import type { RevisionQuery } from './times.ts';

interface Search {
  readonly index: string;
  readonly conditions: readonly string[];
}

/** Revocations move channels without being events of one channel. */
const MOVED =
  "type = 'version-revoked' AND EXISTS (SELECT 1 FROM json_each(body, '$.data.moves') WHERE value ->> '$.channel' = :channel)";

/** SQL whose first column is an event's body, in order, and the values to bind to it by name. Times are places by then (`times.ts`). */
export function eventStatement(query: RevisionQuery): {
  readonly sql: string;
  readonly values: Record<string, string | number>;
} {
  const { pack, channel, actor, id, after, before } = query;
  const types = query.types && [...new Set(query.types)];
  const values: Record<string, string | number> = { limit: Math.max(0, query.limit) };
  for (const [name, value] of Object.entries({ pack, channel, actor, id, after, before }))
    if (value !== undefined) values[name] = value;
  for (const [index, type] of (types ?? []).entries()) values[`type${index}`] = type;

  const common = [
    after !== undefined && 'revision > :after',
    before !== undefined && 'revision < :before',
    pack !== undefined && 'pack = :pack',
    actor !== undefined && 'actor = :actor',
    id !== undefined && 'id = :id',
  ].filter((condition) => condition !== false);
  const selects = searchesOf(query, types).map(({ index, conditions }) => {
    const all = [...common, ...conditions];
    return `SELECT body, revision FROM events ${index}${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`;
  });
  const direction = query.order === 'ascending' ? 'ASC' : 'DESC';
  return { sql: `${selects.join(' UNION ALL ')} ORDER BY revision ${direction} LIMIT :limit`, values };
}

function searchesOf({ pack, channel, actor, id }: RevisionQuery, types: readonly string[] | undefined): Search[] {
  const names = types?.map((_, index) => `:type${index}`);
  const typeIn = names === undefined ? [] : [`type IN (${names.join(', ')})`];
  const narrow = id !== undefined ? '' : actor !== undefined ? 'INDEXED BY events_by_actor' : undefined;
  if (channel !== undefined) {
    const index = narrow ?? `INDEXED BY ${pack === undefined ? 'events_by_channel' : 'events_by_pack_and_channel'}`;
    const own: Search = { index, conditions: ['channel = :channel', ...typeIn] };
    const revocations = types === undefined || types.includes('version-revoked');
    return revocations ? [own, { index: narrow ?? 'INDEXED BY events_by_type', conditions: [MOVED] }] : [own];
  }
  if (narrow !== undefined) return [{ index: narrow, conditions: typeIn }];
  if (names !== undefined && names.length > 0)
    return names.map((name) => ({ index: 'INDEXED BY events_by_type', conditions: [`type = ${name}`] }));
  return [{ index: pack === undefined ? 'NOT INDEXED' : 'INDEXED BY events_by_pack', conditions: typeIn }];
}
