/**
 * API keys: create, check, revoke. The log keeps the SHA-256 of a secret, never the secret.
 *
 * Problem: a key must be found by an id, so that its secret can be compared in constant time. Guessing at an unknown id must take as long
 * as guessing at a known one.
 * Rule: a token is `prk_<keyId>_<secret>`, both base62; the secret has 256 random bits, so an unsalted SHA-256 cannot be reversed. A key
 * grants only scopes that its creator holds (SPEC R12).
 * Example: `prk_k7Qm2Xw9Lp3_4fJ…`; the event `key-created` has keyId, label, scopes, `secretHash`.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { RegistryError, listed } from '../errors.ts';
import type { CancelledActivation } from '../log/data/keys.ts';
import type { Event, EventDraft } from '../log/event.ts';
import type { Actor, Scope } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { KeyRecord } from '../state/records.ts';

/** A token, which is shown once, and the parts of it that the log keeps. */
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

/** Compared with when the key id is unknown. */
const NO_HASH = Buffer.alloc(32);

/**
 * The key that a token proves, even if it is revoked or expired.
 *
 * Takes the same time for known and unknown ids: one hash, one constant-time comparison.
 */
export function keyOfToken(snapshot: Snapshot, token: string): KeyRecord | undefined {
  const [, keyId = '', secret = ''] = TOKEN.exec(token) ?? [];
  const record = snapshot.keys.get(keyId);
  const expected = record === undefined ? NO_HASH : Buffer.from(record.secretHash, 'hex');
  return timingSafeEqual(hashOfSecret(secret), expected) ? record : undefined;
}

/** Whether a later snapshot may know this token's key: it is well formed and its id is unknown. The secret of a known id never changes. */
export function mayBeKnownLater(snapshot: Snapshot, token: string): boolean {
  const [, keyId] = TOKEN.exec(token) ?? [];
  return keyId !== undefined && !snapshot.keys.has(keyId);
}

/** Why a key is no longer valid; undefined if it is. @param now milliseconds since the epoch */
export function whyInvalid({ revokedAt, expiresAt }: KeyRecord, now: number): string | undefined {
  if (revokedAt !== undefined) return `was revoked at ${revokedAt}`;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) return `expired at ${expiresAt}`;
  return undefined;
}

/** Whether these scopes include the required one. */
export function allows(scopes: readonly Scope[], required: Scope): boolean {
  return scopes.includes('*') || scopes.includes(required);
}

/** Whether there is a key with scope `*` that is not revoked and never expires. */
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
  /** The creator's scopes. */
  readonly heldScopes: readonly Scope[];
  /** The instance or host that creates it for anyone with access to its DATA_DIR. */
  readonly madeBy?: string;
}

export interface RevokeKeyCommand {
  readonly type: 'revoke-key';
  readonly keyId: string;
  readonly reason: string;
  readonly actor: Actor;
  /** The revoker's scopes: nobody can revoke a key that can do more than their own. */
  readonly heldScopes: readonly Scope[];
}

/** @throws RegistryError `forbidden` if the key could do more than its creator */
export function decideCreateKey({
  key,
  label,
  scopes,
  expiresAt,
  actor,
  heldScopes,
  madeBy,
}: CreateKeyCommand): EventDraft[] {
  requireScopes(scopes, heldScopes, 'A key can grant only scopes that its creator holds');
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
    throw new RegistryError('key-not-found', `There is no key "${keyId}". \`listKeys\` lists all keys.`);
  if (record.revokedAt !== undefined) return [];
  requireScopes(record.scopes, heldScopes, 'A key cannot revoke a key that can do more than itself');
  const cancelled = scheduledBy(snapshot, keyId);
  const data = cancelled.length === 0 ? { keyId } : { keyId, cancelled };
  return [{ type: 'key-revoked', actor, reason, data }];
}

/** The answer to a revocation: the key, and what was cancelled with it. */
export interface RevokedKey {
  readonly record: KeyRecord;
  readonly cancelled: readonly CancelledActivation[];
}

/** What was cancelled with a key. @param event what the revocation made, if anything */
export function cancelledBy(event: Event | undefined): readonly CancelledActivation[] {
  return (event?.type === 'key-revoked' ? event.data.cancelled : undefined) ?? [];
}

/** The pending activations that a key has scheduled: they are cancelled with it. */
function scheduledBy(snapshot: Snapshot, keyId: string): CancelledActivation[] {
  return [...snapshot.packs.values()].flatMap(({ pack, plans }) =>
    [...plans.values()].flatMap(({ channel, schedule }) =>
      schedule.filter((each) => each.scheduledBy.keyId === keyId).map(({ id }) => ({ pack, channel, schedule: id })),
    ),
  );
}

function requireScopes(required: readonly Scope[], heldScopes: readonly Scope[], rule: string): void {
  const missing = required.filter((scope) => !allows(heldScopes, scope));
  if (missing.length > 0)
    throw new RegistryError('forbidden', `${rule}; yours lacks: ${listed(missing)}.`, { requiredScopes: missing }); // SPEC R12
}
