/**
 * One connection for raw requests, one after the other, for what no HTTP client would send.
 *
 * It reconnects if the server has closed the connection. Unlike `KeepAlive` it does not interpret what it sends.
 * Example: `const { statusCode } = await new Wire(address).ask(Buffer.from('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'))`.
 */
import { connect, type Socket } from 'node:net';
import type { RawAnswer } from './openapi.ts';

/** Timeout of a response, in milliseconds: above every limit of the server, so that only a hang exceeds it. */
const PATIENCE = 30_000;

export class Wire {
  readonly #address: URL;
  #socket: Socket | undefined;

  /** @param address e.g. `http://127.0.0.1:3000` */
  constructor(address: string) {
    this.#address = new URL(address);
  }

  /**
   * Sends a request and waits for its answer.
   * @param options.only nothing else comes over this connection: what follows on the answer is not read as the next one's
   * @param options.headOnly the answer has no body whatever it says (RFC 9110 section 9.3.2)
   * @throws where the connection ends without one
   */
  ask(
    bytes: Buffer,
    { only = false, headOnly = false }: { readonly only?: boolean; readonly headOnly?: boolean } = {},
  ): Promise<RawAnswer> {
    if (only) this.close();
    const socket = this.#open();
    let received: Buffer = Buffer.alloc(0);
    return new Promise<RawAnswer>((resolve, reject) => {
      const timer = setTimeout(
        () => over(new Error(`There was no answer within ${PATIENCE} ms to: ${bytes.toString('latin1', 0, 500)}`)),
        PATIENCE,
      );
      const over = (outcome: RawAnswer | Error) => {
        clearTimeout(timer);
        socket.off('data', onData).off('close', onClose);
        if (outcome instanceof Error || only || outcome.headers['connection'] === 'close' || isStream(outcome))
          this.close();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const onData = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const answer = answerOf(received, headOnly);
        if (answer !== undefined) over(answer);
      };
      const onClose = () =>
        over(
          new Error(
            `The connection was closed (after "${received.toString('latin1', 0, 100)}") without an answer to: ${bytes.toString('latin1', 0, 500)}`,
          ),
        );
      socket.on('data', onData).on('close', onClose);
      socket.write(bytes);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket === undefined || this.#socket.destroyed || !this.#socket.readable) {
      this.#socket = connect({ host: this.#address.hostname, port: Number(this.#address.port), noDelay: true });
      this.#socket.on('error', () => undefined); // what it means is said by `close`
    }
    return this.#socket;
  }
}

function isStream({ headers }: Pick<RawAnswer, 'headers'>): boolean {
  return headers['content-type'] === 'text/event-stream';
}

/** A stream does not end, so its first message counts as the answer. It is one chunk (RFC 9112 section 7.1). */
function streamIn(statusCode: number, headers: RawAnswer['headers'], text: string): RawAnswer | undefined {
  const [size = '', ...rest] = text.split('\r\n');
  const body = rest.join('\r\n').slice(0, parseInt(size, 16));
  return body.endsWith('\n\n') ? { statusCode, headers, body } : undefined;
}

/** The first final answer in the bytes, once it is whole; interim ones (1xx) are passed over. */
function answerOf(bytes: Buffer, headOnly: boolean): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const statusCode = Number(first.split(' ')[1]);
  if (statusCode < 200) return answerOf(bytes.subarray(end + 4), headOnly);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  if (!headOnly && isStream({ headers })) return streamIn(statusCode, headers, bytes.toString('utf8', end + 4));
  const length = headOnly || statusCode === 304 || statusCode === 204 ? 0 : Number(headers['content-length'] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  return { statusCode, headers, body: bytes.toString('utf8', end + 4, end + 4 + length) };
}
