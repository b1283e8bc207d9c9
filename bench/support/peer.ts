/**
 * Another instance, on its own event loop. It follows the log, and also listens to bare notifications. It reports when it saw what, by the
 * monotonic clock that all threads share.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Client } from 'pg';
import { Registry } from '../../registry/index.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';

export interface Sighting {
  readonly what: 'revision' | 'notification';
  readonly number: number;
  /** `process.hrtime.bigint()`. */
  readonly at: bigint;
}

const { url, channel } = workerData as { readonly url: string; readonly channel: string };
const say = (what: Sighting['what'], number: number) =>
  parentPort?.postMessage({ what, number, at: process.hrtime.bigint() } satisfies Sighting);

const registry = await Registry.open({
  store: openPostgresStore({ url }),
  channels: ['production'],
  defaultPack: 'coach',
  sessionTtl: 86_400_000,
});
registry.onChange((_events, { revision }) => say('revision', revision));
const bare = new Client({ connectionString: url });
await bare.connect();
bare.on('notification', ({ payload }) => say('notification', Number(payload)));
await bare.query(`LISTEN ${channel}`);
let busy = false;
const readOn = async (): Promise<void> => {
  while (busy) await registry.events({ limit: 100 });
};
const end = async (): Promise<void> => {
  await bare.end();
  await registry.close();
  parentPort?.close();
};
parentPort?.on('message', (message: 'busy' | 'idle' | 'end') => {
  busy = message === 'busy';
  if (busy) void Promise.all([readOn(), readOn(), readOn(), readOn()]);
  if (message === 'end') void end();
});
parentPort?.postMessage('ready');
