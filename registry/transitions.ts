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
import { type ActivateCommand, type RollbackCommand, type Rules, decideMove } from './moves/moving.ts';
import { type PublishCommand, decidePublish } from './packs/publishing.ts';

export type Command =
  PublishCommand | ActivateCommand | RollbackCommand | RevokeCommand | CreateKeyCommand | RevokeKeyCommand;

/**
 * Decides a command.
 *
 * @returns the events to append; none if nothing needs to change
 * @throws RegistryError `version-exists`, `pack-not-found`, `channel-not-found`, `unknown-version`,
 *   `revision-conflict`, `not-active`, `never-active`, `nothing-to-roll-back-to`, `version-revoked`, `policy-violated`,
 *   `version-not-found`, `replacement-required`, `key-not-found`, `forbidden`, `validation-failed`
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
    case 'create-key':
      return { events: decideCreateKey(command), contents: [] };
    case 'revoke-key':
      return { events: decideRevokeKey(snapshot, command), contents: [] };
  }
}
