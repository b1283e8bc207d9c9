/**
 * `rollout advance`, `pause`, `resume`, `promote`, `abort`: change the rollout of a channel.
 *
 * Problem: between the preview and the change a step may be due, or somebody else may change the rollout.
 * Rule: what was shown is what is done: a change names the revision that was shown. An abort does not, because a way back must not fail for
 * a step that was due; it names the rollout, and has one outcome.
 */
import type { Command } from 'commander';
import type { components } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { makeMove, moveHeaders, type Guard } from '../channel-move.ts';
import { asRollout, isRunning, rolloutOf, type Rollout } from '../channel-state.ts';
import { defined } from '../defined.ts';
import { summaryOf } from '../diff-output.ts';
import { violationText } from '../explain.ts';
import { withFields } from '../fields.ts';
import { nameOf, nextOf, progressOf } from '../rollout-text.ts';
import { capital, sessionLines } from '../single-move.ts';
import { name, sessionsOption, share } from '../arguments.ts';
import { begin, DRY_RUN_REASON, move, type MoveOptions } from './move-options.ts';

type Preview = components['schemas']['RolloutPreview'];

interface SteerOptions extends MoveOptions {
  readonly share?: number;
}

const VERBS = {
  advance: { description: 'Take the next step of a rollout now, or set a share', ask: 'Advance' },
  pause: { description: 'Pause a rollout: its share stays, its plan stops', ask: 'Pause' },
  resume: { description: 'Resume a paused rollout', ask: 'Resume' },
  promote: { description: 'End a rollout: everybody gets the new version', ask: 'Promote' },
  abort: { description: 'End a rollout: everybody is on the stable version again', ask: 'Abort' },
} as const;
type Verb = keyof typeof VERBS;

export function addSteering(rollout: Command, act: Act): void {
  for (const verb of Object.keys(VERBS) as Verb[]) {
    const command = move(rollout.command(verb).description(VERBS[verb].description)).option(
      '--channel <name>',
      "The channel (default: the pack's default channel)",
      name,
    );
    if (verb === 'advance') command.option('--share <percent>', 'Set this share; the plan goes on above it', share);
    if (verb === 'promote' || verb === 'abort') command.addOption(sessionsOption(['keep', 'next-turn', 'end']));
    command.action(act<SteerOptions>((context, options) => steer(context, verb, options)));
  }
}

async function steer(context: Context, verb: Verb, options: SteerOptions) {
  const { registry, channelRef } = await begin(context, options);
  const { pack } = channelRef;
  const before = await rolloutOf(registry, channelRef);
  const guard: Guard = verb === 'abort' ? {} : { 'if-match': `"${before.revision}"` };
  const send = (body: { reason: string; dryRun?: boolean }, header: Guard) =>
    registry.ask((api) =>
      api.POST(`/v1/packs/{pack}/rollouts/{rollout}/${verb}`, {
        params: { path: { pack, rollout: before.id }, header },
        body: { ...defined({ share: options.share, sessions: options.sessions }), ...body },
      }),
    );
  return makeMove<Preview, Rollout>(context, options, {
    channelRef,
    guarded: true,
    dryRun: async () =>
      withFields({ rollout: 'object', diff: 'list', problems: 'list' })(
        await send({ reason: DRY_RUN_REASON, dryRun: true }, guard),
      ).data as Preview,
    send: async (reason, key) =>
      asRollout(await send({ reason }, moveHeaders(key, options.wait, guard))).data as Rollout,
    question: () => `${VERBS[verb].ask} ${nameOf(before)} of ${pack} in ${before.channel}`,
    lines: (preview) => linesOf(before, preview, options),
    problems: ({ problems }) => (verb === 'promote' ? problems : []),
    plannedChanges: ({ rollout }) => changesOf(before, rollout),
    actualChanges: (rollout) => changesOf(before, rollout),
    summary: (rollout) => [summaryLine(rollout)],
  });
}

/** What a change does; nothing if the rollout is as before. The share at which it is aborted does not matter. */
function changesOf(before: Rollout, { state, share, revision }: Rollout): string[] {
  if (revision === before.revision) return [];
  return [state === 'aborted' ? `  ${nameOf(before)}: aborted` : `  ${nameOf(before)}: ${state} at ${share}%`];
}

function linesOf(before: Rollout, { rollout, diff, problems }: Preview, { sessions }: SteerOptions): string[] {
  const what = `${before.pack} in ${before.channel}: ${nameOf(before)}`;
  if (rollout.revision === before.revision) return [`${what} is ${progressOf(before)}; nothing would change.`];
  return [
    `${what}: ${progressOf(before)} -> ${progressOf(rollout)}`,
    ...(rollout.state === 'promoted' ? summaryOf(diff) : []),
    effectOf(rollout),
    ...sessionLines(sessions),
    ...(rollout.state === 'promoted' ? problems.map((problem) => `  would be refused: ${violationText(problem)}`) : []),
  ];
}

function effectOf(rollout: Rollout): string {
  if (rollout.state === 'promoted') return `  Everybody gets ${rollout.version}.`;
  if (rollout.state === 'aborted') return `  Everybody is on ${rollout.stableVersion} again.`;
  return `  Next: ${nextOf(rollout) ?? 'nothing'}`;
}

function summaryLine(rollout: Rollout): string {
  const { pack, channel, revision, changed } = rollout;
  const name = `${capital(nameOf(rollout))} of ${pack} in ${channel}`;
  if (changed === false) {
    const next = isRunning(rollout) ? ` ${effectOf(rollout).trim()}.` : '';
    return `${name} is already ${progressOf(rollout)}. Nothing was changed.${next}`;
  }
  return `${name} is now ${progressOf(rollout)}. ${effectOf(rollout).trim()}${isRunning(rollout) ? '.' : ''} Revision ${revision}.`;
}
