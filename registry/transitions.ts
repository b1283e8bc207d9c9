/**
 * Commands: each one is decided against one snapshot. The result is the events to append, or a refusal.
 *
 *     command ── decide(snapshot, command) ──> events      pure; refuses with a RegistryError
 *     event ──── apply(snapshot, event) ──> next snapshot  pure (`events.ts`)
 *
 * Rule: nothing here waits, reads a clock or changes its input. So a decision can be repeated on a newer snapshot after a lost race, and
 * property tests can try any history.
 * Example: `activate coach 1.1.0` while 1.1.0 is active gives no events: nothing needs to change.
 */
import { decideCreateKey, decideRevokeKey, type CreateKeyCommand, type RevokeKeyCommand } from './keys/keys.ts';
import { decideRevoke, type RevokeCommand } from './moves/revocation.ts';
import type { Snapshot } from './state/snapshot.ts';
import type { Decision } from './log/proposal.ts';
import { decideMove } from './moves/moving.ts';
import {
  decideCancelSchedule,
  decideKeepSchedule,
  decideSchedule,
  type CancelScheduleCommand,
  type KeepScheduleCommand,
  type ScheduleCommand,
} from './rollouts/schedule.ts';
import { decideStartRollout, type StartRolloutCommand } from './rollouts/starting.ts';
import { decideSteering, type SteeringCommand } from './rollouts/steering.ts';
import { decideConfirm, decideKeepTrial, type ConfirmCommand, type KeepTrialCommand } from './rollouts/trial.ts';
import { type PublishCommand, decidePublish } from './packs/publishing.ts';
import type { ActivateCommand, RollbackCommand, Rules } from './moves/move-command.ts';

export type Command =
  | PublishCommand
  | ActivateCommand
  | RollbackCommand
  | RevokeCommand
  | StartRolloutCommand
  | SteeringCommand
  | ScheduleCommand
  | CancelScheduleCommand
  | KeepScheduleCommand
  | ConfirmCommand
  | KeepTrialCommand
  | CreateKeyCommand
  | RevokeKeyCommand;

/**
 * Decides a command.
 *
 * @returns the events to append; none if nothing needs to change
 * @throws RegistryError `version-exists`, `pack-not-found`, `channel-not-found`, `unknown-version`,
 *   `revision-conflict`, `not-active`, `never-active`, `nothing-to-roll-back-to`, `version-revoked`, `policy-violated`,
 *   `version-not-found`, `replacement-required`, `rollout-not-found`, `rollout-running`, `rollout-ended`, `already-active`, `trial-running`,
 *   `no-trial`, `schedule-not-found`, `schedule-full`, `older-instances`, `key-not-found`, `forbidden`, `validation-failed`
 */
export function decide(snapshot: Snapshot, command: Command, rules: Rules): Decision {
  switch (command.type) {
    case 'publish':
      return decidePublish(snapshot, command);
    case 'activate':
    case 'rollback':
      return decideMove(snapshot, command, rules);
    case 'revoke':
      return { events: decideRevoke(snapshot, command), contents: [] };
    case 'start-rollout':
      return decideStartRollout(snapshot, command, rules);
    case 'advance-rollout':
    case 'pause-rollout':
    case 'resume-rollout':
    case 'promote-rollout':
    case 'abort-rollout':
    case 'keep-plan':
      return decideSteering(snapshot, command, rules);
    case 'schedule-activation':
      return decideSchedule(snapshot, command, rules);
    case 'cancel-schedule':
      return decideCancelSchedule(snapshot, command);
    case 'keep-schedule':
      return decideKeepSchedule(snapshot, command, rules);
    case 'confirm-activation':
      return decideConfirm(snapshot, command, rules);
    case 'keep-trial':
      return decideKeepTrial(snapshot, command, rules);
    case 'create-key':
      return { events: decideCreateKey(command), contents: [] };
    case 'revoke-key':
      return { events: decideRevokeKey(snapshot, command), contents: [] };
  }
}
