/** Answers as they come, unjudged: one request, and what can be read of an answer of any shape. */
import { within } from './within.ts';

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** There was no answer: nobody listens, the line was cut, or time was up. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Sends a request; redirects are answers like others. @param timeout milliseconds @throws NoAnswer */
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

/** Why there was no answer, in words. */
export function noAnswer(error: unknown, url: string, timeout: number): NoAnswer {
  const { name, message, cause } = error as Error;
  const { message: told = '', code = message } = (cause ?? {}) as { message?: string; code?: string };
  const why =
    code === 'ERR_SSL_WRONG_VERSION_NUMBER'
      ? 'it does not speak TLS; use http:// instead of https://, or another port'
      : told === ''
        ? code
        : told;
  return new NoAnswer(
    `No answer from ${url}: ${name === 'TimeoutError' ? `nothing came within ${timeout / 1000} s` : why}.`,
  );
}

/** The media type of an answer, without its parameters. */
export function mediaType(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
}

/** The JSON value of a text; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The beginning of a text, for a message. */
export function excerpt(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
