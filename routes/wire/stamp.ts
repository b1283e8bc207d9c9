/** What a response says about itself in its headers, and to metrics and traces: all of it is set here. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerAssignment, AnswerOrigin } from '../../plugins/answer-origin.ts';
import { linkTo } from '../../plugins/path-prefix.ts';
import { changeSnapshot } from '../../plugins/revision/request-snapshot.ts';
import type { Snapshot } from '../../registry/index.ts';

export interface Stamp {
  /** The snapshot that the response comes from; default: `request.snapshot`. */
  readonly snapshot?: Snapshot;
  /** The version that the response shows, for metrics and traces. */
  readonly origin?: AnswerOrigin;
  readonly etag?: string;
  /** The path of what was created. */
  readonly location?: string;
  /** Whether this repeats the response to an earlier request with the same Idempotency-Key (SPEC R6). */
  readonly replayed?: boolean;
}

/** `Registry-Assignment`: the arm is not in the body, where it would change every ETag. */
export function assignmentText({ rollout, arm }: AnswerAssignment): string {
  return `rollout=${rollout}; arm=${arm}`;
}

/** Stamps a response. A plugin has already stamped every response with `request.snapshot` (SPEC R2). */
export function stamp(
  request: FastifyRequest,
  reply: FastifyReply,
  { snapshot, origin, etag, location, replayed = false }: Stamp,
): void {
  if (snapshot !== undefined) changeSnapshot(request, reply, snapshot);
  if (origin !== undefined) request.origin = origin;
  if (request.assignment !== null) void reply.header('registry-assignment', assignmentText(request.assignment));
  if (etag !== undefined) void reply.header('etag', etag);
  if (location !== undefined) void reply.header('location', linkTo(request, location));
  if (replayed) void reply.header('idempotency-replayed', 'true');
}
