/**
 * Requests to the server that is checked.
 *
 * Problem: a server that hangs must not hang the suite, and a load balancer must not let a read look older than the write before it.
 * Rule: every request has an end, and a server that answers nothing any more is not asked for ever; redirects are answers like others; a
 * request to an operation that needs a key passes on the latest revision that was seen (`Registry-Min-Revision`). Where the server asks to
 * come later, it is asked again (`patience.ts`). So is an instance that has not heard of a key yet, which makes it catch up only so often: its
 * 401 is from before the revision that was passed on.
 * Example: `await connection.send('getPack', { path: { pack: 'coach' } })`.
 */
import type { Judge, Operation } from './document.ts';
import { patiently, waitAskedFor } from './patience.ts';
import { exchange, noAnswer, NoAnswer, type RawAnswer } from './raw-answer.ts';
import { within } from './within.ts';

export interface ConnectionOptions {
  /** Where the server is, e.g. `http://127.0.0.1:3000`; a path in it stands before every path. */
  readonly url: string;
  readonly key: string;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
}

/** A request to an operation. */
export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Another key than the one given; null to send none. */
  readonly key?: string | null;
  /** Another method than the operation's. */
  readonly method?: string;
}

/** After so many requests in a row without an answer an operation, or the whole server, is not asked any more. */
const SILENCE = { operation: 2, server: 8 };
/** How long an instance may take to hear of what another one did, in milliseconds. */
const NEWS = 250;
/** Operations that read the whole log may take as many times longer. */
const LONG = new Map([['verifyAudit', 12]]);

export class Connection {
  /** The operations that were asked so far, answered or not. */
  readonly sent = new Set<string>();
  readonly #judge: Judge;
  readonly #options: ConnectionOptions;
  readonly #silent = new Map<string, number>();
  #silentInARow = 0;
  #seen = 0;
  #haste = new AbortController();

  constructor(judge: Judge, options: ConnectionOptions) {
    this.#judge = judge;
    this.#options = options;
  }

  /** The latest revision that an answer named. */
  get seen(): number {
    return this.#seen;
  }

  get timeout(): number {
    return this.#options.timeout;
  }

  saw(revision: number): void {
    if (Number.isSafeInteger(revision) && revision > this.#seen) this.#seen = revision;
  }

  /** Waits for no `Retry-After` any more, the one under way included, until it has time again. */
  hurry(): void {
    this.#haste.abort();
  }

  haveTime(): void {
    this.#haste = new AbortController();
  }

  /** Sends a request and gives back what came, unjudged. @throws NoAnswer */
  async send(id: string, request: Request = {}): Promise<RawAnswer> {
    const silent = this.#silent.get(id) ?? 0;
    if (silent >= SILENCE.operation || this.#silentInARow >= SILENCE.server)
      throw new NoAnswer(
        `${id} was not asked again: there was no answer ${Math.max(silent, this.#silentInARow)} times in a row.`,
      );
    try {
      const answer = await this.#patiently(id, request);
      this.#silent.delete(id);
      this.#silentInARow = 0;
      return answer;
    } catch (error) {
      this.#silent.set(id, silent + 1);
      this.#silentInARow += 1;
      throw error;
    }
  }

  async #patiently(id: string, request: Request): Promise<RawAnswer> {
    const timeout = this.#options.timeout * (LONG.get(id) ?? 1);
    const operation = this.#judge.operation(id);
    this.sent.add(id);
    const init = this.#initOf(operation, request);
    return patiently(() => exchange(this.#options.url + pathOf(operation, request), init, timeout), {
      waitOf: (answer) => (isBehind(answer, init) ? NEWS : waitAskedFor(answer)),
      haste: () => this.#haste.signal,
    });
  }

  /** Reads a path that is no operation. @throws NoAnswer */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return patiently(() => exchange(this.#options.url + path, { headers }, this.#options.timeout), {
      haste: () => this.#haste.signal,
    });
  }

  /** Opens an answer that has no end of its own; who reads its body ends it. @throws NoAnswer where its head does not come in time */
  async open(id: string, request: Request): Promise<Response> {
    const operation = this.#judge.operation(id);
    const { url, timeout } = this.#options;
    const target = url + pathOf(operation, request);
    const opened = async (): Promise<RawAnswer & { readonly response?: Response }> => {
      try {
        const response = await within(timeout, (signal) =>
          fetch(target, { ...this.#initOf(operation, request), redirect: 'manual', signal }),
        );
        const { status, headers } = response;
        return status < 400
          ? { status, headers, text: '', response }
          : { status, headers, text: await within(timeout, () => response.text()) };
      } catch (error) {
        throw noAnswer(error, target, timeout);
      }
    };
    const { response, ...refusal } = await patiently(opened, { haste: () => this.#haste.signal });
    return response ?? new Response(refusal.text, refusal);
  }

  #initOf(
    { guarded, method }: Operation,
    request: Request,
  ): RequestInit & { readonly headers: Readonly<Record<string, string>> } {
    const { body, headers = {}, key = this.#options.key } = request;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return {
      method: request.method ?? method,
      headers: {
        ...(guarded && key !== null && { authorization: `Bearer ${key}` }),
        ...(guarded && this.#seen > 0 && { 'registry-min-revision': String(this.#seen) }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text !== undefined && { body: text }),
    };
  }
}

/** Whether it knew no key, and less than was asked for. */
function isBehind(
  { status, headers }: RawAnswer,
  { headers: asked }: { readonly headers: Readonly<Record<string, string>> },
): boolean {
  return status === 401 && Number(headers.get('registry-revision')) < Number(asked['registry-min-revision'] ?? 0);
}

/** The path and query of a request to an operation. */
export function pathOf({ template }: Operation, { path = {}, query = {} }: Request): string {
  const filled = template.replaceAll(/\{(\w+)\}/gu, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  ).toString();
  return search === '' ? filled : `${filled}?${search}`;
}
