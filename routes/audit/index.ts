/** The audit: the event log, and the proof that nobody has changed it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import { PAGE, type Event } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import * as schemas from './schemas.ts';

/** How long a check of the whole log may take, in milliseconds. It is enough for some million events. */
const VERIFY_TIMEOUT = 600_000;

const auditRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/audit/events', {
    config: { scope: 'audit:read' },
    schema: schemas.listEvents,
    handler: async ({ registry, snapshot, query: { order = 'oldest', limit = PAGE.usual, ...filter } }) => {
      const found = await registry.events({ ...conditionsOf(filter), order, limit: limit + 1 }, snapshot);
      return eventPage(found, order, limit);
    },
  });

  app.get('/v1/audit/head', {
    config: { scope: 'audit:read' },
    schema: schemas.getAuditHead,
    handler: async ({ snapshot: { revision, hash, at } }) => ({ revision, hash, at }),
  });

  app.get('/v1/audit/verification', {
    config: { scope: 'audit:read' },
    handlerTimeout: VERIFY_TIMEOUT,
    schema: schemas.verifyAudit,
    handler: async ({ registry }) => registry.verify(),
  });
};

export default auditRoutes;

/** The filter as the log knows it: times are in UTC, as they are in events. */
function conditionsOf({ type, from, to, ...rest }: Static<typeof schemas.eventsQuery>) {
  return {
    ...rest,
    ...(type !== undefined && { types: [type] }),
    ...(from !== undefined && { from: new Date(from).toISOString() }),
    ...(to !== undefined && { to: new Date(to).toISOString() }),
  };
}

/** @param found one event more than the limit if there is another page */
function eventPage(found: readonly Event[], order: 'oldest' | 'newest', limit: number) {
  const events = mutable(found.slice(0, limit));
  const next = found.length > limit ? (events.at(-1)?.revision ?? null) : null;
  return order === 'oldest' ? { events, nextAfter: next } : { events, nextAfter: null, nextBefore: next };
}
