/** The operator key on disk: complete, readable by its owner only, with a helpful message if it cannot be written. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { operatorKeyFile, operatorKeyPath, StartRefused } from '../../../registry/index.ts';
import { openApp } from '../../support/apps/app.ts';

const TOKEN = `prk_k7Qm2Xw9Lp3a_${'s'.repeat(43)}`;
const inLog = () => true;
/** Writes the key and puts it in place. */
async function put(dir: string): Promise<void> {
  await operatorKeyFile(dir).write(TOKEN);
  await operatorKeyFile(dir).finishWrite(inLog);
}
const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test('the file holds the token and a newline, readable by its owner only', async (t) => {
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const dir = t.testdir();
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(operatorKeyPath(dir), join(dir, 'operator.key'));
  t.equal(modeOf(operatorKeyPath(dir)), 0o600, 'whatever the umask is');
  t.strictSame(readdirSync(dir), ['operator.key'], 'nothing else is left');
});

t.test('another key replaces the whole file, including its permissions', async (t) => {
  const dir = t.testdir({
    'operator.key': 'a text that is longer than any key and must not remain\n'.repeat(10),
  });
  chmodSync(operatorKeyPath(dir), 0o644);
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(modeOf(operatorKeyPath(dir)), 0o600);
});

t.test('leftovers of an interrupted write affect neither the text nor the permissions', async (t) => {
  const dir = t.testdir({ 'operator.key.new': 'x'.repeat(500) });
  chmodSync(join(dir, 'operator.key.new'), 0o644);
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(modeOf(operatorKeyPath(dir)), 0o600);
});

t.test('a link under the temporary name is not followed', async (t) => {
  const dir = t.testdir({ data: {}, elsewhere: 'unchanged' });
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'data', 'operator.key.new'));
  await put(join(dir, 'data'));
  t.equal(readFileSync(join(dir, 'elsewhere'), 'utf8'), 'unchanged');
});

t.test('if the folder is not writable, the message names the file and the fix, never the key', async (t) => {
  const dir = t.testdir({ file: '' });
  const taken = t.testdir({ 'operator.key': { inside: '' } });
  for (const target of [join(dir, 'nowhere'), join(dir, 'file'), taken]) {
    const error: unknown = await operatorKeyFile(target)
      .write(TOKEN)
      .catch((thrown: unknown) => thrown);
    t.ok(error instanceof StartRefused);
    const { exitCode, message } = error as StartRefused;
    t.equal(exitCode, 78);
    t.ok(message.includes(join(target, 'operator.key')), message);
    t.match(message, /DATA_DIR must be a folder that this process can write to/u);
    t.notMatch(`${message}${String((error as Error).cause)}`, /prk_/u);
  }
});

t.test('a new key waits next to the current one until it is in the log', async (t) => {
  const dir = t.testdir({ 'operator.key': 'the one before\n' });
  const file = operatorKeyFile(dir);
  t.equal(await file.finishWrite(inLog), false, 'nothing waits');
  await file.write(TOKEN);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), 'the one before\n');
  t.equal(modeOf(join(dir, 'operator.key.new')), 0o600);
  t.equal(await file.finishWrite((token) => token !== TOKEN), false, 'it is not in the log');
  t.strictSame(readdirSync(dir), ['operator.key']);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), 'the one before\n');
  await file.write(TOKEN);
  t.equal(await operatorKeyFile(dir).finishWrite((token) => token === TOKEN), true, 'also for another process');
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
});

t.test('the key that a first start writes is accepted by the service', async (t) => {
  const dir = join(t.testdir(), 'data');
  mkdirSync(dir, { mode: 0o700 });
  const { app } = await openApp(t, { store: 'memory', registry: { operatorKey: operatorKeyFile(dir) } });
  const token = readFileSync(operatorKeyPath(dir), 'utf8').trim();
  t.match(token, /^prk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/u);
  t.equal((await app.inject({ url: '/v1/keys', headers: { authorization: `Bearer ${token}` } })).statusCode, 200);
  writeFileSync(operatorKeyPath(dir), 'gone');
  t.equal(
    (await app.inject({ url: '/v1/keys', headers: { authorization: `Bearer ${token}` } })).statusCode,
    200,
    'the file is for people; the log decides',
  );
});
