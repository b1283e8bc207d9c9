/**
 * Fake servers in the place of a registry, and a proxy in front of a registry that can drop or delay messages.
 *
 * Example: `const { env } = await startFakeServer(t, replyProblem(503, { code: 'overloaded' }))`.
 */
import { request as ask, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Test } from 'tap';
import { stubServer } from '../http/stub-server.ts';
import type { Environment } from './command-line.ts';

export const KEY = { PROMPT_REGISTRY_KEY: 'prk_abc_def' };

/** Starts a server that is not a registry. It stops when the test ends. */
export async function startFakeServer(
  t: Test,
  answer: RequestListener,
): Promise<{ readonly url: string; readonly env: Environment; readonly port: number }> {
  const url = await stubServer(t, answer);
  const port = Number(new URL(url).port);
  return { url, port, env: { ...KEY, PROMPT_REGISTRY_URL: url } };
}

/** Replies with a problem. */
export function replyProblem(
  status: number,
  members: object,
  headers: Readonly<Record<string, string>> = {},
): RequestListener {
  return (_, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ type: '/problems/x', title: 'A title', status, detail: 'A detail.', ...members }));
}

/** Replies with JSON. */
export function replyJson(value: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return (_, response) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/**
 * Starts a proxy in front of a service.
 * @param before called with each request before it is forwarded
 * @param swallow whether to drop the response of the service
 */
export async function startProxy(
  t: Test,
  to: string,
  before?: (request: IncomingMessage, response: ServerResponse) => unknown,
  swallow?: (request: IncomingMessage, response: ServerResponse) => boolean,
) {
  let count = 0;
  const waiting: { n: number; resolve: () => void }[] = [];
  const { url } = await startFakeServer(t, (request, response) => {
    void Promise.resolve(before?.(request, response)).then(() => {
      const passed = ask(
        `${to}${request.url}`,
        { method: request.method ?? 'GET', headers: request.headers },
        (answer) => {
          count += 1;
          for (const { n, resolve } of waiting) if (n <= count) resolve();
          if (swallow?.(request, response) === true) return void answer.resume();
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        },
      );
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      request.pipe(passed);
    });
  });
  return {
    url,
    asked: (n: number) =>
      count >= n ? Promise.resolve() : new Promise<void>((resolve) => waiting.push({ n, resolve })),
  };
}
