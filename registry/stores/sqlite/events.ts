/**
 * The SQL of an event query.
 *
 * Problem: without statistics SQLite guesses which index to take, and a wrong guess reads a million events for a hundred.
 * Rule: the conditions decide the index, here. Every value is bound. There are few shapes, so their statements can be kept.
 * Example: two types of one pack, newest first, are two searches of `events_by_type` that SQLite merges and stops at the limit.
 */
import type { EventQuery } from '../../store.ts';

/** SQL whose first column is an event's body, in order, and the values to bind to it by name. */
export function eventStatement(query: EventQuery): { readonly sql: string; readonly values: Record<string, string | number> } {
  const types = query.types && [...new Set(query.types)];
  const values: Record<string, string | number> = { limit: Math.max(0, query.limit) };
  const conditions: string[] = [];
  const where = (condition: string, name: string, value: string | number | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values[name] = value;
  };
  where('revision > :after', 'after', query.after);
  where('revision < :before', 'before', query.before);
  where('pack = :pack', 'pack', query.pack);
  where('channel = :channel', 'channel', query.channel);
  for (const [index, type] of (types ?? []).entries()) values[`type${index}`] = type;

  const oneByOne = types !== undefined && types.length > 0 && query.channel === undefined;
  if (types !== undefined && !oneByOne) conditions.push(`type IN (${types.map((_, index) => `:type${index}`).join(', ')})`);
  const searches = oneByOne ? types.map((_, index) => [...conditions, `type = :type${index}`]) : [conditions];
  const source = indexFor(query, oneByOne);
  const selects = searches.map((all) => `SELECT body, revision FROM events ${source}${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`);
  const direction = query.order === 'ascending' ? 'ASC' : 'DESC';
  return { sql: `${selects.join(' UNION ALL ')} ORDER BY revision ${direction} LIMIT :limit`, values };
}

function indexFor({ pack, channel }: EventQuery, byType: boolean): string {
  if (channel !== undefined) return `INDEXED BY ${pack === undefined ? 'events_by_channel' : 'events_by_pack_and_channel'}`;
  if (byType) return 'INDEXED BY events_by_type';
  return pack === undefined ? 'NOT INDEXED' : 'INDEXED BY events_by_pack';
}
