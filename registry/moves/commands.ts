/** Requests that move pointers, and the commands that they mean. */
import { invalidInput } from '../errors.ts';
import { SYSTEM_ACTOR, type SessionPolicy } from '../model.ts';
import { LONGEST_WAIT, millisecondsOf } from '../values/durations.ts';
import { checkRequest, pointerOf, type At, type Attribution, type Defaults } from '../requests.ts';
import type { ActivateCommand, Precondition, RollbackCommand } from './move-command.ts';
import type { RevokeCommand } from './revocation.ts';

export interface ActivateRequest extends At, Attribution {
  readonly version: string;
  readonly reason: string;
  /** A trial: the channel goes back after this time unless the activation is confirmed; e.g. `30m`, at most `90d`. */
  readonly revertAfter?: string | undefined;
  /** What happens to running sessions on the version that is left; default: they keep it. */
  readonly sessions?: SessionPolicy | undefined;
  readonly precondition?: Precondition | undefined;
}

export interface RollbackRequest extends At, Attribution {
  readonly reason: string;
  /** Default: the version below the active one on the stack. */
  readonly toVersion?: string | undefined;
  /** Only if this version is still the active one. */
  readonly fromVersion?: string | undefined;
  /** What happens to running sessions on the version that is left; default: they keep it. */
  readonly sessions?: SessionPolicy | undefined;
  readonly precondition?: Precondition | undefined;
}

export interface RevokeRequest extends Attribution {
  readonly pack: string;
  readonly version: string;
  readonly replacement?: string | undefined;
  /** `end`: sessions on the version end; default: they go on with what replaces it. */
  readonly sessions?: 'next-turn' | 'end' | undefined;
  readonly reason: string;
}

/** @throws RegistryError `validation-failed` */
export function activateCommand(request: ActivateRequest, defaults: Defaults): ActivateCommand {
  const { version, reason, pack, channel, actor = SYSTEM_ACTOR, revertAfter, sessions, precondition } = request;
  checkRequest({ version, reason, pack, channel, sessions });
  return {
    type: 'activate',
    ...pointerOf(request, defaults),
    version,
    actor,
    reason,
    ...(revertAfter !== undefined && { revertAfter: trialLength(revertAfter) }),
    ...(sessions !== undefined && { sessions }),
    ...(precondition !== undefined && { precondition }),
  };
}

/** @throws RegistryError `validation-failed` */
export function rollbackCommand(request: RollbackRequest, defaults: Defaults): RollbackCommand {
  const { reason, toVersion, fromVersion, pack, channel, actor = SYSTEM_ACTOR, sessions, precondition } = request;
  checkRequest({ toVersion, fromVersion, reason, pack, channel, sessions });
  return {
    type: 'rollback',
    ...pointerOf(request, defaults),
    actor,
    reason,
    ...(toVersion !== undefined && { toVersion }),
    ...(fromVersion !== undefined && { fromVersion }),
    ...(sessions !== undefined && { sessions }),
    ...(precondition !== undefined && { precondition }),
  };
}

/** @throws RegistryError `validation-failed` */
export function revokeCommand({
  pack,
  version,
  replacement,
  sessions,
  reason,
  actor = SYSTEM_ACTOR,
}: RevokeRequest): RevokeCommand {
  checkRequest({ pack, version, replacement, sessions, reason });
  if ((sessions as SessionPolicy | undefined) === 'keep')
    throw invalidInput('Sessions cannot keep a revoked version.', [
      { parameter: 'sessions', detail: 'Must be "next-turn" or "end".' },
    ]);
  return {
    type: 'revoke',
    pack,
    version,
    actor,
    reason,
    ...(replacement !== undefined && { replacement }),
    ...(sessions !== undefined && { sessions }),
  };
}

/** Milliseconds of a trial. @throws RegistryError `validation-failed` */
function trialLength(revertAfter: string): number {
  checkRequest({ revertAfter });
  const length = millisecondsOf(revertAfter);
  if (length > LONGEST_WAIT)
    throw invalidInput('The trial is too long.', [{ parameter: 'revertAfter', detail: 'Must be at most 90d.' }]);
  return length;
}
