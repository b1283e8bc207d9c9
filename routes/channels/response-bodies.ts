/** The response body of a channel. */
import type { Static } from '@sinclair/typebox';
import { planIn, viewIn, type ChannelPlan, type ChannelView, type Snapshot } from '../../registry/index.ts';
import { scheduledBody } from '../schedule/response-bodies.ts';
import { mutable } from '../wire/schema-types.ts';
import type * as schemas from './schemas.ts';

type Body = Static<typeof schemas.ChannelState>;

/** The last body of each view: followers read it at every change, and it is as long as two packs. */
const made = new WeakMap<ChannelView, { readonly plan: ChannelPlan | undefined; readonly body: Body }>();

/** @throws RegistryError `pack-not-found`, `channel-not-found` */
export function channelBody(snapshot: Snapshot, at: { readonly pack: string; readonly channel: string }): Body {
  const view = viewIn(snapshot, at.pack, at.channel);
  const plan = planIn(snapshot, at);
  const last = made.get(view);
  if (last !== undefined && last.plan === plan) return last.body;
  const body = bodyOf(view, plan);
  made.set(view, { plan, body });
  return body;
}

function bodyOf({ activePack, rollout }: ChannelView, plan: ChannelPlan | undefined): Body {
  const { pack, channel } = activePack;
  return mutable({
    pack,
    channel,
    revision: Math.max(activePack.revision, plan?.revision ?? 0),
    stable: activePack,
    ...(rollout !== undefined && {
      rollout: {
        id: rollout.id,
        candidate: rollout.candidate.activePack,
        share: rollout.share / 1000,
        ...(rollout.audience !== undefined && { audience: rollout.audience }),
        salt: rollout.salt,
        hash: 'v1' as const,
        state: rollout.state as 'running' | 'paused' | 'baking',
      },
    }),
    ...(plan?.trial !== undefined && { trial: trialBody(plan.trial) }),
    schedule: (plan?.schedule ?? []).map((each) => scheduledBody(pack, channel, each)),
    sessionMoves: plan?.sessionMoves ?? [],
    ...(plan?.droppedUpTo !== undefined && { droppedUpTo: plan.droppedUpTo }),
  });
}

function trialBody({ version, revertAt, startedAt, startedBy, reason }: NonNullable<ChannelPlan['trial']>) {
  return { version, revertAt, startedAt, startedBy, reason };
}
