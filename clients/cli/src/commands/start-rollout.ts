/** `rollout start`: shows the plan, and begins with its first share. */
import { Option, type Command } from 'commander';
import type { components } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import type { AudienceOptions } from '../audience.ts';
import {
  currentOf,
  guarded,
  makeMove,
  moveHeaders,
  type ChannelRef,
  type Guard,
  type Reason,
} from '../channel-move.ts';
import { asRollout, requireActive, type Rollout } from '../channel-state.ts';
import { defined } from '../defined.ts';
import { summaryOf } from '../diff-output.ts';
import { violationText } from '../explain.ts';
import { withFields } from '../fields.ts';
import { planSteps, requirePlan, type Finish, type Step } from '../rollout-plan.ts';
import { audienceText, nameOf, nextOf, planText } from '../rollout-text.ts';
import { duration, list, name, repeated, rolloutId, version as parseVersion } from '../arguments.ts';
import { begin, DRY_RUN_REASON, move, type MoveOptions } from './move-options.ts';

type Preview = components['schemas']['RolloutPreview'];

interface StartOptions extends MoveOptions, AudienceOptions {
  readonly steps: readonly Step[];
  readonly bake?: string;
  readonly finish: Finish;
  readonly sameSubjectsAs?: number;
  readonly force?: boolean;
}

const HELP = `
Examples:
  prompt-registry rollout start 2.0.0 --steps 1%:10m,10%:1h,50%:1h
  prompt-registry rollout start 2.0.0 --steps 5% --finish wait --where 'country in de,at'

A step is a share and how long it is held. A step without a time waits for "rollout advance".
A condition of --where is an attribute, an operator and values. Operators: in, not in, startsWith, endsWith, contains (any of several
values, separated by commas); =, >, <, before, after, semver (one value).`;

export function addStartRollout(rollout: Command, act: Act): void {
  move(
    rollout
      .command('start')
      .description('Give a version to a share of the users, and raise the share step by step')
      .argument('<version>', 'The version', parseVersion),
  )
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .requiredOption('--steps <plan>', 'The shares and how long each is held, e.g. 1%:10m,10%:1h,50%:1h', planSteps)
    .option('--bake <duration>', 'How long it stays at its last share before it ends', duration)
    .addOption(
      new Option('--finish <how>', 'At the end: give it to everybody, or wait for "rollout promote"')
        .choices(['promote', 'wait'])
        .default('promote'),
    )
    .option('--where <condition>', "Only users of whom this holds, e.g. 'country in de,at' (repeatable)", repeated)
    .option('--testers <ids>', 'Users who always get it (comma-separated, repeatable)', list)
    .option('--audience <json>', 'Conditions and testers as JSON, or the name of a file with it')
    .option('--same-subjects-as <rollout>', 'Give it to the same users as this earlier rollout', rolloutId)
    .option('--force', 'Start although instances of an older build run, which serve the stable version')
    .addHelpText('after', HELP)
    .action(act<StartOptions, [string]>(start));
}

async function start(context: Context, options: StartOptions, version: string) {
  const plan = await planOf(context, options);
  const { registry, channelRef } = await begin(context, options);
  const { pack, channel } = channelRef;
  const current = requireActive(await currentOf(registry, channelRef), channelRef);
  const { guard } = current;
  const send = (body: { reason: string; dryRun?: boolean }, header: Guard) =>
    guarded(registry, channelRef, () =>
      registry.ask((api) =>
        api.POST('/v1/packs/{pack}/rollouts', {
          params: { path: { pack }, header },
          body: { version, ...defined({ channel }), ...plan, ...body },
        }),
      ),
    );
  return makeMove<Preview, Rollout>(context, options, {
    channelRef,
    guarded: true,
    dryRun: async () =>
      withFields({ rollout: 'object', diff: 'list', problems: 'list', olderInstances: 'list' })(
        await send({ reason: DRY_RUN_REASON, dryRun: true }, guard),
      ).data as Preview,
    send: async (reason, key) =>
      asRollout(await send({ reason }, moveHeaders(key, options.wait, guard))).data as Rollout,
    question: () => `Start a rollout of ${version} of ${pack} in ${current.active.channel}`,
    lines: (preview) => linesOf(channelRef, preview, problemsOf(preview, options.force)),
    problems: (preview) => problemsOf(preview, options.force),
    plannedChanges: ({ rollout }) => [changeOf(rollout)],
    actualChanges: (rollout) => [changeOf(rollout)],
    summary: (rollout) => [
      `Started ${nameOf(rollout)} of ${pack} in ${rollout.channel} at ${rollout.share}%. Next: ${nextOf(rollout) ?? 'nothing'}.`,
      `Back in one step: prompt-registry rollback --pack ${pack} --channel ${rollout.channel}`,
    ],
  });
}

/** The plan in the body of the request. @throws CliError `wrong-usage`, before anything is sent */
async function planOf({ io }: Context, options: StartOptions) {
  const { steps, bake, finish, sameSubjectsAs, force } = options;
  // Loaded only here: its schemas take longer to load than most commands take to run.
  const [{ audienceOf }, { MOST_STEPS }] = await Promise.all([
    import('../audience.ts'),
    import('../../../../registry/model.ts'),
  ]);
  requirePlan({ steps, finish, ...defined({ bake }) }, MOST_STEPS);
  const audience = await audienceOf(options, io.cwd);
  return { steps: [...steps], finish, ...defined({ bake, audience, sameSubjectsAs, force }) };
}

function changeOf({ version, stableVersion, share }: Rollout): string {
  return `  ${stableVersion} -> ${version} for ${share}%`;
}

function problemsOf({ problems, olderInstances }: Preview, force: boolean | undefined): readonly Reason[] {
  if (olderInstances.length === 0 || force === true) return problems;
  const detail = `${olderInstances.join(', ')} run an older build, which serves the stable version to everybody. Upgrade them, or add --force.`;
  return [...problems, { rule: 'older-instances', detail }];
}

function linesOf({ pack }: ChannelRef, { rollout, diff }: Preview, problems: readonly Reason[]): string[] {
  const { channel, version, stableVersion, share, audience } = rollout;
  return [
    `${pack} in ${channel}: ${share}% of ${audienceText(audience)} -> ${version}; the others stay on ${stableVersion}`,
    ...summaryOf(diff),
    `  Full diff: prompt-registry diff ${stableVersion} ${version} --pack ${pack}`,
    `  Plan: ${planText(rollout)}`,
    ...problems.map((problem) => `  would be refused: ${violationText(problem)}`),
  ];
}
