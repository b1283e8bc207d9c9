/** The process: what it prints at its start, that it shuts down cleanly, and that the next one continues from there. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { ActivePack, Session } from '../../registry/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { newFolder } from '../support/process/folder.ts';
import { entries, operatorKeyIn, ROOT, startServer, type ListeningServer } from '../support/apps/server-process.ts';
import { formatAndRevision } from '../support/stores/snapshot-files.ts';

const get = async (server: ListeningServer, path: string): Promise<unknown> => (await server.ask(path)).json();
const post = async (server: ListeningServer, path: string, body: object): Promise<unknown> =>
  (await server.ask(path, body)).json();

/** A server with a request that never ends. It is told to close early, because that takes ten seconds; a later test checks it. */
const cut = (async () => {
  const DATA_DIR = join(newFolder(t), 'theirs');
  mkdirSync(DATA_DIR, { mode: 0o750 });
  const server = await startServer(t, { DATA_DIR });
  const socket = connect({ port: Number(new URL(server.address).port), host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.write(
    `POST /v1/coach/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${operatorKeyIn(DATA_DIR)}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{`,
  );
  await once(socket, 'data');
  const { code, stderr } = await server.stop();
  return { code, stderr, mode: (statSync(DATA_DIR).mode & 0o777).toString(8) };
})();
cut.catch(() => undefined); // a test below awaits it and reports a failure

/** The last line of a start. */
const DOCS = /API documentation at (http:\S+\/docs)/u;

t.test(
  'a start says where it listens, what is active, where the docs are, and a line that reads the operator key',
  async (t) => {
    const DATA_DIR = join(newFolder(t), 'data');
    const server = await startServer(t, { DATA_DIR });
    const docs = DOCS.exec(await server.said((line) => DOCS.test(line)))?.[1] ?? '';
    t.match(server.address, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/u, 'a free port');
    t.equal(docs, `${server.address}/docs`);
    t.equal((await fetch(docs)).status, 200);

    const said = entries(server.lines); // on a pipe each line is JSON
    const active = said.filter(({ msg }) => msg.startsWith('Active: '));
    t.match(active, [
      { pack: 'coach', channel: 'production', version: '2.0.0' },
      { pack: 'coach', channel: 'staging', version: '2.0.0' },
      { pack: 'onboarding', channel: 'production', version: '1.1.0' },
      { pack: 'onboarding', channel: 'staging', version: '1.1.0' },
    ]);
    t.match(await get(server, '/v1/packs/coach/active'), {
      version: '2.0.0',
      revision: active[0]?.['revision'],
      digest: active[0]?.['digest'],
    });
    t.same(
      said.filter(({ level }) => level >= 40),
      [],
      'nothing to warn of',
    );
    const paste =
      said.map(({ msg }) => /To use the operator key: (KEY=.*)$/u.exec(msg)?.[1]).find((line) => line !== undefined) ??
      '';
    t.notMatch(paste, operatorKeyIn(DATA_DIR), 'it reads the key, and does not show it');
    const pasted = spawnSync('bash', ['-c', paste], { encoding: 'utf8' });
    t.match(
      JSON.parse(pasted.stdout),
      { packs: [{ pack: 'coach' }, { pack: 'onboarding' }] },
      'pasted into a shell it answers',
    );
    t.equal((await server.stop()).stderr, '');
  },
);

t.test('with a public URL, the start names the docs there', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  const server = await startServer(t, { DATA_DIR, PUBLIC_URL: 'https://prompts.example.org/registry/' });
  const line = await server.said((each) => each.includes('API documentation'));
  t.match(line, 'API documentation at https://prompts.example.org/registry/docs"');
});

t.test('on a terminal the log is for people', async (t) => {
  if (spawnSync('script', ['--version']).status !== 0)
    return void t.pass('', { skip: 'there is no script(1) to make a terminal with' });
  const dir = newFolder(t);
  // In its own shell, so that its process can get a signal.
  const command = `echo "pid $$"; exec env -i TERM=xterm PORT=0 DATA_DIR='${join(dir, 'data')}' '${process.execPath}' server.ts`;
  const shell = spawn('script', ['-qec', command, '/dev/null'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(shell, 'close');
  let text = '';
  const docs = new Promise<void>((resolve, reject) => {
    shell.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (DOCS.test(text)) resolve();
    });
    shell.on('close', () => reject(new Error(`It ended after: ${text}`)));
  });
  t.teardown(() => {
    const pid = Number(/pid (\d+)/u.exec(text)?.[1]);
    if (pid > 0 && shell.exitCode === null) process.kill(pid, 'SIGKILL');
    shell.kill();
  });
  await docs;
  process.kill(Number(/pid (\d+)/u.exec(text)?.[1]), 'SIGTERM');
  t.strictSame(await closed, [0, null], 'it ends with its own exit code');
  // eslint-disable-next-line no-control-regex -- colours are what is left out
  const lines = text.replace(/\u001b\[[0-9;]*m/gu, '').split(/\r?\n/u);
  t.notMatch(text, /^\{/mu, 'no JSON');
  t.not(lines.join('\n'), text, 'in colours');
  t.ok(lines.some((line) => /^\[\d\d:\d\d:\d\d\] INFO: Listening at http:/u.test(line)));
  t.ok(lines.some((line) => line.includes('INFO: To use the operator key')));
});

t.test('a restart keeps the active version, the history and the sessions', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  const first = await startServer(t, { DATA_DIR });
  await post(first, '/v1/packs/coach/activations', { version: '1.0.0', reason: 'To be kept' });
  const session = (await post(first, '/v1/coach/sessions', { styleId: 'direct' })) as Session;
  await post(first, '/v1/packs/coach/activations', {
    version: '1.1.0',
    channel: 'staging',
    reason: 'To be kept as well',
  });
  await post(first, '/v1/packs/coach/rollback', { reason: 'Not to be undone' });
  const paths = [
    '/v1/packs',
    '/v1/packs/coach/active',
    '/v1/packs/coach/active?channel=staging',
    '/v1/packs/coach/activations',
    `/v1/coach/sessions/${session.sessionId}`,
  ];
  const before = await Promise.all(paths.map((path) => get(first, path)));
  t.match(before[1], { version: '2.0.0', reason: 'Not to be undone' });
  t.equal((await first.stop()).code, 0);

  const second = await startServer(t, { DATA_DIR });
  t.strictSame(await Promise.all(paths.map((path) => get(second, path))), before);
  await second.kill();

  const third = await startServer(t, { DATA_DIR, DEFAULT_VERSION: '1.0.0' });
  t.strictSame(
    await Promise.all(paths.map((path) => get(third, path))),
    before,
    'DEFAULT_VERSION does not undo a rollback',
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal}: the request under way finishes, then the process exits with 0`, async (t) => {
    const DATA_DIR = join(newFolder(t), 'data');
    const server = await startServer(t, { DATA_DIR });
    const body = JSON.stringify({ version: '1.0.0', reason: 'Sent in two halves' });
    const { port, host } = new URL(server.address);
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    t.teardown(() => socket.destroy());
    const closed = once(socket, 'close');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    const idle = connect({ port: Number(port), host: '127.0.0.1' });
    await once(idle, 'connect');
    const idleClosed = once(idle.resume(), 'close');

    // After `100 Continue` the server has the request and waits for its body.
    socket.write(
      `POST /v1/packs/coach/activations HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${operatorKeyIn(DATA_DIR)}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    await once(socket, 'data');
    t.match(answer, /^HTTP\/1\.1 100 Continue/u);
    server.signal(signal);
    await server.said((line) => line.includes('Closing'));
    await idleClosed;
    socket.write(body);
    await closed;
    t.match(answer, /^HTTP\/1\.1 201 Created/mu);
    t.match(answer, /"version":"1\.0\.0"/u);
    const { code, stderr } = await server.ended();
    t.equal(code, 0);
    t.equal(stderr, '');

    const store = await openSqliteStore({ file: join(DATA_DIR, 'registry.db') });
    t.match(
      await store.events({ order: 'descending', limit: 1 }),
      [{ type: 'version-activated', version: '1.0.0', reason: 'Sent in two halves' }],
      'and what was answered is in the log',
    );
    await store.close();
  });
}

t.test(
  'a request that never ends does not keep the process from closing in good order; a folder that was there keeps its mode',
  async (t) => {
    const { code, stderr, mode } = await cut;
    t.equal(code, 0);
    t.equal(stderr, '');
    t.equal(mode, '750');
  },
);

t.test('other users cannot read what it writes', async (t) => {
  const dir = newFolder(t);
  const DATA_DIR = join(dir, 'made', 'for', 'it');
  const server = await startServer(t, { DATA_DIR });
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  await post(server, '/v1/packs/coach/activations', { version: '1.0.0', reason: 'To have something written' });
  const active = (await get(server, '/v1/packs/coach/active')) as ActivePack;
  for (const file of [
    'registry.db',
    'registry.db-wal',
    'registry.db-shm',
    'registry.db.lock',
    'registry.db.holder.json',
  ])
    t.equal(mode(join(DATA_DIR, file)), '600', file);
  await server.stop();
  t.equal(mode(DATA_DIR), '700');
  t.equal(mode(join(DATA_DIR, 'registry.db')), '600');
  t.equal(mode(join(DATA_DIR, 'snapshot.jsonl')), '600');
  t.equal(formatAndRevision(join(DATA_DIR, 'snapshot.jsonl')).revision, active.revision);
  t.equal(mode(join(DATA_DIR, 'operator.key')), '600');
});

t.test('the memory store keeps nothing', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  const first = await startServer(t, { DATA_DIR, STORE_URL: 'memory:' });
  await post(first, '/v1/packs/coach/activations', { version: '1.0.0', reason: 'To be forgotten' });
  t.match(await get(first, '/v1/packs/coach/active'), { version: '1.0.0' });
  await first.stop();
  t.strictSame(readdirSync(DATA_DIR), ['operator.key'], 'there is nothing that another start could go on from');
});
