/**
 * Session ids of the client's own, for sessions that begin while no registry answers.
 *
 * Rule: an id says which version and style the session is pinned to, from when until when, and is signed (HMAC-SHA-256, RFC 2104) with the
 * API key: every process that has the same key can read it, and nobody else can choose a version by making one up.
 */

export interface LocalPin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
  readonly styleId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly expiresAt: number;
}

const PREFIX = 'local.';

export function isLocal(sessionId: string): boolean {
  return sessionId.startsWith(PREFIX);
}

export async function signPin(pin: LocalPin, key: string): Promise<string> {
  const payload = base64url(new TextEncoder().encode(JSON.stringify(pin)));
  const signature = await crypto.subtle.sign('HMAC', await hmacKey(key), new TextEncoder().encode(payload));
  return `${PREFIX}${payload}.${base64url(new Uint8Array(signature))}`;
}

/** The pin that an id names; undefined where it is forged, cut, signed with another key, or expired. */
export async function readPin(sessionId: string, key: string): Promise<LocalPin | undefined> {
  const [, payload = '', signature = ''] = /^local\.([\w-]{1,1000})\.([\w-]{43})$/u.exec(sessionId) ?? [];
  if (payload === '') return undefined;
  const genuine = await crypto.subtle.verify('HMAC', await hmacKey(key), bytesOf(signature), new TextEncoder().encode(payload));
  if (!genuine) return undefined;
  const pin = JSON.parse(new TextDecoder().decode(bytesOf(payload))) as LocalPin;
  return pin.expiresAt > Date.now() ? pin : undefined;
}

async function hmacKey(key: string) {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(`prompt-registry local session\n${key}`), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/u, '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}
