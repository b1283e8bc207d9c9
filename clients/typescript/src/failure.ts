/**
 * What can go wrong between a client and a registry, as one error with a stable code.
 *
 * Rule: whoever catches it can tell by `code` what happened and by the message what to do; nothing else is ever thrown by a call.
 */
import type { components } from './api.ts';

/** An RFC 9457 problem, as the registry sends it. */
export type Problem = components['schemas']['Problem'];

/** Codes of the client's own, for what no registry said; all others are those of the problems, `GET /problems/{code}`. */
export type OwnCode =
  /** No connection, or it was cut. */
  | 'unreachable'
  /** No whole answer within the time allowed. */
  | 'timed-out'
  /** Something answered that is no registry: a proxy's page, another service, a body that was cut. */
  | 'not-a-registry'
  /** A registry answered, but its answer is not what was asked for: another pack, an older or newer server. */
  | 'not-understood'
  /** The content is not what its digest says. */
  | 'digest-mismatch'
  /** The registry is at an earlier revision than one that was seen. */
  | 'older-than-seen'
  /** There is no pack to answer from. */
  | 'no-pack'
  /** What there is to answer from is older than `maxStale`. */
  | 'too-stale'
  /** What there was to answer from is revoked. */
  | 'revoked'
  /** The local copy could not be read or written. */
  | 'copy-failed'
  /** It was closed. */
  | 'closed'
  /** A listener threw. */
  | 'listener-failed';

export type FailureCode = OwnCode | Problem['code'];

export interface FailureDetails {
  readonly status?: number | undefined;
  readonly problem?: Problem | undefined;
  /** Milliseconds that the registry asks to wait before the next try. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

export class RegistryFailure extends Error {
  override readonly name = 'RegistryFailure';
  readonly code: FailureCode;
  /** Status of the answer, where there was one. */
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

/** The failure that an error of `fetch` is. */
export function failureOf(error: unknown, url: string): RegistryFailure {
  if (error instanceof RegistryFailure) return error;
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error));
  if (name === 'TimeoutError')
    return new RegistryFailure('timed-out', `${url} did not answer in time.`, { cause: error });
  if (name === 'AbortError') return new RegistryFailure('closed', 'The call was given up.', { cause: error });
  if (error instanceof SyntaxError)
    return new RegistryFailure('not-a-registry', `${url} answered with what is no JSON, or with JSON that was cut.`, {
      cause: error,
    });
  const why = cause instanceof Error ? whyNot(cause, url, message) : message;
  return new RegistryFailure('unreachable', `${url} cannot be reached: ${why}.`, { cause: error });
}

/**
 * Why there was no answer, in words of our own where those of a library would be a dump of its insides.
 * @param cause as Node's `fetch` names it; other runtimes name none
 * @param said what `fetch` itself says: `fetch failed` before there was an answer
 */
function whyNot(
  cause: Error & { readonly code?: unknown; readonly reason?: unknown; readonly errors?: unknown },
  url: string,
  said: string,
): string {
  const code = String(cause.code);
  if (['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'].includes(code))
    return 'it does not speak TLS; use http:// instead of https://, or another port';
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return `TLS failed${typeof cause.reason === 'string' ? ` (${cause.reason})` : ''}`;
  const closed = code.startsWith('HPE_')
    ? 'it does not speak HTTP'
    : code === 'UND_ERR_SOCKET' && said === 'fetch failed'
      ? 'it closed the connection without an answer'
      : undefined;
  if (closed !== undefined)
    return url.startsWith('http:') ? `${closed}; if it speaks TLS, use https:// instead of http://` : closed;
  const [first] = Array.isArray(cause.errors) ? (cause.errors as unknown[]) : []; // one for each address of a host
  return cause.message || (first instanceof Error && first.message) || said;
}

/** What an answer says that is not the one hoped for. @param body its body, as far as it could be read as JSON */
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
    `${url} answered ${status} without a problem body: this is not the registry itself, but a proxy, another service or a wrong path.`,
    { status, retryAfter },
  );
}

/** Members of a problem that are no texts: other services have members of these names, too, of other shapes. */
const LISTS = ['errors', 'violations'];
const LISTS_OF_TEXTS = [
  'knownPacks',
  'knownVersions',
  'knownChannels',
  'supportedStyles',
  'everActive',
  'requiredScopes',
  'candidates',
];
const TEXTS = ['type', 'detail', 'instance', 'eventId', 'requestId'];

/** The problem that a body is, without members that are not what they should be; undefined where it is none. */
function problemOf(body: unknown): Problem | undefined {
  if (!isObject(body) || typeof body['code'] !== 'string' || typeof body['title'] !== 'string') return undefined;
  const { title, status } = body;
  const rest = Object.entries(body).filter(([name, value]) => {
    if (TEXTS.includes(name)) return typeof value === 'string';
    if (LISTS.includes(name))
      return Array.isArray(value) && value.every((each) => isObject(each) && typeof each['detail'] === 'string');
    if (LISTS_OF_TEXTS.includes(name)) return Array.isArray(value) && value.every((each) => typeof each === 'string');
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

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds; a date is measured by the clock of who sent it, where that is told, as ours may be wrong. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const sent = Date.parse(headers.get('date') ?? '');
  const milliseconds = /^\d+$/u.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - (Number.isNaN(sent) ? Date.now() : sent);
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
