/**
 * `npm run postgres [-- --port N]`: a PostgreSQL from npm to try several instances on, until Ctrl-C.
 *
 * It listens on this machine only, accepts every user, and deletes all of its data at the end.
 */
import { parseArgs } from 'node:util';
import { startPostgres } from '../test/support/stores/postgres.ts';

const HELP = `Usage: npm run postgres -- [--port N]

Starts a PostgreSQL on 127.0.0.1 with an empty database "registry", until Ctrl-C. Its data is deleted at the end.
  --port N   the port (default: 54329)`;

const { values } = parseArgs({
  options: { port: { type: 'string', default: '54329' }, help: { type: 'boolean', default: false } },
});
if (values.help) console.log(HELP);
else {
  const endings: (() => unknown)[] = [];
  const server = await startPostgres(
    { teardown: (ending: () => unknown) => void endings.push(ending) },
    { port: Number(values.port) },
  ).catch((error: unknown) => {
    console.error(`PostgreSQL does not start: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  if (server === undefined) process.exitCode = 1;
  else {
    await server.sql('CREATE DATABASE registry');
    console.log(
      `PostgreSQL is running: STORE_URL=postgres://postgres@127.0.0.1:${server.port}/registry (Ctrl-C stops it and deletes its data)`,
    );
    let ending: Promise<void> | undefined; // npm forwards a signal that the whole process group already got, so it may arrive twice
    const end = () => void (ending ??= Promise.all(endings.map((each) => each())).then(() => process.exit()));
    process.on('SIGINT', end).on('SIGTERM', end);
    setInterval(() => undefined, 60_000); // keeps this process alive; the server does not
  }
}
