/**
 * API keys: made, checked, revoked. The log keeps the SHA-256 of a secret, never the secret.
 *
 * Problem: a key must be found by an id, so that its secret can be compared in constant time, and a guess at an unknown id must
 * cost as much as one at a known id.
 * Rule: a token is `prk_<keyId>_<secret>`, both base62, the secret 256 random bits. A hash without salt is enough for a secret that
 * nobody can guess. A key grants only scopes that its maker holds (SPEC R12).
 * Example: `prk_k7Qm2Xw9Lp3_4fJ…`; the event `key-created` holds keyId, label, scopes, `secretHash`.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { RegistryError, listed } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import type { Actor, Scope } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { KeyRecord } from '../state/records.ts';

/** A token as it is shown once, and what the log keeps of it. */
export interface NewKey {
  readonly keyId: string;
  /** The whole bearer token. */
  readonly token: string;
  readonly secretHash: string;
}

/** Characters of a key id (71 bits) and of a secret (256 bits), base62. */
const KEY_ID_LENGTH = 12;
const SECRET_LENGTH = 43;
const TOKEN = /^prk_([0-9A-Za-z]{1,32})_([0-9A-Za-z]{43})$/u;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new key. */
export function newKey(): NewKey {
  const keyId = base62(BigInt(`0x${randomBytes(9).toString('hex')}`), KEY_ID_LENGTH).slice(-KEY_ID_LENGTH);
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), SECRET_LENGTH);
  return { keyId, token: `prk_${keyId}_${secret}`, secretHash: hashOfSecret(secret).toString('hex') };
}

function base62(value: bigint, length: number): string {
  let digits = '';
  for (let rest = value; rest > 0n; rest /= 62n) digits = (BASE62[Number(rest % 62n)] ?? '') + digits;
  return digits.padStart(length, '0');
}

function hashOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

const NOBODY = Buffer.alloc(32);

/**
 * The key that a token proves, revoked and expired ones included.
 *
 * The same work is done whether the id is known or not: one hash, one comparison in constant time.
 */
export function keyOfToken(snapshot: Snapshot, token: string): KeyRecord | undefined {
  const [, keyId = '', secret = ''] = TOKEN.exec(token) ?? [];
  const record = snapshot.keys.get(keyId);
  const expected = record === undefined ? NOBODY : Buffer.from(record.secretHash, 'hex');
  return timingSafeEqual(hashOfSecret(secret), expected) ? record : undefined;
}

/** Whether a token may be of a key that a later snapshot has: it is well formed, and its id is not known. The secret of a known one never changes. */
export function mayBeKnownLater(snapshot: Snapshot, token: string): boolean {
  const [, keyId] = TOKEN.exec(token) ?? [];
  return keyId !== undefined && !snapshot.keys.has(keyId);
}

/** Why a key may not act any more, or undefined where it may. `now` in milliseconds since the epoch. */
export function deadBecause({ revokedAt, expiresAt }: KeyRecord, now: number): string | undefined {
  if (revokedAt !== undefined) return `was revoked at ${revokedAt}`;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) return `expired at ${expiresAt}`;
  return undefined;
}

/** Whether somebody who holds these scopes may do what needs that one. */
export function allows(held: readonly Scope[], needed: Scope): boolean {
  return held.includes('*') || held.includes(needed);
}

/** Whether the log has a key that can do everything and has been neither revoked nor has an end. */
export function hasOperatorKey(snapshot: Snapshot): boolean {
  for (const { scopes, revokedAt, expiresAt } of snapshot.keys.values()) {
    if (scopes.includes('*') && revokedAt === undefined && expiresAt === undefined) return true;
  }
  return false;
}

export interface CreateKeyCommand {
  readonly type: 'create-key';
  readonly key: NewKey;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string;
  readonly actor: Actor;
  /** What the maker holds. */
  readonly heldScopes: readonly Scope[];
  /** The instance, or the host, that makes it for whoever has access to its DATA_DIR. */
  readonly madeBy?: string;
}

export interface RevokeKeyCommand {
  readonly type: 'revoke-key';
  readonly keyId: string;
  readonly reason: string;
  readonly actor: Actor;
  /** What the revoker holds: nobody ends a key that can do more than they can. */
  readonly heldScopes: readonly Scope[];
}

/** @throws RegistryError `forbidden` where the key would be able to do more than its maker */
export function decideCreateKey({
  key,
  label,
  scopes,
  expiresAt,
  actor,
  heldScopes,
  madeBy,
}: CreateKeyCommand): EventDraft[] {
  requireHeld(scopes, heldScopes, 'A key can grant only scopes that its maker holds');
  const { keyId, secretHash } = key;
  return [
    {
      type: 'key-created',
      actor,
      reason: `Key for ${label}`,
      data: {
        keyId,
        label,
        scopes: [...new Set(scopes)],
        ...(expiresAt !== undefined && { expiresAt }),
        secretHash,
        ...(madeBy !== undefined && { madeBy }),
      },
    },
  ];
}

/** @throws RegistryError `key-not-found`, `forbidden` */
export function decideRevokeKey(
  snapshot: Snapshot,
  { keyId, reason, actor, heldScopes }: RevokeKeyCommand,
): EventDraft[] {
  const record = snapshot.keys.get(keyId);
  if (record === undefined)
    throw new RegistryError('key-not-found', `There is no key "${keyId}". \`listKeys\` lists the keys there are.`);
  if (record.revokedAt !== undefined) return [];
  requireHeld(record.scopes, heldScopes, 'A key that can do more than yours cannot be revoked with it');
  return [{ type: 'key-revoked', actor, reason, data: { keyId } }];
}

function requireHeld(scopes: readonly Scope[], held: readonly Scope[], rule: string): void {
  const missing = scopes.filter((scope) => !allows(held, scope));
  if (missing.length > 0)
    throw new RegistryError('forbidden', `${rule}; this one lacks: ${listed(missing)}.`, { requiredScopes: missing }); // SPEC R12
}
