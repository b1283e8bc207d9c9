/**
 * Sends requests to the server under test.
 *
 * Problem: a server that hangs must not hang the suite. Behind a load balancer, a read must not be older than the write before it.
 * Rule: every request has a timeout, and a server that has stopped answering is not asked again. Redirects are not followed. A request that
 * needs a key carries the latest revision that was seen (`Registry-Min-Revision`). It is sent again if the server asks for a retry
 * (`patience.ts`), or if an instance does not know a new key yet: its 401 then has a revision below the one in the request.
 * Example: `await connection.send('getPack', { path: { pack: 'coach' } })`.
 */
import type { Judge, Operation } from './document.ts';
import { patiently, waitAskedFor } from './patience.ts';
import { exchange, noAnswer, NoAnswer, type RawAnswer } from './raw-answer.ts';
import { within } from './within.ts';

export interface ConnectionOptions {
  /** The URL of the server, e.g. `http://127.0.0.1:3000`. A path in it is a prefix of every path. */
  readonly url: string;
  readonly key: string;
  /** Milliseconds to wait for a response. */
  readonly timeout: number;
}

/** A request to an operation. */
export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  /** A list is sent as a repeated parameter. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Default: the key of the connection. null sends none. */
  readonly key?: string | null;
  /** Default: the method of the operation. */
  readonly method?: string;
}

/** Requests in a row without a response, after which an operation, or the whole server, is not asked again. */
const MAX_UNANSWERED = { operation: 2, server: 8 };
/** Milliseconds to give an instance to catch up with another one. */
const CATCH_UP = 250;
/** Operations that read the whole log get this multiple of the timeout. */
const TIMEOUT_FACTORS = new Map([['verifyAudit', 12]]);

export class Connection {
  /** The operations that were requested so far, answered or not. */
  readonly sent = new Set<string>();
  readonly #judge: Judge;
  readonly #options: ConnectionOptions;
  readonly #unanswered = new Map<string, number>();
  #unansweredInARow = 0;
  #seen = 0;
  #retries = new AbortController();

  constructor(judge: Judge, options: ConnectionOptions) {
    this.#judge = judge;
    this.#options = options;
  }

  /** The latest revision in a response. */
  get seen(): number {
    return this.#seen;
  }

  get timeout(): number {
    return this.#options.timeout;
  }

  saw(revision: number): void {
    if (Number.isSafeInteger(revision) && revision > this.#seen) this.#seen = revision;
  }

  /** Stops waiting for `Retry-After`, also in requests under way, until `resumeRetries`. */
  stopRetries(): void {
    this.#retries.abort();
  }

  resumeRetries(): void {
    this.#retries = new AbortController();
  }

  /** Sends a request and returns the unchecked response. @throws NoAnswer */
  async send(id: string, request: Request = {}): Promise<RawAnswer> {
    const unanswered = this.#unanswered.get(id) ?? 0;
    if (unanswered >= MAX_UNANSWERED.operation || this.#unansweredInARow >= MAX_UNANSWERED.server)
      throw new NoAnswer(
        `${id} was not sent: ${Math.max(unanswered, this.#unansweredInARow)} requests in a row had no response.`,
      );
    try {
      const answer = await this.#patiently(id, request);
      this.#unanswered.delete(id);
      this.#unansweredInARow = 0;
      return answer;
    } catch (error) {
      this.#unanswered.set(id, unanswered + 1);
      this.#unansweredInARow += 1;
      throw error;
    }
  }

  async #patiently(id: string, request: Request): Promise<RawAnswer> {
    const timeout = this.#options.timeout * (TIMEOUT_FACTORS.get(id) ?? 1);
    const operation = this.#judge.operation(id);
    this.sent.add(id);
    const init = this.#initOf(operation, request);
    return patiently(() => exchange(this.#options.url + pathOf(operation, request), init, timeout), {
      waitOf: (answer) => (isBehind(answer, init) ? CATCH_UP : waitAskedFor(answer)),
      signal: () => this.#retries.signal,
    });
  }

  /** Requests a path that is not an operation. @throws NoAnswer */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    return patiently(() => exchange(this.#options.url + path, { headers }, this.#options.timeout), {
      signal: () => this.#retries.signal,
    });
  }

  /** Opens a response without an end; its reader must cancel it. @throws NoAnswer if the headers do not come in time */
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
    const { response, ...refusal } = await patiently(opened, { signal: () => this.#retries.signal });
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

/** Whether an instance refused the key before it had reached the revision in the request. */
function isBehind(
  { status, headers }: RawAnswer,
  { headers: asked }: { readonly headers: Readonly<Record<string, string>> },
): boolean {
  return status === 401 && Number(headers.get('registry-revision')) < Number(asked['registry-min-revision'] ?? 0);
}

/** Path and query of a request to an operation. */
export function pathOf({ template }: Operation, { path = {}, query = {} }: Request): string {
  const filled = template.replaceAll(/\{(\w+)\}/gu, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
    ),
  ).toString();
  return search === '' ? filled : `${filled}?${search}`;
}
