/** Requests that move pointers, and the commands that they mean. */
import { SYSTEM_ACTOR } from '../model.ts';
import { checkRequest, pointerOf, type At, type Attribution, type Defaults } from '../requests.ts';
import type { ActivateCommand, Precondition, RollbackCommand } from './move-command.ts';
import type { RevokeCommand } from './revocation.ts';

export interface ActivateRequest extends At, Attribution {
  readonly version: string;
  readonly reason: string;
  readonly precondition?: Precondition | undefined;
}

export interface RollbackRequest extends At, Attribution {
  readonly reason: string;
  /** Default: the version below the active one on the stack. */
  readonly toVersion?: string | undefined;
  /** Only if this version is still the active one. */
  readonly fromVersion?: string | undefined;
  readonly precondition?: Precondition | undefined;
}

export interface RevokeRequest extends Attribution {
  readonly pack: string;
  readonly version: string;
  readonly replacement?: string | undefined;
  readonly reason: string;
}

/** @throws RegistryError `validation-failed` */
export function activateCommand(request: ActivateRequest, defaults: Defaults): ActivateCommand {
  const { version, reason, pack, channel, actor = SYSTEM_ACTOR, precondition } = request;
  checkRequest({ version, reason, pack, channel });
  const command: ActivateCommand = { type: 'activate', ...pointerOf(request, defaults), version, actor, reason };
  return precondition === undefined ? command : { ...command, precondition };
}

/** @throws RegistryError `validation-failed` */
export function rollbackCommand(request: RollbackRequest, defaults: Defaults): RollbackCommand {
  const { reason, toVersion, fromVersion, pack, channel, actor = SYSTEM_ACTOR, precondition } = request;
  checkRequest({ toVersion, fromVersion, reason, pack, channel });
  return {
    type: 'rollback',
    ...pointerOf(request, defaults),
    actor,
    reason,
    ...(toVersion !== undefined && { toVersion }),
    ...(fromVersion !== undefined && { fromVersion }),
    ...(precondition !== undefined && { precondition }),
  };
}

/** @throws RegistryError `validation-failed` */
export function revokeCommand({
  pack,
  version,
  replacement,
  reason,
  actor = SYSTEM_ACTOR,
}: RevokeRequest): RevokeCommand {
  checkRequest({ pack, version, replacement, reason });
  return { type: 'revoke', pack, version, actor, reason, ...(replacement !== undefined && { replacement }) };
}
