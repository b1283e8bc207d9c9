/**
 * `npm run keys:recover` with a running and a stopped service: the new key works, the old one still does, and no token is printed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { newFolder } from '../support/process/folder.ts';
import { runHere, runScript } from '../support/apps/script.ts';
import { startServer } from '../support/apps/server-process.ts';

const status = async (address: string, token: string) =>
  (await fetch(`${address}/v1/keys`, { headers: { authorization: `Bearer ${token}` } })).status;

/** Repeats a request until the server knows a key: it reads the log for unknown keys at most once a second. */
async function known(address: string, token: string): Promise<number> {
  for (;;) {
    const answer = await status(address, token);
    if (answer !== 401) return answer;
  }
}

t.test('--help, or an unknown option, creates no key', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  await (await startServer(t, { DATA_DIR })).stop();
  const keyFile = join(DATA_DIR, 'operator.key');
  const before = readFileSync(keyFile, 'utf8');
  t.match(await runScript(t, 'keys-recover', ['--help'], { DATA_DIR }), {
    code: 0,
    stdout: /^Usage: npm run keys:recover/u,
    stderr: '',
  });
  for (const word of ['--bogus', 'now'])
    t.match(await runScript(t, 'keys-recover', [word], { DATA_DIR }), {
      code: 1,
      stdout: '',
      stderr: new RegExp(`No key was made: .*${word}`, 'u'),
    });
  t.equal(readFileSync(keyFile, 'utf8'), before);
});

t.test('with a running service', async (t) => {
  const dataDir = join(newFolder(t), 'data');
  const server = await startServer(t, { DATA_DIR: dataDir });
  const keyFile = join(dataDir, 'operator.key');
  const first = readFileSync(keyFile, 'utf8').trim();
  t.equal(await status(server.address, first), 200);
  t.ok(await server.said((line) => line.includes(`KEY=$(cat ${keyFile})`)), 'the start says how to read the file');

  const { code, stdout, stderr } = await runScript(t, 'keys-recover', [], { DATA_DIR: dataDir });
  t.same([code, stderr], [0, '']);
  const second = readFileSync(keyFile, 'utf8').trim();
  t.not(second, first);
  t.equal(statSync(keyFile).mode & 0o777, 0o600);
  t.ok(
    stdout.includes(keyFile) && stdout.includes(second.split('_')[1] ?? '?'),
    'it says the id, and where the key is',
  );

  const { secret } = (await (
    await fetch(`${server.address}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${first}`, 'content-type': 'application/json' },
      body: JSON.stringify({ label: 'Made before it is known', scopes: ['keys:admin'] }),
    })
  ).json()) as { secret: string };
  t.equal(await known(server.address, second), 200, 'the new key works');
  for (const token of [first, secret]) t.equal(await status(server.address, token), 200, 'and so do those before it');

  await runScript(t, 'keys-recover', [], { DATA_DIR: dataDir });
  t.equal(await status(server.address, `prk_aaaaaaaaaaaa_${'a'.repeat(43)}`), 401, 'somebody guesses');
  const third = readFileSync(keyFile, 'utf8').trim();
  t.equal(await known(server.address, third), 200, 'a guess before it holds a key up for a second at most');

  const { lines, stderr: errors } = await server.stop();
  for (const token of [first, second, third, secret])
    t.notOk([...lines, errors, stdout].join('\n').includes(token.split('_')[2] ?? ''), 'no secret was said');
});

t.test('with a stopped service', async (t) => {
  const dataDir = join(newFolder(t), 'data');
  const running = await startServer(t, { DATA_DIR: dataDir });
  const first = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  await running.kill();
  const { code } = await runScript(t, 'keys-recover', [], { DATA_DIR: dataDir });
  t.equal(code, 0, 'even one that was killed');
  const second = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  const again = await startServer(t, { DATA_DIR: dataDir });
  for (const token of [first, second]) t.equal(await status(again.address, token), 200);
  t.equal(readFileSync(join(dataDir, 'operator.key'), 'utf8').trim(), second, 'the start makes none');
  await again.stop();
});

t.test('a failed recovery does not change operator.key', async (t) => {
  const dataDir = join(newFolder(t), 'data');
  await (await startServer(t, { DATA_DIR: dataDir })).stop();
  const before = readFileSync(join(dataDir, 'operator.key'), 'utf8');
  const other = new DatabaseSync(join(dataDir, 'registry.db'));
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  t.match(await runHere('scripts/keys-recover.ts', [], { DATA_DIR: dataDir }), {
    code: 1,
    stdout: '',
    stderr: /^No key was made: .*database is locked/,
  });
  t.equal(readFileSync(join(dataDir, 'operator.key'), 'utf8'), before);
  t.notOk(readdirSync(dataDir).includes('operator.key.new'), 'and no file has a useless key');
});

t.test('without a registry it says so and creates no key', async (t) => {
  const dataDir = newFolder(t);
  mkdirSync(join(dataDir, 'a-folder.db'));
  const cases: [title: string, settings: Record<string, string>, message: RegExp][] = [
    ['no database', { DATA_DIR: dataDir }, /^No key was made: There is no registry database at .*registry\.db/],
    ['in memory', { DATA_DIR: dataDir, STORE_URL: 'memory:' }, /^No key was made: STORE_URL is "memory:"/],
    ['a wrong setting', { DATA_DIR: dataDir, PORT: 'x' }, /^No key was made: The settings have a fault/],
    [
      'a folder',
      { DATA_DIR: dataDir, STORE_URL: `sqlite:${join(dataDir, 'a-folder.db')}` },
      /^No key was made: .* is a folder/,
    ],
  ];
  for (const [title, settings, message] of cases) {
    // One process shows the exit code; the other messages are tested in this process.
    const { code, stdout, stderr } =
      title === 'no database'
        ? await runScript(t, 'keys-recover', [], settings)
        : await runHere('scripts/keys-recover.ts', [], settings);
    t.same([code, stdout], [1, ''], title);
    t.match(stderr, message);
  }
});
