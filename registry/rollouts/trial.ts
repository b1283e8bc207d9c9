/**
 * Trials: an activation that ends on its own unless somebody confirms it (SPEC R15).
 *
 * Rule: its end is what a rollback would do at that moment, however late. If nothing below may be active, the version stays, and an event
 * says so. Any other move of the channel ends the trial.
 */
import { RegistryError } from '../errors.ts';
import { NOTHING, type Decision } from '../log/proposal.ts';
import { SYSTEM_ACTOR, type Actor } from '../model.ts';
import { channelOf, resolveMove } from '../moves/moving.ts';
import { planIn, type Snapshot } from '../state/snapshot.ts';
import type { Precondition, Rules } from '../moves/move-command.ts';

export interface ConfirmCommand {
  readonly type: 'confirm-activation';
  readonly pack: string;
  readonly channel: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly precondition?: Precondition;
}

/** What is due: the timekeeper sends it. */
export interface KeepTrialCommand {
  readonly type: 'keep-trial';
  readonly pack: string;
  readonly channel: string;
  /** The revision of the activation. */
  readonly trial: number;
}

/** @throws RegistryError `pack-not-found`, `channel-not-found`, `revision-conflict`, `no-trial` */
export function decideConfirm(snapshot: Snapshot, command: ConfirmCommand, rules: Rules): Decision {
  const { pack, channel, actor, reason } = command;
  channelOf(snapshot, command, rules);
  const trial = planIn(snapshot, command)?.trial;
  if (trial === undefined)
    throw new RegistryError('no-trial', `No version is on trial in channel "${channel}" of pack "${pack}".`);
  const { id, version } = trial;
  const data = { trial: id };
  return { events: [{ type: 'activation-confirmed', actor, reason, pack, channel, version, data }], contents: [] };
}

/** Ends a trial whose time is over. Nothing if another instance was faster. */
export function decideKeepTrial(snapshot: Snapshot, command: KeepTrialCommand, rules: Rules): Decision {
  const { pack, channel, trial: id } = command;
  const trial = planIn(snapshot, command)?.trial;
  if (trial?.id !== id || Date.parse(trial.revertAt) > rules.now) return NOTHING;
  const { version } = trial;
  const common = { actor: SYSTEM_ACTOR, pack, channel };
  const back = versionToGoBackTo(snapshot, command, rules);
  if (back === undefined) {
    const reason = `The trial of ${version} is over, but there is no earlier version to go back to.`;
    return { events: [{ type: 'trial-stayed', ...common, reason, version, data: { trial: id } }], contents: [] };
  }
  const reason = `The trial of ${version} is over and nobody confirmed it.`;
  const data = { digest: back.digest, previousVersion: version, trial: id };
  return {
    events: [{ type: 'version-rolled-back', ...common, reason, version: back.version, data }],
    contents: [],
  };
}

function versionToGoBackTo(
  snapshot: Snapshot,
  { pack, channel }: KeepTrialCommand,
  rules: Rules,
): { readonly version: string; readonly digest: string } | undefined {
  try {
    return resolveMove(snapshot, { type: 'rollback', pack, channel, actor: SYSTEM_ACTOR, reason: '' }, rules).record;
  } catch (refusal) {
    if (refusal instanceof RegistryError && refusal.code === 'nothing-to-roll-back-to') return undefined;
    throw refusal;
  }
}
