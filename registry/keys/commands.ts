/** Requests about API keys, and the commands that they mean. */
import { invalidInput } from '../errors.ts';
import { SCOPES, SYSTEM_ACTOR, type Scope } from '../model.ts';
import { checkRequest, type Attribution } from '../requests.ts';
import { newKey, type CreateKeyCommand, type RevokeKeyCommand } from './keys.ts';

export interface CreateKeyRequest extends Attribution {
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** RFC 3339, in the future. Default: the key does not expire. */
  readonly expiresAt?: string | undefined;
  /** The scopes of the creator. Default: all. */
  readonly heldScopes?: readonly Scope[];
}

export interface RevokeKeyRequest extends Attribution {
  readonly keyId: string;
  readonly reason: string;
  /** The scopes of the revoker. Default: all. */
  readonly heldScopes?: readonly Scope[];
}

/**
 * The command, with a new key in it.
 * @param now milliseconds since the epoch
 * @throws RegistryError `validation-failed`
 */
export function createKeyCommand(request: CreateKeyRequest, now: number): CreateKeyCommand {
  const { label, scopes, expiresAt, actor = SYSTEM_ACTOR, heldScopes = SCOPES } = request;
  checkRequest({ label, expiresAt });
  checkNewKey(scopes, expiresAt, now);
  const command = { type: 'create-key' as const, key: newKey(), label, scopes, actor, heldScopes };
  return expiresAt === undefined ? command : { ...command, expiresAt: new Date(expiresAt).toISOString() };
}

/** @throws RegistryError `validation-failed` */
export function revokeKeyCommand(request: RevokeKeyRequest): RevokeKeyCommand {
  const { keyId, reason, actor = SYSTEM_ACTOR, heldScopes = SCOPES } = request;
  checkRequest({ reason });
  return { type: 'revoke-key', keyId, reason, actor, heldScopes };
}

function checkNewKey(scopes: readonly Scope[], expiresAt: string | undefined, now: number): void {
  if (scopes.length === 0 || scopes.some((scope) => !SCOPES.includes(scope))) {
    throw invalidInput('The scopes are not valid.', [
      { parameter: 'scopes', detail: `Name one or more of ${SCOPES.join(', ')}.` },
    ]);
  }
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) {
    throw invalidInput('The key would expire at once.', [
      { parameter: 'expiresAt', detail: `${expiresAt} is in the past; name a time in the future.` },
    ]);
  }
}
