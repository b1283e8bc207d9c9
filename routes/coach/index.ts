/** Coach sessions: each starts on the active version and keeps it (SPEC R8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Marked, Session } from '../../registry/index.ts';
import { stamp } from '../wire/stamp.ts';
import * as schemas from './schemas.ts';

const coachRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/coach/sessions', {
    config: { scope: 'sessions:start' },
    schema: schemas.startCoachSession,
    handler: async (request, reply) => {
      const { registry } = request;
      const session = unmarked(registry.startSession(request.body));
      const location = `/v1/coach/sessions/${session.sessionId}`;
      stamp(request, reply, { snapshot: registry.current, origin: session.promptPack, location });
      // After the stamp: the body says it already, so there is no header. A session without a subject is its own.
      if (session.assignment !== undefined) request.assignment = { ...session.assignment, hasSubject: true };
      return reply.code(201).send(session);
    },
  });

  app.get('/v1/coach/sessions/:sessionId', {
    config: { scope: 'prompts:read' },
    schema: schemas.getCoachSession,
    handler: async (request, reply) => {
      const { registry, params } = request;
      const snapshot = await registry.snapshotFor(params.sessionId, request.snapshot);
      if (snapshot !== request.snapshot) stamp(request, reply, { snapshot });
      const session = unmarked(await registry.resolveSession(params.sessionId, snapshot));
      stamp(request, reply, { origin: session.promptPack });
      return session;
    },
  });
};

export default coachRoutes;

/** Over HTTP, a header says how stale the response may be. */
function unmarked({ staleSeconds: _, ...session }: Marked<Session>): Session {
  return session;
}
