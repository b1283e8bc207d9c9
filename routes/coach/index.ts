/** Coach sessions: started on what is active, answered from their pin ever after (SPEC R8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { linkTo } from '../../plugins/path-prefix.ts';
import { restamp } from '../../plugins/revision/request-snapshot.ts';
import type { Marked, Session } from '../../registry/index.ts';
import { answer, bodyProblems, closed, locationHeader, problems, ref } from '../wire/schema-kit.ts';
import * as wire from './schemas.ts';

const coachRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;
  for (const schema of wire.coachSchemas) app.addSchema(schema);

  app.post('/v1/coach/sessions', {
    config: { scope: 'sessions:start' },
    schema: {
      operationId: 'startCoachSession',
      tags: ['Coach'],
      summary: 'Start a coach session',
      description:
        'Starts a session on the active version of the default pack. The answer says which version that is; the session keeps it until it expires.',
      querystring: closed({}),
      body: ref(wire.StartSessionBody),
      response: {
        201: answer(wire.Session, 'Started.', wire.sessionExample, locationHeader),
        ...bodyProblems('pack-not-found', 'channel-not-found', 'style-not-supported'),
      },
    },
    handler: async (request, reply) => {
      const session = unmarked(registry.startSession(request.body));
      restamp(reply, registry, registry.current);
      request.origin = session.promptPack;
      void reply.header('location', linkTo(request, `/v1/coach/sessions/${session.sessionId}`));
      return reply.code(201).send(session);
    },
  });

  app.get('/v1/coach/sessions/:sessionId', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getCoachSession',
      tags: ['Coach'],
      summary: 'Read a coach session',
      description:
        'The session as it was pinned at its start, after any number of activations, rollbacks and restarts.',
      params: wire.sessionParams,
      querystring: closed({}),
      response: {
        200: answer(wire.Session, 'The session.', wire.sessionExample),
        ...problems('session-not-found', 'uri-too-long', 'store-unavailable', 'revision-not-reached', 'overloaded'),
      },
    },
    handler: async (request, reply) => {
      const { sessionId } = request.params;
      const snapshot = await registry.snapshotFor(sessionId, request.snapshot);
      if (snapshot !== request.snapshot) restamp(reply, registry, snapshot);
      const session = unmarked(await registry.resolveSession(sessionId, snapshot));
      request.origin = session.promptPack;
      return session;
    },
  });
};

/** Over HTTP the mark is a header. */
function unmarked({ staleSeconds: _, ...session }: Marked<Session>): Session {
  return session;
}

export default coachRoutes;
