/** Load on one server: 32 connections that each send the next request as soon as they have the response. */
import { generate } from './generators.ts';
import type { Usage } from './probe.ts';
import type { Served } from './processes.ts';

const CONNECTIONS = 32;

export interface Target {
  readonly server: Pick<Served, 'url'> & { usage(): Promise<Pick<Usage, 'cpu'>> };
  /** Requested in turn. */
  readonly paths: readonly string[];
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expected: Expected;
}

/** What each response must be. The generators count statuses of 400 or more only, so bytes tell a 200 from a 304. */
export interface Expected {
  readonly status: 200 | 304;
  /** The length of the body that a 200 brings, in bytes. */
  readonly bodyBytes: number;
}

/** Requests a second of wall time, and a second of the server's own CPU time; and the share of the time in which the server was busy. */
export interface Rates {
  readonly rate: number;
  readonly perCpuSecond: number;
  /** CPU time / wall time; 1: one core was busy all the time. */
  readonly busy: number;
}

/**
 * One leg of load.
 * @throws Error if a request fails or the responses have another length: a fast refusal must not count
 */
export async function load(target: Target, seconds: number): Promise<Rates> {
  const { server, paths, method = 'GET', headers = {}, body = '', expected } = target;
  const before = await server.usage();
  const seen = await generate({ url: server.url, method, paths, headers, body, connections: CONNECTIONS, seconds });
  const after = await server.usage();
  const each = seen.bytes / seen.requests;
  const asExpected = expected.status === 200 ? each >= expected.bodyBytes : each < expected.bodyBytes;
  if (!asExpected || seen.failures > 0)
    throw new Error(
      `${server.url}${paths[0]}: ${seen.requests} responses of ${each.toFixed(0)} bytes, ${seen.failures} failures; expected ${expected.status} (a 200 has ${expected.bodyBytes} bytes).`,
    );
  const cpu = (after.cpu - before.cpu) / 1e6;
  return { rate: seen.requests / seen.seconds, perCpuSecond: seen.requests / cpu, busy: cpu / seen.seconds };
}
