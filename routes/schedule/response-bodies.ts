/** The response body of a scheduled activation. */
import type { Static } from '@sinclair/typebox';
import type { ScheduledActivation } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import type * as schemas from './schemas.ts';

export function scheduledBody(
  pack: string,
  channel: string,
  scheduled: ScheduledActivation,
): Static<typeof schemas.ScheduledActivation> {
  const { id, version, at, sessions, revision, scheduledAt, scheduledBy, reason } = scheduled;
  const common = { id, pack, channel, version, at, ...(sessions !== undefined && { sessions }) };
  return mutable({ ...common, revision, scheduledAt, scheduledBy, reason });
}
