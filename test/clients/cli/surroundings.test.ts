// What is around a command: its key, its arguments, its help, the Node it runs on.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t from 'tap';
import { buildProgram } from '../../../clients/cli/src/program.ts';
import { EXIT, EXIT_CODES_HELP } from '../../../clients/cli/src/exit.ts';
import { isLoopback } from '../../../clients/cli/src/connection.ts';
import { widthOf } from '../../../clients/cli/src/width.ts';
import { newFolder } from '../../support/process/folder.ts';
import { ROOT } from '../../support/apps/server-process.ts';
import { BIN, called, json, typed } from './command-line.ts';
import { jsonOf, KEY, listening, problem } from './stand-ins.ts';

t.test('a key is never sent where it does not belong', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'operator.key'), 'prk_operator_secret\n');
  const seen: (string | undefined)[] = [];
  const { port } = await listening(t, (request, response) => {
    seen.push(request.headers.authorization);
    problem(401, { code: 'unauthenticated' })(request, response);
  });
  t.match(await called(['keys', 'list', '--url', `http://localhost:${port}`], {}, { cwd: folder }), {
    code: 4,
    stderr: /operator\.key/u,
  });
  t.same(seen, ['Bearer prk_operator_secret'], 'on this machine it is found');

  for (const given of ['Bearer prk_x_y', 'bearer prk_x_y\n', ' prk_x_y\r\n']) {
    await called(['keys', 'list', '--url', `http://localhost:${port}`, '--key', given], {});
    await called(['keys', 'list', '--url', `http://localhost:${port}`], { PROMPT_REGISTRY_KEY: given });
  }
  t.same(seen.splice(1), Array<string>(6).fill('Bearer prk_x_y'), 'it may be the text of a header or of a file');

  const elsewhere = await called(['keys', 'list', '--url', 'http://prompts.example.com'], {}, { cwd: folder });
  t.match(
    elsewhere,
    { code: 4, stderr: /no key for http:\/\/prompts\.example\.com/u },
    'elsewhere it is not, and nothing is sent',
  );
  for (const [url, near] of [
    ['http://127.0.0.1:3000', true],
    ['http://127.9.9.9', true],
    ['http://[::1]:3000', true],
    ['http://localhost:3000', true],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://127.0.0.1@example.com', false],
    ['http://10.0.0.1', false],
    ['http://0.0.0.0', false],
  ] as const) {
    t.equal(isLoopback(new URL(url)), near, url);
  }

  const closed = await called(['keys', 'list', '--url', `http://127.0.0.1:${port}`], {}, { cwd: '/' });
  t.match(closed, { code: 4, stderr: /no operator key at \/data\/operator\.key/u });
  for (const key of ['prk_a b', 'prk_ä\u0000'])
    t.match(await called(['keys', 'list', '--key', key], {}), { code: 4, stderr: /is no key/u });
  t.match(await called(['keys', 'list', '--key-file', 'nowhere'], KEY, { cwd: folder }), {
    code: 4,
    stderr: /nowhere/u,
  });
  t.notMatch(elsewhere.stderr + closed.stderr, 'secret');
});

t.test('the operator key does not go through a proxy', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'operator.key'), 'prk_operator_secret\n');
  const { url } = await listening(t, jsonOf({ keys: [] }));
  const proxy = { PROMPT_REGISTRY_URL: url, HTTP_PROXY: 'http://proxy.example.com' };
  const { port } = new URL(url);
  for (const [env, refused] of [
    [{ NODE_USE_ENV_PROXY: '1' }, true],
    [{ NODE_OPTIONS: '--no-warnings --use-env-proxy' }, true],
    [{ NODE_USE_ENV_PROXY: '1', NO_PROXY: 'example.com, 127.0.0.1:1' }, true],
    [{ NODE_USE_ENV_PROXY: '1', NO_PROXY: '127.0.0.1', no_proxy: 'localhost' }, true],
    [{}, false],
    [{ NODE_USE_ENV_PROXY: '1', HTTP_PROXY: '' }, false],
    [{ NODE_USE_ENV_PROXY: '1', NO_PROXY: 'localhost,127.0.0.1' }, false],
    [{ NODE_USE_ENV_PROXY: '1', NO_PROXY: `127.0.0.1:${port}` }, false],
    [{ NODE_USE_ENV_PROXY: '1', no_proxy: '*' }, false],
    [{ NODE_USE_ENV_PROXY: '1', ...KEY }, false],
  ] as [Record<string, string>, boolean][]) {
    const said = await called(['keys', 'list'], { ...proxy, ...env }, { cwd: folder });
    t.match(
      said,
      refused ? { code: 4, stderr: /not sent through a proxy[^]*NO_PROXY=127\.0\.0\.1/u } : { code: 0 },
      JSON.stringify(env),
    );
  }
});

t.test('a time is one to come for an expiry, one that was for a search', async (t) => {
  const asked: string[] = [];
  const { env } = await listening(t, (request, response) => {
    request
      .setEncoding('utf8')
      .on('data', (body: string) => asked.push((json(body) as { expiresAt: string }).expiresAt))
      .on('end', () =>
        jsonOf({ keyId: 'k', secret: 's', scopes: [], events: [], nextAfter: null, nextBefore: null })(
          request,
          response,
        ),
      );
    if (request.method === 'GET') asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? '');
  });
  const now = Date.now();
  t.match(await called(['keys', 'create', 'x', '--scope', 'y', '--expires', '2h'], env), { code: 0 });
  t.match(await called(['audit', 'log', '--from', '2h'], env), { code: 0 });
  const [ahead = '', back = ''] = asked;
  t.ok(
    Date.parse(ahead) >= now + 7_200_000 &&
      Date.parse(back) >= now - 7_200_000 &&
      Date.parse(back) <= Date.now() - 7_200_000,
    asked.join(),
  );
});

t.test('columns stand under each other as a terminal shows them', async (t) => {
  for (const [text, columns] of [
    ['coach', 5],
    ['日本語', 6],
    ['한국어', 6],
    ['e\u0301', 1],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['☀️', 2],
    ['☀', 1],
    ['ｆｕｌｌ', 8],
    ['ä', 1],
    ['नमस्ते', 4],
  ] as const)
    t.equal(widthOf(text), columns, text);
  const event = (revision: number, label: string) => ({
    revision,
    at: '2026',
    type: 'key-created',
    actor: { keyId: 'k', label },
    reason: 'Here',
  });
  const { env } = await listening(
    t,
    jsonOf({
      events: [event(1, 'ops'), event(2, '運用 👍'), event(3, 'e\u0301quipe')],
      nextAfter: null,
      nextBefore: null,
    }),
  );
  const { stdout } = await called(['audit', 'log'], env);
  const columns = stdout
    .trimEnd()
    .split('\n')
    .map((line) => widthOf(line.slice(0, line.indexOf('Here'))));
  t.equal(new Set(columns).size, 1, stdout);
});

t.test('wrong usage', async (t) => {
  for (const [args, said] of [
    [['nope'], /unknown command 'nope'/u],
    [['keys', 'nope'], /unknown command 'nope'/u],
    [['activate'], /missing required argument 'version'/u],
    [['versions', '--limit', 'many'], /whole number/u],
    [['versions', '--status', 'odd'], /registered, revoked/u],
    [['rollback', '--wait', '31'], /1 to 30/u],
    [['status', '--timeout', '0'], /seconds/u],
    [['keys', 'create', 'x', '--scope', 'y', '--expires', 'soon'], /90d/u],
    [['show', '--system', '--style', 'x'], /cannot be used with/u],
    [['status', '--url', 'prompts'], /is no URL/u],
    [['status', '--url', 'ftp://x'], /is no URL/u],
    [['status', '--url', 'http://a:b@x/'], /has a user or a password/u],
    [['status', '--url', 'http://x/?a=b'], /has a query or a fragment/u],
    [['status', '--url', 'http://x/#a'], /has a query or a fragment/u],
    [['validate', 'nowhere'], /cannot be read/u],
    [['versions', 'coach', '--pack', 'onboarding'], /Two packs are named/u],
    [['show', 'coach', '--pack', 'onboarding'], /Two packs are named/u],
    [['versions', '--limit', '0'], /1 or more, or "all"/u],
    [['audit', 'log', '--limit', '0'], /1 or more, or "all"/u],
    [['watch', '--count', '0'], /1 or more/u],
    [['keys', 'create', 'x', '--scope', 'y', '--expires', '2026-02-31'], /It is a time/u],
    [['audit', 'log', '--from', '2026-13-01'], /how long ago/u],
    [['rollback', '--pack', '', '--yes', '--reason', 'x'], /--pack is empty or blank/u],
    [['rollback', '--channel', ' ', '--yes', '--reason', 'x'], /--channel is empty or blank/u],
    [['rollback', '--to', '', '--yes', '--reason', 'x'], /--to is empty or blank/u],
    [['status', '--url', ''], /--url is empty or blank/u],
    [['status', '--key', ''], /--key is empty or blank/u],
    [['status', '--key-file', ''], /--key-file is empty or blank/u],
    [['keys', 'create', 'x', '--scope', ''], /--scope is empty or blank/u],
    [['validate', ''], /<folder> is empty or blank/u],
    [['activate', 'v1.1.0'], /a version such as 1\.2\.0/u],
    [['show', '1.0'], /a version such as 1\.2\.0/u],
    [['rollback', '--to', '1'], /a version such as 1\.2\.0/u],
    [['versions', 'Coach'], /lower-case letters/u],
    [['rollback', '--channel', 'Production'], /lower-case letters/u],
    [['watch', '--after', 'abc'], /the revision of an event/u],
    [['activate', '--version', '1.1.0', '--yes', '--reason', 'x'], /--version is that of the command line/u],
  ] as [string[], RegExp][]) {
    t.match(await called(args, KEY), { code: 2, stdout: '', stderr: said }, args.join(' '));
    t.match(json((await called([...args, '--json'], KEY)).stderr), { exitCode: 2, message: said });
  }
  t.match(await called(['rollback', '--yes', '--reason', 'x'], { ...KEY, PROMPT_REGISTRY_PACK: ' ' }), {
    code: 2,
    stderr: /PROMPT_REGISTRY_PACK is blank/u,
  });
  t.match(await called(['rollback', '--yes', '--reason', 'x'], { ...KEY, PROMPT_REGISTRY_PACK: 'Coach' }), {
    code: 2,
    stderr: /PROMPT_REGISTRY_PACK names no pack/u,
  });
  t.notMatch((await called(['status', '--url', 'http://a:secret@x/'], KEY)).stderr, 'secret');
  t.match(await typed(t, [], {}), { code: 2, stdout: '', stderr: /^Usage: prompt-registry/u });
  const help = await typed(t, ['--help'], {});
  t.match(help, { code: 0, stderr: '', stdout: /Exit codes:[^]*130/u });
  t.match(help.stdout, 'PROMPT_REGISTRY_PACK');
  const { version } = JSON.parse(await readFile(join(ROOT, 'clients', 'cli', 'package.json'), 'utf8')) as {
    version: string;
  };
  t.match(await called(['--version'], {}), { code: 0, stdout: `${version}\n` });
});

t.test('the reference names each command, and each exit code as --help does', async (t) => {
  const reference = await readFile(join(ROOT, 'clients', 'cli', 'README.md'), 'utf8');
  const paths = buildProgram(() => async () => undefined).commands.flatMap((command) =>
    command.commands.length === 0
      ? [command.name()]
      : command.commands.map((each) => `${command.name()} ${each.name()}`),
  );
  t.ok(paths.length >= 18);
  t.same(
    paths.filter((path) => !new RegExp(`^\\| \`${path}[ \`]`, 'mu').test(reference)),
    [],
  );
  const codes = Object.values(EXIT).map(String);
  t.same(
    [...reference.matchAll(/^\| (\d+) \|/gmu)].map(([, code]) => code),
    codes,
  );
  t.same(
    [...EXIT_CODES_HELP.matchAll(/^ {2}(\d+) /gmu)].map(([, code]) => code),
    codes,
  );
});

t.test('what cannot start says why', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'bin'));
  await cp(BIN, join(folder, 'bin', basename(BIN)));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  t.match(await typed(t, ['status'], {}, { bin: join(folder, 'bin', basename(BIN)) }), {
    code: 70,
    stderr: /npm run build/u,
  });
  await symlink(BIN, join(folder, 'linked.js'));
  t.match(
    await typed(t, ['--version'], {}, { bin: join(folder, 'linked.js') }),
    { code: 0 },
    'by a link, as npm installs it',
  );
});
