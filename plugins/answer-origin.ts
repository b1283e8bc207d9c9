/**
 * Tells metrics and traces which version a response comes from, and whether the response ends.
 *
 * Problem: metrics must not read this from paths and bodies, because clients write those.
 * Rule: a route sets it with one assignment. If a route sets nothing, nothing is counted. All values come from the snapshot, never
 * from the request alone.
 * Example: `getSystemPrompt` sets `request.origin` to the prompt it sends, which has pack, channel, version, digest and revision.
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** The version that a response comes from. */
export interface AnswerOrigin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
}

/** Which arm of a rollout a response comes from. */
export interface AnswerAssignment {
  /** The id of the rollout. */
  readonly rollout: number;
  readonly arm: 'stable' | 'candidate';
  /** Whether a subject decided. A read without one always gets `stable`; a session without one is its own. */
  readonly hasSubject: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The arm that the response comes from; null if no rollout runs in its channel. */
    assignment: AnswerAssignment | null;
    /** The version that the response comes from; null if it does not come from a single version. */
    origin: AnswerOrigin | null;
  }
  interface FastifyContextConfig {
    /** The response is a stream without an end, so its duration means nothing. */
    endless?: boolean;
  }
}

function answerOrigin(app: FastifyInstance, _options: object, done: () => void): void {
  app.decorateRequest('origin', null);
  app.decorateRequest('assignment', null);
  done();
}

export default fp(answerOrigin, { name: 'answer-origin' });
