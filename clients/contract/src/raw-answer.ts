/** One request, and its response before it is checked. */
import { within } from './within.ts';

/** An unchecked response. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** There was no response: the connection failed or was cut, or the timeout passed. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Sends a request; redirects are not followed. @param timeout milliseconds @throws NoAnswer */
export async function exchange(url: string, init: RequestInit, timeout: number): Promise<RawAnswer> {
  try {
    return await within(timeout, async (signal) => {
      const response = await fetch(url, { ...init, redirect: 'manual', signal });
      return { status: response.status, headers: response.headers, text: await response.text() };
    });
  } catch (error) {
    throw noAnswer(error, url, timeout);
  }
}

/** Says why there was no response. */
export function noAnswer(error: unknown, url: string, timeout: number): NoAnswer {
  const { name, message, cause } = error as Error;
  const { message: causeText = '', code = message } = (cause ?? {}) as { message?: string; code?: string };
  const why =
    code === 'ERR_SSL_WRONG_VERSION_NUMBER'
      ? 'it does not speak TLS; use http:// instead of https://, or another port'
      : causeText === ''
        ? code
        : causeText;
  return new NoAnswer(
    `No answer from ${url}: ${name === 'TimeoutError' ? `nothing came within ${timeout / 1000} s` : why}.`,
  );
}

/** The media type of a response, without parameters. */
export function mediaType(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
}

/** The JSON value of a text; undefined if it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The beginning of a text, for messages. */
export function excerpt(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
