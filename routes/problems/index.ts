/** What an error means: the page that a problem's `type` links to. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { isProblemCode, PROBLEMS } from '../../plugins/problems/problems.ts';
import * as schemas from './schemas.ts';

const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/problems/:code', {
    config: { scope: 'open' },
    schema: schemas.getProblem,
    handler: (request, reply) => {
      const { code } = request.params;
      if (isProblemCode(code)) void reply.send({ code, ...PROBLEMS[code] });
      else reply.callNotFound();
    },
  });
};

export default problemRoutes;
