/**
 * SNAPSHOT_KEY_FILE: the last good snapshot carries a MAC, and one that was changed by somebody without the key is not believed. A key that
 * protects nothing refuses the start.
 */
import { chmodSync, chownSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readSnapshotKey, StartRefused } from '../../../registry/index.ts';
import { LastGood } from '../../../registry/local/last-good.ts';
import { Seal } from '../../../registry/local/seal.ts';
import type { RegistryOptions } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { resealed } from '../../support/stores/snapshot-files.ts';

const KEY = Buffer.from('a secret of forty characters, as it were');
const OTHER = Buffer.from('another secret of forty characters, too.');
const reason = 'Users report that answers are too blunt';

/** A registry with a revoked version and a revoked key, closed; what is needed to start again, also without the store. */
async function leftBehind(t: Test, snapshotKey?: Uint8Array) {
  const dataDir = newFolder(t);
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const registry = await openRegistry(t, { store: new FailingStore(store), dataDir, snapshotKey });
  await registry.activate({ version: '1.1.0', reason });
  const { record } = await registry.createKey({ label: 'CI', scopes: ['*'], heldScopes: ['*'] });
  await registry.revokeKey({ keyId: record.keyId, reason, heldScopes: ['*'] });
  await registry.close();
  const start = async (members: Partial<RegistryOptions> = {}, away = false) => {
    const logger = new RecordedLogger();
    const connection = new FailingStore(store);
    connection.away = away;
    return {
      registry: await openRegistry(t, {
        store: connection,
        dataDir,
        failStatic: true,
        snapshotKey,
        logger,
        ...members,
      }),
      logger,
    };
  };
  return { dataDir, file: join(dataDir, 'snapshot.jsonl'), left: registry.current, keyId: record.keyId, start };
}

t.test('with a key the file carries a MAC, and is served without the store', async (t) => {
  const { file, left, start } = await leftBehind(t, KEY);
  t.match(JSON.parse(readFileSync(file, 'utf8').split('\n')[0] ?? ''), { format: 4, sealed: 'hmac-sha-256' });
  t.notMatch(readFileSync(file, 'utf8'), KEY.toString(), 'the key is not in it');
  const { registry, logger } = await start({}, true);
  t.equal(registry.current.revision, left.revision);
  t.equal(registry.activePack().version, '1.1.0');
  t.same(logger.messages('error'), []);
});

t.test(
  'a changed file, with any seal that can be made without the key, is refused as if it were missing',
  async (t) => {
    const edit = (line: string, keyId: string) =>
      line.includes(keyId) ? line.replace(/"revokedAt":"[^"]*",?/u, '') : line;
    const changed: Record<string, (file: string, keyId: string) => void> = {
      'the seal left as it is': (file, keyId) =>
        writeFileSync(
          file,
          readFileSync(file, 'utf8')
            .split('\n')
            .map((line) => edit(line, keyId))
            .join('\n'),
        ),
      'the digest of before': (file, keyId) =>
        writeFileSync(
          file,
          resealed(readFileSync(file), (line) => edit(line, keyId)),
        ),
      'the MAC of another key': (file, keyId) =>
        writeFileSync(
          file,
          resealed(readFileSync(file), (line) => edit(line, keyId), OTHER),
        ),
    };
    for (const [title, change] of Object.entries(changed)) {
      const { file, keyId, start } = await leftBehind(t, KEY);
      change(file, keyId);
      const without = await start({}, true);
      t.match(
        without.registry.health(),
        { ready: false, conditions: [{ name: 'waiting' }] },
        `${title}: it is not served`,
      );
      t.match(
        without.logger.messages('error'),
        [/does not carry the MAC of SNAPSHOT_KEY_FILE, so it is not used/u],
        title,
      );
      await without.registry.close();
      const { registry } = await start();
      t.ok(registry.current.keys.get(keyId)?.revokedAt, `${title}: the log is folded`);
      await registry.close();
      t.same((await start()).logger.messages('error'), [], `${title}: a good file took its place`);
    }
  },
);

t.test(
  'a file of a start without the key, or of another build, is refused; so is one with a MAC if no key is set',
  async (t) => {
    const plain = await leftBehind(t);
    const keyed = await plain.start({ snapshotKey: KEY });
    t.match(
      keyed.logger.lines.filter(({ level }) => level === 'error'),
      [{ fields: { reason: 'It carries no MAC, but SNAPSHOT_KEY_FILE is set.' } }],
    );
    t.equal(keyed.registry.current.revision, plain.left.revision);
    await keyed.registry.close();
    const unkeyed = await plain.start();
    t.match(
      unkeyed.logger.lines.filter(({ level }) => level === 'warn'),
      [{ fields: { reason: 'It carries the MAC of a key, but SNAPSHOT_KEY_FILE is not set.' } }],
    );
    t.equal(unkeyed.registry.current.revision, plain.left.revision);
    await unkeyed.registry.close();

    const fixture = new URL('../../fixtures/data-before-keys/snapshot.jsonl', import.meta.url);
    cpSync(fixture, plain.file);
    t.match((await plain.start({ snapshotKey: KEY })).logger.messages('error'), [/does not carry the MAC/u]);
  },
);

t.test('appended lines can be cut off, but not changed, left out or copied from another file', async (t) => {
  const { dataDir, file, keyId } = await leftBehind(t, KEY);
  const good = readFileSync(file, 'utf8');
  const seal = new Seal(KEY);
  t.ok(good.endsWith('\n'));
  const load = () => new LastGood(dataDir, { logger: new RecordedLogger(), key: KEY }).load();
  const whole = await load();
  t.ok(whole?.authentic);
  const forged = `{"events":[],"seal":"${seal.update('[]').close()}"}\n`; // of the right key, but not behind this file
  writeFileSync(file, `${good}${forged}`);
  t.equal(await load(), undefined);
  writeFileSync(file, `${good}${forged.slice(0, -20)}`);
  t.same((await load())?.state.keys.get(keyId), whole?.state.keys.get(keyId), 'a torn end is left out');
});

const asRoot = process.getuid?.() === 0 ? false : 'only root can give a file to another user';
t.test('a key of another user may be readable by its group, as systemd mounts it', { skip: asRoot }, async (t) => {
  const path = join(newFolder(t), 'key');
  writeFileSync(path, KEY);
  chownSync(path, 65_534, 0);
  const read = (mode: number) => {
    chmodSync(path, mode);
    return Buffer.from(readSnapshotKey(path, newFolder(t)));
  };
  t.same(read(0o440), KEY);
  for (const mode of [0o444, 0o404, 0o460]) t.throws(() => read(mode), /can be read by other users/u, mode.toString(8));
});

t.test('a key that protects nothing stops the start, and the message says what is valid', async (t) => {
  const dir = newFolder(t);
  const dataDir = newFolder(t);
  const made = (folder: string, text: string, mode = 0o600) => {
    const path = join(folder, `key-${text.length}-${mode}`);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const long = 'k'.repeat(32);
  symlinkSync(made(dataDir, `${long}kk`), join(dir, 'link'));
  const wrong: readonly (readonly [string, RegExp])[] = [
    [join(dir, 'nowhere'), /cannot be read: ENOENT/u],
    [dir, /is not a file/u],
    [made(dir, 'k'.repeat(31)), /holds 31 bytes; a key has at least 32/u],
    [made(dir, `${'k'.repeat(31)}\r\n`), /holds 31 bytes/u],
    [made(dir, 'k'.repeat(5000)), /is 5000 bytes long/u],
    [made(dir, long, 0o640), /can be read by other users \(mode 0640\).*chmod 400/u],
    [made(dir, long, 0o604), /can be read by other users/u],
    [made(dataDir, long), /is inside DATA_DIR/u],
    [join(dir, 'link'), /is inside DATA_DIR/u],
  ];
  for (const [path, says] of wrong) {
    try {
      readSnapshotKey(path, dataDir);
      t.fail(`${path} was taken`);
    } catch (error) {
      t.ok(error instanceof StartRefused);
      const { exitCode, message } = error as StartRefused;
      t.equal(exitCode, 78);
      t.match(message, says);
      t.match(message, /SNAPSHOT_KEY_FILE.*openssl rand -hex 32/u);
      t.notMatch(message, /kkkk/u);
    }
  }
  t.equal(
    Buffer.from(readSnapshotKey(made(dir, `${long}\n`), dataDir)).toString(),
    long,
    'a line end does not belong to it',
  );
  t.equal(readSnapshotKey(made(dir, long, 0o400), join(dataDir, 'not-made-yet')).length, 32);
  await t.rejects(openRegistry(t, { snapshotKey: Buffer.alloc(31) }), {
    exitCode: 78,
    message: /snapshotKey is wrong: it must be at least 32 bytes/u,
  });
});
