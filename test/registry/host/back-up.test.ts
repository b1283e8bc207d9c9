/** A backup in one file (registry/host/back-up.ts): it gets its name when it is complete and checked, and not before. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { backUp } from '../../../registry/host/back-up.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { newFolder } from '../../support/process/folder.ts';
import { activation, batchAfter, EMPTY, headOf } from '../../support/stores/events.ts';

const batch = batchAfter(
  EMPTY,
  Array.from({ length: 250 }, () => activation()),
);

/** A copy as an engine makes it. @param meanwhile what else happens while it is made */
const copying =
  (meanwhile: (path: string) => void = () => undefined) =>
  async (path: string) => {
    writeFileSync(path, 'the copy', { mode: 0o600, flag: 'wx' });
    const store = new MemoryStore();
    await store.append(batch, 0);
    meanwhile(path);
    return store;
  };

t.test('it is made in a folder that only the owner can read, and gets its name at the end', async (t) => {
  const folder = newFolder(t);
  const file = join(folder, 'registry.db');
  let mode: number | undefined;
  const backup = await backUp(
    file,
    copying((path) => {
      t.not(dirname(path), folder);
      t.notOk(existsSync(file), 'not yet');
      mode = statSync(dirname(path)).mode & 0o777;
    }),
  );
  t.equal(mode, 0o700);
  t.strictSame(backup, { file, bytes: 8, head: headOf(batch) });
  t.equal(readFileSync(file, 'utf8'), 'the copy');
  t.strictSame(readdirSync(folder), ['registry.db'], 'and nothing else is left');
});

t.test('a file that is there is kept, also one that appears meanwhile', async (t) => {
  const folder = newFolder(t);
  const file = join(folder, 'registry.db');
  const theirs = () => writeFileSync(file, 'of somebody else');
  await t.rejects(backUp(file, copying(theirs)), {
    message: `${file} exists. Name another file, or replace an older backup with --overwrite.`,
  });
  await t.rejects(
    backUp(
      file,
      copying(() => t.fail('no copy is made')),
    ),
    /exists/u,
  );
  t.equal(readFileSync(file, 'utf8'), 'of somebody else');
  t.strictSame(readdirSync(folder), ['registry.db']);

  await t.rejects(
    backUp(file, () => Promise.reject(new Error('the disk is full')), { overwrite: true }),
    /the disk is full/u,
  );
  t.equal(readFileSync(file, 'utf8'), 'of somebody else', 'a failure keeps the old file, too');
  await backUp(file, copying(), { overwrite: true });
  t.equal(readFileSync(file, 'utf8'), 'the copy');
  t.strictSame(readdirSync(folder), ['registry.db']);
});

t.test('a stop while the events are checked leaves nothing', async (t) => {
  const folder = newFolder(t);
  const stop = new AbortController();
  const stopping = copying(() => stop.abort(new Error('SIGINT stopped it.')));
  await t.rejects(backUp(join(folder, 'registry.db'), stopping, { signal: stop.signal }), {
    message: 'SIGINT stopped it.',
  });
  t.strictSame(readdirSync(folder), []);
});
