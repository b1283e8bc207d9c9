/**
 * `npm run backup -- FILE`: a backup of the SQLite database, while the service runs or not. PostgreSQL has its own tools.
 *
 * The backup is one file. It is complete and checked when it gets its name; a failure leaves nothing. docs/backup.md says how to restore it.
 * Exit codes: 0 the backup is there, 1 it is not.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../config.ts';
import { backUp, messageOf, type Backup } from '../registry/index.ts';
import { calledAs } from './called-as.ts';

const USAGE = `Usage: ${calledAs('backup', 'FILE [--overwrite] [--json]')}

Writes a backup of the SQLite database named by STORE_URL (or DATA_DIR) to FILE, while the service runs or not, and checks each event in it.
  --overwrite   replace FILE if it is an older backup; it stays until the new one is complete
  --json        print the result as JSON
  --help        this text`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      overwrite: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const [file, ...others] = positionals;
    if (file === undefined || file === '' || others.length > 0)
      throw new TypeError(`Name one file for the backup; ${positionals.length} are named.`);
    const backup = await make(readConfig(process.env), file, values.overwrite);
    console.log(values.json ? JSON.stringify(backup) : said(backup));
  }
} catch (error) {
  console.error(`No backup was made: ${messageOf(error)}`);
  if (error instanceof TypeError) console.error(USAGE);
  process.exitCode = 1;
}

async function make({ store }: Config, file: string, overwrite: boolean): Promise<Backup> {
  if (store.kind === 'memory') throw new Error('STORE_URL is "memory:"; there is no database outside the service.');
  if (store.kind === 'postgres')
    throw new Error(
      'STORE_URL names a PostgreSQL. Back it up with its own tools, e.g. pg_dump --format=custom --file=FILE; docs/backup.md has the commands.',
    );
  const { copySqliteStore, isOtherDatabase } = await import('../registry/stores/sqlite/index.ts');
  if (overwrite && existsSync(file) && !isOtherDatabase(file, store.file))
    throw new Error(`${file} is not an older backup, so --overwrite does not replace it.`);
  return unlessStopped((signal) =>
    backUp(file, (to) => copySqliteStore({ file: store.file, to }), { overwrite, signal }),
  );
}

/** Aborts the work at SIGINT or SIGTERM, so that it can clear away what it has begun. */
async function unlessStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopped = new AbortController();
  const stop = (name: string) => stopped.abort(new Error(`${name} stopped it.`));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(stopped.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function said({ file, bytes, head: { revision, hash } }: Backup): string {
  return `Wrote ${file}: ${(bytes / 1e6).toFixed(1)} MB, all events up to revision ${revision}; each was checked.
Its head is ${revision}:${hash}. Keep that in another place: it proves later that the backup is whole.
To restore it, put it into an empty DATA_DIR as registry.db; docs/backup.md has the steps.`;
}
