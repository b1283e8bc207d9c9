/** Load on one server, from this process: 32 connections that each send the next request as soon as they have the response. */
import autocannon from 'autocannon';
import type { Served } from './processes.ts';

const CONNECTIONS = 32;
/** Milliseconds between two checks whether a run is over. */
const SAMPLE = 50;

export interface Target {
  readonly server: Served;
  /** Requested in this order; each connection starts at a different one. */
  readonly paths: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: 200 | 304;
}

/** Requests a second of wall time, and a second of the server's own CPU time. */
export interface Rates {
  readonly rate: number;
  readonly perCpuSecond: number;
}

/**
 * One leg of load.
 * @throws Error if any response has another status: a fast refusal must not count
 */
export async function load({ server, paths, headers = {}, status }: Target, seconds: number): Promise<Rates> {
  const before = await server.usage();
  let connection = 0;
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: seconds,
    sampleInt: SAMPLE,
    setupClient: (client) => {
      const first = Math.floor((connection * paths.length) / CONNECTIONS);
      connection += 1;
      const turned = [...paths.slice(first), ...paths.slice(0, first)];
      client.setRequests(turned.map((path) => ({ method: 'GET', path, headers: { ...headers } })));
    },
  });
  const after = await server.usage();
  const answered = result.requests.total;
  const asExpected = result.statusCodeStats?.[`${status}`]?.count ?? 0;
  if (answered === 0 || asExpected !== answered || result.errors > 0) {
    throw new Error(
      `${server.url}${paths[0]}: ${answered} answers, ${asExpected} of them ${status}, ${result.errors} errors: ${JSON.stringify(result.statusCodeStats)}.`,
    );
  }
  const elapsed = (result.finish.getTime() - result.start.getTime()) / 1000;
  return { rate: answered / elapsed, perCpuSecond: answered / ((after.cpu - before.cpu) / 1e6) };
}
