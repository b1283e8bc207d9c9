/**
 * Load (BARS B13): reads at a fixed rate over two instances, whether or not earlier ones were answered, while pointers move five times a
 * second. No read fails, and every response belongs to a version that was active meanwhile.
 *
 * With a fixed rate, a server that stalls gets all the requests that came due meanwhile, as in production. Latency is asserted only in the soak,
 * which has the machine to itself for ten minutes; the other lengths print it.
 */
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { send, startInstances, type Reply } from '../support/apps/instances.ts';

interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

const LENGTHS: Readonly<Record<string, Load>> = {
  short: { perSecond: 300, seconds: 3 },
  faults: { perSecond: 1500, seconds: 30 },
  soak: { perSecond: 3000, seconds: 600 },
};
const length = process.env['TEST_LENGTH'] ?? 'short';
const { perSecond, seconds } = LENGTHS[length] ?? { perSecond: 300, seconds: 3 };
const MOVES_PER_SECOND = 5;
/** In milliseconds. */
const P99 = 50;
const PATHS = ['/v1/packs/coach/active', '/v1/prompts/system', '/v1/prompts/styles/supportive', '/v1/prompts/styles'];
const VERSIONS = ['1.0.0', '1.1.0'];

t.test(
  `${perSecond} reads a second over two instances for ${seconds} s, ${MOVES_PER_SECOND} moves a second`,
  async (t) => {
    const { instances, key } = await startInstances(t, { count: 2 });
    const [first] = instances;
    if (first === undefined) throw new Error('There is no instance.');
    const move = async (count: number) =>
      (
        await first.ask(
          '/v1/packs/coach/activations',
          { version: VERSIONS[count % 2], reason: 'Under load' },
          { prefer: 'wait=5' },
        )
      ).status;
    t.equal(await move(0), 201);

    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    t.teardown(() => agent.destroy());
    const headers = { authorization: `Bearer ${key}` };
    const latencies: number[] = [];
    const faults: string[] = [];
    const looked = (path: string, { status, body, ms }: Reply) => {
      latencies.push(ms);
      if (status !== 200 || !VERSIONS.includes(String(body['version'])))
        faults.push(`${path}: ${status} ${String(body['version'])}`);
    };

    const start = performance.now();
    const over = () => performance.now() - start >= seconds * 1000;
    const moves = (async () => {
      for (let count = 1; !over(); count += 1) {
        const status = await move(count);
        if (status !== 201) faults.push(`move ${count}: ${status}`);
        await pause(Math.max(0, start + (count * 1000) / MOVES_PER_SECOND - performance.now())); // a pace, not a wait
      }
    })();
    const reads = new Set<Promise<void>>();
    for (let due = 0; !over(); await pause(2)) {
      for (const until = ((performance.now() - start) / 1000) * perSecond; due < until; due += 1) {
        const path = PATHS[due % PATHS.length] ?? '';
        const instance = instances[due % instances.length];
        const read = send(`${instance?.address}${path}`, agent, headers).then(
          (reply) => looked(path, reply),
          (error: unknown) => void faults.push(`${path}: ${String(error)}`),
        );
        reads.add(read);
        void read.then(() => reads.delete(read));
      }
    }
    await Promise.all([...reads, moves]);

    latencies.sort((a, b) => a - b);
    const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Infinity;
    t.strictSame(faults.slice(0, 5), [], `${latencies.length} reads without a fault, p99 ${p99.toFixed(1)} ms`);
    t.ok(latencies.length >= 0.95 * perSecond * seconds, 'at the rate that was meant');
    t.ok(length !== 'soak' || p99 <= P99, `p99 ${p99.toFixed(1)} ms`);
  },
);
