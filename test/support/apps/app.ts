/**
 * The application as shipped, on a fresh store.
 *
 * Every app has its own store (SQLite in a new folder, or in memory) behind a connection that can fail on command. App, store and folder end
 * with the test.
 * Example: `const { app } = await openApp(t); await app.inject('/v1/packs')`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import type { OperatorKeyFile } from '../../../registry/keys/operator-key.ts';
import type { Test } from 'tap';
import { buildApp, type AppOptions } from '../../../app.ts';
import { readPackFolders, type ShippedVersion } from '../../../registry/packs/pack-folder.ts';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import type { Store } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { FailingStore, type Plan } from '../stores/failing-store.ts';
import { documentOf } from '../packs/pack-documents.ts';

/** The folder of the shipped packs. */
export const PACKS = fileURLToPath(new URL('../../../packs', import.meta.url));
export const CHANNELS = ['production', 'staging'] as const;

let packs: Promise<ShippedVersion[]> | undefined;

/** The shipped packs, read once; they are frozen, so tests can share them. */
export function shippedPacks(): Promise<ShippedVersion[]> {
  packs ??= readPackFolders(PACKS);
  return packs;
}

export interface TestAppOptions {
  /** Default: `sqlite`. A store that is given is closed with the test. */
  readonly store?: 'sqlite' | 'memory' | Store;
  /** Another app whose store and key this one shares. */
  readonly after?: TestApp;
  /** Settings of the registry that differ from the shipped ones. */
  readonly registry?: Partial<Omit<RegistryOptions, 'store' | 'log'>>;
  /** What an earlier process did to the store before this app starts. */
  readonly before?: (registry: Registry) => Promise<void> | void;
  /** Different settings of the earlier process. */
  readonly earlier?: Partial<Omit<RegistryOptions, 'store' | 'log'>>;
  readonly bodyLimit?: NonNullable<AppOptions['bodyLimit']>;
  /** Requests per minute and key. Default: no limit. */
  readonly rateLimit?: number;
  readonly keyMaxStale?: number;
  /** The store is unavailable at the start. */
  readonly away?: boolean;
  readonly corsOrigins?: readonly string[];
  readonly trustProxy?: NonNullable<AppOptions['trustProxy']>;
  readonly publicUrl?: string;
  readonly mostSeries?: number;
  readonly mostConnections?: number;
  readonly tracing?: NonNullable<AppOptions['tracing']>;
  readonly logger?: NonNullable<AppOptions['logger']>;
}

export interface TestApp {
  readonly app: FastifyInstance;
  /** A token with all scopes. `app.inject` sends it if a request has no `authorization`. */
  readonly key: string;
  /** The store itself, past the connection that can fail. */
  readonly store: Store;
  /** The app's own connection to it. */
  readonly connection: FailingStore;
  /** From now on each store call of the app follows this plan; without one, calls succeed. */
  fail(plan?: Plan): void;
}

/** Opens an app; it is closed with the test. */
export async function openApp(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-app-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const store = options.after?.store ?? (await storeOf(options.store, folder));
  if (options.after === undefined) t.teardown(() => store.close());

  let plan: Plan | undefined;
  const connection = new FailingStore(store, (call) => plan?.(call));
  const operatorKey = heldOperatorKey(options.after?.key);
  const registry = {
    operatorKey,
    channels: CHANNELS,
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
    shipped: await shippedPacks(),
    ...options.registry,
  };
  if (options.before !== undefined) {
    const earlier = await Registry.open({ ...registry, ...options.earlier, store: connection });
    await options.before(earlier);
    await earlier.close();
  }
  connection.away = options.away ?? false;
  const {
    bodyLimit,
    rateLimit,
    keyMaxStale,
    corsOrigins,
    trustProxy,
    publicUrl,
    mostSeries,
    mostConnections,
    tracing,
    logger,
  } = options;
  const app = await buildApp({
    registry: { ...registry, store: connection },
    ...(bodyLimit !== undefined && { bodyLimit }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(keyMaxStale !== undefined && { keyMaxStale }),
    ...(corsOrigins !== undefined && { corsOrigins }),
    ...(trustProxy !== undefined && { trustProxy }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(mostSeries !== undefined && { mostSeries }),
    ...(mostConnections !== undefined && { mostConnections }),
    ...(tracing !== undefined && { tracing }),
    ...(logger !== undefined && { logger }),
  });
  t.teardown(() => app.close());
  const key = operatorKey.token();
  injectWith(app, key);
  return {
    app,
    key,
    store,
    connection,
    fail: (next) => {
      plan = next;
    },
  };
}

async function storeOf(store: TestAppOptions['store'], folder: string): Promise<Store> {
  if (typeof store === 'object') return store;
  return store === 'memory' ? new MemoryStore() : openSqliteStore({ file: join(folder, 'registry.db') });
}

/** An operator key file in memory. @param known the existing token, if any */
export function heldOperatorKey(known = ''): OperatorKeyFile & { readonly token: () => string } {
  let key = known;
  return {
    token: () => key,
    write: async (token) => {
      key = token;
    },
    finishWrite: async () => true,
  };
}

/** Makes `app.inject` send the key, unless a request has its own `authorization` ('' for none). */
export function injectWith(app: FastifyInstance, key: string): void {
  const inject = app.inject.bind(app) as (options: InjectOptions) => Promise<Response>;
  const withKey = (options: InjectOptions | string) => {
    const request = typeof options === 'string' ? { url: options } : options;
    const { authorization = `Bearer ${key}`, ...headers } = { ...request.headers } as Record<string, string>;
    const sent = { ...request, headers: { ...headers, ...(authorization !== '' && { authorization }) } };
    return isStream(sent) ? beginningOf(inject({ ...sent, payloadAsStream: true })) : inject(sent);
  };
  app.inject = withKey as typeof app.inject;
}

function isStream({ method = 'GET', url = '' }: InjectOptions): boolean {
  return method === 'GET' && typeof url === 'string' && url.split('?')[0] === '/v1/events';
}

/** A stream does not end: its first message is the response, then the reader disconnects. */
async function beginningOf(asked: Promise<Response>): Promise<Response> {
  const answer = await asked;
  const stream = String(answer.headers['content-type']).startsWith('text/event-stream');
  let body = '';
  for await (const chunk of answer.stream().setEncoding('utf8')) {
    body += String(chunk);
    if (stream && body.includes('\n\n')) break;
  }
  answer.raw.res.destroy();
  return Object.assign(answer, { body, payload: body, json: () => JSON.parse(body) as never });
}

/** Registers versions of a new pack, so that its moves do not disturb other tests. */
export async function addPack(
  { registry }: FastifyInstance,
  pack: string,
  ...versions: readonly string[]
): Promise<void> {
  for (const version of versions) await registry.publish({ pack, document: documentOf(pack, version) });
}

/** Listens on a free port. @returns its origin, e.g. `http://127.0.0.1:40123` */
export async function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 });
}
