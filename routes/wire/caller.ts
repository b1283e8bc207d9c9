/** The caller of a request, in the terms of the registry. */
import type { FastifyRequest } from 'fastify';
import { actorOf } from '../../plugins/access/authentication.ts';
import { callerMay } from '../../plugins/access/scopes.ts';
import type { Attribution, Reader } from '../../registry/index.ts';
import { idempotencyOf } from './idempotency-key.ts';

/** Who sends a write, and its Idempotency-Key. @throws RegistryError `validation-failed` for a key that is not valid */
export function requestedBy(request: FastifyRequest): Attribution {
  return { actor: actorOf(request), idempotency: idempotencyOf(request) };
}

/** Whether the caller may see the texts of revoked versions. */
export function readerOf(request: FastifyRequest): Reader {
  return { mayAudit: callerMay(request, 'audit:read') };
}
