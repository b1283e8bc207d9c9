/**
 * A separate process on a SQLite store, for tests that kill it or take something away from it.
 *
 *     node append-child.ts loop <file> <seed>   appends without end; says `opening`, then `done <revision> <hash>` a batch
 *     node append-child.ts hold <file>          opens, says `ready`, and keeps the file until its stdin ends or it is killed;
 *                                               or says `refused <exit code> <message>`
 *     node append-child.ts limit <file>         appends while no file may be written; says what came of it, as JSON
 *
 * A batch of `loop` can be told in the log: the reasons are `1 of 3`, `2 of 3`, `3 of 3`, and the content `0.0.<last revision>`
 * is written with it. Lines go out by writeSync: what was said is in the pipe when the next append begins.
 */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, StartRefused } from '../../../registry/errors.ts';
import { openSqliteStore, type SqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { activation, batchAfter, contentOf, EMPTY, headOf, randomFrom } from './events.ts';

const say = (line: string) => writeSync(1, `${line}\n`);
const [command = '', file = '', seed = '0'] = process.argv.slice(2);

const COMMANDS: Record<string, () => Promise<void>> = { loop, hold, limit };
await COMMANDS[command]?.();

async function loop(): Promise<void> {
  const random = randomFrom(Number(seed));
  say('opening');
  const store = await openSqliteStore({ file });
  let head = (await store.head()) ?? EMPTY;
  for (;;) {
    const size = random() < 0.1 ? 400 : 1 + Math.floor(random() * 4);
    const list = Array.from({ length: size }, (_, index) => activation({ reason: `${index + 1} of ${size}` }));
    const batch = batchAfter(head, list, { contents: [contentOf(`0.0.${head.revision + size}`)] });
    const outcome = await store.append(batch, head.revision);
    if (outcome !== 'done')
      throw new Error(`Revision ${head.revision + 1} was not appended: ${JSON.stringify(outcome)}`);
    head = headOf(batch);
    say(`done ${head.revision} ${head.hash}`);
  }
}

async function hold(): Promise<void> {
  const refused = await openSqliteStore({ file, holder: 'the child' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refused === undefined) {
    say('ready');
    process.stdin.resume();
  } else {
    say(`refused ${refused instanceof StartRefused ? refused.exitCode : ''} ${messageOf(refused)}`);
  }
}

/** With a file size limit of 0 every write to a file fails with EFBIG; pipes are not files. Node ignores SIGXFSZ. */
async function limit(): Promise<void> {
  const store = await openSqliteStore({ file });
  const first = batchAfter(EMPTY, [activation()]);
  await store.append(first, 0);

  const small = batchAfter(headOf(first), [activation(), activation()]);
  const large = batchAfter(headOf(first), Array<ReturnType<typeof activation>>(20_000).fill(activation())); // more than SQLite's cache holds
  const outcome = (batch: typeof small) => store.append(batch, 1).catch(messageOf);
  const fence = () => store.raiseFence(headOf(first)).catch(messageOf);
  const settled = { fence: await fence(), writes: writesOver(file) };
  setFileSizeLimit('0');
  const during = {
    small: await outcome(small),
    large: await outcome(large),
    again: await outcome(small),
    head: await headRevision(store),
    fence: await fence(),
  };
  setFileSizeLimit('unlimited');
  const fenced = {
    fence: await fence(),
    writes: writesOver(file),
    again: await fence(),
    writesAgain: writesOver(file),
    elsewhere: await store.raiseFence(EMPTY),
  };
  const after = { small: await outcome(small), again: await outcome(small), head: await headRevision(store) };
  say(JSON.stringify({ settled, during, fenced, after }));
  await store.close();
}

/** How often something was committed over what may come back. */
function writesOver(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  const { user_version } = database.prepare('PRAGMA user_version').get() ?? {};
  database.close();
  return user_version;
}

function setFileSizeLimit(bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

async function headRevision(store: SqliteStore): Promise<number | undefined> {
  return (await store.head())?.revision;
}
