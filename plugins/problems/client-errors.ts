/**
 * Errors of the HTTP parser, before there is a request or in the midst of one: told once as problem details, then the connection ends.
 *
 * Problem: the framework leaves the bare socket to whoever handles such an error. An answer written there without a look may be a second
 * one to the same request, or stand before the answer to an earlier one; and a socket that is only ended stays open for as long as
 * the other side likes.
 * Rule: nothing that comes after the error is looked at. Each request gets one answer, in order. The socket is destroyed `LINGER` after the
 * last answer at the latest, whatever the other side does.
 * Example: headers that come byte by byte are answered 408 after five seconds; half a second later the socket is gone.
 */
import { maxHeaderSize, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { bodyOf, PROBLEM_TYPE, type Problem } from './problem-details.ts';
import { PROBLEMS } from './problems.ts';
import { marksOf } from '../revision/request-snapshot.ts';

/**
 * How long the other side has to read the last answer, in milliseconds. Until then what it still sends is taken and dropped: a socket that is
 * destroyed with bytes unread resets the connection, and the answer may be lost with it (RFC 9112 section 9.6).
 */
const LINGER = 500;

/** What Node keeps of HTTP at a socket; it has no public way to ask which answers are under way. */
interface HttpSocket extends Socket {
  /** The answer that has its turn; nothing where all that was asked for is answered. */
  readonly _httpMessage?: ServerResponse | null;
  /** `incoming` is the request that is being read, or was read last. */
  readonly parser?: { readonly incoming: IncomingMessage | null } | null;
}

/** Sockets that are about to be ended: further errors of theirs are the same one. */
const ending = new WeakSet<Socket>();

/** Answers a request that cannot be read, once all before it are answered, and ends its connection. */
export function clientErrorHandler(this: FastifyInstance, error: NodeJS.ErrnoException, socket: HttpSocket): void {
  if (ending.has(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  ending.add(socket);
  socket.removeAllListeners('data').on('data', () => undefined); // the parser is given nothing more: what comes is dropped
  const answer = () => {
    const current = socket._httpMessage ?? undefined;
    if (current === undefined) end(socket, isAnswered(socket) ? undefined : answerOf(this, error));
    else if (current.req.complete && (current.writableEnded || !current.headersSent))
      current.once('close', answer); // an earlier request's
    else end(socket, current.headersSent ? undefined : answerOf(this, error)); // the request's own, or a stream that nobody can stop otherwise
  };
  answer();
}

/** Whether the request that is being read got its answer before it was there as a whole, e.g. a 401 before its body. */
function isAnswered({ parser }: HttpSocket): boolean {
  return parser?.incoming?.complete === false;
}

/** Ends a connection with a last answer, if there is one to give. */
function end(socket: Socket, answer: string | undefined): void {
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  socket.once('close', () => clearTimeout(timer));
  if (answer === undefined) socket.end();
  else socket.end(answer);
}

/** A whole HTTP answer: there is no reply to send it by. */
function answerOf({ registry, server }: FastifyInstance, error: NodeJS.ErrnoException): string {
  const problem = problemOf(error, server);
  const { status, title } = PROBLEMS[problem.code];
  const body = bodyOf(problem);
  const headers = [
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    `Registry-Revision: ${registry.current.revision}`,
    'Cache-Control: private, no-cache',
    'Connection: close',
    ...marksOf(registry, registry.current).map(([name, value]) => `${name}: ${value}`),
  ];
  return `HTTP/1.1 ${status} ${title}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

function problemOf(
  { code }: NodeJS.ErrnoException,
  { headersTimeout, requestTimeout }: FastifyInstance['server'],
): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { code: 'header-too-large', detail: `The request headers are larger than ${maxHeaderSize} bytes.` };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return {
      code: 'request-timeout',
      detail: `The request did not arrive in time: its headers have ${headersTimeout / 1000} s, all of it has ${requestTimeout / 1000} s.`,
    };
  return { code: 'validation-failed', detail: 'This is not a well-formed HTTP/1.1 request.' };
}
