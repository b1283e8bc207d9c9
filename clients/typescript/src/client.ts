/**
 * Calls to a registry: typed by its OpenAPI document, with a key, a limit on time, and one kind of failure.
 *
 * Example: `const { data } = await createRegistryClient({ url, key }).ask((api) => api.GET('/v1/packs'))`.
 */
import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './api.ts';
import { readBody } from './bodies.ts';
import { failureOf, messageOf, refusalOf, RegistryFailure } from './failure.ts';
import { bounded } from './timers.ts';

export interface RegistryClientOptions {
  /** Where the registry is, e.g. `https://prompts.example.com`; a path below which it is served may follow. */
  readonly url: string;
  /**
   * The bearer token, `prk_…`; as a function it is asked for at each request, so that keys can be changed while it runs. Blanks and line
   * ends around it are dropped, and so is `Bearer` before it: it may be the text of a file or of a header.
   */
  readonly key: string | (() => string);
  /** Milliseconds that a whole answer may take; 5,000 where not given. */
  readonly timeout?: number;
  /** Another `fetch` than the runtime's own. */
  readonly fetch?: (request: Request, init?: RequestInit) => Promise<Response>;
}

/** What a call gives: the body, and what its headers say. */
export interface Answer<T> {
  /** The body; not there where the status is 304, which only who sends `If-None-Match` is given. */
  readonly data: T;
  readonly status: number;
  readonly headers: Headers;
}

export interface RegistryClient {
  /** Without a slash at its end. */
  readonly url: string;
  /**
   * Makes a call and waits for its answer.
   * @throws RegistryFailure for everything but a 304, or a 2xx with the body that was asked for
   */
  readonly ask: <T extends { data?: unknown; error?: unknown; response: Response }>(
    call: (api: Client<paths>) => Promise<T>,
  ) => Promise<Answer<NonNullable<T['data']>>>;
  /**
   * Sends a request as it is, with the key, and gives the answer whatever it says. The signal and the limit on time hold until its headers
   * are there; its body is ended by who reads it.
   * @throws RegistryFailure where there is no answer
   */
  readonly send: (
    path: string,
    init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
  ) => Promise<Response>;
  readonly timeout: number;
}

/**
 * A client of the registry at a URL. It opens nothing, so there is nothing to close.
 * @throws RegistryFailure `not-understood` where the URL is none
 */
export function createRegistryClient({
  url: given,
  key,
  timeout = 5000,
  fetch: send = globalThis.fetch,
}: RegistryClientOptions): RegistryClient {
  const url = originOf(given);
  const currentKey = keyReader(key);
  const withKey = (request: Request): Request => {
    request.headers.set('authorization', `Bearer ${currentKey()}`);
    return request;
  };
  /**
   * Sends a request. No redirect is followed: the key would go with it. It is not left to `fetch` to refuse one, since that mode is not
   * known to every runtime (https://github.com/cloudflare/workerd: "must be one of follow or manual").
   */
  const sendOnce = async (request: Request, own: AbortSignal): Promise<Response> => {
    const response = await send(withKey(request), { signal: own });
    if (response.type !== 'opaqueredirect' && ![301, 302, 303, 307, 308].includes(response.status)) return response;
    void response.body?.cancel().catch(() => undefined);
    const to = response.headers.get('location');
    throw new RegistryFailure(
      'not-a-registry',
      `${url} redirects${to === null ? '' : ` to ${to}`}. No redirect is followed, as the key would go with it: name the URL of the registry itself.`,
      { status: response.status || undefined },
    );
  };
  /** Sends a request, and reads its answer to the end before it gives it. */
  const whole = (request: Request): Promise<Response> =>
    bounded({ signal: request.signal, timeout }, async (own) => {
      const response = await sendOnce(request, own);
      return new Response(response.body === null ? null : await readBody(response, own), response);
    });
  const api = createClient<paths>({ baseUrl: url, fetch: whole, redirect: 'manual' });

  return {
    url,
    timeout,
    ask: async (call) => {
      let answer;
      try {
        answer = await call(api);
      } catch (error) {
        throw failureOf(error, url);
      }
      const { data, error, response } = answer;
      if (response.status === 304) return { data: undefined as never, status: 304, headers: response.headers };
      if (!response.ok) throw refusalOf(response, error, url);
      if (!isJson(response) || typeof data !== 'object' || data === null) {
        throw new RegistryFailure(
          'not-a-registry',
          `${url} answered ${response.status} with what is no JSON: this is not the registry itself, but a proxy, another service or a wrong path.`,
          { status: response.status },
        );
      }
      return { data, status: response.status, headers: response.headers };
    },
    send: async (path, { headers, signal }) => {
      try {
        return await bounded({ signal, timeout }, (own) =>
          sendOnce(new Request(`${url}${path}`, { headers: { ...headers }, redirect: 'manual' }), own),
        );
      } catch (error) {
        throw failureOf(error, url);
      }
    },
  };
}

/** Whether an answer says of itself that it is JSON. */
export function isJson(response: Response): boolean {
  return /^application\/(problem\+)?json\b/iu.test(response.headers.get('content-type') ?? '');
}

/** Reads the key, each time anew. The function that it gives throws a RegistryFailure `unauthenticated` where there is none, or none that a header can hold. */
export function keyReader(key: RegistryClientOptions['key']): () => string {
  return () => {
    let read: unknown;
    try {
      read = typeof key === 'function' ? key() : key;
    } catch (error) {
      if (error instanceof RegistryFailure) throw error;
      throw new RegistryFailure('unauthenticated', `The key could not be had: ${messageOf(error)}.`, { cause: error });
    }
    if (read instanceof Promise) {
      read.catch(() => undefined); // it is told here
      throw new RegistryFailure(
        'unauthenticated',
        'The key is a promise; it must be there when it is asked for. Fetch it beforehand, and give what came last.',
      );
    }
    const token = typeof read === 'string' ? tokenOf(read) : '';
    if (/^[\x21-\x7e]+$/u.test(token)) return token;
    throw new RegistryFailure(
      'unauthenticated',
      'The key is empty, or holds characters that no key has; it looks like prk_k7Qm2x_4fJ….',
    );
  };
}

/** The bearer token in a text that it was copied or read with: without blanks and line ends around it, and without `Bearer` before it. */
export function tokenOf(text: string): string {
  return text.trim().replace(/^bearer\s+/iu, '');
}

function originOf(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (
    url === undefined ||
    !/^https?:$/u.test(url.protocol) ||
    `${url.search}${url.hash}${url.username}${url.password}` !== ''
  ) {
    throw new RegistryFailure(
      'not-understood',
      `"${given}" is no URL of a registry; it looks like https://prompts.example.com, without a user, a query or a fragment.`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/u, '');
}
