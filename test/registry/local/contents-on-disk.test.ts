/**
 * Contents on the instance's own disk (SPEC R9): whole or not at all, for its owner only, for as long as a session may need them.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LocalContents } from '../../../registry/local/contents-on-disk.ts';
import type { PackContent } from '../../../registry/model.ts';
import { newFolder } from '../../support/process/folder.ts';
import { versionOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';

const HOUR = 3_600_000;
const [ONE, TWO, THREE] = ['1.0.0', '2.0.0', '3.0.0'].map((version) => versionOf('coach', version)) as [
  Version,
  Version,
  Version,
];
type Version = ReturnType<typeof versionOf>;

const needed = (...versions: readonly Version[]): Map<string, PackContent> =>
  new Map(versions.map(({ digest, content }) => [digest, content]));

/** A folder, where each version's file is in it, and a fresh look at it, as a restart has. */
function folder(t: Test) {
  const dataDir = newFolder(t);
  const logger = new RecordedLogger();
  return {
    logger,
    open: (ttl = HOUR) => new LocalContents(dataDir, ttl, logger),
    dir: join(dataDir, 'contents'),
    fileOf: ({ digest }: Version) => join(dataDir, 'contents', `${digest.slice(7)}.json`),
  };
}

t.test('a kept content can be read again, also after a restart, and only its owner can read the file', async (t) => {
  const { open, dir, fileOf, logger } = folder(t);
  const local = open();
  t.equal(await local.read(ONE.digest), undefined, 'a missing file is not an error');
  await local.keep(needed(ONE, TWO));
  for (const each of [local, open()]) t.strictSame(await each.read(ONE.digest), ONE.content);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  for (const version of [ONE, TWO]) t.equal(statSync(fileOf(version)).mode & 0o777, 0o600);
  t.equal(readdirSync(dir).length, 2, 'and no temporary file is left');
  t.strictSame(logger.lines, []);
});

t.test('a damaged file is ignored, reported, and written again', async (t) => {
  const { open, fileOf, logger } = folder(t);
  await open().keep(needed(ONE));
  const whole = readFileSync(fileOf(ONE), 'utf8');
  const damages = [
    '',
    whole.slice(0, -10),
    whole.replace('the system prompt', 'another prompt'),
    JSON.stringify(TWO.content),
    'null',
    '[]',
    '"\ud800"',
    whole.replace('"1.0.0"', '"\\ud800"'),
  ];
  for (const [index, damage] of damages.entries()) {
    writeFileSync(fileOf(ONE), damage);
    const local = open();
    t.equal(await local.read(ONE.digest), undefined, damage.slice(0, 40));
    t.match(logger.lines[index], {
      level: 'warn',
      fields: { digest: ONE.digest },
      message: /damaged and is not used/u,
    });
    t.notMatch(JSON.stringify(logger.lines), /prompt"/u, 'without its text');
  }
  await open().keep(needed(ONE));
  t.equal(readFileSync(fileOf(ONE), 'utf8'), whole);
});

t.test('a file that another process left half-written is never read', async (t) => {
  const { open, fileOf, dir } = folder(t);
  await open().keep(needed(ONE));
  writeFileSync(`${fileOf(TWO)}.tmp`, JSON.stringify(TWO.content).slice(0, 50));
  t.equal(await open().read(TWO.digest), undefined);
  await open().keep(needed(ONE, TWO));
  t.strictSame(await open().read(TWO.digest), TWO.content);
  t.strictSame(
    readdirSync(dir).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

t.test('a content that is no longer active stays for the lifetime of a session after it was last active', async (t) => {
  const { open, fileOf } = folder(t);
  const old = (version: Version, age: number) =>
    utimesSync(fileOf(version), new Date(Date.now() - age), new Date(Date.now() - age));
  await open().keep(needed(ONE, TWO));
  for (const version of [ONE, TWO]) old(version, 50 * HOUR); // written long ago, and active since

  const local = open();
  local.assumeKept([ONE.digest, TWO.digest]); // as the last good snapshot says
  await local.keep(needed(TWO, THREE));
  t.ok(existsSync(fileOf(ONE)), 'it was active until now, so its time begins now');
  t.ok(Date.now() - statSync(fileOf(ONE)).mtimeMs < HOUR);

  old(ONE, HOUR - 60_000);
  await open().keep(needed(THREE));
  t.ok(existsSync(fileOf(ONE)), 'a minute before its time is up');
  old(ONE, HOUR + 60_000);
  old(THREE, 50 * HOUR);
  await open().keep(needed(THREE));
  t.notOk(existsSync(fileOf(ONE)), 'a minute after');
  t.ok(existsSync(fileOf(THREE)), 'a content in use stays, however old its file is');
});

t.test('files that are not its own stay', async (t) => {
  const { open, dir } = folder(t);
  await open().keep(needed(ONE));
  const other = join(dir, 'notes.txt');
  writeFileSync(other, 'Mine');
  utimesSync(other, new Date(0), new Date(0));
  await open().keep(needed(ONE));
  t.ok(existsSync(other));
});

t.test('a folder that cannot be written is an error for the caller', async (t) => {
  const { open, dir } = folder(t);
  writeFileSync(dir, 'a file in its place');
  await t.rejects(open().keep(needed(ONE)), { code: 'EEXIST' });
});

t.test(
  'a link under the temporary name is not followed, and leftovers of an interrupted write affect nothing',
  async (t) => {
    const { open, dir, fileOf } = folder(t);
    await open().keep(needed(ONE));
    const elsewhere = join(newFolder(t), 'elsewhere');
    writeFileSync(elsewhere, 'as it was');
    symlinkSync(elsewhere, `${fileOf(TWO)}.tmp`);
    writeFileSync(`${fileOf(THREE)}.tmp`, 'x'.repeat(100_000));
    chmodSync(`${fileOf(THREE)}.tmp`, 0o644);
    await open().keep(needed(ONE, TWO, THREE));
    t.equal(readFileSync(elsewhere, 'utf8'), 'as it was');
    for (const version of [TWO, THREE]) {
      t.ok(lstatSync(fileOf(version)).isFile(), 'a file, not a link');
      t.equal(statSync(fileOf(version)).mode & 0o777, 0o600);
      t.strictSame(await open().read(version.digest), version.content);
    }
    t.equal(readdirSync(dir).length, 3);
  },
);

t.test(
  'a folder that the system lets nobody make is refused at once',
  { skip: existsSync('/proc/self') ? false : 'there is no /proc here' },
  async (t) => {
    await t.rejects(
      new LocalContents('/proc/x', HOUR, new RecordedLogger()).keep(needed(ONE)),
      { code: 'ENOENT' },
      'it does not retry forever',
    );
  },
);
