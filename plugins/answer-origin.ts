/**
 * What metrics and traces are told of an answer beside its status: which version it was made from, and whether it ends.
 *
 * Problem: whoever counts must not look for that in paths and bodies, where clients write.
 * Rule: the route that answers says so, by one assignment; where it says nothing, nothing is counted. All that it names is in the
 * snapshot, never in the request alone.
 * Example: `getSystemPrompt` sets `request.origin` to what it sends, which has pack, channel, version, digest and revision.
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** The version that an answer was made from. */
export interface AnswerOrigin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the answer was made from; null where it is not one version's. */
    origin: AnswerOrigin | null;
  }
  interface FastifyContextConfig {
    /** The answer has no end of its own: how long it took says nothing. */
    endless?: boolean;
  }
}

function answers(app: FastifyInstance, _options: object, done: () => void): void {
  app.decorateRequest('origin', null);
  done();
}

export default fp(answers, { name: 'answers' });
