/**
 * When the contract kit cannot run, it prints one message and exits: with 2 after wrong usage, 3 if there is no registry or the key is
 * refused, 1 if the server deviates or the key lacks a scope. It never hangs.
 */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LEAVES } from '../../../clients/contract/src/leaves.ts';
import { listen, openApp } from '../../support/apps/app.ts';
import { startCannedMock } from '../../support/contract/canned-mock.ts';
import { startDeviatingProxy, type Plant } from '../../support/contract/deviating-proxy.ts';
import { freePort } from '../../support/http/free-port.ts';
import { stubServer } from '../../support/http/stub-server.ts';
import { newFolder } from '../../support/process/folder.ts';
import { collectGarbage } from '../../support/process/garbage.ts';
import { runHere } from '../../support/apps/script.ts';
import { BIN, runKit, type Finished } from './run-kit.ts';

const SOMEWHERE = ['--url', 'http://127.0.0.1:1', '--key', 'prk_x_y'];

/** One message, and nothing that looks like a result or a crash. */
async function refused(
  t: Test,
  args: readonly string[],
  code: number,
  message: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  isRefusal(t, await runKit(t, args, { env }), code, message);
}

/** The same in this process: one of each exit code is enough of processes. */
async function refusedHere(
  t: Test,
  args: readonly string[],
  code: number,
  message: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  isRefusal(t, await runHere('clients/contract/dist/main.js', args, env), code, message);
}

function isRefusal(t: Test, ended: Finished, code: number, message: RegExp): void {
  t.match(ended, { code, stdout: '', stderr: message }, `${message}`);
  t.notMatch(ended.stderr, /\n\s+at |Error:/u, 'no stack');
}

t.test('wrong usage: 2', async (t) => {
  await Promise.all([
    refused(t, [], 2, /URL of the server is missing.*--url/u),
    refusedHere(t, ['--url', 'http://127.0.0.1:1'], 2, /API key is missing.*--key/u),
    refusedHere(t, [...SOMEWHERE, '--surprise'], 2, /--surprise/u),
  ]);
  await Promise.all([
    refusedHere(t, ['--url', 'localhost', '--key', 'prk_x_y'], 2, /localhost.*http/u),
    ...['http://me@127.0.0.1:1', 'http://:me@127.0.0.1:1', 'http://127.0.0.1:1/?a=1', 'http://127.0.0.1:1/#a'].map(
      (url) => refusedHere(t, ['--url', url, '--key', 'prk_x_y'], 2, /without a query, a fragment or a user/u),
    ),
    refusedHere(t, [...SOMEWHERE, '--pack', 'Not A Name'], 2, /Not A Name.*lower-case/u),
    refusedHere(t, [...SOMEWHERE, '--timeout', 'soon'], 2, /soon.*seconds/u),
    refusedHere(t, [...SOMEWHERE, 'everything'], 2, /everything/u),
  ]);
});

t.test('--help and --version: 0', async (t) => {
  const [help, version] = await Promise.all([runKit(t, ['--help']), runKit(t, ['--version'])]);
  t.match(help, { code: 0, stderr: '', stdout: /--only <operation>[\s\S]*Exit codes: 0 all passed/u });
  const leaves = new RegExp(
    `leaves\\s+at most\\s+${LEAVES.versions} versions[^,]*, ${LEAVES.keys} revoked keys\\s+and ${LEAVES.events} events`,
    'u',
  );
  for (const text of [
    help.stdout,
    readFileSync(new URL('../../../clients/contract/README.md', import.meta.url), 'utf8'),
  ])
    t.match(text, leaves, 'what it leaves for good is told');
  t.match(version, { code: 0, stderr: '', stdout: /^\d+\.\d+\.\d+ \(openapi\.yaml \d+\.\d+\.\d+\)\n$/u });
});

t.test('no registry: 3', async (t) => {
  const html = await stubServer(t, (_, response) =>
    response.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>'),
  );
  const other = await stubServer(t, (_, response) =>
    response.setHeader('content-type', 'application/json').end('{"hello":"world"}'),
  );
  const hangs = await stubServer(t, () => undefined);
  const closed = `http://127.0.0.1:${await freePort()}`;
  const cut = await stubServer(t, (request) => request.socket.destroy());
  const collecting = setInterval(collectGarbage, 50); // fetch forgets a signal then
  t.teardown(() => clearInterval(collecting));
  await Promise.all([
    refused(t, ['--url', html, '--key', 'prk_x_y'], 3, /no prompt registry at .*200 with text\/html/u),
    refusedHere(t, ['--url', other, '--key', 'prk_x_y'], 3, /no prompt registry/u),
    refusedHere(t, ['--url', hangs, '--timeout', '0.2'], 3, /No answer from .*nothing came within 0\.2 s/u, {
      PROMPT_REGISTRY_KEY: 'prk_x_y',
    }),
  ]);
  await Promise.all([
    refusedHere(t, ['--url', cut, '--key', 'prk_x_y'], 3, /No answer from/u),
    refusedHere(t, ['--key', 'prk_x_y'], 3, /No answer from .*ECONNREFUSED/u, { PROMPT_REGISTRY_URL: closed }),
    refusedHere(
      t,
      ['--url', html.replace('http:', 'https:'), '--key', 'prk_x_y'],
      3,
      /does not speak TLS; use http:\/\/ instead of https:\/\/, or another port\.\n$/u,
    ),
  ]);
});

t.test('a registry', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = await listen(app);
  const { token = '' } = await app.registry.createKey({ label: 'a reader', scopes: ['prompts:read'] });
  const head = app.registry.current.revision;

  await Promise.all([
    refusedHere(t, ['--url', url, '--key', 'prk_nobody000000_x'], 3, /refused the key \(401\): This key is unknown/u),
    refusedHere(t, ['--url', url, '--key', `Bearer ${key}\n`, '--only', 'getEverything'], 2, /getEverything/u), // the key is taken
    refusedHere(
      t,
      ['--url', url, '--key', key, '--only', 'getEverything'],
      2,
      /getEverything.*no such operation.*listPacks/u,
    ),
    refusedHere(t, ['--url', url, '--key', key, '--pack', 'coach'], 2, /"coach" exists already/u),
  ]);

  const [lacking, one] = await Promise.all([
    runKit(t, ['--url', url, '--key', token, '--only', 'listKeys', '--only', 'listPacks']),
    runKit(t, ['--url', url, '--key', key, '--only', 'live', '--only', 'ready', '--channel', 'staging']),
  ]);
  t.match(
    lacking,
    { code: 1, stderr: /not ok: listKeys: .*lacks the scope keys:admin[\s\S]*\d+ passed, \d+ failed\n$/u },
    'what the key may not do is told by the scope that it lacks',
  );
  t.match(lacking.stderr, /not ok: listPacks: .*lacks the scope packs:publish/u);
  t.match(
    one,
    { code: 0, stdout: /^# Subtest: live$[\s\S]*^# Subtest: ready$/mu, stderr: /\d+ passed, 0 failed\n$/u },
    '--only checks what it names',
  );
  t.notMatch(one.stdout, /Subtest: listPacks/u);
  t.ok(app.registry.current.revision >= head);
});

t.test('a mock whose answers are canned', async (t) => {
  const url = await startCannedMock(t);
  const at = ['--url', url, '--key', 'prk_x_y'];
  const canned = /answers 200 for a pack that cannot exist \(no-such-\w+\)\. Its responses are canned/u;
  await Promise.all([
    refusedHere(t, at, 2, canned),
    refusedHere(t, at, 2, /--only getPack/u),
    refusedHere(t, [...at, '--only', 'listPacks', '--only', 'activateVersion'], 2, canned),
    refusedHere(
      t,
      [...at, '--only', 'listPacks', '--pack', 'mine'],
      2,
      /cannot find out whether the pack "mine" exists; omit --pack/u,
    ),
  ]);
  const reads = await runKit(t, [...at, '--only', 'getPack', '--only', 'getProblem']);
  t.match(reads.stderr, canned);
  t.match(
    reads,
    {
      code: 1,
      stdout: /^# Subtest: getPack$[\s\S]*^# Subtest: getProblem$/mu,
      stderr: /^not ok: getPack: [\s\S]*^[1-9]\d* passed, [1-9]\d* failed\n$/mu,
    },
    'its reads are checked',
  );
});

t.test('a registry that goes away in the middle: each check says so, and it ends', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const origin = await listen(app);
  const proxy = await startDeviatingProxy(t, origin);
  let asked = 0;
  proxy.plant({
    operation: 'getPack',
    what: 'it closes at the third request',
    plant: {
      answer: async (request, forward) => {
        if ((asked += 1) === 3) await app.close();
        return forward(request);
      },
    },
  });
  const { code, stderr } = await runKit(t, [
    '--url',
    proxy.address,
    '--key',
    key,
    '--only',
    'getPack',
    '--only',
    'createKey',
  ]);
  t.equal(code, 1);
  t.match(stderr, /not ok: createKey: .*No answer from[\s\S]*\d+ passed, \d+ failed\n$/u);
});

t.test('a registry of an older build: each operation that it lacks is named', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const proxy = await startDeviatingProxy(t, await listen(app));
  const notFound: Plant = {
    answer: async (request, forward) => {
      const url = '/v1/no-such-path';
      return forward({ ...request, method: 'GET', url, body: '' });
    },
  };
  proxy.plant({ operation: 'startRollout', what: 'it is not there', plant: notFound });
  const only = ['startRollout', 'getActivePack', 'live'].flatMap((operation) => ['--only', operation]);
  const { code, stderr } = await runKit(t, ['--url', proxy.address, '--key', key, ...only]);
  t.equal(code, 1);
  const missing = /startRollout: the server does not have this operation: POST \S+\/rollouts answered 404 not-found/u;
  t.match(stderr, new RegExp(`^not ok: startRollout: .*${missing.source}`, 'mu'));
  t.match(stderr, new RegExp(`^not ok: getActivePack: .*${missing.source}`, 'mu'), 'also where a check needs it');
  t.notMatch(stderr, /not ok: live/u);
});

t.test('a copy that was not built says so', async (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, 'bin'));
  const bin = join(folder, 'bin', 'prompt-registry-contract.mjs');
  cpSync(BIN, bin);
  t.match(await runKit(t, ['--help'], { bin }), {
    code: 2,
    stdout: '',
    stderr: /is not built: dist\/main\.js is missing/u,
  });
});
