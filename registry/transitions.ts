/**
 * What may happen: each command is decided against one snapshot and gives the events that it means, or is refused.
 *
 *     command ── decide(snapshot, command) ──> events      pure; refuses with a RegistryError
 *     event ──── apply(snapshot, event) ──> next snapshot  pure (`events.ts`)
 *
 * Rule: nothing here waits, reads a clock or changes its input, so a decision can be made again on a newer snapshot after a
 * lost race, and property tests can drive it through any history.
 * Example: `activate coach 1.1.0` while 1.1.0 is active gives no events: the state is already what was asked for.
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
 * @returns the events to append, none where the state is already as asked
 * @throws RegistryError the refusal: `version-exists`, `pack-not-found`, `channel-not-found`, `unknown-version`,
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
