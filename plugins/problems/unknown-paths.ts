/**
 * Requests that no route answers: 404 for an unknown path, 405 for a method that the path does not support.
 *
 * Rule: this comes before any error in the body. It has a context of hooks for such requests alone, so that they cost the others nothing.
 * Example: `DELETE /v1/packs` gets a 405 with `Allow: GET, HEAD`, even if its body is not JSON.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { linkTo } from '../path-prefix.ts';
import { pathOf, sendProblem } from './problem-details.ts';

interface KnownPath {
  readonly matches: RegExp;
  readonly methods: Set<string>;
}

async function unknownPaths(app: FastifyInstance): Promise<void> {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return; // the CORS plugin's route for preflights to any path
    const path = paths.get(url) ?? { matches: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });

  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = pathOf(request);
    const allowed = new Set(
      [...paths.values()].filter(({ matches }) => matches.test(path)).flatMap(({ methods }) => [...methods]),
    );
    if (allowed.size > 0 && !allowed.has(request.method)) {
      const allow = [...allowed].sort().join(', ');
      void reply.header('allow', allow);
      return sendProblem(request, reply, {
        code: 'method-not-allowed',
        detail: `${linkTo(request, path)} supports ${allow}, not ${request.method}.`,
      });
    }
    return sendProblem(request, reply, {
      code: 'not-found',
      detail: `There is nothing at ${linkTo(request, path)}. ${linkTo(request, '/docs')} lists the API.`,
    });
  };
  await app.register(async (nowhere) => {
    nowhere.addHook('preParsing', (request, reply) => void refuse(request, reply));
    nowhere.addHook('onResponse', (_request, reply, next) => {
      app.metrics.refused(reply.statusCode, reply.elapsedTime);
      next();
    });
    nowhere.setNotFoundHandler(refuse);
  });
}

export default fp(unknownPaths, { name: 'unknown-paths', dependencies: ['metrics', 'problem-details'] });

function patternOf(url: string): RegExp {
  const pattern = url
    .replace(/[.+^${}()|[\]\\]/gu, '\\$&')
    .replace(/:[A-Za-z]+/gu, '[^/]+')
    .replace(/\*/gu, '.*');
  return new RegExp(`^${pattern}$`, 'u');
}
