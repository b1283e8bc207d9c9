/**
 * The one error type of the client, with a stable code.
 *
 * Rule: `code` says what happened, the message says what to do. Calls throw nothing else.
 */
import type { components } from './api.ts';

/** An RFC 9457 problem of the registry. */
export type Problem = components['schemas']['Problem'];

/** Codes of the client itself. All other codes come from the registry's problems, `GET /problems/{code}`. */
export type OwnCode =
  /** No connection, or it broke. */
  | 'unreachable'
  /** No complete response within the timeout. */
  | 'timed-out'
  /** The response is not from a registry: a proxy's page, another service, a truncated body. */
  | 'not-a-registry'
  /** The response is unexpected: another pack, or an incompatible server version. Also used for invalid options. */
  | 'not-understood'
  /** The content does not match its digest. */
  | 'digest-mismatch'
  /** The registry is at an older revision than one already seen. */
  | 'older-than-seen'
  /** No pack is available. */
  | 'no-pack'
  /** The available pack is older than `maxStale`. */
  | 'too-stale'
  /** The available pack was revoked. */
  | 'revoked'
  /** The local copy could not be read or written. */
  | 'copy-failed'
  /** The source was closed, or the call was aborted. */
  | 'closed'
  /** A listener threw. */
  | 'listener-failed';

export type FailureCode = OwnCode | Problem['code'];

export interface FailureDetails {
  readonly status?: number | undefined;
  readonly problem?: Problem | undefined;
  /** Milliseconds to wait before a retry, as requested by the registry. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

export class RegistryFailure extends Error {
  override readonly name = 'RegistryFailure';
  readonly code: FailureCode;
  /** HTTP status, if there was a response. */
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: FailureCode, message: string, { status, problem, retryAfter, cause }: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Converts an error of `fetch`. */
export function failureOf(error: unknown, url: string): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error));
  if (name === 'TimeoutError')
    return new RegistryFailure('timed-out', `${url} did not respond in time.`, { cause: error });
  if (name === 'AbortError') return new RegistryFailure('closed', 'The call was aborted.', { cause: error });
  if (error instanceof SyntaxError)
    return new RegistryFailure('not-a-registry', `${url} sent invalid or truncated JSON.`, {
      cause: error,
    });
  const why = cause instanceof Error ? reasonOf(cause, url, message) : message;
  return new RegistryFailure('unreachable', `${url} cannot be reached: ${why}.`, { cause: error });
}

/**
 * Why there was no response, in plain words instead of a library's internal message.
 * @param cause as set by Node's `fetch`; other runtimes set none
 * @param message the message of `fetch`: `fetch failed` before there was a response
 */
function reasonOf(
  cause: Error & { readonly code?: unknown; readonly reason?: unknown; readonly errors?: unknown },
  url: string,
  message: string,
): string {
  const code = String(cause.code);
  if (['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'].includes(code))
    return 'it does not speak TLS; use http:// instead of https://, or another port';
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return `TLS failed${typeof cause.reason === 'string' ? ` (${cause.reason})` : ''}`;
  const closed = code.startsWith('HPE_')
    ? 'it does not speak HTTP'
    : code === 'UND_ERR_SOCKET' && message === 'fetch failed'
      ? 'it closed the connection without responding'
      : undefined;
  if (closed !== undefined)
    return url.startsWith('http:') ? `${closed}; if it speaks TLS, use https:// instead of http://` : closed;
  const [first] = Array.isArray(cause.errors) ? (cause.errors as unknown[]) : []; // one per address of the host
  return cause.message || (first instanceof Error && first.message) || message;
}

/** Converts an error response. @param body the parsed JSON body, if any */
export function refusalOf({ status, headers }: Response, body: unknown, url: string): RegistryFailure {
  const retryAfter = retryAfterOf(headers);
  const problem = problemOf(body);
  if (problem !== undefined) return new RegistryFailure(problem.code, problem.detail, { status, problem, retryAfter });
  if (status === 400 && url.startsWith('http:') && typeof body === 'string' && /\bHTTPS (port|server)\b/iu.test(body)) {
    // nginx, Go
    return new RegistryFailure('not-a-registry', `${url} speaks TLS; use https:// instead of http://.`, { status });
  }
  return new RegistryFailure(
    'not-a-registry',
    `${url} returned ${status} without a problem body. This is not the registry: check for a proxy, another service or a wrong path.`,
    { status, retryAfter },
  );
}

/** Members of a problem by type. Other services use the same names with other types. */
const OBJECT_LISTS = ['errors', 'violations'];
const STRING_LISTS = [
  'knownPacks',
  'knownVersions',
  'knownChannels',
  'supportedStyles',
  'everActive',
  'requiredScopes',
  'candidates',
];
const STRINGS = ['type', 'detail', 'instance', 'eventId', 'requestId'];

/** The problem in a body, without malformed members; undefined if the body is not a problem. */
function problemOf(body: unknown): Problem | undefined {
  if (!isObject(body) || typeof body['code'] !== 'string' || typeof body['title'] !== 'string') return undefined;
  const { title, status } = body;
  const rest = Object.entries(body).filter(([name, value]) => {
    if (STRINGS.includes(name)) return typeof value === 'string';
    if (OBJECT_LISTS.includes(name))
      return Array.isArray(value) && value.every((each) => isObject(each) && typeof each['detail'] === 'string');
    if (STRING_LISTS.includes(name)) return Array.isArray(value) && value.every((each) => typeof each === 'string');
    return name !== 'currentRevision' || Number.isSafeInteger(value);
  });
  return {
    type: 'about:blank',
    detail: title,
    ...Object.fromEntries(rest),
    title,
    status: Number(status),
    code: body['code'] as Problem['code'],
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds. A date is compared with the sender's `Date` header, because our clock may be wrong. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const sent = Date.parse(headers.get('date') ?? '');
  const milliseconds = /^\d+$/u.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - (Number.isNaN(sent) ? Date.now() : sent);
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
