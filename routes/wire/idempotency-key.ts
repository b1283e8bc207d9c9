/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): what makes a repeated request known as one (SPEC R6).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actorOf } from '../../plugins/access/authentication.ts';
import { fingerprintOf, invalidInput, type Attribution } from '../../registry/index.ts';

/** Who asks, and under which Idempotency-Key. @throws RegistryError `validation-failed` for a key that is not valid */
export function attributionOf(request: FastifyRequest): Attribution {
  const actor = actorOf(request);
  const header = request.headers['idempotency-key'];
  if (header === undefined) return { actor };
  const key = unquoted(String(header));
  if (!/^[\x20-\x7e]{1,255}$/u.test(key)) {
    throw invalidInput('Idempotency-Key is not valid.', [
      {
        parameter: 'idempotency-key',
        detail: `It has ${key.length === 0 ? 'no characters' : key.length > 255 ? `${key.length} characters` : 'characters that are not printable ASCII'}. Send 1 to 255 printable ASCII characters, quoted or bare, e.g. a UUID.`,
      },
    ]);
  }
  const [path = ''] = request.url.split('?');
  return { actor, idempotency: { key, fingerprint: fingerprintOf(request.method, path, request.body) } };
}

/** Says that the answer is an earlier one told again. */
export function markReplayed(reply: FastifyReply, replayed: boolean): void {
  if (replayed) void reply.header('idempotency-replayed', 'true');
}

/** A quoted key (an RFC 8941 string) and the bare one are the same. */
function unquoted(header: string): string {
  const text = header.trim();
  return /^".*"$/u.test(text) ? text.slice(1, -1).replace(/\\(["\\])/gu, '$1') : text;
}
