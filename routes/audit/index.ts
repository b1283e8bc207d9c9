/** The audit: the log as it is, and the proof that it is whole. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PAGE } from '../../registry/index.ts';
import { answer, closed, mutable, problems } from '../wire/schema-kit.ts';
import * as wire from './schemas.ts';

/** How long a check of the whole log may take, in milliseconds: some million events. */
const VERIFY_TIMEOUT = 600_000;

const auditRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;

  app.get('/v1/audit/events', {
    config: { scope: 'audit:read' },
    schema: {
      operationId: 'listEvents',
      tags: ['Audit'],
      summary: 'List events',
      description:
        'Who did what, when and why, page by page; all conditions hold together. The oldest come first: ask with `after=<nextAfter>` for the next page. With `order=newest` the newest come first: ask with `before=<nextBefore>`.',
      querystring: wire.eventsQuery,
      response: {
        200: answer(wire.EventPage, 'A page of events.', { events: [wire.eventExample], nextAfter: null }),
        ...problems('store-unavailable'),
      },
    },
    handler: async (request) => {
      const { limit = PAGE.usual, order = 'oldest', type, from, to, ...rest } = request.query;
      const times = {
        ...(from !== undefined && { from: new Date(from).toISOString() }),
        ...(to !== undefined && { to: new Date(to).toISOString() }),
      };
      const found = await registry.events(
        { ...rest, ...times, ...(type !== undefined && { types: [type] }), order, limit: limit + 1 },
        request.snapshot,
      );
      const events = found.slice(0, limit);
      const next = found.length > limit ? (events.at(-1)?.revision ?? null) : null;
      return {
        events: mutable(events),
        ...(order === 'oldest' ? { nextAfter: next } : { nextAfter: null, nextBefore: next }),
      };
    },
  });

  app.get('/v1/audit/head', {
    config: { scope: 'audit:read' },
    schema: {
      operationId: 'getAuditHead',
      tags: ['Audit'],
      summary: 'Read the head of the log',
      description: 'The place to keep outside, so that a cut tail or a rewritten chain can be found later.',
      querystring: closed({}),
      response: { 200: answer(wire.Head, 'The head.', wire.headExample), ...problems() },
    },
    handler: async ({ snapshot }) => ({ revision: snapshot.revision, hash: snapshot.hash, at: snapshot.at }),
  });

  app.get('/v1/audit/verification', {
    config: { scope: 'audit:read' },
    handlerTimeout: VERIFY_TIMEOUT,
    schema: {
      operationId: 'verifyAudit',
      tags: ['Audit'],
      summary: 'Check the whole log',
      description:
        'Hashes every event and every content again. Finds each changed, removed, reordered or inserted event and each changed content. An attacker who rewrites the whole chain is found only against a head that was kept outside (`npm run audit:verify -- --head REVISION:HASH`). A long log takes a while.',
      querystring: closed({}),
      response: {
        200: answer(wire.Verification, 'What was found.', wire.verificationExample),
        ...problems('store-unavailable'),
      },
    },
    handler: async () => registry.verify(),
  });
};

export default auditRoutes;
