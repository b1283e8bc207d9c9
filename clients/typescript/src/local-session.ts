/**
 * Session ids of the client's own, for sessions that begin while no registry answers.
 *
 * Rule: an id says which version and style the session is pinned to, from when until when, and is signed (HMAC-SHA-256, RFC 2104, cut to
 * 128 bits) with the API key: every process that has the same key can read it, and nobody else can choose a version by making one up. It
 * is of the length of the registry's own ids (at most 200 characters, unless its names are the longest there can be).
 * Example: `local.production~2.0.0~supportive~9~mib3k0a1~1z4dm8~3q2-7wAAAAA.Zm9v…`: channel, version, style, revision, beginning, duration,
 * beginning of the digest; signature.
 */

export interface LocalPin {
  readonly channel: string;
  readonly version: string;
  /** The first bytes of the version's digest, as an id holds them (`markOf`). */
  readonly mark: string;
  readonly revision: number;
  readonly styleId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly expiresAt: number;
}

const PREFIX = 'local.';
const SIGNATURE_BYTES = 16;
const MARK_DIGITS = 16;

export function isLocal(sessionId: string): boolean {
  return sessionId.startsWith(PREFIX);
}

/** What an id holds of a digest: enough to tell that a version is not the one that was pinned, as its name is signed as well. */
export function markOf(digest: string): string {
  return digest.replace(/^sha256:/u, '').slice(0, MARK_DIGITS);
}

/** @param pack the pack that the session is of: signed, not told; @param key the first of these signs */
export async function signPin(
  { channel, version, mark, revision, styleId, startedAt, expiresAt }: LocalPin,
  pack: string,
  [key = '']: readonly string[],
): Promise<string> {
  const numbers = [revision, startedAt, expiresAt - startedAt].map((number) => Math.round(number).toString(36));
  const payload = [channel, version, styleId, ...numbers, mark].map(encodeURIComponent).join('~');
  const signature = await crypto.subtle.sign('HMAC', await hmacKey(key), signed(pack, payload));
  return `${PREFIX}${payload}.${base64url(new Uint8Array(signature).subarray(0, SIGNATURE_BYTES))}`;
}

/** The pin that an id names; undefined where it is forged, cut, signed with none of the keys, of another pack, or expired. */
export async function readPin(sessionId: string, pack: string, keys: Iterable<string>): Promise<LocalPin | undefined> {
  const [, payload = '', signature = ''] = /^local\.([\w.~%-]{1,1000})\.([\w-]{22})$/u.exec(sessionId) ?? [];
  if (payload === '') return undefined;
  for (const key of keys) {
    const whole = await crypto.subtle.sign('HMAC', await hmacKey(key), signed(pack, payload));
    if (!isSame(new Uint8Array(whole).subarray(0, SIGNATURE_BYTES), signature)) continue;
    const [channel = '', version = '', styleId = '', revision = '', startedAt = '', lasts = '', mark = ''] = payload
      .split('~')
      .map(decodeURIComponent);
    const from = parseInt(startedAt, 36);
    const pin = {
      channel,
      version,
      styleId,
      mark,
      revision: parseInt(revision, 36),
      startedAt: from,
      expiresAt: from + parseInt(lasts, 36),
    };
    return pin.expiresAt > Date.now() ? pin : undefined;
  }
  return undefined;
}

/** In a time that says nothing of where they differ. */
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
