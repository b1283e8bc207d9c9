/** What is under way in a channel: its rollout, its trial and its schedule. */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import { currentOf, type ChannelRef } from './channel-move.ts';
import { CliError, EXIT } from './exit.ts';
import { withFields } from './fields.ts';

type Schemas = components['schemas'];
export type ChannelState = Schemas['ChannelState'];
export type Rollout = Schemas['Rollout'];

/** Checks that a response is a rollout. */
export const asRollout = withFields({
  id: 'number',
  pack: 'string',
  channel: 'string',
  state: 'string',
  version: 'string',
  share: 'number',
  steps: 'list',
  revision: 'number',
});

/** Both arms of a channel, its trial and its schedule; undefined if the registry is older than rollouts. */
export async function channelStateOf(
  registry: RegistryClient,
  pack: string,
  channel: string,
): Promise<ChannelState | undefined> {
  try {
    const { data } = await registry
      .ask((api) => api.GET('/v1/packs/{pack}/channels/{channel}', { params: { path: { pack, channel } } }))
      .then(withFields({ stable: 'object', schedule: 'list', revision: 'number' }));
    return data;
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** A rollout, also one that has ended. */
export async function rolloutWith(registry: RegistryClient, pack: string, rollout: number): Promise<Rollout> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/packs/{pack}/rollouts/{rollout}', { params: { path: { pack, rollout } } }))
    .then(asRollout);
  return data;
}

/** The last rollout of a channel, which is the one that runs, if any does. */
export async function lastRollout(
  registry: RegistryClient,
  pack: string,
  channel: string,
): Promise<Rollout | undefined> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/packs/{pack}/rollouts', { params: { path: { pack }, query: { channel, limit: 1 } } }))
    .then(withFields({ rollouts: 'list' }));
  return data.rollouts[0];
}

/** The rollout that runs in a channel, or else its last one. @throws CliError `rollout-not-found` */
export async function rolloutOf(registry: RegistryClient, channelRef: ChannelRef): Promise<Rollout> {
  const { pack } = channelRef;
  const channel = channelRef.channel ?? requireActive(await currentOf(registry, channelRef), channelRef).active.channel;
  const found = await lastRollout(registry, pack, channel);
  if (found !== undefined) return found;
  throw new CliError(`There was no rollout of ${pack} in ${channel} yet.`, {
    exit: EXIT.refused,
    code: 'rollout-not-found',
    hint: 'Start one: prompt-registry rollout start <version> --steps 1%:10m,10%:1h',
  });
}

/** Whether a rollout runs: it has not ended. */
export function isRunning({ state }: Pick<Rollout, 'state'>): boolean {
  return state !== 'promoted' && state !== 'aborted';
}

/** The name of a channel; without one, that of the default channel. @throws CliError `channel-not-found` if nothing is active there */
export function requireActive<T>(current: T | undefined, { pack, channel }: ChannelRef): T {
  if (current !== undefined) return current;
  throw new CliError(`No version of ${pack} is active${channel === undefined ? '' : ` in ${channel}`}.`, {
    exit: EXIT.refused,
    code: 'channel-not-found',
    hint: 'Activate one first: prompt-registry activate <version>',
  });
}
