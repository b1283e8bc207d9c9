/**
 * The stream of events on a listening server with test settings: a short heartbeat, a small ring.
 *
 * It has the shipped plugins in the shipped order, on a memory store behind a connection that can fail, or switch to another log like a
 * restored database. It lacks `stalled-readers`, so only the stream's own limit disconnects readers.
 * Example: `const { address, key, watchers } = await openStreams(t, { heartbeat: 30 })`.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Test } from 'tap';
import authentication from '../../../plugins/access/authentication.ts';
import answerOrigin from '../../../plugins/answer-origin.ts';
import connections from '../../../plugins/connections/connections.ts';
import drain from '../../../plugins/connections/drain.ts';
import problemDetails from '../../../plugins/problems/problem-details.ts';
import registryPlugin from '../../../plugins/registry.ts';
import requestSnapshot from '../../../plugins/revision/request-snapshot.ts';
import scopes from '../../../plugins/access/scopes.ts';
import type { EventDraft, EventType } from '../../../registry/log/event.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { Store, StoredContent } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import type { Watchers } from '../../../registry/streams/watchers.ts';
import eventRoutes, { type EventRoutesOptions } from '../../../routes/events/index.ts';
import { addComponents } from '../../../routes/components.ts';
import { heldOperatorKey, listen } from './app.ts';
import { batchAfter, readLog } from '../stores/events.ts';
import { FailingStore, type Plan } from '../stores/failing-store.ts';
import { shippedOf } from '../packs/pack-documents.ts';

export interface StreamsApp {
  readonly app: FastifyInstance;
  readonly registry: Registry;
  readonly watchers: Watchers;
  readonly address: string;
  /** A token with all scopes. */
  readonly key: string;
  /** The log itself. */
  readonly store: Store;
  /** From now on each store call of the app follows this plan; without one, calls succeed. */
  fail(plan?: Plan): void;
  /** From now on the app finds another log in its store. */
  exchange(store: Store): void;
}

export async function openStreams(t: Test, options: EventRoutesOptions = {}): Promise<StreamsApp> {
  const store = new MemoryStore();
  let [inner, plan]: [Store, Plan | undefined] = [store, undefined];
  const exchangeable = new Proxy({} as Store, {
    get: (_, name: string) => {
      const member = (inner as unknown as Record<string, unknown>)[name];
      return typeof member === 'function' ? (member.bind(inner) as unknown) : member;
    },
  });
  const operatorKey = heldOperatorKey();
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(connections, { most: 1000 });
  await app.register(drain);
  await app.register(problemDetails);
  await app.register(answerOrigin);
  await app.register(registryPlugin, {
    store: new FailingStore(exchangeable, (call) => plan?.(call)),
    operatorKey,
    channels: ['production', 'staging'],
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
    shipped: shippedOf('coach@1.0.0', 'coach@2.0.0'),
  });
  await app.register(requestSnapshot);
  await app.register(authentication, {});
  await app.register(scopes);
  addComponents(app);
  await app.register(fp(eventRoutes), options);
  const address = await listen(app);
  return {
    app,
    registry: app.registry,
    watchers: app.watchers,
    address,
    key: operatorKey.token(),
    store,
    fail: (next) => (plan = next),
    exchange: (next) => (inner = next),
  };
}

/** An event that changes nothing, like one of a newer build; a long name makes its message large. */
export function foreignEvent(size = 0, members: Partial<EventDraft> = {}): EventDraft {
  const actor = { keyId: 'elsewhere', label: 'Another instance' };
  return {
    type: `made-by-a-newer-build-${'x'.repeat(size)}` as EventType,
    actor,
    reason: 'Made elsewhere',
    data: {},
    ...members,
  } as unknown as EventDraft;
}

/** Appends like another instance: the events are in the log, but not applied here yet. @returns the last revision */
export async function appendElsewhere(store: Store, ...drafts: readonly EventDraft[]): Promise<number> {
  const head = await store.head();
  const batch = batchAfter(head, drafts);
  if ((await store.append(batch, head?.revision ?? 0)) !== 'done') throw new Error('The log moved meanwhile.');
  return batch.events.at(-1)!.revision;
}

/** The log as of a revision, with an accepted restore: a database restored from a backup. */
export async function restoredAt(store: Store, revision: number, epoch: number): Promise<Store> {
  const events = (await readLog(store)).slice(0, revision);
  const digests = events.flatMap((event) => (event.type === 'version-published' ? [event.data.digest] : []));
  const contents: StoredContent[] = [];
  for (const digest of new Set(digests)) contents.push({ digest, content: (await store.content(digest))! });
  const restored = new MemoryStore();
  await restored.append({ events, contents, sessionKeys: await store.sessionKeys() }, 0);
  await appendElsewhere(restored, {
    type: 'registry-restored',
    actor: { keyId: 'system', label: 'system' },
    reason: 'The disk was lost',
    data: { epoch },
  });
  return restored;
}
