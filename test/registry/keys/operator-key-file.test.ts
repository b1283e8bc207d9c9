/** The operator key on disk: whole, for its owner only, and a message that helps where it cannot be written. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { operatorKeyFile, operatorKeyPath, StartRefused } from '../../../registry/index.ts';
import { openApp } from '../../support/apps/app.ts';

const TOKEN = `prk_k7Qm2Xw9Lp3a_${'s'.repeat(43)}`;
const inLog = () => true;
/** Writes the key, and puts it in its place. */
async function put(dir: string): Promise<void> {
  await operatorKeyFile(dir).write(TOKEN);
  await operatorKeyFile(dir).settle(inLog);
}
const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test('the file holds the token and a newline, for its owner only', async (t) => {
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const dir = t.testdir();
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(operatorKeyPath(dir), join(dir, 'operator.key'));
  t.equal(modeOf(operatorKeyPath(dir)), 0o600, 'whatever the umask is');
  t.strictSame(readdirSync(dir), ['operator.key'], 'nothing else is left');
});

t.test('another key takes its place as a whole, and with it its mode', async (t) => {
  const dir = t.testdir({
    'operator.key': 'a longer text than any key is, which must be gone afterwards\n'.repeat(10),
  });
  chmodSync(operatorKeyPath(dir), 0o644);
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(modeOf(operatorKeyPath(dir)), 0o600);
});

t.test('what an interrupted write left behind lends the key neither its text nor its mode', async (t) => {
  const dir = t.testdir({ 'operator.key.new': 'x'.repeat(500) });
  chmodSync(join(dir, 'operator.key.new'), 0o644);
  await put(dir);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
  t.equal(modeOf(operatorKeyPath(dir)), 0o600);
});

t.test('a link in the place of the temporary file is not followed', async (t) => {
  const dir = t.testdir({ data: {}, elsewhere: 'as it was' });
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'data', 'operator.key.new'));
  await put(join(dir, 'data'));
  t.equal(readFileSync(join(dir, 'elsewhere'), 'utf8'), 'as it was');
});

t.test(
  'a folder that cannot be written to: the message names the file and what is needed, never the key',
  async (t) => {
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
  },
);

t.test('a key waits beside the one that lies there until the log has it', async (t) => {
  const dir = t.testdir({ 'operator.key': 'the one before\n' });
  const file = operatorKeyFile(dir);
  t.equal(await file.settle(inLog), false, 'nothing waits');
  await file.write(TOKEN);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), 'the one before\n');
  t.equal(modeOf(join(dir, 'operator.key.new')), 0o600);
  t.equal(await file.settle((token) => token !== TOKEN), false, 'it is not in the log');
  t.strictSame(readdirSync(dir), ['operator.key']);
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), 'the one before\n');
  await file.write(TOKEN);
  t.equal(await operatorKeyFile(dir).settle((token) => token === TOKEN), true, 'also for another process');
  t.equal(readFileSync(operatorKeyPath(dir), 'utf8'), `${TOKEN}\n`);
});

t.test('the key that a first start writes opens the service', async (t) => {
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
