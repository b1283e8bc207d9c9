/**
 * Conditional reads: 200 with the prepared bytes, or 304 if the caller has them already.
 *
 * Problem: Fastify's reply collects headers, looks at the payload and runs hooks before it writes. Bytes that are ready need none of this
 * (docs/adr/0033).
 * Rule: a usual read is written in one step. Everything else takes Fastify's reply: HEAD, a traced request, and any response on which a
 * plugin, the framework or the state of the instance has set a header. Both ways send the same headers (`conditional-reads.test.ts`).
 * Example: with `CORS_ORIGINS`, every response has `Vary`, so every read takes Fastify's reply.
 *
 * `If-None-Match` is a list or `*` and compares weakly (RFC 9110 section 13.1.2).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerOrigin } from '../../plugins/answer-origin.ts';
import { commonHeaders } from '../../plugins/revision/request-snapshot.ts';
import { tagsIn } from './entity-tags.ts';
import { prepare } from './prepared.ts';
import { assignmentText, stamp } from './stamp.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Sends a value of a view of `request.snapshot`. */
export function sendPrepared(request: FastifyRequest, reply: FastifyReply, value: AnswerOrigin): void {
  request.origin = value;
  sendValue(request, reply, value);
}

/** Sends a value. Its bytes are prepared if it was sent before. */
export function sendValue(request: FastifyRequest, reply: FastifyReply, value: { readonly revision: number }): void {
  const { body, length, etag } = prepare(value);
  const known = request.headers['if-none-match'];
  const unchanged = known !== undefined && (known === etag || matchesWeakly(known, etag));
  if (!isUsual(request, reply)) {
    stamp(request, reply, { etag });
    if (unchanged) void reply.code(304).send();
    else void reply.header('content-type', JSON_TYPE).send(body);
    return;
  }
  const headers = [...commonHeaders(request.snapshot), 'etag', etag];
  if (request.assignment !== null) headers.push('registry-assignment', assignmentText(request.assignment));
  const response = reply.hijack().raw;
  if (unchanged) response.writeHead(304, headers).end();
  else response.writeHead(200, [...headers, 'content-type', JSON_TYPE, 'content-length', length]).end(body);
}

/** Whether nothing but this module has a say in the response. */
function isUsual({ method, server }: FastifyRequest, reply: FastifyReply): boolean {
  if (method !== 'GET' || server.storeSpans !== undefined) return false; // a span ends in an `onSend` hook, which only Fastify's reply runs
  return Object.keys(reply.getHeaders()).length === 0;
}

function matchesWeakly(header: string, etag: string): boolean {
  return header.trim() === '*' || tagsIn(header).some((tag) => tag.replace(/^W\//u, '') === etag);
}
