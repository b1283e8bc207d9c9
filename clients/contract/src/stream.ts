/**
 * Reads `streamEvents` (Server-Sent Events, WHATWG HTML section 9.2) message by message, each within the timeout.
 *
 * Example: `const stream = await Stream.open(connection, {}); (await stream.next()).event === 'revision'; stream.close()`.
 */
import type { StreamData } from './answers.ts';
import type { Connection, Request } from './connection.ts';
import { jsonOf, NoAnswer } from './raw-answer.ts';
import { within } from './within.ts';

/** One message. */
export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: StreamData;
  /** The unparsed message. */
  readonly text: string;
}

export class Stream {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #timeout: number;
  #rest = '';

  private constructor(response: Response, timeout: number) {
    this.response = response;
    this.#timeout = timeout;
    this.#reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  }

  /** Opens a stream; resolves with its status and headers, also if they are an error. @throws NoAnswer */
  static async open(connection: Connection, request: Request): Promise<Stream> {
    return new Stream(await connection.open('streamEvents', request), connection.timeout);
  }

  /** The next message other than a heartbeat. @throws NoAnswer if none comes in time */
  async next(): Promise<Message> {
    try {
      return await within(this.#timeout, async () => {
        for (;;) {
          const message = await this.#message();
          if (message.event !== 'heartbeat') return message;
        }
      });
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      throw new NoAnswer(
        `The stream sent no message${(error as Error).name === 'TimeoutError' ? ` within ${this.#timeout / 1000} s` : `: ${(error as Error).message}`}.`,
      );
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined); // the connection may have failed before
  }

  async #message(): Promise<Message> {
    for (;;) {
      const cut = this.#rest.indexOf('\n\n');
      if (cut !== -1) {
        const text = this.#rest.slice(0, cut);
        this.#rest = this.#rest.slice(cut + 2);
        return messageOf(text);
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new NoAnswer('The stream ended.');
      this.#rest += this.#decoder.decode(value, { stream: true }).replaceAll('\r\n', '\n');
    }
  }
}

/** Parses a message; lines of `data` are joined, as the standard says. */
function messageOf(text: string): Message {
  const field = (name: string) =>
    text
      .split('\n')
      .flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).replace(/^ /u, '')] : []));
  const data = jsonOf(field('data').join('\n')) as StreamData | undefined;
  return {
    id: field('id').at(-1) ?? '',
    event: field('event').at(-1) ?? 'message',
    data: data ?? { revision: NaN },
    text,
  };
}
