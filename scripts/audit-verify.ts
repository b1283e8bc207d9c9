/**
 * `npm run audit:verify [-- --head REVISION:HASH …]`: checks the whole log of a running or stopped service.
 *
 * Exit codes: 0 valid, 1 broken, 2 it could not be checked. Heads that were kept outside (the service logs its own) reveal what the chain
 * alone cannot: a tail that was cut off, or a chain that was rewritten as a whole.
 */
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../config.ts';
import {
  messageOf,
  readSnapshotKey,
  savedProof,
  verifyLog,
  type Head,
  type StateProof,
  type Store,
} from '../registry/index.ts';
import { attachStore } from './attached-store.ts';
import { calledAs } from './called-as.ts';

const HELP = `Usage: ${calledAs('audit:verify', '[--head REVISION:HASH]…')}

Checks every event and every content of the log named by STORE_URL (or DATA_DIR), and that the last good snapshot in DATA_DIR says the same.
  --head REVISION:HASH   a head that was kept outside and must be in the log; may be given several times
  --json                 print the result as JSON
  --help                 this text`;

process.exitCode = await run().catch((error: unknown) => {
  console.error(`The log could not be checked: ${messageOf(error)}`);
  return 2;
});

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      head: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const heads = values.head.map(headOf);
  const config = readConfig(process.env);
  const store = await attachStore(config);
  try {
    const served = await proofOf(config, store);
    const result = await verifyLog(store, heads, progress, served);
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    if (values.json) console.log(JSON.stringify(result));
    else if (result.valid)
      console.log(
        `Whole: ${result.events} events; the head is ${result.head.revision}:${result.head.hash}${heads.length > 0 ? `; ${heads.length} head(s) kept outside are in it` : ''}${comparedText(served)}.`,
      );
    else
      console.log(
        `BROKEN at revision ${result.firstBroken?.revision}: ${result.firstBroken?.detail} Whole up to ${result.head.revision}:${result.head.hash}.`,
      );
    return result.valid ? 0 : 1;
  } finally {
    await store.close();
  }
}

/** The last good snapshot of this host, to be compared with the log. What is wrong with the file is said on standard error. */
async function proofOf({ dataDir, snapshotKeyFile }: Config, store: Store): Promise<StateProof | undefined> {
  const say = (fields: object, message: string) =>
    console.error('reason' in fields ? `${message} (${messageOf(fields.reason)})` : message);
  const key = snapshotKeyFile === undefined ? undefined : readSnapshotKey(snapshotKeyFile, dataDir);
  return savedProof(store, dataDir, { info: say, warn: say, error: say }, key);
}

function comparedText(served: StateProof | undefined): string {
  if (served === undefined) return '';
  return served.compared
    ? '; the last good snapshot in DATA_DIR says the same'
    : '; the last good snapshot in DATA_DIR was not compared: it is of another history, or the log was cut behind it';
}

function headOf(text: string): Head {
  const [, revision, hash = ''] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/u.exec(text) ?? [];
  if (revision === undefined)
    throw new Error(`--head "${text}" is not valid; write REVISION:HASH, e.g. 12:4f… with 64 hexadecimal digits.`);
  return { revision: Number(revision), hash };
}

function progress(events: number): void {
  if (process.stderr.isTTY && events % 10_000 === 0) process.stderr.write(`\r${events} events checked`);
}
