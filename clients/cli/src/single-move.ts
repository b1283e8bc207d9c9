/**
 * How a move of one channel is shown and reported: `activate` and `rollback`.
 *
 * Problem: a move also ends what is under way in the channel. A move to the version where the channel is already moves nothing, but ends a
 * rollout, or confirms a trial.
 * Rule: everything that ends is shown before, and is part of what must not have changed in between.
 */
import type { components } from '@prompt-registry/client';
import type { ChannelRef, Move } from './channel-move.ts';
import type { ChannelState } from './channel-state.ts';
import { summaryOf } from './diff-output.ts';
import { violationText } from './explain.ts';
import { nameOf, rolloutIn } from './rollout-text.ts';
import type { SessionPolicy } from './arguments.ts';

type Activation = components['schemas']['Activation'];
type Preview = components['schemas']['Preview'];

export interface SingleMoveOptions {
  readonly kind: 'activation' | 'rollback';
  /** What is under way in the channel, if anything is active and the registry knows rollouts. */
  readonly state: ChannelState | undefined;
  readonly sessions?: SessionPolicy | undefined;
  readonly revertAfter?: string | undefined;
}

type Shown = Pick<Move<Preview, Activation>, 'problems' | 'lines' | 'plannedChanges' | 'actualChanges' | 'summary'>;

/** What is under way, and how a move that stays at the active version would end it. */
interface Circumstances extends ChannelRef {
  readonly rollout: ReturnType<typeof rolloutIn>;
  readonly trial: ChannelState['trial'];
  /** Whether activating the active version confirms its trial. */
  readonly confirms: boolean;
}

export function singleMove({ pack, channel }: ChannelRef, options: SingleMoveOptions): Shown {
  const { kind, state, sessions, revertAfter } = options;
  const { trial } = state ?? {};
  const confirms = kind === 'activation' && trial !== undefined;
  const circumstances: Circumstances = { pack, channel, rollout: rolloutIn(state), trial, confirms };
  return {
    problems: ({ problems }) => problems,
    lines: (preview) => [
      headOf(preview, circumstances),
      ...summaryOf(preview.diff),
      ...endsOf(preview, circumstances),
      ...(revertAfter === undefined
        ? []
        : [`  On trial for ${revertAfter}: then it goes back, unless somebody confirms it.`]),
      ...sessionLines(sessions),
      ...preview.problems.map((problem) => `  would be refused: ${violationText(problem)}`),
    ],
    plannedChanges: ({ wouldActivate, previousVersion }) =>
      wouldActivate === previousVersion ? stayLines(circumstances) : [stepLine(previousVersion, wouldActivate)],
    actualChanges: ({ version, previousVersion, changed }) => {
      if (changed && version !== previousVersion) return [stepLine(previousVersion, version)];
      return changed || circumstances.rollout === undefined ? stayLines(circumstances) : [];
    },
    summary: (activation) => [
      doneOf(activation, circumstances),
      ...(activation.changed && revertAfter !== undefined
        ? [
            `It goes back in ${revertAfter} unless somebody runs: prompt-registry confirm --pack ${pack} --channel ${activation.channel}`,
          ]
        : []),
    ],
  };
}

/** What a move to the active version changes. */
function stayLines({ rollout, trial, confirms }: Circumstances): string[] {
  if (rollout !== undefined) return [`  ${nameOf(rollout)} ends`];
  return confirms ? [`  the trial of ${trial?.version ?? ''} is confirmed`] : [];
}

function runningText(rollout: NonNullable<Circumstances['rollout']>): string {
  return `${nameOf(rollout)} (${rollout.state} at ${rollout.share}%)`;
}

function headOf({ wouldActivate, previousVersion }: Preview, { pack, channel, rollout }: Circumstances): string {
  const where = `${pack}${channel === undefined ? '' : ` in ${channel}`}`;
  return rollout !== undefined && wouldActivate === previousVersion
    ? `${where}: ${runningText(rollout)} ends, and everybody is on ${wouldActivate}`
    : `${where}: ${previousVersion ?? 'nothing'} -> ${wouldActivate}`;
}

function endsOf({ wouldActivate, previousVersion }: Preview, circumstances: Circumstances): string[] {
  const { pack, rollout, trial } = circumstances;
  if (wouldActivate === previousVersion) {
    if (rollout !== undefined) return [];
    const [confirmed = 'nothing would change'] = stayLines(circumstances);
    return [`  Already active; ${confirmed.trim()}.`];
  }
  const end = wouldActivate === rollout?.version ? 'promoted' : 'aborted';
  return [
    ...(previousVersion === null
      ? []
      : [`  Full diff: prompt-registry diff ${previousVersion} ${wouldActivate} --pack ${pack}`]),
    ...(rollout === undefined ? [] : [`  ${runningText(rollout)} ends: ${end}.`]),
    ...(trial === undefined ? [] : [`  The trial of ${trial.version} ends.`]),
  ];
}

function doneOf(activation: Activation, { pack, rollout, confirms }: Circumstances): string {
  const { version, channel, changed, previousVersion, revision, kind } = activation;
  if (!changed)
    return confirms
      ? `${pack} ${version} stays active in ${channel}: its trial is confirmed.`
      : `${pack} ${version} is already active in ${channel} (since revision ${revision}). Nothing was changed.`;
  if (version === previousVersion && rollout !== undefined)
    return `Everybody is on ${pack} ${version} in ${channel}; ${nameOf(rollout)} ended. Revision ${revision}.`;
  const was = previousVersion === null ? '' : ` (was ${previousVersion})`;
  const ended = rollout === undefined ? '' : ` ${capital(nameOf(rollout))} ended.`;
  return `${DONE[kind]} ${pack} ${version} in ${channel}${was}. Revision ${revision}.${ended}`;
}

const DONE = { activation: 'Activated', rollback: 'Rolled back to', revocation: 'Moved to' };

function stepLine(from: string | null, to: string): string {
  return `  ${from ?? 'nothing'} -> ${to}`;
}

/** With a capital at the beginning of a sentence. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What a move does to the running sessions on the version that it leaves, as a line of its preview. */
export function sessionLines(sessions: SessionPolicy | undefined): string[] {
  if (sessions === undefined || sessions === 'keep') return [];
  return [
    sessions === 'end'
      ? '  Running sessions on the version that is left end.'
      : '  Running sessions on the version that is left move along at their next turn.',
  ];
}
