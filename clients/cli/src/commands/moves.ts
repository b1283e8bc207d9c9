/** `activate`, `rollback`, `revoke`, `confirm`: move channels, showing each move before it is sent. */
import type { Command } from 'commander';
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { currentOf, guarded, makeMove, moveHeaders, stepLines, type Guard, type ChannelRef } from '../channel-move.ts';
import {
  channelStateOf,
  isRunning,
  lastRollout,
  requireActive,
  type ChannelState,
  type Rollout,
} from '../channel-state.ts';
import { nameOf, progressOf } from '../rollout-text.ts';
import { sessionLines, singleMove } from '../single-move.ts';
import { withFields } from '../fields.ts';
import { duration, name, sessionsOption, version as parseVersion, type SessionPolicy } from '../arguments.ts';
import { begin, DRY_RUN_REASON, move, type MoveOptions } from './move-options.ts';

type Activation = components['schemas']['Activation'];
type Confirmation = components['schemas']['Confirmation'];
type Preview = components['schemas']['Preview'];

interface ActivateOptions extends MoveOptions {
  readonly revertAfter?: string;
}

interface RollbackOptions extends MoveOptions {
  readonly to?: string;
}

interface RevokeOptions extends MoveOptions {
  readonly sessions?: Exclude<SessionPolicy, 'keep'>;
  readonly replacement?: string;
}

export function addMoves(program: Command, act: Act): void {
  move(
    program
      .command('activate')
      .description('Activate a version in a channel')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .option('--revert-after <duration>', 'A trial: go back after this time, unless somebody confirms it', duration)
    .addOption(sessionsOption(['keep', 'next-turn', 'end']))
    .action(act<ActivateOptions, [string]>(activate));

  move(program.command('confirm').description('Keep the version that is on trial'))
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<MoveOptions>(confirmTrial));

  move(
    program
      .command('rollback')
      .description('Roll a channel back to the version that was active before; ends a rollout if one runs'),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .option('--to <version>', 'Roll back to this version, which must have been active before', parseVersion)
    .addOption(sessionsOption(['keep', 'next-turn', 'end']))
    .action(act<RollbackOptions>(rollback));

  move(
    program
      .command('revoke')
      .description('Withdraw a version permanently')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--replacement <version>', 'The version that replaces it in channels and sessions', parseVersion)
    .addOption(sessionsOption(['next-turn', 'end']))
    .action(act<RevokeOptions, [string]>(revoke));
}

async function activate(context: Context, options: ActivateOptions, version: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const current = await currentOf(registry, channelRef);
  const guard = current?.guard;
  const state = await stateOf(registry, current);
  const { sessions, revertAfter } = options;
  const send = (body: { reason: string; dryRun?: boolean }, header: Guard) =>
    guarded(registry, channelRef, () =>
      registry.ask((api) =>
        api.POST('/v1/packs/{pack}/activations', {
          params: { path: { pack }, header },
          body: { version, ...defined({ channel, sessions, revertAfter }), ...body },
        }),
      ),
    );
  return makeMove<Preview, Activation>(context, options, {
    channelRef,
    guarded: guard !== undefined,
    ...singleMove(channelRef, { kind: 'activation', state, sessions, revertAfter }),
    dryRun: () => send({ reason: DRY_RUN_REASON, dryRun: true }, { ...guard }).then(asPreview),
    send: (reason, key) => send({ reason }, moveHeaders(key, options.wait, guard)).then(asActivation),
    question: () => `Activate ${version} of ${pack}${inChannel(channelRef, current)}`,
  });
}

async function rollback(context: Context, options: RollbackOptions) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const current = await currentOf(registry, channelRef);
  const guard = current?.guard;
  const state = await stateOf(registry, current);
  const target = defined({ channel, toVersion: options.to, sessions: options.sessions });
  const send = (body: { reason: string; dryRun?: boolean; fromVersion?: string }, header: Guard) =>
    guarded(registry, channelRef, () =>
      registry.ask((api) =>
        api.POST('/v1/packs/{pack}/rollback', { params: { path: { pack }, header }, body: { ...target, ...body } }),
      ),
    );
  return makeMove<Preview, Activation>(context, options, {
    channelRef,
    guarded: guard !== undefined,
    ...singleMove(channelRef, { kind: 'rollback', state, sessions: options.sessions }),
    dryRun: () => send({ reason: DRY_RUN_REASON, dryRun: true }, { ...guard }).then(asPreview),
    send: (reason, key, shown) => {
      // SPEC R14: while a rollout runs it is the candidate, so that a second press does not go below the stable version.
      const fromVersion = state?.rollout?.candidate.version ?? shown.previousVersion ?? undefined;
      return send({ reason, ...defined({ fromVersion }) }, moveHeaders(key, options.wait, guard)).then(asActivation);
    },
    question: (shown) => `Roll ${pack} back to ${shown.wouldActivate}${inChannel(channelRef, current)}`,
  });
}

async function revoke(context: Context, options: RevokeOptions, version: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack } = channelRef;
  const { replacement, sessions, wait } = options;
  const rollouts = (await rolloutsOf(registry, pack)).filter(isRunning);
  const send = (body: { reason: string; dryRun?: boolean }, header: { 'idempotency-key'?: string; prefer?: string }) =>
    registry.ask((api) =>
      api.POST('/v1/packs/{pack}/versions/{version}/revoke', {
        params: { path: { pack, version }, header },
        body: { ...defined({ replacement, sessions }), ...body },
      }),
    );
  type Plan = Awaited<ReturnType<typeof send>>['data'];
  return makeMove<Plan, Plan>(context, options, {
    channelRef,
    guarded: false, // the API has no condition for a revocation
    dryRun: async () => withFields({ moves: 'list' })(await send({ reason: DRY_RUN_REASON, dryRun: true }, {})).data,
    send: async (reason, key) =>
      withFields({ revision: 'number', moves: 'list' })(await send({ reason }, moveHeaders(key, wait))).data,
    question: () => `Permanently revoke ${version} of ${pack}`,
    lines: ({ moves }) => [
      `${pack} ${version} would never be served again${replacement === undefined ? '' : `; ${replacement} replaces it`}.`,
      ...(moves.length === 0 ? ['  It is not active in any channel.'] : stepLines(moves)),
      ...rollouts
        .filter((rollout) => [rollout.version, rollout.stableVersion].includes(version))
        .map((rollout) => `  ${rollout.channel}: ${nameOf(rollout)} ends (${progressOf(rollout)})`),
      ...sessionLines(sessions),
    ],
    problems: () => [],
    plannedChanges: ({ moves }) => stepLines(moves),
    actualChanges: ({ moves }) => stepLines(moves),
    summary: ({ revision, moves }) => [`Revoked ${pack} ${version} (revision ${revision}).`, ...stepLines(moves)],
  });
}

/** The last rollout of each channel of a pack; none if the key may not read them, or the registry is older than rollouts. */
async function rolloutsOf(registry: RegistryClient, pack: string): Promise<Rollout[]> {
  try {
    const { data } = await registry.ask((api) => api.GET('/v1/packs')).then(withFields({ packs: 'list' }));
    const channels = data.packs.find((each) => each.pack === pack)?.channels ?? [];
    const found = await Promise.all(channels.map(({ channel }) => lastRollout(registry, pack, channel)));
    return found.filter((rollout) => rollout !== undefined);
  } catch (error) {
    if (error instanceof RegistryFailure && ['forbidden', 'not-found'].includes(error.code)) return [];
    throw error;
  }
}

/** What is under way in a channel where something is active. */
async function stateOf(
  registry: RegistryClient,
  current: Awaited<ReturnType<typeof currentOf>>,
): Promise<ChannelState | undefined> {
  return current === undefined ? undefined : channelStateOf(registry, current.active.pack, current.active.channel);
}

async function confirmTrial(context: Context, options: MoveOptions) {
  const { registry, channelRef } = await begin(context, options);
  const { pack } = channelRef;
  const current = requireActive(await currentOf(registry, channelRef), channelRef);
  const { channel, version } = current.active;
  const trial = (await stateOf(registry, current))?.trial;
  const none = { rule: 'no-trial', detail: `No version is on trial in channel "${channel}" of pack "${pack}".` };
  type Plan = { readonly pack: string; readonly channel: string; readonly trial?: NonNullable<ChannelState['trial']> };
  return makeMove<Plan, Confirmation>(context, options, {
    channelRef,
    guarded: true,
    dryRun: async () => ({ pack, channel, ...defined({ trial }) }),
    send: (reason, key) =>
      guarded(registry, channelRef, () =>
        registry
          .ask((api) =>
            api.POST('/v1/packs/{pack}/channels/{channel}/confirm', {
              params: { path: { pack, channel }, header: moveHeaders(key, options.wait, current.guard) },
              body: { reason },
            }),
          )
          .then(withFields({ version: 'string', revision: 'number' }))
          .then(({ data }) => data),
      ),
    question: () => `Keep ${version} of ${pack} in ${channel}`,
    lines: () =>
      trial === undefined
        ? [`  would be refused: ${none.detail}`]
        : [`${pack} in ${channel}: ${version} stays. Without this it goes back at ${trial.revertAt}.`],
    problems: () => (trial === undefined ? [none] : []),
    plannedChanges: () => [`  ${version} stays`],
    actualChanges: (done) => [`  ${done.version} stays`],
    summary: (done) => [
      `${pack} ${done.version} stays in ${channel}: its trial is confirmed. Revision ${done.revision}.`,
    ],
  });
}

/** Names the channel in a question, even if none was given. */
function inChannel({ channel }: ChannelRef, current: Awaited<ReturnType<typeof currentOf>>): string {
  const name = channel ?? current?.active.channel;
  return typeof name === 'string' ? ` in ${name}` : '';
}

function asPreview(response: { data: Activation | Preview; status: number; headers: Headers }): Preview {
  return withFields({ wouldActivate: 'string', diff: 'list', problems: 'list' })(response).data as Preview;
}

function asActivation(response: { data: Activation | Preview; status: number; headers: Headers }): Activation {
  return withFields({
    pack: 'string',
    version: 'string',
    channel: 'string',
    kind: 'string',
    revision: 'number',
    changed: 'boolean',
  })(response).data as Activation;
}
