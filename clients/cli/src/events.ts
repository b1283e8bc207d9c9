/**
 * Reads events of the log, newest first.
 *
 * Problem: the log is long and people want the latest events, but an older registry can only list the oldest first.
 * Rule: ask for the newest first. If the registry rejects that, read the log in chunks from its head backwards.
 * Example: `const { events, nextBefore } = await newest(registry, { limit: 100, filter: { pack: 'coach' } })`.
 */
import { RegistryFailure, type components, type operations, type RegistryClient } from '@prompt-registry/client';
import { pages, type Page } from './pages.ts';
import { withFields } from './fields.ts';

export type Event = components['schemas']['Event'];
export type EventsQuery = NonNullable<operations['listEvents']['parameters']['query']>;

export interface NewestOptions {
  /** Maximum number of events; `Infinity` for all. */
  readonly limit: number;
  /** Only events before this revision. */
  readonly before?: number | undefined;
  readonly filter: EventsQuery;
}

export interface Newest {
  /** Newest first. */
  readonly events: readonly Event[];
  /** There are more events before this revision; null if there are none. */
  readonly nextBefore: number | null;
}

interface EventPage {
  readonly events: readonly Event[];
  readonly nextAfter: number | null;
  /** Only if newest first. */
  readonly nextBefore?: number | null;
}

/** Revisions in the first chunk; each further chunk is twice as large. */
const FIRST_CHUNK = 1000;

/** A page of events. @param query may contain parameters that this client's types do not have */
export async function eventPage(registry: RegistryClient, query: object): Promise<EventPage> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/events', { params: { query } }))
    .then(withFields({ events: 'list' }));
  return data;
}

/** The newest matching events, newest first. @throws RegistryFailure */
export async function newest(registry: RegistryClient, { limit, before, filter }: NewestOptions): Promise<Newest> {
  const events: Event[] = [];
  let nextBefore: number | null = null;
  const ask = async (cursor: number | undefined, size: number): Promise<Page<Event, number>> => {
    const page = await eventPage(registry, {
      ...filter,
      order: 'newest',
      limit: size,
      ...(cursor !== undefined && { before: cursor }),
    });
    return { items: page.events, next: page.nextBefore as number | null }; // `pages` rejects any other type
  };
  try {
    for await (const { items, next } of pages(limit, before, ask)) {
      events.push(...items);
      nextBefore = next;
    }
    return { events, nextBefore };
  } catch (error) {
    if (events.length > 0 || !(error instanceof RegistryFailure) || error.code !== 'validation-failed') throw error;
    return newestFromOlderRegistry(registry, { limit, before, filter }); // any other mistake in the request fails here again
  }
}

/** Like `newest`, for a registry that only lists the oldest first: reads whole chunks from the head backwards. */
async function newestFromOlderRegistry(
  registry: RegistryClient,
  { limit, before, filter }: NewestOptions,
): Promise<Newest> {
  const { data } = await registry.ask((api) => api.GET('/v1/audit/head')).then(withFields({ revision: 'number' }));
  const found: Event[] = [];
  let end = Math.min(before ?? Infinity, data.revision + 1);
  for (let chunk = FIRST_CHUNK; end > 1 && found.length <= limit; chunk *= 2) {
    const after = Math.max(0, end - 1 - chunk);
    found.push(...(await between(registry, filter, after, end)).reverse());
    end = after + 1;
  }
  const events = found.slice(0, limit);
  return { events, nextBefore: found.length > limit ? (events.at(-1)?.revision ?? null) : null };
}

/** Events after `after` and before `end`, oldest first. */
async function between(registry: RegistryClient, filter: EventsQuery, after: number, end: number): Promise<Event[]> {
  const events: Event[] = [];
  const ask = async (cursor: number | undefined, limit: number): Promise<Page<Event, number>> => {
    const page = await eventPage(registry, { ...filter, after: cursor ?? 0, limit });
    return { items: page.events, next: page.nextAfter };
  };
  for await (const { items } of pages(Infinity, after, ask)) {
    events.push(...items.filter(({ revision }) => revision < end));
    if ((items.at(-1)?.revision ?? end) >= end - 1) break;
  }
  return events;
}
