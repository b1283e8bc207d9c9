/**
 * A client of `streamEvents`: it parses messages, and can disconnect or stop reading at any time.
 *
 * Example: `const stream = await EventStream.open({ address, key }); (await stream.next()).event === 'revision'`.
 */
import { Agent, get, type IncomingMessage } from 'node:http';

/** One parsed message (WHATWG HTML section 9.2.6). */
export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: {
    readonly epoch: number;
    readonly revision: number;
    readonly type?: string;
    readonly pack?: string;
    readonly channel?: string;
    readonly moves?: readonly {
      readonly channel: string;
      readonly version: string;
      readonly previousVersion: string | null;
      readonly digest: string;
    }[];
    readonly at?: string;
    readonly staleSeconds?: number;
  };
}

export interface StreamRequest {
  /** e.g. `http://127.0.0.1:3000` */
  readonly address: string;
  readonly key: string;
  /** Behind `/v1/events`, e.g. `?pack=coach`. */
  readonly query?: string;
  readonly lastEventId?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly fits: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

export class EventStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** All messages so far, including heartbeats. */
  readonly messages: Message[] = [];
  /** All text so far. */
  text = '';
  /** Resolves once the stream is over: `end` if the server ended it, `cut` if the connection broke. */
  readonly over: Promise<'end' | 'cut'>;
  readonly #response: IncomingMessage;
  readonly #waiting = new Set<Waiting>();
  #rest = '';
  #seen = 0;
  #isOver = false;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    response.on('error', () => undefined); // `over` says it
    this.over = new Promise((resolve) => response.once('close', () => resolve(response.complete ? 'end' : 'cut')));
    void this.over.then((how) => {
      this.#isOver = true;
      for (const { reject } of this.#waiting)
        reject(new Error(`The stream is over (${how}) after ${JSON.stringify(this.messages.at(-1))}.`));
    });
  }

  /** Asks for a stream; resolves with the head of the answer, whatever its status. Each stream has its own connection. */
  static open({ address, key, query = '', lastEventId, headers = {} }: StreamRequest): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const all = {
        authorization: `Bearer ${key}`,
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
        ...headers,
      };
      const agent = new Agent({ keepAlive: false });
      get(`${address}/v1/events${query}`, { headers: all, agent }, (response) => resolve(new EventStream(response))).on(
        'error',
        reject,
      );
    });
  }

  /** The next message that nobody waited for yet and that fits; heartbeats are passed over where nothing else is asked for. */
  next(fits: (message: Message) => boolean = ({ event }) => event !== 'heartbeat'): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ fits, resolve, reject });
      this.#serve();
      if (this.#isOver) reject(new Error('The stream is over.'));
    });
  }

  /** Messages about events. */
  get events(): Message[] {
    return this.messages.filter(({ data }) => data.type !== undefined);
  }

  /** The last `id`, which is what a client resumes with. */
  get lastId(): string | undefined {
    return this.messages.at(-1)?.id;
  }

  /** The whole body of a response that is not a stream. */
  async body(): Promise<string> {
    await this.over;
    return this.text;
  }

  /** Stops reading; the connection stays open. */
  stopReading(): void {
    this.#response.pause();
    this.#response.socket.pause();
  }

  /** Reads again. Only then does it notice that it was disconnected meanwhile. */
  goOnReading(): void {
    this.#response.socket.resume();
    this.#response.resume();
  }

  /** Disconnects without notice. */
  cut(): void {
    this.#response.socket.destroy();
  }

  #take(text: string): void {
    this.text += text;
    const parts = (this.#rest + text).split('\n\n');
    this.#rest = parts.pop() ?? '';
    if (this.status !== 200) return;
    for (const part of parts) this.messages.push(messageOf(part));
    this.#serve();
  }

  #serve(): void {
    for (; this.#seen < this.messages.length && this.#waiting.size > 0; this.#seen += 1) {
      const message = this.messages[this.#seen]!;
      for (const waiting of this.#waiting) {
        if (!waiting.fits(message)) continue;
        this.#waiting.delete(waiting);
        waiting.resolve(message);
        break;
      }
    }
  }
}

function messageOf(text: string): Message {
  const fields = Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const { id, event, data, ...others } = fields as Record<'id' | 'event' | 'data', string>;
  if (id === undefined || event === undefined || data === undefined || Object.keys(others).length > 0)
    throw new Error(`Not a message: ${text}`);
  return { id, event, data: JSON.parse(data) as Message['data'] };
}
