/**
 * A server with a planted fault, for controls: its store says `done` before it writes, so a kill loses acknowledged writes. It starts like
 * `server.ts`, with DATA_DIR.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { buildApp } from '../../../app.ts';
import { operatorKeyFile, readPackFolders } from '../../../registry/index.ts';
import type { Event } from '../../../registry/index.ts';
import type { Batch, Store } from '../../../registry/log/store.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { ROOT } from './server-process.ts';

/** How long an acknowledged write stays only in memory, in milliseconds. */
const DELAY = 500;

const dataDir = process.env['DATA_DIR'] ?? '';
mkdirSync(dataDir, { recursive: true });
const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
let written: Promise<unknown> = Promise.resolve();
/** Acknowledged, but not on disk yet. Reads include it, otherwise the server would notice a different log. */
const unwritten: Event[] = [];

const early: Store = {
  kind: store.kind,
  head: () => store.head(),
  append: async (batch: Batch, expectedRevision: number) => {
    if (expectedRevision === 0) return store.append(batch, expectedRevision); // the first start is correct
    unwritten.push(...batch.events);
    written = written
      .then(() => setTimeout(DELAY))
      .then(() => store.append(batch, expectedRevision))
      .then(() => unwritten.splice(0, batch.events.length));
    return 'done';
  },
  fence: () => store.fence(),
  raiseFence: () => Promise.resolve(0), // acknowledged at once as well: what it would be raised behind may not be written yet
  events: async (query) => {
    const events = await store.events(query);
    if (query.order === 'descending' || query.types !== undefined) return events;
    const last = events.at(-1)?.revision ?? query.after ?? 0;
    return [...events, ...unwritten.filter(({ revision }) => revision > last)].slice(0, query.limit);
  },
  repeated: (actorKeyId, idempotencyKey) => store.repeated(actorKeyId, idempotencyKey),
  content: (digest) => store.content(digest),
  sessionKeys: () => store.sessionKeys(),
  renew: async (claim) => {
    const renewal = await store.renew(claim);
    return { ...renewal, head: unwritten.at(-1) ?? renewal.head };
  },
  release: (instanceId, counter) => store.release(instanceId, counter),
  watch: () => store.watch(),
  close: () => store.close(),
};

const shipped = await readPackFolders(join(ROOT, 'packs'));
const app = await buildApp({
  registry: {
    store: early,
    shipped,
    operatorKey: operatorKeyFile(dataDir),
    channels: ['production', 'staging'],
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
    dataDir,
  },
  logger: true,
});
await app.listen({ port: 0, host: '127.0.0.1', listenTextResolver: (address) => `Listening at ${address}` });
