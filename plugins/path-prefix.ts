/**
 * Makes links in responses work behind a reverse proxy that serves this service below a path prefix.
 *
 * Problem: behind `location /registry/ { proxy_pass http://service/; }` a client requests `/registry/v1/keys`, the service sees
 * `/v1/keys`, and a `Location: /v1/keys` leads nowhere.
 * Rule: if the public URL is known (`PUBLIC_URL`), its path is the prefix. Otherwise `X-Forwarded-Prefix` is. It counts only on a connection from a trusted proxy (`TRUST_PROXY`), and only if it is a plain path. Any other
 * value is ignored: it would end up in `Location`, and some proxies forward the header of the client.
 * Example: with `X-Forwarded-Prefix: /registry` the response has `Location: /registry/v1/keys`.
 */
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

/** Whether to trust the `X-Forwarded-*` headers of a connection from this address. */
export type TrustedProxies = (address: string | undefined) => boolean;

declare module 'fastify' {
  interface FastifyInstance {
    readonly trustedProxies: TrustedProxies;
    /** The path of the public URL, without a trailing slash; undefined if the URL is unknown. */
    readonly publicPath: string | undefined;
  }
}

export interface PathPrefixOptions {
  readonly trustedProxies: TrustedProxies;
  /** The address that users see, e.g. `https://prompts.example.org/registry`; default: unknown. */
  readonly publicUrl?: string | undefined;
}

/** Segments of unreserved characters (RFC 3986 section 2.3). None begins with a dot, so the path cannot lead upwards. */
const PREFIX = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/u;
const LONGEST_PREFIX = 200;

/** The named address ranges, as `proxy-addr` defines them. */
const NAMED_RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Reads `TRUST_PROXY`. @param setting true for every address, false for none, or a comma-separated list of addresses, ranges and names of ranges */
export function trustedProxies(setting: boolean | string): TrustedProxies {
  if (typeof setting === 'boolean') return () => setting;
  const list = new BlockList();
  for (const range of setting.split(',').flatMap((each) => NAMED_RANGES[each.trim()] ?? each.trim())) {
    const [address = '', bits] = range.split('/');
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address = '') => {
    const [bare = ''] = address.split('%'); // a link-local address has its interface at the end
    return isIP(bare) !== 0 && list.check(bare, familyOf(bare));
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** The prefix for links, without a trailing slash. It is empty without `PUBLIC_URL` and without a valid prefix from a trusted proxy. */
export function prefixOf({ headers, server, socket }: FastifyRequest): string {
  if (server.publicPath !== undefined) return server.publicPath;
  const header = headers['x-forwarded-prefix'];
  if (
    typeof header !== 'string' ||
    header.length > LONGEST_PREFIX ||
    !PREFIX.test(header) ||
    !server.trustedProxies(socket.remoteAddress)
  )
    return '';
  return header.replace(/\/$/u, '');
}

/** A path of this service as the client of this request must write it. @param path begins with a slash */
export function linkTo(request: FastifyRequest, path: string): string {
  return `${prefixOf(request)}${path}`;
}

function pathPrefix(app: FastifyInstance, { trustedProxies, publicUrl }: PathPrefixOptions, done: () => void): void {
  app.decorate('trustedProxies', trustedProxies);
  app.decorate('publicPath', publicUrl === undefined ? undefined : new URL(publicUrl).pathname.replace(/\/$/u, ''));
  done();
}

export default fp(pathPrefix, { name: 'path-prefix' });
