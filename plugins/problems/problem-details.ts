/**
 * Turns every error into one kind of response: RFC 9457 problem details for each 4xx and 5xx.
 *
 * Problem: a refusal by the domain, a validation error of the framework, a 404 and a crash must look alike to a client, and
 * internal details must not leak.
 * Rule: routes never catch errors to translate them. `problems.ts` has the status of each `RegistryError` code. This file maps the
 * errors of the framework. Any other error is `internal`, and its message goes only to the log.
 * Example: `{"type":"/problems/pack-not-found","title":"No such pack","status":404,"detail":"…","instance":"/v1/packs/x","code":"pack-not-found","knownPacks":["coach"]}`.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { messageOf, RegistryError } from '../../registry/index.ts';
import { linkTo, prefixOf } from '../path-prefix.ts';
import { PROBLEMS, type HttpErrorCode, type ProblemCode } from './problems.ts';
import { faultsIn } from './validation-faults.ts';
import { changeSnapshot, stamp } from '../revision/request-snapshot.ts';

export const PROBLEM_TYPE = 'application/problem+json';

const MEGABYTE = 1024 * 1024;

/** How many seconds a client should wait after a 503. */
const RETRY_AFTER = '1';

/** A problem that only HTTP has. Plugins throw it. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** A problem to send: its code, the detail of this occurrence, and the members of its code. */
export interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members?: Readonly<Record<string, unknown>>;
}

/** The problem for each framework error; any other error is `internal`. */
const FRAMEWORK_CODES: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'validation-failed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'validation-failed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'validation-failed',
  FST_ERR_BAD_URL: 'validation-failed',
  FST_ERR_MAX_PARAM_LENGTH: 'uri-too-long',
  FST_ERR_HANDLER_TIMEOUT: 'overloaded',
};

function problemDetails(app: FastifyInstance, _options: object, done: () => void): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof HttpProblem) void reply.headers(error.headers);
    // SPEC R2: a write is decided on the newest snapshot, and `currentRevision` names the newest one. So the headers must name it too.
    if (error instanceof RegistryError && (request.method === 'POST' || 'currentRevision' in error.members))
      changeSnapshot(request, reply, request.server.registry.current);
    void sendProblem(request, reply, problemOf(error, request));
  });
  done();
}

export default fp(problemDetails, { name: 'problem-details' });

/** Sends a problem. The body is serialised here, so that the members of its code survive. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status } = PROBLEMS[problem.code];
  if (status === 503) void reply.header('retry-after', RETRY_AFTER);
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(bodyOf(problem, prefixOf(request), pathOf(request)));
}

/** Handles errors that occur before routing, e.g. a path that cannot be decoded. No hook runs for such a request. */
export function frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  stamp(reply, request.server.registry, request.server.registry.current);
  void sendProblem(request, reply, problemOf(error, request));
  request.server.metrics.refused(reply.statusCode, 0);
}

/** The body of a problem. @param instance the requested path; undefined if the request could not be parsed */
export function bodyOf({ code, detail, members }: Problem, prefix = '', instance?: string): string {
  const { status, title } = PROBLEMS[code];
  return JSON.stringify({
    type: `${prefix}/problems/${code}`,
    title,
    status,
    detail,
    ...(instance !== undefined && { instance: uriOf(`${prefix}${instance}`) }),
    code,
    ...members,
  });
}

function problemOf(error: FastifyError | RegistryError | HttpProblem, request: FastifyRequest): Problem {
  if (error instanceof HttpProblem) return { code: error.code, detail: error.message };
  if (error instanceof RegistryError) {
    const { status, meaning } = PROBLEMS[error.code];
    if (status < 500) return { code: error.code, detail: error.message, members: error.members };
    // A message of the store can name a path or a host, so it goes only to the log.
    request.log.error(
      { err: error, requestId: request.id, method: request.method, route: request.routeOptions.url },
      `A request failed with ${error.code}: ${error.message}`,
    );
    return { code: error.code, detail: meaning, members: error.members };
  }
  if (error.validation !== undefined) {
    const { detail, errors } = faultsIn(error.validation, error.validationContext);
    return { code: 'validation-failed', detail, members: { errors } };
  }
  const code = FRAMEWORK_CODES[error.code];
  if (code === 'unsupported-media-type') return { code, detail: PROBLEMS[code].meaning };
  if (code === 'payload-too-large')
    return { code, detail: tooLarge(Number(request.headers['content-length']), request.routeOptions.bodyLimit) };
  if (code === 'uri-too-long')
    return {
      code,
      detail: `A path segment is longer than ${request.server.initialConfig.routerOptions?.maxParamLength} characters, so it is not a valid name or session id.`,
    };
  if (code !== undefined) return { code, detail: error.message };
  if (error.statusCode === 403 || error.statusCode === 404)
    return { code: 'not-found', detail: `There is nothing at ${linkTo(request, pathOf(request))}.` }; // from the file server: a path that leaves its folder
  if (error.statusCode === 400) return { code: 'validation-failed', detail: error.message };
  request.log.error(
    { err: error, requestId: request.id, method: request.method, route: request.routeOptions.url },
    `A request failed: ${messageOf(error)}`,
  );
  return {
    code: 'internal',
    detail: 'The service has a fault. Its log has the details under this `requestId`.',
    members: { requestId: request.id },
  };
}

/** @param size the Content-Length in bytes; NaN if the request has none (a chunked body) */
function tooLarge(size: number, limit: number): string {
  const setting = limit % MEGABYTE === 0 ? `=${limit / MEGABYTE}mb` : limit % 1024 === 0 ? `=${limit / 1024}kb` : '';
  const body = size > limit ? `The body has ${size} bytes` : 'The body is too large';
  return `${body}; this service accepts at most ${limit} bytes (BODY_LIMIT${setting}). Send a smaller body, or ask an operator to raise BODY_LIMIT.`;
}

/** The path of a request, without its query. */
export function pathOf(request: FastifyRequest): string {
  const { url } = request;
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** A path as a URI reference: other characters are percent-encoded. */
function uriOf(path: string): string {
  return path.replace(/%(?![0-9A-Fa-f]{2})/gu, '%25').replace(/[^\w\-.~!$&'()*+,;=:@/%]/gu, encodeURIComponent);
}
