/**
 * Typed calls to a registry, with a key, a timeout and a single error type.
 *
 * Example: `const { data } = await createRegistryClient({ url, key }).ask((api) => api.GET('/v1/packs'))`.
 */
import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './api.ts';
import { readBody } from './read-body.ts';
import { failureOf, messageOf, refusalOf, RegistryFailure } from './failure.ts';
import { bounded } from './timers.ts';

export interface RegistryClientOptions {
  /** URL of the registry, e.g. `https://prompts.example.com`, optionally with a path prefix. */
  readonly url: string;
  /**
   * The API key, `prk_…`, or a function that returns it. The function is called for each request, so keys can change at run time.
   * Surrounding whitespace and a leading `Bearer` are removed, so the content of a file or header works, too.
   */
  readonly key: string | (() => string);
  /** Milliseconds for a whole response; default: 5,000. */
  readonly timeout?: number;
  /** Replaces the runtime's `fetch`. */
  readonly fetch?: (request: Request, init?: RequestInit) => Promise<Response>;
}

/** The response to a call. */
export interface Answer<T> {
  /** The body. Undefined if the status is 304, which is only returned to a request with `If-None-Match`. */
  readonly data: T;
  readonly status: number;
  readonly headers: Headers;
}

export interface RegistryClient {
  /** Without a trailing slash. */
  readonly url: string;
  /**
   * Makes a call and waits for the response.
   * @throws RegistryFailure for anything except a 2xx with a JSON body, or a 304
   */
  readonly ask: <T extends { data?: unknown; error?: unknown; response: Response }>(
    call: (api: Client<paths>) => Promise<T>,
  ) => Promise<Answer<NonNullable<T['data']>>>;
  /**
   * Sends a request with the key and returns the response, whatever its status. The signal and the timeout apply until the headers
   * arrive; the caller must read or cancel the body.
   * @throws RegistryFailure if there is no response
   */
  readonly send: (
    path: string,
    init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
  ) => Promise<Response>;
  readonly timeout: number;
}

/**
 * Creates a client. It opens no connections, so there is nothing to close.
 * @throws RegistryFailure `not-understood` if the URL is invalid
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
   * Sends a request. Redirects are not followed, because the key would go with them. `fetch` itself cannot refuse them everywhere: workerd
   * does not know that mode (https://github.com/cloudflare/workerd: "must be one of follow or manual").
   */
  const sendOnce = async (request: Request, own: AbortSignal): Promise<Response> => {
    const response = await send(withKey(request), { signal: own });
    if (response.type !== 'opaqueredirect' && ![301, 302, 303, 307, 308].includes(response.status)) return response;
    void response.body?.cancel().catch(() => undefined);
    const to = response.headers.get('location');
    throw new RegistryFailure(
      'not-a-registry',
      `${url} redirects${to === null ? '' : ` to ${to}`}. Redirects are not followed, because the key would go with them. Use the URL of the registry itself.`,
      { status: response.status || undefined },
    );
  };
  /** Sends a request and reads the whole response before returning it. */
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
          `${url} returned ${response.status}, but not JSON. This is not the registry: check for a proxy, another service or a wrong path.`,
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

/** Whether the Content-Type is JSON. */
export function isJson(response: Response): boolean {
  return /^application\/(problem\+)?json\b/iu.test(response.headers.get('content-type') ?? '');
}

/** Returns a function that reads the current key. It throws a RegistryFailure `unauthenticated` if the key is missing or invalid. */
export function keyReader(key: RegistryClientOptions['key']): () => string {
  return () => {
    let read: unknown;
    try {
      read = typeof key === 'function' ? key() : key;
    } catch (error) {
      if (error instanceof RegistryFailure) throw error;
      throw new RegistryFailure('unauthenticated', `Could not get the API key: ${messageOf(error)}.`, { cause: error });
    }
    if (read instanceof Promise) {
      read.catch(() => undefined); // reported below
      throw new RegistryFailure(
        'unauthenticated',
        'The key function returned a promise. Fetch the key beforehand and return the latest value.',
      );
    }
    const token = typeof read === 'string' ? tokenOf(read) : '';
    if (/^[\x21-\x7e]+$/u.test(token)) return token;
    throw new RegistryFailure(
      'unauthenticated',
      'The key is empty or contains invalid characters; keys look like prk_k7Qm2x_4fJ….',
    );
  };
}

/** Extracts the token from the text of a file or header: removes surrounding whitespace and a leading `Bearer`. */
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
      `"${given}" is not a valid registry URL. Use a URL such as https://prompts.example.com, without user name, query or fragment.`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/u, '');
}
