/**
 * A reverse proxy like nginx with `location /registry/ { proxy_pass http://service/; }`: it removes the prefix. A request outside the prefix
 * answers 502, so that a link without the prefix is noticed.
 *
 * Example: `const { url } = await startPrefixProxy(t, { target: origin, prefix: '/registry' }); await fetch(`${url}/registry/livez`)`.
 */
import { request as ask } from 'node:http';
import type { Test } from 'tap';
import { stubServer } from './stub-server.ts';

interface PrefixProxyOptions {
  /** The service, e.g. `http://127.0.0.1:3000`. */
  readonly target: string;
  readonly prefix: string;
  /** What it sends as `X-Forwarded-Prefix`. Default: it adds no such header. */
  readonly forwarded?: string;
}

/** Starts it on a free port; it is closed with the test. */
export async function startPrefixProxy(
  t: Test,
  { target, prefix, forwarded }: PrefixProxyOptions,
): Promise<{ readonly url: string }> {
  const { hostname, port } = new URL(target);
  const url = await stubServer(t, (request, response) => {
    const { url = '', method, headers } = request;
    if (!url.startsWith(`${prefix}/`)) return void response.writeHead(502).end(`${url} is not below ${prefix}/`);
    const path = url.slice(prefix.length);
    const onward = ask(
      {
        hostname,
        port,
        path,
        method,
        headers: { ...headers, ...(forwarded !== undefined && { 'x-forwarded-prefix': forwarded }) },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  return { url };
}
