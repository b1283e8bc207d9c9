/** `schedule`: activates a version at a time, lists what is scheduled, and cancels it. */
import type { Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { makeMove, type ChannelRef, type MoveOptions } from '../channel-move.ts';
import { defined } from '../defined.ts';
import { CliError, EXIT } from '../exit.ts';
import { withFields } from '../fields.ts';
import type { Cell } from '../output.ts';
import { sessionLines, singleMove } from '../single-move.ts';
import { name, sessionsOption, timeAhead, version as parseVersion } from '../arguments.ts';
import { begin, change, DRY_RUN_REASON } from './move-options.ts';

type Scheduled = components['schemas']['ScheduledActivation'];
type Preview = components['schemas']['Preview'];
type Cancelled = components['schemas']['CancelledActivation'];

interface AddOptions extends MoveOptions {
  readonly at: string;
}

interface ListOptions {
  readonly pack?: string;
  readonly channel?: string;
}

export function addSchedule(program: Command, act: Act): void {
  const schedule = program.command('schedule').description('Activate a version at a time');

  change(
    schedule
      .command('add', { isDefault: true })
      .description('Activate a version at a time; "add" may be left out')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .requiredOption(
      '--at <time>',
      'When, at most 90 days ahead: 2027-01-31T06:00:00Z, or 12h for in 12 hours',
      timeAhead,
    )
    .addOption(sessionsOption(['keep', 'next-turn', 'end']))
    .action(act<AddOptions, [string]>(add));

  schedule
    .command('list')
    .description('List the scheduled activations of a channel, earliest first')
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<ListOptions>(list));

  change(
    schedule
      .command('cancel')
      .description('Cancel a scheduled activation')
      .argument('<id>', 'Its id, as shown by "schedule list"'),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<MoveOptions, [string]>(cancel));
}

async function add(context: Context, options: AddOptions, version: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const { at, sessions } = options;
  const shown = singleMove(channelRef, { kind: 'activation', state: undefined });
  return makeMove<Preview, Scheduled>(context, options, {
    channelRef,
    guarded: false, // the API has no condition for it
    // What the activation would do now: the API has no dry run of a schedule.
    dryRun: async () =>
      withFields({ wouldActivate: 'string', diff: 'list', problems: 'list' })(
        await registry.ask((api) =>
          api.POST('/v1/packs/{pack}/activations', {
            params: { path: { pack } },
            body: { version, ...defined({ channel }), reason: DRY_RUN_REASON, dryRun: true },
          }),
        ),
      ).data as Preview,
    send: async (reason, key) =>
      asScheduled(
        await registry.ask((api) =>
          api.POST('/v1/packs/{pack}/schedule', {
            params: { path: { pack }, header: { 'idempotency-key': key } },
            body: { version, at, reason, ...defined({ channel, sessions }) },
          }),
        ),
      ).data,
    question: () => `Activate ${version} of ${pack}${channel === undefined ? '' : ` in ${channel}`} at ${at}`,
    lines: (preview) => [`At ${at}:`, ...shown.lines(preview), ...sessionLines(sessions)],
    problems: ({ problems }) => problems,
    plannedChanges: () => [`  ${version} at ${at}`],
    actualChanges: (done) => [`  ${done.version} at ${done.at}`],
    summary: (done) => [
      `Scheduled ${pack} ${done.version} in ${done.channel} at ${done.at}. Revision ${done.revision}.`,
      `It is skipped if the channel moves before, or if a rollout or a trial runs then. To cancel it: prompt-registry schedule cancel ${done.id} --pack ${pack} --channel ${done.channel}`,
    ],
  });
}

const asScheduled = withFields({
  id: 'string',
  version: 'string',
  channel: 'string',
  at: 'string',
  revision: 'number',
});

async function scheduleOf(registry: RegistryClient, { pack, channel }: ChannelRef): Promise<readonly Scheduled[]> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/packs/{pack}/schedule', { params: { path: { pack }, query: defined({ channel }) } }))
    .then(withFields({ scheduled: 'list' }));
  return data.scheduled;
}

async function list(context: Context, { pack: named, channel }: ListOptions) {
  const registry = await context.registry();
  const pack = await context.pack(named);
  const scheduled = await scheduleOf(registry, { pack, channel });
  context.out.result({ pack, scheduled }, () => {
    context.out.table(scheduled.map(row));
    if (scheduled.length === 0)
      context.out.note(`Nothing is scheduled for ${pack}${channel === undefined ? '' : ` in ${channel}`}.`);
  });
  return EXIT.ok;
}

function row({ id, at, channel, version, scheduledBy, reason }: Scheduled): Cell[] {
  return [at, ['bold', version], channel, `by ${scheduledBy.label}`, id, reason];
}

async function cancel(context: Context, options: MoveOptions, id: string) {
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const found = (await scheduleOf(registry, channelRef)).find((each) => each.id === id);
  if (found === undefined)
    throw new CliError(`${pack} has no scheduled activation "${id}"${channel === undefined ? '' : ` in ${channel}`}.`, {
      exit: EXIT.refused,
      code: 'schedule-not-found',
      hint: 'List them: prompt-registry schedule list. Name another channel with --channel.',
    });
  const what = `${pack} ${found.version} in ${found.channel} at ${found.at}`;
  return makeMove<Scheduled, Cancelled>(context, options, {
    channelRef,
    guarded: true, // its id says which one
    dryRun: async () => found,
    send: async (reason, key) =>
      withFields({ id: 'string', revision: 'number' })(
        await registry.ask((api) =>
          api.POST('/v1/packs/{pack}/schedule/{id}/cancel', {
            params: { path: { pack, id }, header: { 'idempotency-key': key } },
            body: { reason },
          }),
        ),
      ).data,
    question: () => `Cancel the activation of ${what}`,
    lines: () => [`${what}, scheduled by ${found.scheduledBy.label}: ${found.reason}`],
    problems: () => [],
    plannedChanges: () => [`  ${id} is cancelled`],
    actualChanges: (done) => [`  ${done.id} is cancelled`],
    summary: (done) => [`Cancelled the activation of ${what}. Revision ${done.revision}.`],
  });
}
