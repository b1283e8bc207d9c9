/**
 * Ids of local sessions, which start while no registry responds.
 *
 * Rule: an id contains the pinned version and style, the start and the end. It is signed (HMAC-SHA-256, RFC 2104, truncated to 128 bits)
 * with the API key: every process with the same key can read it, and nobody else can forge one to choose a version. It is no longer than
 * the registry's own ids (at most 200 characters, unless names have their maximum length).
 * A session of a later epoch or under a rollout has one part more; older clients pass over it.
 * Example: `local.production~2.0.0~supportive~9~mib3k0a1~1z4dm8~3q2-7wAAAAA.Zm9v…`: channel, version, style, revision, start, duration,
 * start of the digest; signature.
 */
import type { Assignment } from './served-pack.ts';

export interface LocalPin {
  readonly channel: string;
  readonly version: string;
  /** The start of the version's digest (`digestPrefixOf`). */
  readonly digestPrefix: string;
  readonly revision: number;
  /** The epoch of the revision. */
  readonly epoch: number;
  /** The arm that the session started on, if a rollout was under way. */
  readonly assignment?: Assignment | undefined;
  readonly styleId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly expiresAt: number;
}

const PREFIX = 'local.';
const SIGNATURE_BYTES = 16;
const DIGEST_PREFIX_DIGITS = 16;

export function isLocal(sessionId: string): boolean {
  return sessionId.startsWith(PREFIX);
}

/** The part of the digest that an id contains. It is enough, because the id also contains and signs the version's name. */
export function digestPrefixOf(digest: string): string {
  return digest.replace(/^sha256:/u, '').slice(0, DIGEST_PREFIX_DIGITS);
}

/** Signs an id. @param pack the session's pack; signed, but not part of the id @param keys the first one signs */
export async function signPin(
  { channel, version, digestPrefix, revision, epoch, assignment, styleId, startedAt, expiresAt }: LocalPin,
  pack: string,
  [key = '']: readonly string[],
): Promise<string> {
  const numbers = [revision, startedAt, expiresAt - startedAt].map((number) => Math.round(number).toString(36));
  const parts = [channel, version, styleId, ...numbers, digestPrefix, ...historyPart(epoch, assignment)];
  const payload = parts.map(encodeURIComponent).join('~');
  const signature = await crypto.subtle.sign('HMAC', await hmacKey(key), signed(pack, payload));
  return `${PREFIX}${payload}.${base64url(new Uint8Array(signature).subarray(0, SIGNATURE_BYTES))}`;
}

/** The pin in an id; undefined if the id is forged, truncated, expired, for another pack, or signed with another key. */
export async function readPin(sessionId: string, pack: string, keys: Iterable<string>): Promise<LocalPin | undefined> {
  const [, payload = '', signature = ''] = /^local\.([\w.~%-]{1,1000})\.([\w-]{22})$/u.exec(sessionId) ?? [];
  if (payload === '') return undefined;
  for (const key of keys) {
    const whole = await crypto.subtle.sign('HMAC', await hmacKey(key), signed(pack, payload));
    if (!isSame(new Uint8Array(whole).subarray(0, SIGNATURE_BYTES), signature)) continue;
    const parts = payload.split('~').map(decodeURIComponent);
    const [channel = '', version = '', styleId = '', revision = '', startedAt = '', lasts = '', digestPrefix = ''] =
      parts;
    const from = parseInt(startedAt, 36);
    const pin = {
      channel,
      version,
      styleId,
      digestPrefix,
      revision: parseInt(revision, 36),
      ...historyOf(parts[7]),
      startedAt: from,
      expiresAt: from + parseInt(lasts, 36),
    };
    return pin.expiresAt > Date.now() ? pin : undefined;
  }
  return undefined;
}

/** `1c1f` in epoch 1 on the candidate of rollout 51; `2` in epoch 2 without a rollout. */
function historyPart(epoch: number, assignment: Assignment | undefined): string[] {
  if (assignment === undefined) return epoch === 1 ? [] : [String(epoch)];
  return [`${epoch}${assignment.arm === 'candidate' ? 'c' : 's'}${assignment.rollout.toString(36)}`];
}

function historyOf(part = '1'): Pick<LocalPin, 'epoch' | 'assignment'> {
  const [, epoch = '1', arm, rollout = ''] = /^(\d+)(?:([cs])([0-9a-z]+))?$/u.exec(part) ?? [];
  if (arm === undefined) return { epoch: Number(epoch) };
  return {
    epoch: Number(epoch),
    assignment: { rollout: parseInt(rollout, 36), arm: arm === 'c' ? 'candidate' : 'stable' },
  };
}

/** Compares in constant time. */
function isSame(bytes: Uint8Array, text: string): boolean {
  const expected = base64url(bytes);
  let difference = expected.length ^ text.length;
  for (let at = 0; at < expected.length; at += 1) difference |= expected.charCodeAt(at) ^ text.charCodeAt(at);
  return difference === 0;
}

function signed(pack: string, payload: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${pack}\n${payload}`);
}

async function hmacKey(key: string) {
  return crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(`prompt-registry local session\n${key}`),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/u, '');
}
