/**
 * Events of the log, from its end backwards.
 *
 * Problem: the log is long, and people want to know what happened last; a registry older than this command line lists the oldest first
 * and knows nothing else.
 * Rule: it is asked for the newest first. One that refuses to understand that is asked piece by piece, from the head down.
 * Example: `const { events, nextBefore } = await newest(registry, { limit: 100, filter: { pack: 'coach' } })`.
 */
import { RegistryFailure, type components, type operations, type RegistryClient } from '@prompt-registry/client';
import { pages, type Page } from './pages.ts';
import { having } from './shape.ts';

export type Event = components['schemas']['Event'];
export type EventsQuery = NonNullable<operations['listEvents']['parameters']['query']>;

export interface NewestOptions {
  /** The most to give; `Infinity` for all. */
  readonly limit: number;
  /** Only events with a lower revision. */
  readonly before?: number | undefined;
  readonly filter: EventsQuery;
}

export interface Newest {
  /** The newest first. */
  readonly events: readonly Event[];
  /** The revision before which there are more; null where there are none. */
  readonly nextBefore: number | null;
}

interface EventPage {
  readonly events: readonly Event[];
  readonly nextAfter: number | null;
  /** Of a page that has the newest first. */
  readonly nextBefore?: number | null;
}

/** Revisions of the first piece; each further one has twice as many. */
const FIRST_PIECE = 1000;

/** A page of events. @param query may hold parameters that this client's types do not know yet */
export async function eventPage(registry: RegistryClient, query: object): Promise<EventPage> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/events', { params: { query } }))
    .then(having({ events: 'list' }));
  return data;
}

/** The newest events that fit, the newest first. @throws RegistryFailure */
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
    return { items: page.events, next: page.nextBefore as number | null }; // `pages` refuses anything but a place
  };
  try {
    for await (const { items, next } of pages(limit, before, ask)) {
      events.push(...items);
      nextBefore = next;
    }
    return { events, nextBefore };
  } catch (error) {
    if (events.length > 0 || !(error instanceof RegistryFailure) || error.code !== 'validation-failed') throw error;
    return newestOfOlder(registry, { limit, before, filter }); // what else was wrong with the request, it says again
  }
}

/** As `newest`, of a registry that lists the oldest first only: pieces of the log from the head down, each read whole. */
async function newestOfOlder(registry: RegistryClient, { limit, before, filter }: NewestOptions): Promise<Newest> {
  const { data } = await registry.ask((api) => api.GET('/v1/audit/head')).then(having({ revision: 'number' }));
  const found: Event[] = [];
  let end = Math.min(before ?? Infinity, data.revision + 1);
  for (let piece = FIRST_PIECE; end > 1 && found.length <= limit; piece *= 2) {
    const after = Math.max(0, end - 1 - piece);
    found.push(...(await between(registry, filter, after, end)).reverse());
    end = after + 1;
  }
  const events = found.slice(0, limit);
  return { events, nextBefore: found.length > limit ? (events.at(-1)?.revision ?? null) : null };
}

/** Events behind `after` and before `end`, the oldest first. */
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
