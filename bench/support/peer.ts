/**
 * Another instance with its HTTP server, on its own event loop. It follows the log, and also listens to bare notifications. It reports when it
 * saw what, by the monotonic clock that all threads share.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Client } from 'pg';
import { buildApp } from '../../app.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';

export interface Sighting {
  readonly what: 'revision' | 'notification';
  readonly number: number;
  /** `process.hrtime.bigint()`. */
  readonly at: bigint;
}

/** The first message: the address to read from, and the headers of a read. */
export interface Reachable {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const { url, channel } = workerData as { readonly url: string; readonly channel: string };
const say = (what: Sighting['what'], number: number) =>
  parentPort?.postMessage({ what, number, at: process.hrtime.bigint() } satisfies Sighting);

let key = '';
const app = await buildApp({
  registry: {
    store: openPostgresStore({ url }),
    channels: ['production'],
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
    operatorKey: { write: async (token) => void (key = token), finishWrite: async () => key !== '' },
  },
});
const address = await app.listen({ port: 0, host: '127.0.0.1' });
app.registry.onChange((_events, { revision }) => say('revision', revision));
const bare = new Client({ connectionString: url });
await bare.connect();
bare.on('notification', ({ payload }) => say('notification', Number(payload)));
await bare.query(`LISTEN ${channel}`);
parentPort?.once('message', () => void end());
parentPort?.postMessage({ url: address, headers: { authorization: `Bearer ${key}` } } satisfies Reachable);

async function end(): Promise<void> {
  await bare.end();
  await app.close();
  parentPort?.close();
}
