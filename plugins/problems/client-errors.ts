/**
 * Handles errors of the HTTP parser, before a request or in the middle of one: sends one problem, then closes the connection.
 *
 * Problem: for such an error the framework hands over only the socket. A response that is simply written to it could be the second one to
 * the same request, or could overtake the response to an earlier one. And a socket that is only ended stays open as long as the client wants.
 * Rule: everything that arrives after the error is ignored. Each request gets one response, in order. The socket is destroyed at most
 * `LINGER` after the last response, whatever the client does.
 * Example: headers that arrive byte by byte get a 408 after five seconds. Half a second later the socket is closed.
 */
import { maxHeaderSize, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { bodyOf, PROBLEM_TYPE, type Problem } from './problem-details.ts';
import { PROBLEMS } from './problems.ts';
import { marksOf } from '../revision/request-snapshot.ts';

/**
 * How long the client has to read the last response, in milliseconds. Until then its input is read and dropped: destroying a socket with
 * unread bytes resets the connection, and the response could be lost (RFC 9112 section 9.6).
 */
const LINGER = 500;

/** The HTTP state that Node keeps on a socket. Node has no public way to ask for the response in progress. */
interface HttpSocket extends Socket {
  /** The response in progress, if any. */
  readonly _httpMessage?: ServerResponse | null;
  /** `incoming` is the request that is being read, or the last one. */
  readonly parser?: { readonly incoming: IncomingMessage | null } | null;
}

/** Sockets that are being closed: any further error on them is ignored. */
const ending = new WeakSet<Socket>();

/** Responds to a request that cannot be parsed, after the responses to all earlier requests, and closes the connection. */
export function clientErrorHandler(this: FastifyInstance, error: NodeJS.ErrnoException, socket: HttpSocket): void {
  if (ending.has(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  ending.add(socket);
  socket.removeAllListeners('data').on('data', () => undefined); // the parser gets no more input
  const answer = () => {
    const current = socket._httpMessage ?? undefined;
    if (current === undefined) end(socket, isAnswered(socket) ? undefined : answerOf(this, error));
    else if (current.req.complete && (current.writableEnded || !current.headersSent))
      current.once('close', answer); // the response to an earlier request
    else end(socket, current.headersSent ? undefined : answerOf(this, error)); // the response to this request, or an endless stream
  };
  answer();
}

/** Whether the request that is being read got its response before it arrived completely, e.g. a 401 before the body. */
function isAnswered({ parser }: HttpSocket): boolean {
  return parser?.incoming?.complete === false;
}

/** Closes a connection with a last response, if any. */
function end(socket: Socket, answer: string | undefined): void {
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  socket.once('close', () => clearTimeout(timer));
  if (answer === undefined) socket.end();
  else socket.end(answer);
}

/** A complete HTTP response as text, because there is no reply object to send it with. */
function answerOf({ registry, server, publicPath }: FastifyInstance, error: NodeJS.ErrnoException): string {
  const problem = problemOf(error, server);
  const { status, title } = PROBLEMS[problem.code];
  const body = bodyOf(problem, publicPath);
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
      detail: `The request did not arrive in time. Its headers must arrive within ${headersTimeout / 1000} s, the complete request within ${requestTimeout / 1000} s.`,
    };
  return { code: 'validation-failed', detail: 'This is not a well-formed HTTP/1.1 request.' };
}
