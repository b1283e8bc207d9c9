/** Who is calling, as the log will name them. */
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../registry/index.ts';

const ANYBODY: Actor = Object.freeze({ keyId: 'anonymous', label: 'anonymous' });

/** The actor of a request. There are no keys yet, so everybody is anonymous; the start says so. */
export function callerOf(_request: FastifyRequest): Actor {
  return ANYBODY;
}
