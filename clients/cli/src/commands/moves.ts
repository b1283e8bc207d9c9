/** `activate`, `rollback`, `revoke`: moves of a channel, each shown before it is made. */
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
  type MoveOptions,
  type ChannelRef,
  type Step,
} from '../changes.ts';
import { summaryOf } from '../hunks.ts';
import { violationText } from '../explain.ts';
import { demandAnswers } from '../prompt.ts';
import { having } from '../shape.ts';
import { name, version as edition, waitSeconds } from '../values.ts';

type Activation = components['schemas']['Activation'];
type Preview = components['schemas']['Preview'];

interface RollbackOptions extends MoveOptions {
  readonly to?: string;
}

interface RevokeOptions extends MoveOptions {
  readonly replacement?: string;
}

/** A reason that a dry run is sent with; it is kept nowhere. */
const LOOKING = 'Dry run';

export function addMoves(program: Command, act: Act): void {
  move(
    program
      .command('activate')
      .description('point a channel at a version')
      .argument('<version>', 'the version', edition),
  )
    .option('--channel <name>', 'the channel; the default channel where none is named', name)
    .action(act<MoveOptions, [string]>(activate));

  move(program.command('rollback').description('point a channel at the version that was active before'))
    .option('--channel <name>', 'the channel; the default channel where none is named', name)
    .option('--to <version>', 'back to this version, which was active there before', edition)
    .action(act<RollbackOptions>(rollback));

  move(
    program
      .command('revoke')
      .description('take a version out of service for good')
      .argument('<version>', 'the version', edition),
  )
    .option('--replacement <version>', 'what stands in for it, in channels and in sessions', edition)
    .action(act<RevokeOptions, [string]>(revoke));
}

/** What all moves take. */
function move(command: Command): Command {
  return command
    .option('--pack <name>', 'the pack', name)
    .option('--reason <text>', 'why; asked for where it is not given')
    .option('-y, --yes', 'do it without asking')
    .option('--dry-run', 'only say what would happen')
    .option('--wait <seconds>', 'until every instance has it, 30 at most', waitSeconds);
}

/** Begins each move: who is there to answer, which registry, which channel. */
async function begin(
  context: Context,
  options: MoveOptions,
): Promise<{ registry: RegistryClient; channelRef: ChannelRef }> {
  if (options.dryRun !== true) demandAnswers(context, options);
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
    ...pointing(channelRef),
    dryRun: () =>
      guarded(registry, channelRef, () =>
        registry
          .ask((api) =>
            api.POST('/v1/packs/{pack}/activations', {
              params: { path: { pack }, header: { ...guard } },
              body: { version, ...defined({ channel }), reason: LOOKING, dryRun: true },
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
    question: () => `Activate ${version} of ${pack}${channelOf(channelRef, current)}`,
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
    ...pointing(channelRef),
    dryRun: () => send({ reason: LOOKING, dryRun: true }, { ...guard }).then(asPreview),
    send: (reason, key, shown) =>
      send(
        { reason, ...(typeof shown.previousVersion === 'string' && { fromVersion: shown.previousVersion }) },
        moveHeaders(key, options.wait, guard),
      ).then(asActivation),
    question: (shown) => `Roll ${pack} back to ${shown.wouldActivate}${channelOf(channelRef, current)}`,
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
    guarded: false, // the API takes no condition here
    dryRun: async () => having({ moves: 'list' })(await send({ reason: LOOKING, dryRun: true }, {})).data,
    send: async (reason, key) =>
      having({ revision: 'number', moves: 'list' })(await send({ reason }, moveHeaders(key, wait))).data,
    question: () => `Revoke ${version} of ${pack} for good`,
    lines: ({ moves }) => [
      `${pack} ${version} would never be served again${replacement === undefined ? '' : `; ${replacement} stands in for it`}.`,
      ...(moves.length === 0 ? ['  No channel points at it.'] : stepLines(moves)),
    ],
    problems: () => [],
    planned: ({ moves }) => moves,
    made: ({ moves }) => moves,
    told: ({ revision, moves }) => [`Revoked ${pack} ${version}; revision ${revision}.`, ...stepLines(moves)],
  });
}

/** Which channel a question is about, also where none was named. */
function channelOf({ channel }: ChannelRef, current: Awaited<ReturnType<typeof currentOf>>): string {
  const name = channel ?? current?.active.channel;
  return typeof name === 'string' ? ` in ${name}` : '';
}

function asPreview(answer: { data: Activation | Preview; status: number; headers: Headers }): Preview {
  return having({ wouldActivate: 'string', diff: 'list', problems: 'list' })(answer).data as Preview;
}

function asActivation(answer: { data: Activation | Preview; status: number; headers: Headers }): Activation {
  return having({
    pack: 'string',
    version: 'string',
    channel: 'string',
    kind: 'string',
    revision: 'number',
    changed: 'boolean',
  })(answer).data as Activation;
}

const DONE = { activation: 'Activated', rollback: 'Rolled back to', revocation: 'Moved to' };

/** How moves to one version of one channel are shown and told. */
function pointing({ pack, channel }: ChannelRef) {
  return {
    problems: ({ problems }: Preview) => problems,
    lines: ({ wouldActivate, previousVersion, diff, problems }: Preview): string[] => {
      const lines = [
        `${pack}${channel === undefined ? '' : ` in ${channel}`}: ${previousVersion ?? 'nothing'} -> ${wouldActivate}`,
        ...summaryOf(diff),
      ];
      if (previousVersion === wouldActivate) lines.push('  It is active already; nothing would be changed.');
      else if (previousVersion !== null)
        lines.push(`  All of it: prompt-registry diff ${previousVersion} ${wouldActivate} --pack ${pack}`);
      for (const problem of problems) lines.push(`  would be refused: ${violationText(problem)}`);
      return lines;
    },
    planned: ({ wouldActivate, previousVersion }: Preview): Step[] =>
      previousVersion === wouldActivate ? [] : [{ version: wouldActivate, previousVersion }],
    made: ({ version, previousVersion, changed }: Activation): Step[] =>
      changed ? [{ version, previousVersion }] : [],
    told: ({ version, channel: where, kind, changed, previousVersion, revision }: Activation): string[] => [
      changed
        ? `${DONE[kind]} ${pack} ${version} in ${where}${previousVersion === null ? '' : `; it was ${previousVersion}`}. Revision ${revision}.`
        : `${pack} ${version} is active in ${where} already, since revision ${revision}; nothing was changed.`,
    ],
  };
}
