/**
 * `Prefer: wait=<seconds>` (RFC 7240): the response to a move waits until every live instance has applied it. After that response, no
 * instance answers from the old version unmarked (`registry/following/instances.ts`).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from '@sinclair/typebox';
import type { Receipt } from '../../registry/index.ts';
import { closed } from './schema-types.ts';
import { stamp, type Stamp } from './stamp.ts';

/** The longest wait in seconds. A longer preference is cut to it. */
const LONGEST_WAIT = 30;
/** How long a move may take, with its wait, in milliseconds. */
export const MOVE_TIMEOUT = 40_000;

const ids = (description: string) => Type.Array(Type.String({ examples: ['registry-0-3f9a1c2e'] }), { description });

/** Which instances have applied a move. */
export const InstancesReached = closed(
  {
    applied: ids('They serve the move, or a later one.'),
    pending: ids('They have not applied the move yet.'),
    pinned: ids('They serve a forced version (`PIN_VERSION`), whatever the log says.'),
    expired: ids(
      'They have not renewed their lease for seven seconds: stopped, cut off or gone. If they still respond, the response is marked `Registry-Stale`.',
    ),
  },
  {
    $id: 'InstancesReached',
    description: 'Which instances have applied the move. Present if the request asked to wait.',
  },
);
export const instancesExample = {
  applied: ['registry-0-3f9a1c2e', 'registry-1-77b0d4a1'],
  pending: [],
  pinned: [],
  expired: [],
};
/** The same with an instance that has not applied the move: the response is a 202. */
export const pendingInstancesExample = { ...instancesExample, pending: ['registry-2-0c55e9ab'] };

/**
 * Sends the response to a move, after the wait that the request prefers, if any.
 * @param status if the wait was complete; else the response is a 202
 */
export async function sendMoved<T extends { readonly revision: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  { replayed, ...moved }: Receipt<T>,
  status: 200 | 201,
  stamps: Stamp = {},
): Promise<FastifyReply> {
  const { registry } = request;
  const seconds = preferredWait(request.headers['prefer']);
  const instances = seconds === undefined ? undefined : await registry.instance.settled(moved.revision, seconds);
  stamp(request, reply, { ...stamps, replayed, snapshot: registry.current });
  if (instances === undefined) return reply.code(status).send(moved);
  void reply.header('preference-applied', 'wait');
  return reply.code(instances.pending.length > 0 ? 202 : status).send({ ...moved, instances });
}

/** The first `wait` of the header. Preferences that are not supported are ignored (RFC 7240 section 2). */
function preferredWait(header: string | string[] | undefined): number | undefined {
  const [, bare, quoted] =
    /(?:^|,)\s*wait\s*=\s*(?:([0-9]+)|"([0-9]+)")\s*(?:$|[,;])/iu.exec([header ?? []].flat().join(',')) ?? [];
  const seconds = bare ?? quoted;
  return seconds === undefined ? undefined : Math.min(Number(seconds), LONGEST_WAIT);
}
