/**
 * The server process: reads the settings, opens the store, listens, logs the address, and closes gracefully.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import closeWithGrace, { type CloseWithGraceAsyncCallback } from 'close-with-grace';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { buildApp } from './app.ts';
import { readConfig, type Config } from './config.ts';
import { backlogFor, mostConnections } from './plugins/connections/descriptors.ts';
import { LogOutput } from './plugins/log-output.ts';
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

/** Timeout of a graceful shutdown, in milliseconds. */
const GRACE = 12_000;
/** How long probes report the shutdown before the process stops accepting connections, in milliseconds. */
const NOTICE = 1000;
/** Signals within this time count as one, in milliseconds. */
const SAME_REQUEST = 1000;

try {
  await start(readConfig(process.env));
} catch (error) {
  end(error);
}

/** Prints why the process does not start, and exits. */
function end(error: unknown): void {
  const { exitCode, message } = endOf(error);
  process.stderr.write(`prompt-registry does not start: ${message}\n`);
  process.exit(exitCode);
}

/** The message and the exit code (sysexits(3)) for an error. Only an unexpected error shows its stack. */
function endOf(error: unknown): { readonly exitCode: number; readonly message: string } {
  if (error instanceof StartRefused) return error;
  if (error instanceof StoreDamaged) return { exitCode: 65, message: error.message };
  if (error instanceof RegistryError) return { exitCode: 75, message: error.message };
  if (error instanceof LogBroken)
    return {
      exitCode: 65,
      message: `The log is broken: ${error.message} Keep a copy of the database, then restore a backup.`,
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
    if (store.kind !== 'memory') lock = lockDataDir(config.dataDir); // a memory store writes only its operator key there
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
        // A remote database can be unreachable while the service can still serve its last snapshot.
        failStatic: store.kind === 'postgres',
        onRefused: end,
        pinVersion: config.pinVersion,
        // A memory store ends with the process, so a snapshot of it on disk would be useless.
        ...(store.kind !== 'memory' && { dataDir: config.dataDir, snapshotKey }),
      },
      bodyLimit: config.bodyLimit,
      trustProxy: config.trustProxy,
      publicUrl: config.publicUrl,
      rateLimit: config.rateLimit,
      keyMaxStale: config.keyMaxStale,
      corsOrigins: config.corsOrigins,
      ...(config.tracing !== undefined && { tracing: config.tracing }),
      logger: loggerOf(config, (lines) =>
        app.log.warn({ lines }, `${lines} lines of the log were dropped, because its reader was too slow.`),
      ),
      mostConnections: most,
    });
  } catch (error) {
    lock?.release();
    await store.close();
    throw error;
  }
  closeOnSignal(async ({ err, signal }) => {
    if (err !== undefined) app.log.fatal({ err }, 'The process ends because of an uncaught error.');
    else app.log.info({ signal }, 'Closing: finishing the requests in progress first.');
    app.draining = true;
    if (signal === 'SIGTERM') await new Promise((resolve) => setTimeout(resolve, NOTICE));
    await app.close();
  });
  const address = await listen(app, config, backlogFor(most)).catch((error: unknown) => {
    lock?.release();
    throw error;
  });
  await logSummary(app, config, address, store);
}

/**
 * Closes gracefully on the first signal, and exits at once on the next one.
 *
 * npm forwards SIGINT and SIGTERM even if the whole process group already got them (Ctrl-C, systemd). Then the same signal arrives twice.
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
      `DATA_DIR "${dir}" cannot be created: ${messageOf(error)}. Choose a folder that this process can write to.`,
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
    const { openPostgresStore } = await import('./registry/stores/postgres/index.ts'); // load the driver only if it is used
    return openPostgresStore(store);
  }
  return store.kind === 'memory' ? new MemoryStore() : openSqliteStore({ file: store.file });
}

/** Pretty output on a terminal, otherwise JSON lines. @param dropped called with how many lines were dropped */
function loggerOf({ logLevel }: Config, dropped: (lines: number) => void): FastifyServerOptions['logger'] {
  if (process.stdout.isTTY) {
    const options = { translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' };
    return { level: logLevel, transport: { target: 'pino-pretty', options } };
  }
  const stream = new LogOutput(process.stdout.fd, dropped);
  process.on('exit', () => stream.flushSync());
  return { level: logLevel, stream };
}

async function listen(app: FastifyInstance, { host, port }: Config, backlog: number): Promise<string> {
  try {
    const address = await app.listen({
      host,
      port,
      backlog,
      listenTextResolver: (listening) => `Listening at ${listening}`,
    });
    // Always log the address, whatever LOG_LEVEL is: with PORT=0 there is no other way to know the port.
    if (!['info', 'debug', 'trace'].includes(app.log.level))
      app.log.child({}, { level: 'info' }).info(`Listening at ${address}`);
    return address;
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new StartRefused(
        75,
        `Port ${port} of ${host} is in use. Stop the other process, or set PORT to another port (0 chooses a free one).`,
        { cause: error },
      );
    throw new StartRefused(78, `Cannot listen on HOST "${host}", PORT ${port}: ${messageOf(error)}.`, { cause: error });
  }
}

/** Logs what an operator looks for first: the active versions, the store, the key and the documentation. */
async function logSummary(app: FastifyInstance, config: Config, address: string, store: Store): Promise<void> {
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
  await logKey(app, store, operatorKeyPath(config.dataDir), address);
  const docs = `${config.publicUrl ?? address}/docs`;
  log.info({ docs }, `API documentation at ${docs}`);
}

/** Logs a command that reads the operator key, or where the key is. Never logs the key itself. */
async function logKey({ log, registry }: FastifyInstance, store: Store, path: string, address: string): Promise<void> {
  if (existsSync(path))
    return log.info(
      `To use the operator key: KEY=$(cat ${shellQuoted(path)}); curl -H "Authorization: Bearer $KEY" ${address}/v1/packs`,
    );
  if (!registry.ready)
    return log.info(
      `There is no operator key in ${path}. Until the store is reachable, it is unknown whether one exists elsewhere.`,
    );
  const made = await lastOperatorKey(store).catch(() => undefined); // the store became unreachable, which is logged elsewhere
  if (made === undefined) return log.info(`There is no operator key in ${path}.`);
  const { keyId, madeBy, madeAt } = made;
  log.info(
    { keyId, madeBy, madeAt },
    `The operator key was created ${madeBy === undefined ? '' : `by ${madeBy} `}at ${madeAt} in the DATA_DIR there, not in ${path}; this start creates none. If that file is lost, "npm run keys:recover" creates a new key here.`,
  );
}

/** A path, quoted for a shell if necessary. */
function shellQuoted(path: string): string {
  return /^[\w./-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
