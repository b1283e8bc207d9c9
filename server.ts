/**
 * The process: read the settings, open the store, listen, say where, close gracefully.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import closeWithGrace, { type CloseWithGraceAsyncCallback } from 'close-with-grace';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { buildApp } from './app.ts';
import { readConfig, type Config } from './config.ts';
import { backlogFor, mostConnections } from './plugins/connections/descriptors.ts';
import {
  lastOperatorKey,
  LogBroken,
  makeFolder,
  messageOf,
  operatorKeyFile,
  operatorKeyPath,
  readPackFolders,
  readPolicies,
  readSnapshotKey,
  RegistryError,
  StartRefused,
  StoreDamaged,
  type Store,
} from './registry/index.ts';
import { MemoryStore } from './registry/stores/memory/index.ts';
import { lockDataDir, openSqliteStore } from './registry/stores/sqlite/index.ts';

/** How long requests under way may take once the process is asked to end, in milliseconds. */
const GRACE = 12_000;
/** How long probes say that the process is about to end before it takes no more connections, in milliseconds. */
const NOTICE = 1000;
/** Signals that arrive within so many milliseconds are one request to end. */
const SAME_REQUEST = 1000;

try {
  await start(readConfig(process.env));
} catch (error) {
  end(error);
}

/** Says why there is no start, and ends. */
function end(error: unknown): void {
  const { exitCode, message } = endOf(error);
  process.stderr.write(`prompt-registry does not start: ${message}\n`);
  process.exit(exitCode);
}

/** What is said of an error, and the exit code after sysexits(3); a stack only of one that nobody expected. */
function endOf(error: unknown): { readonly exitCode: number; readonly message: string } {
  if (error instanceof StartRefused) return error;
  if (error instanceof StoreDamaged) return { exitCode: 65, message: error.message };
  if (error instanceof RegistryError) return { exitCode: 75, message: error.message };
  if (error instanceof LogBroken)
    return {
      exitCode: 65,
      message: `The log is broken: ${error.message} Keep a copy of the database, and restore it from a backup.`,
    };
  return { exitCode: 1, message: String(error instanceof Error ? error.stack : error) };
}

async function start(config: Config): Promise<void> {
  const most = mostConnections();
  const shipped = await readPackFolders(config.packsDir);
  const policies = await readPolicies(config.packsDir);
  makeDataDir(config.dataDir);
  const snapshotKey =
    config.snapshotKeyFile === undefined ? undefined : readSnapshotKey(config.snapshotKeyFile, config.dataDir);
  const store = await openStore(config);
  let app: FastifyInstance;
  let lock: { release(): void } | undefined;
  try {
    if (store.kind !== 'memory') lock = lockDataDir(config.dataDir); // what is in memory leaves nothing there but its key
    app = await buildApp({
      registry: {
        store,
        shipped,
        policies,
        operatorKey: operatorKeyFile(config.dataDir),
        channels: config.channels,
        defaultPack: config.defaultPack,
        defaultVersion: config.defaultVersion,
        sessionTtl: config.sessionTtl,
        // A database elsewhere may be away while there is much that can be served without it.
        failStatic: store.kind === 'postgres',
        onRefused: end,
        pinVersion: config.pinVersion,
        // What is in memory only does not outlive the process, so a snapshot of it on disk would be of no registry.
        ...(store.kind !== 'memory' && { dataDir: config.dataDir, snapshotKey }),
      },
      bodyLimit: config.bodyLimit,
      trustProxy: config.trustProxy,
      rateLimit: config.rateLimit,
      keyMaxStale: config.keyMaxStale,
      corsOrigins: config.corsOrigins,
      ...(config.tracing !== undefined && { tracing: config.tracing }),
      logger: loggerOf(config),
      mostConnections: most,
    });
  } catch (error) {
    lock?.release();
    await store.close();
    throw error;
  }
  closeOnSignal(async ({ err, signal }) => {
    if (err !== undefined) app.log.fatal({ err }, 'The process ends on an error that nothing caught.');
    else app.log.info({ signal }, 'Closing: requests under way are finished first.');
    app.draining = true;
    if (signal === 'SIGTERM') await new Promise((resolve) => setTimeout(resolve, NOTICE));
    await app.close();
  });
  const address = await listen(app, config, backlogFor(most)).catch((error: unknown) => {
    lock?.release();
    throw error;
  });
  await sayWhatIs(app, config, address, store);
}

/**
 * Closes gracefully on the first signal, and ends at once on the next one.
 *
 * npm passes SIGINT and SIGTERM on, also where the whole process group got them (Ctrl-C, systemd): one request to end arrives twice.
 */
function closeOnSignal(close: CloseWithGraceAsyncCallback): void {
  let closing: { readonly since: number } | undefined;
  let signal: 'SIGINT' | 'SIGTERM' | undefined;
  const grace = closeWithGrace({ delay: GRACE, logger: false, skip: ['SIGINT', 'SIGTERM'] }, (cause) => {
    closing ??= { since: performance.now() };
    return close({ ...cause, ...(signal !== undefined && { signal }) });
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      signal ??= name;
      if (closing === undefined) grace.close();
      else if (performance.now() - closing.since > SAME_REQUEST) process.exit(1);
    });
  }
}

function makeDataDir(dir: string): void {
  try {
    makeFolder(dir);
  } catch (error) {
    throw new StartRefused(
      78,
      `DATA_DIR "${dir}" cannot be made: ${messageOf(error)}. Name a folder that this process may write to.`,
      { cause: error },
    );
  }
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartRefused(
      78,
      `DATA_DIR "${dir}" cannot be used: ${messageOf(error)}. This process must be able to read and write it.`,
      { cause: error },
    );
  }
}

async function openStore({ store }: Config): Promise<Store> {
  if (store.kind === 'postgres') {
    const { openPostgresStore } = await import('./registry/stores/postgres/index.ts'); // a start without it need not load its driver
    return openPostgresStore({ url: store.url });
  }
  return store.kind === 'memory' ? new MemoryStore() : openSqliteStore({ file: store.file });
}

/** Pretty on a terminal, JSON lines elsewhere. */
function loggerOf({ logLevel }: Config): FastifyServerOptions['logger'] {
  const pretty = process.stdout.isTTY
    ? { transport: { target: 'pino-pretty', options: { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' } } }
    : {};
  return { level: logLevel, ...pretty };
}

async function listen(app: FastifyInstance, { host, port }: Config, backlog: number): Promise<string> {
  try {
    const address = await app.listen({
      host,
      port,
      backlog,
      listenTextResolver: (listening) => `Listening at ${listening}`,
    });
    // Whatever LOG_LEVEL is: with PORT=0 nobody could know otherwise.
    if (!['info', 'debug', 'trace'].includes(app.log.level))
      app.log.child({}, { level: 'info' }).info(`Listening at ${address}`);
    return address;
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new StartRefused(
        75,
        `Port ${port} of ${host} is in use. Stop what listens there, or set PORT to another one (0 takes a free one).`,
        { cause: error },
      );
    throw new StartRefused(78, `Cannot listen on HOST "${host}", PORT ${port}: ${messageOf(error)}.`, { cause: error });
  }
}

/** What an operator looks for first: what is active, where, and how to look. */
async function sayWhatIs(app: FastifyInstance, config: Config, address: string, store: Store): Promise<void> {
  const { log, registry } = app;
  for (const views of registry.current.views.values()) {
    for (const { activePack } of views.values()) {
      const { pack, channel, version, revision, digest } = activePack;
      if (pack === config.defaultPack || registry.current.views.size <= 10)
        log.info({ pack, channel, version, revision, digest }, `Active: ${pack} ${channel} is at ${version}`);
    }
  }
  log.info(
    {
      store: store.kind,
      dataDir: config.dataDir,
      revision: registry.current.revision,
      packs: registry.current.packs.size,
    },
    `Registry at revision ${registry.current.revision}`,
  );
  await sayKey(app, store, operatorKeyPath(config.dataDir), address);
  log.info({ docs: `${address}/docs` }, `API documentation at ${address}/docs`);
}

/** A line to paste that reads the key, or where the key is; the key itself is never shown. */
async function sayKey({ log, registry }: FastifyInstance, store: Store, path: string, address: string): Promise<void> {
  if (existsSync(path))
    return log.info(
      `To use the operator key: KEY=$(cat ${shellQuoted(path)}); curl -H "Authorization: Bearer $KEY" ${address}/v1/packs`,
    );
  if (!registry.ready)
    return log.info(
      `There is no operator key in ${path}. Whether there is one cannot be told before the store can be reached.`,
    );
  const made = await lastOperatorKey(store).catch(() => undefined); // the store went away: then there are other worries
  if (made === undefined) return log.info(`There is no operator key in ${path}.`);
  const { keyId, madeBy, madeAt } = made;
  log.info(
    { keyId, madeBy, madeAt },
    `The operator key was made ${madeBy === undefined ? '' : `by ${madeBy} `}at ${madeAt} and was put into the DATA_DIR there, not into ${path}; this start makes none. If that file is lost, "npm run keys:recover" makes a new key here.`,
  );
}

/** A path as a shell takes it. */
function shellQuoted(path: string): string {
  return /^[\w./-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
