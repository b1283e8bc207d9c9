/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): it marks a request as a repeat of an earlier one (SPEC R6). */
import type { FastifyRequest } from 'fastify';
import { fingerprintOf, invalidInput, type Attribution } from '../../registry/index.ts';

/**
 * The key and the request that it belongs to; undefined without the header.
 * @throws RegistryError `validation-failed` for a key that is not valid
 */
export function idempotencyOf(request: FastifyRequest): Attribution['idempotency'] {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = unquoted(String(header));
  const problem = problemWith(key);
  if (problem !== undefined) {
    throw invalidInput('Idempotency-Key is not valid.', [
      {
        parameter: 'idempotency-key',
        detail: `It has ${problem}. Send 1 to 255 printable ASCII characters, quoted or bare, e.g. a UUID.`,
      },
    ]);
  }
  const [path = ''] = request.url.split('?');
  return { key, fingerprint: fingerprintOf(request.method, path, request.body) };
}

function problemWith(key: string): string | undefined {
  if (key.length === 0) return 'no characters';
  if (key.length > 255) return `${key.length} characters`;
  return /^[\x20-\x7e]*$/u.test(key) ? undefined : 'characters that are not printable ASCII';
}

/** A quoted key (an RFC 8941 string) is the same as the bare key. */
function unquoted(header: string): string {
  const text = header.trim();
  return /^".*"$/u.test(text) ? text.slice(1, -1).replace(/\\(["\\])/gu, '$1') : text;
}
