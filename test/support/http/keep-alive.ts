/**
 * One keep-alive connection with pipelined requests (HTTP/1.1, RFC 9112 section 9.3.2).
 *
 * It costs less than the server, so that a test spends its time in the server.
 */
import { connect, type Socket } from 'node:net';

export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly text: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class KeepAlive {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);
  #broken: Error | undefined;

  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param address e.g. `http://127.0.0.1:3000`
   * @param key a token for every request without its own `authorization`
   */
  constructor(address: string, key?: string) {
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { hostname, port, host } = new URL(address);
    this.#host = host;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#break(error));
    this.#socket.on('close', () => this.#break(new Error('The connection was closed.')));
  }

  /** The responses in the order of the requests; rejects if the connection ends before. */
  all(asks: readonly Ask[]): Promise<Answer[]> {
    const answers = asks.map(
      () =>
        new Promise<Answer>((resolve, reject) => {
          if (this.#broken === undefined) this.#waiting.push({ resolve, reject });
          else reject(this.#broken);
        }),
    );
    this.#socket.write(asks.map((ask) => this.#encode(ask)).join(''));
    return Promise.all(answers);
  }

  async one(ask: Ask): Promise<Answer> {
    const [answer] = await this.all([ask]);
    return answer!;
  }

  close(): void {
    this.#socket.destroy();
  }

  #encode({ method = 'GET', path, body, headers = {} }: Ask): string {
    const text = body === undefined ? '' : JSON.stringify(body);
    const all = {
      host: this.#host,
      ...this.#headers,
      ...(body !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      }),
      ...headers,
    };
    return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n${text}`;
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = this.#received.toString('latin1', 0, headEnd);
      const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'imu').exec(head)?.[1];
      const end = headEnd + 4 + Number(header('content-length') ?? 0);
      if (this.#received.length < end) return;
      const text = this.#received.toString('utf8', headEnd + 4, end);
      this.#received = this.#received.subarray(end);
      this.#waiting.shift()?.resolve({ status: Number(head.slice(9, 12)), header, text });
    }
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
