/** One process of load: does what its parent orders, reports what it saw, and ends. */
import autocannon from 'autocannon';
import type { Order, Seen } from './generators.ts';

/** Milliseconds between two checks whether a run is over. */
const SAMPLE = 50;

process.once('message', (order: Order) => {
  void run(order).then((seen) => {
    process.send?.(seen);
    process.disconnect();
  });
});

async function run({ url, method, paths, headers, body, connections, seconds }: Order): Promise<Seen> {
  let connection = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    sampleInt: SAMPLE,
    setupClient: (client) => {
      const first = Math.floor((connection * paths.length) / connections);
      connection += 1;
      const turned = [...paths.slice(first), ...paths.slice(0, first)];
      client.setRequests(
        turned.map((path) => ({ method, path, headers: { ...headers }, ...(body !== '' && { body }) })),
      );
    },
  });
  const refused = Object.entries(result.statusCodeStats ?? {}).filter(([status]) => Number(status) >= 400);
  return {
    requests: result.requests.total,
    bytes: result.throughput.total,
    seconds: (result.finish.getTime() - result.start.getTime()) / 1000,
    failures: result.errors + refused.reduce((total, [, { count = 0 }]) => total + count, 0),
  };
}
