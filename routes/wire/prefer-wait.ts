/**
 * `Prefer: wait=<seconds>` (RFC 7240): a move is answered when every live instance has applied it, so that after the answer nobody is
 * given the old version unmarked (`registry/following/instances.ts`).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from '@sinclair/typebox';
import type { Reach, Registry } from '../../registry/index.ts';
import { closed, mutable } from './schema-kit.ts';

/** The longest wait there is, in seconds; who prefers longer waits so long. */
const LONGEST_WAIT = 30;
/** How long a move with its wait may take, in milliseconds. */
export const WAIT_TIMEOUT = 40_000;

const ids = (description: string) => Type.Array(Type.String({ examples: ['registry-0-3f9a1c2e'] }), { description });

/** Which instances have applied a move; in answers to requests that waited. */
export const Instances = closed(
  {
    applied: ids('They answer from the move, or from what came after it.'),
    pending: ids('They have not applied it yet.'),
    pinned: ids('They serve a version of their own (`PIN_VERSION`), whatever the log says.'),
    expired: ids(
      'They have not been heard of for seven seconds: stopped, cut off or gone. What they may still answer is marked `Registry-Stale`.',
    ),
  },
  {
    $id: 'InstancesReached',
    description: 'Which instances have applied the move. Only where the request preferred to wait.',
  },
);
export const instancesExample = {
  applied: ['registry-0-3f9a1c2e', 'registry-1-77b0d4a1'],
  pending: [],
  pinned: [],
  expired: [],
};

/** Waits where the request prefers so, and says that it did. @returns undefined where it does not */
export async function waited(
  request: FastifyRequest,
  reply: FastifyReply,
  registry: Registry,
  revision: number,
): Promise<{ instances: ReturnType<typeof mutable<Reach>>; complete: boolean } | undefined> {
  const seconds = waitOf(request.headers['prefer']);
  if (seconds === undefined) return undefined;
  const instances = await registry.instance.settled(revision, seconds);
  void reply.header('preference-applied', 'wait');
  return { instances: mutable(instances), complete: instances.pending.length === 0 };
}

/** The first `wait` of the header; what is no preference of ours is ignored, as RFC 7240 section 2 has it. */
function waitOf(header: string | string[] | undefined): number | undefined {
  const [, bare, quoted] =
    /(?:^|,)\s*wait\s*=\s*(?:([0-9]+)|"([0-9]+)")\s*(?:$|[,;])/iu.exec([header ?? []].flat().join(',')) ?? [];
  const seconds = bare ?? quoted;
  return seconds === undefined ? undefined : Math.min(Number(seconds), LONGEST_WAIT);
}
