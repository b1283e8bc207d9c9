/** What an error means: the page behind a problem's `type`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { isProblemCode, PROBLEMS } from '../../plugins/problems/problems.ts';
import { answer, closed, openProblems } from '../wire/schema-kit.ts';

const ProblemKind = closed(
  {
    code: Type.String(),
    status: Type.Integer(),
    title: Type.String(),
    meaning: Type.String({ description: 'What happened, and what to do about it.' }),
  },
  { $id: 'ProblemKind' },
);

const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addSchema(ProblemKind);

  app.get('/problems/:code', {
    config: { scope: 'open' },
    schema: {
      operationId: 'getProblem',
      tags: ['Health'],
      summary: 'What an error means',
      description: "The page behind a problem's `type`.",
      params: closed({
        code: Type.String({
          pattern: '^[a-z-]{1,60}$',
          description: 'The `code` of a problem.',
          examples: ['pack-not-found'],
        }),
      }),
      querystring: closed({}),
      response: {
        200: answer(ProblemKind, 'The meaning.', { code: 'pack-not-found', ...PROBLEMS['pack-not-found'] }),
        ...openProblems('not-found', 'uri-too-long', 'rate-limited', 'overloaded'),
      },
    },
    handler: (request, reply) => {
      const { code } = request.params;
      if (isProblemCode(code)) void reply.send({ code, ...PROBLEMS[code] });
      else reply.callNotFound();
    },
  });
};

export default problemRoutes;
