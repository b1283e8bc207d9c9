/**
 * A move to the version where the channel is already.
 *
 * Problem: "everybody on 1.0.0" is not yet true while a rollout gives some users the candidate, or while 1.0.0 is on trial.
 * Rule: the move ends the rollout (SPEC R14), or confirms the trial. The pointer stays, so no event of a move is written: to an older build a
 * move to the same version would be one more step of the stack. Otherwise nothing needs to change.
 * Example: 10 % of the users are on 2.0.0. A rollback gives `rollout-aborted`; the next rollback walks the stack.
 */
import { RegistryError } from '../errors.ts';
import { NOTHING, type Decision } from '../log/proposal.ts';
import type { ChannelPlan, Trial } from '../state/plans.ts';
import type { Pointer } from '../state/records.ts';
import { concerned, type MoveCommand } from './move-command.ts';

/** @throws RegistryError `trial-running`, `already-active` if a trial is asked for */
export function decideStay(command: MoveCommand, pointer: Pointer, plan: ChannelPlan | undefined): Decision {
  const { pack, channel, version, digest } = pointer;
  const { actor, reason } = command;
  const { rollout, trial } = plan ?? {};
  if (command.type === 'activate' && command.revertAfter !== undefined) throw noTrial(pointer, trial);
  if (rollout !== undefined) {
    const by = command.type === 'rollback' ? 'rollback' : 'activation';
    const data = { rollout: rollout.id, by, stable: { version, digest }, ...concerned(command.sessions) } as const;
    return {
      events: [{ type: 'rollout-aborted', actor, reason, pack, channel, version: rollout.version, data }],
      contents: [],
    };
  }
  if (command.type === 'rollback' || trial === undefined) return NOTHING;
  const data = { trial: trial.id };
  return { events: [{ type: 'activation-confirmed', actor, reason, pack, channel, version, data }], contents: [] };
}

function noTrial({ pack, channel, version }: Pointer, trial: Trial | undefined): RegistryError {
  const where = `Version ${version} is active in channel "${channel}" of pack "${pack}"`;
  if (trial === undefined)
    return new RegistryError('already-active', `${where}, so it cannot begin a trial. Nothing was changed.`, {
      activeVersion: version,
    });
  return new RegistryError(
    'trial-running',
    `${where}, on trial until ${trial.revertAt}. Confirm it, or roll back, before a new trial.`,
    { revertAt: trial.revertAt },
  );
}
