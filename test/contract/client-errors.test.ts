/**
 * Requests that the HTTP parser rejects: each gets one response, in order, as problem details. Then the connection is closed, even if the
 * client keeps its side open.
 *
 * The time limits are short here; `test/fault` tests the shipped ones.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';

const opened = await openApp(t, { store: 'memory' });
const { app, key } = opened;
const origin = await listen(app);
app.server.headersTimeout = 1500;
app.server.requestTimeout = 2000;
/** The server's end of each connection, by the client's port. */
const accepted = new Map<number | undefined, Socket>();
app.server.on('connection', (socket: Socket) => accepted.set(socket.remotePort, socket));

const HEAD = 'Host: registry\r\n';
const AUTHORIZED = `${HEAD}Authorization: Bearer ${key}\r\n`;
const LIVE = `GET /livez HTTP/1.1\r\n${HEAD}\r\n`;
const POST = `POST /v1/packs/coach/activations HTTP/1.1\r\nContent-Type: application/json\r\n`;
const BODY = JSON.stringify({ version: '1.0.0', reason: 'After it was told that it came too late' });

/** A connection that the client keeps open, whatever the server does. */
interface Held {
  readonly socket: Socket;
  /** When the server has destroyed its socket: the status and code of each answer that came. */
  readonly answers: Promise<string[]>;
}

async function hold(t: Test, bytes: string): Promise<Held> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  let text = '';
  socket
    .setEncoding('latin1')
    .on('data', (chunk: string) => (text += chunk))
    .on('error', () => undefined);
  const told = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  await once(socket, 'connect');
  let there = accepted.get(socket.localPort);
  for (; there === undefined; there = accepted.get(socket.localPort)) await setImmediate();
  const gone = once(there, 'close');
  socket.write(bytes);
  return { socket, answers: Promise.all([gone, told]).then(() => answersIn(text)) };
}

function answersIn(text: string): string[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/u)
    .filter((part) => part !== '')
    .map((part) => {
      const [head = '', body = ''] = part.split('\r\n\r\n');
      const status = head.split(' ')[1] ?? '';
      if (Number(status) < 400) return status;
      return `${status} ${/^content-type: application\/problem\+json/imu.test(head) ? (JSON.parse(body) as { code: string }).code : head}`;
    });
}

t.test('each request gets one response, then the connection is closed', async (t) => {
  const cases: Readonly<Record<string, readonly [bytes: string, answers: readonly string[]]>> = {
    'a coding that is not known, without a key': [
      `POST /v1/packs/coach/rollback HTTP/1.1\r\n${HEAD}Transfer-Encoding: xchunked\r\n\r\n`,
      ['400 validation-failed'],
    ],
    'the same on a read': [
      `GET /v1/packs HTTP/1.1\r\n${HEAD}Transfer-Encoding: xchunked\r\n\r\n`,
      ['400 validation-failed'],
    ],
    'with a key': [
      `GET /v1/packs HTTP/1.1\r\n${AUTHORIZED}Transfer-Encoding: xchunked\r\n\r\n`,
      ['400 validation-failed'],
    ],
    'two codings': [`${POST}${AUTHORIZED}Transfer-Encoding: chunked, xchunked\r\n\r\n`, ['400 validation-failed']],
    'a chunk that is none': [
      `${POST}${AUTHORIZED}Transfer-Encoding: chunked\r\n\r\nzzz\r\n`,
      ['400 validation-failed'],
    ],
    'an invalid chunk, without a key': [
      `${POST}${HEAD}Transfer-Encoding: chunked\r\n\r\nzzz\r\n`,
      ['401 unauthenticated'],
    ],
    'no HTTP': ['Hello!\r\n\r\n', ['400 validation-failed']],
    'no HTTP behind a request': [`${LIVE}Hello!\r\n\r\n`, ['200', '400 validation-failed']],
    'half a header': [`GET /livez HTTP/1.1\r\n${HEAD}X-Half: `, ['408 request-timeout']],
    'half a header behind a request': [`${LIVE}GET /livez HTTP/1.1\r\n${HEAD}X-Half: `, ['200', '408 request-timeout']],
    nothing: ['', ['408 request-timeout']],
    'a body that does not come': [`${POST}${AUTHORIZED}Content-Length: 1000\r\n\r\n{`, ['408 request-timeout']],
    'a body that does not come, refused before': [
      `${POST}${HEAD}Content-Length: 1000\r\n\r\n{`,
      ['401 unauthenticated'],
    ],
    'headers that are too large': [
      `GET /livez HTTP/1.1\r\n${HEAD}X-Large: ${'a'.repeat(20_000)}\r\n\r\n`,
      ['431 header-too-large'],
    ],
    'a last answer': [`GET /livez HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, ['200']],
  };
  const answers = Object.entries(cases).map(
    async ([name, [bytes]]) => [name, await (await hold(t, bytes)).answers] as const,
  );
  for (const [name, given] of await Promise.all(answers)) t.strictSame(given, cases[name]?.[1], name);
});

t.test('a response in progress is finished first', async (t) => {
  const back = Promise.withResolvers<undefined>();
  let asked = () => undefined as void;
  const reached = new Promise<void>((resolve) => (asked = resolve));
  opened.fail(({ method }) => (method === 'events' ? (asked(), back.promise) : undefined));
  t.teardown(() => opened.fail());
  const { answers } = await hold(t, `GET /v1/audit/events HTTP/1.1\r\n${AUTHORIZED}\r\nHello!\r\n\r\n`);
  await reached;
  back.resolve(undefined);
  t.strictSame(await answers, ['200', '400 validation-failed']);
});

t.test('nothing after a 408 is executed', async (t) => {
  const { revision } = app.registry.current;
  const { socket, answers } = await hold(t, `${POST}${AUTHORIZED}Content-Length: ${BODY.length}\r\n\r\n`);
  await once(socket, 'data');
  socket.write(BODY);
  t.strictSame(await answers, ['408 request-timeout']);
  t.equal((await app.inject('/livez')).statusCode, 200);
  t.equal(app.registry.current.revision, revision, 'nothing was activated');
});

t.test('a stream ends if its client sends invalid HTTP', async (t) => {
  const { socket, answers } = await hold(t, `GET /v1/events HTTP/1.1\r\n${AUTHORIZED}\r\n`);
  await once(socket, 'data');
  socket.write('Hello!\r\n\r\n');
  t.strictSame(await answers, ['200'], 'with no second answer in its midst');
});
