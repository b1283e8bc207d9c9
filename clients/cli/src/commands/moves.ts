/** `activate`, `rollback`, `revoke`: move channels, showing each move before it is sent. */
import type { Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import {
  currentOf,
  guarded,
  makeMove,
  moveHeaders,
  stepLines,
  timeoutFor,
  type Guard,
  type ChannelRef,
  type MoveOptions,
  type Step,
} from '../channel-move.ts';
import { summaryOf } from '../diff-output.ts';
import { violationText } from '../explain.ts';
import { requireAnswers } from '../questions.ts';
import { withFields } from '../fields.ts';
import { name, version as parseVersion, waitSeconds } from '../arguments.ts';

type Activation = components['schemas']['Activation'];
type Preview = components['schemas']['Preview'];

interface RollbackOptions extends MoveOptions {
  readonly to?: string;
}

interface RevokeOptions extends MoveOptions {
  readonly replacement?: string;
}

/** The API requires a reason for a dry run, too; it is not stored. */
const DRY_RUN_REASON = 'Dry run';

export function addMoves(program: Command, act: Act): void {
  move(
    program
      .command('activate')
      .description('Activate a version in a channel')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<MoveOptions, [string]>(activate));

  move(program.command('rollback').description('Roll a channel back to the version that was active before'))
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .option('--to <version>', 'Roll back to this version, which must have been active before', parseVersion)
    .action(act<RollbackOptions>(rollback));

  move(
    program
      .command('revoke')
      .description('Withdraw a version permanently')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--replacement <version>', 'The version that replaces it in channels and sessions', parseVersion)
    .action(act<RevokeOptions, [string]>(revoke));
}

/** Adds the options of every move. */
function move(command: Command): Command {
  return command
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--reason <text>', 'Why; asked for if not given')
    .option('-y, --yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only show what would happen')
    .option('--wait <seconds>', 'Wait up to 30 seconds for all instances to apply it', waitSeconds);
}

/** The first steps of each move: checks that questions can be answered, and finds the registry and the channel. */
async function begin(
  context: Context,
  options: MoveOptions,
): Promise<{ registry: RegistryClient; channelRef: ChannelRef }> {
  if (options.dryRun !== true) requireAnswers(context, options);
  const registry = await context.registry(timeoutFor(options.wait));
  return { registry, channelRef: { pack: await context.pack(options.pack), channel: options.channel } };
}

async function activate(context: Context, options: MoveOptions, version: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const current = await currentOf(registry, channelRef);
  const guard = current?.guard;
  return makeMove<Preview, Activation>(context, options, {
    channelRef,
    registry,
    guarded: guard !== undefined,
    ...singleMove(channelRef),
    dryRun: () =>
      guarded(registry, channelRef, () =>
        registry
          .ask((api) =>
            api.POST('/v1/packs/{pack}/activations', {
              params: { path: { pack }, header: { ...guard } },
              body: { version, ...defined({ channel }), reason: DRY_RUN_REASON, dryRun: true },
            }),
          )
          .then(asPreview),
      ),
    send: (reason, key) =>
      guarded(registry, channelRef, () =>
        registry
          .ask((api) =>
            api.POST('/v1/packs/{pack}/activations', {
              params: { path: { pack }, header: moveHeaders(key, options.wait, guard) },
              body: { version, ...defined({ channel }), reason },
            }),
          )
          .then(asActivation),
      ),
    question: () => `Activate ${version} of ${pack}${inChannel(channelRef, current)}`,
  });
}

async function rollback(context: Context, options: RollbackOptions) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const current = await currentOf(registry, channelRef);
  const guard = current?.guard;
  const target = defined({ channel, toVersion: options.to });
  const send = (body: { reason: string; dryRun?: boolean; fromVersion?: string }, header: Guard) =>
    guarded(registry, channelRef, () =>
      registry.ask((api) =>
        api.POST('/v1/packs/{pack}/rollback', { params: { path: { pack }, header }, body: { ...target, ...body } }),
      ),
    );
  return makeMove<Preview, Activation>(context, options, {
    channelRef,
    registry,
    guarded: guard !== undefined,
    ...singleMove(channelRef),
    dryRun: () => send({ reason: DRY_RUN_REASON, dryRun: true }, { ...guard }).then(asPreview),
    send: (reason, key, shown) =>
      send(
        { reason, ...(typeof shown.previousVersion === 'string' && { fromVersion: shown.previousVersion }) },
        moveHeaders(key, options.wait, guard),
      ).then(asActivation),
    question: (shown) => `Roll ${pack} back to ${shown.wouldActivate}${inChannel(channelRef, current)}`,
  });
}

async function revoke(context: Context, options: RevokeOptions, version: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack } = channelRef;
  const { replacement, wait } = options;
  const send = (body: { reason: string; dryRun?: boolean }, header: { 'idempotency-key'?: string; prefer?: string }) =>
    registry.ask((api) =>
      api.POST('/v1/packs/{pack}/versions/{version}/revoke', {
        params: { path: { pack, version }, header },
        body: { ...defined({ replacement }), ...body },
      }),
    );
  type Plan = Awaited<ReturnType<typeof send>>['data'];
  return makeMove<Plan, Plan>(context, options, {
    channelRef,
    registry,
    guarded: false, // the API has no condition for a revocation
    dryRun: async () => withFields({ moves: 'list' })(await send({ reason: DRY_RUN_REASON, dryRun: true }, {})).data,
    send: async (reason, key) =>
      withFields({ revision: 'number', moves: 'list' })(await send({ reason }, moveHeaders(key, wait))).data,
    question: () => `Permanently revoke ${version} of ${pack}`,
    lines: ({ moves }) => [
      `${pack} ${version} would never be served again${replacement === undefined ? '' : `; ${replacement} replaces it`}.`,
      ...(moves.length === 0 ? ['  It is not active in any channel.'] : stepLines(moves)),
    ],
    problems: () => [],
    plannedSteps: ({ moves }) => moves,
    actualSteps: ({ moves }) => moves,
    summary: ({ revision, moves }) => [`Revoked ${pack} ${version} (revision ${revision}).`, ...stepLines(moves)],
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

const DONE = { activation: 'Activated', rollback: 'Rolled back to', revocation: 'Moved to' };

/** How `activate` and `rollback` show and report a move of one channel. */
function singleMove({ pack, channel }: ChannelRef) {
  return {
    problems: ({ problems }: Preview) => problems,
    lines: ({ wouldActivate, previousVersion, diff, problems }: Preview): string[] => {
      const lines = [
        `${pack}${channel === undefined ? '' : ` in ${channel}`}: ${previousVersion ?? 'nothing'} -> ${wouldActivate}`,
        ...summaryOf(diff),
      ];
      if (previousVersion === wouldActivate) lines.push('  Already active; nothing would change.');
      else if (previousVersion !== null)
        lines.push(`  Full diff: prompt-registry diff ${previousVersion} ${wouldActivate} --pack ${pack}`);
      for (const problem of problems) lines.push(`  would be refused: ${violationText(problem)}`);
      return lines;
    },
    plannedSteps: ({ wouldActivate, previousVersion }: Preview): Step[] =>
      previousVersion === wouldActivate ? [] : [{ version: wouldActivate, previousVersion }],
    actualSteps: ({ version, previousVersion, changed }: Activation): Step[] =>
      changed ? [{ version, previousVersion }] : [],
    summary: ({ version, channel: name, kind, changed, previousVersion, revision }: Activation): string[] => [
      changed
        ? `${DONE[kind]} ${pack} ${version} in ${name}${previousVersion === null ? '' : ` (was ${previousVersion})`}. Revision ${revision}.`
        : `${pack} ${version} is already active in ${name} (since revision ${revision}). Nothing was changed.`,
    ],
  };
}
