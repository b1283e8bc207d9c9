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

export function singleMove({ pack, channel }: ChannelRef, options: SingleMoveOptions): Shown {
  const { kind, state, sessions, revertAfter } = options;
  const rollout = rolloutIn(state);
  const running = rollout === undefined ? undefined : `${nameOf(rollout)} (${rollout.state} at ${rollout.share}%)`;
  const endsRollout = rollout === undefined ? undefined : `  ${nameOf(rollout)} ends`;
  const trial = state?.trial;
  const confirms =
    kind === 'activation' && trial !== undefined ? `  the trial of ${trial.version} is confirmed` : undefined;
  /** What a move to the active version changes. */
  const staying = [endsRollout ?? confirms].filter((line) => line !== undefined);

  const headOf = ({ wouldActivate, previousVersion }: Preview): string => {
    const where = `${pack}${channel === undefined ? '' : ` in ${channel}`}`;
    return running !== undefined && wouldActivate === previousVersion
      ? `${where}: ${running} ends, and everybody is on ${wouldActivate}`
      : `${where}: ${previousVersion ?? 'nothing'} -> ${wouldActivate}`;
  };
  const endsOf = ({ wouldActivate, previousVersion }: Preview): string[] => {
    if (wouldActivate === previousVersion) {
      if (running !== undefined) return [];
      return confirms === undefined
        ? ['  Already active; nothing would change.']
        : [`  Already active; ${confirms.trim()}.`];
    }
    return [
      ...(previousVersion === null
        ? []
        : [`  Full diff: prompt-registry diff ${previousVersion} ${wouldActivate} --pack ${pack}`]),
      ...(running === undefined
        ? []
        : [`  ${running} ends: ${wouldActivate === rollout?.version ? 'promoted' : 'aborted'}.`]),
      ...(trial === undefined ? [] : [`  The trial of ${trial.version} ends.`]),
    ];
  };
  const doneOf = (activation: Activation): string => {
    const { version, channel: name, changed, previousVersion, revision } = activation;
    if (!changed) {
      if (confirms !== undefined) return `${pack} ${version} stays active in ${name}: its trial is confirmed.`;
      return `${pack} ${version} is already active in ${name} (since revision ${revision}). Nothing was changed.`;
    }
    if (version === previousVersion && rollout !== undefined)
      return `Everybody is on ${pack} ${version} in ${name}; ${nameOf(rollout)} ended. Revision ${revision}.`;
    const was = previousVersion === null ? '' : ` (was ${previousVersion})`;
    const ended = rollout === undefined ? '' : ` ${capital(nameOf(rollout))} ended.`;
    return `${DONE[activation.kind]} ${pack} ${version} in ${name}${was}. Revision ${revision}.${ended}`;
  };

  return {
    problems: ({ problems }) => problems,
    lines: (preview) => [
      headOf(preview),
      ...summaryOf(preview.diff),
      ...endsOf(preview),
      ...(revertAfter === undefined
        ? []
        : [`  On trial for ${revertAfter}: then it goes back, unless somebody confirms it.`]),
      ...sessionLines(sessions),
      ...preview.problems.map((problem) => `  would be refused: ${violationText(problem)}`),
    ],
    plannedChanges: ({ wouldActivate, previousVersion }) =>
      wouldActivate === previousVersion ? staying : [stepLine(previousVersion, wouldActivate)],
    actualChanges: ({ version, previousVersion, changed }) => {
      if (changed && version !== previousVersion) return [stepLine(previousVersion, version)];
      return changed || endsRollout === undefined ? staying : [];
    },
    summary: (activation) => [
      doneOf(activation),
      ...(activation.changed && revertAfter !== undefined
        ? [
            `It goes back in ${revertAfter} unless somebody runs: prompt-registry confirm --pack ${pack} --channel ${activation.channel}`,
          ]
        : []),
    ],
  };
}

const DONE = { activation: 'Activated', rollback: 'Rolled back to', revocation: 'Moved to' };

function stepLine(from: string | null, to: string): string {
  return `  ${from ?? 'nothing'} -> ${to}`;
}

function capital(text: string): string {
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
