// What all commands share: the API key, argument checks, help, startup.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t from 'tap';
import { buildProgram } from '../../../clients/cli/src/program.ts';
import { EXIT, EXIT_CODES_HELP } from '../../../clients/cli/src/exit.ts';
import { isLoopback } from '../../../clients/cli/src/connection.ts';
import { widthOf } from '../../../clients/cli/src/width.ts';
import { newFolder } from '../../support/process/folder.ts';
import { ROOT } from '../../support/apps/server-process.ts';
import { BIN, runCli, json, spawnCli } from '../../support/clients/command-line.ts';
import { replyJson, KEY, startFakeServer, replyProblem } from '../../support/clients/fake-servers.ts';

t.test('a pack in front of the version: the message says how to name it', async (t) => {
  t.match(await runCli(['activate', 'coach', '1.1.0'], {}), {
    code: 2,
    stderr: /too many arguments[^]*Name the pack with --pack, e\.g\. prompt-registry activate --pack coach\./u,
  });
});

t.test('the operator key is sent only to this machine', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'operator.key'), 'prk_operator_secret\n');
  const seen: (string | undefined)[] = [];
  const { port } = await startFakeServer(t, (request, response) => {
    seen.push(request.headers.authorization);
    replyProblem(401, { code: 'unauthenticated' })(request, response);
  });
  t.match(await runCli(['keys', 'list', '--url', `http://localhost:${port}`], {}, { cwd: folder }), {
    code: 4,
    stderr: /operator\.key/u,
  });
  t.same(seen, ['Bearer prk_operator_secret'], 'found for this machine');

  for (const given of ['Bearer prk_x_y', 'bearer prk_x_y\n', ' prk_x_y\r\n']) {
    await runCli(['keys', 'list', '--url', `http://localhost:${port}`, '--key', given], {});
    await runCli(['keys', 'list', '--url', `http://localhost:${port}`], { PROMPT_REGISTRY_KEY: given });
  }
  t.same(seen.splice(1), Array<string>(6).fill('Bearer prk_x_y'), 'the text of a header or a file works, too');

  const elsewhere = await runCli(['keys', 'list', '--url', 'http://prompts.example.com'], {}, { cwd: folder });
  t.match(
    elsewhere,
    { code: 4, stderr: /No API key for http:\/\/prompts\.example\.com/u },
    'not used for another host, and nothing is sent',
  );
  for (const [url, local] of [
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
    t.equal(isLoopback(new URL(url)), local, url);
  }

  const closed = await runCli(['keys', 'list', '--url', `http://127.0.0.1:${port}`], {}, { cwd: '/' });
  t.match(closed, { code: 4, stderr: /no operator key found at \/data\/operator\.key/u });
  for (const key of ['prk_a b', 'prk_ä\u0000'])
    t.match(await runCli(['keys', 'list', '--key', key], {}), { code: 4, stderr: /is invalid/u });
  t.match(await runCli(['keys', 'list', '--key-file', 'nowhere'], KEY, { cwd: folder }), {
    code: 4,
    stderr: /nowhere/u,
  });
  t.notMatch(elsewhere.stderr + closed.stderr, 'secret');
});

t.test('the operator key is not sent through a proxy', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'operator.key'), 'prk_operator_secret\n');
  const { url } = await startFakeServer(t, replyJson({ keys: [] }));
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
    const said = await runCli(['keys', 'list'], { ...proxy, ...env }, { cwd: folder });
    t.match(
      said,
      refused ? { code: 4, stderr: /never sent through a proxy[^]*NO_PROXY=127\.0\.0\.1/u } : { code: 0 },
      JSON.stringify(env),
    );
  }
});

t.test('a relative time is in the future for --expires, in the past for --from', async (t) => {
  const asked: string[] = [];
  const { env } = await startFakeServer(t, (request, response) => {
    request
      .setEncoding('utf8')
      .on('data', (body: string) => asked.push((json(body) as { expiresAt: string }).expiresAt))
      .on('end', () =>
        replyJson({ keyId: 'k', secret: 's', scopes: [], events: [], nextAfter: null, nextBefore: null })(
          request,
          response,
        ),
      );
    if (request.method === 'GET') asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? '');
  });
  const now = Date.now();
  t.match(await runCli(['keys', 'create', 'x', '--scope', 'y', '--expires', '2h'], env), { code: 0 });
  t.match(await runCli(['audit', 'log', '--from', '2h'], env), { code: 0 });
  const [ahead = '', back = ''] = asked;
  t.ok(
    Date.parse(ahead) >= now + 7_200_000 &&
      Date.parse(back) >= now - 7_200_000 &&
      Date.parse(back) <= Date.now() - 7_200_000,
    asked.join(),
  );
});

t.test('columns are aligned by their width on a terminal', async (t) => {
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
  const { env } = await startFakeServer(
    t,
    replyJson({
      events: [event(1, 'ops'), event(2, '運用 👍'), event(3, 'e\u0301quipe')],
      nextAfter: null,
      nextBefore: null,
    }),
  );
  const { stdout } = await runCli(['audit', 'log'], env);
  const places = stdout
    .trimEnd()
    .split('\n')
    .map((line) => widthOf(line.slice(0, line.indexOf('Here'))));
  t.equal(new Set(places).size, 1, stdout);
});

t.test('invalid usage', async (t) => {
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
    [['status', '--url', 'prompts'], /is not a valid registry URL/u],
    [['status', '--url', 'ftp://x'], /is not a valid registry URL/u],
    [['status', '--url', 'http://a:b@x/'], /contains a user name or password/u],
    [['status', '--url', 'http://x/?a=b'], /contains a query or fragment/u],
    [['status', '--url', 'http://x/#a'], /contains a query or fragment/u],
    [['validate', 'nowhere'], /Cannot read the folder/u],
    [['versions', 'coach', '--pack', 'onboarding'], /name different packs/u],
    [['show', 'coach', '--pack', 'onboarding'], /name different packs/u],
    [['versions', '--limit', '0'], /1 or more, or "all"/u],
    [['audit', 'log', '--limit', '0'], /1 or more, or "all"/u],
    [['watch', '--count', '0'], /1 or more/u],
    [['keys', 'create', 'x', '--scope', 'y', '--expires', '2026-02-31'], /Must be a time/u],
    [['audit', 'log', '--from', '2026-13-01'], /or an age such as/u],
    [['rollback', '--pack', '', '--yes', '--reason', 'x'], /--pack is empty or blank/u],
    [['rollback', '--channel', ' ', '--yes', '--reason', 'x'], /--channel is empty or blank/u],
    [['rollback', '--to', '', '--yes', '--reason', 'x'], /--to is empty or blank/u],
    [['status', '--url', ''], /--url is empty or blank/u],
    [['status', '--key', ''], /--key is empty or blank/u],
    [['status', '--key-file', ''], /--key-file is empty or blank/u],
    [['keys', 'create', 'x', '--scope', ''], /--scope is empty or blank/u],
    [['validate', ''], /<folder> is empty or blank/u],
    [['activate', 'v1.1.0'], /Must be a full version such as 1\.2\.0/u],
    [['show', '1.0'], /Must be a full version such as 1\.2\.0/u],
    [['rollback', '--to', '1'], /Must be a full version such as 1\.2\.0/u],
    [['versions', 'Coach'], /lower-case letters/u],
    [['rollback', '--channel', 'Production'], /lower-case letters/u],
    [['watch', '--after', 'abc'], /the revision of an event/u],
    [['activate', '--version', '1.1.0', '--yes', '--reason', 'x'], /--version prints the version of this program/u],
  ] as [string[], RegExp][]) {
    t.match(await runCli(args, KEY), { code: 2, stdout: '', stderr: said }, args.join(' '));
    t.match(json((await runCli([...args, '--json'], KEY)).stderr), { exitCode: 2, message: said });
  }
  t.match(await runCli(['rollback', '--yes', '--reason', 'x'], { ...KEY, PROMPT_REGISTRY_PACK: ' ' }), {
    code: 2,
    stderr: /PROMPT_REGISTRY_PACK is blank/u,
  });
  t.match(await runCli(['rollback', '--yes', '--reason', 'x'], { ...KEY, PROMPT_REGISTRY_PACK: 'Coach' }), {
    code: 2,
    stderr: /PROMPT_REGISTRY_PACK is not a valid pack name/u,
  });
  t.notMatch((await runCli(['status', '--url', 'http://a:secret@x/'], KEY)).stderr, 'secret');
  t.match(await spawnCli(t, [], {}), { code: 2, stdout: '', stderr: /^Usage: prompt-registry/u });
  const help = await spawnCli(t, ['--help'], {});
  t.match(help, { code: 0, stderr: '', stdout: /Exit codes:[^]*130/u });
  t.match(help.stdout, 'PROMPT_REGISTRY_PACK');
  const { version } = JSON.parse(await readFile(join(ROOT, 'clients', 'cli', 'package.json'), 'utf8')) as {
    version: string;
  };
  t.match(await runCli(['--version'], {}), { code: 0, stdout: `${version}\n` });
});

t.test('the README lists every command and every exit code, as does --help', async (t) => {
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

t.test('a failed start explains why', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'bin'));
  await cp(BIN, join(folder, 'bin', basename(BIN)));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  t.match(await spawnCli(t, ['status'], {}, { bin: join(folder, 'bin', basename(BIN)) }), {
    code: 70,
    stderr: /npm run build/u,
  });
  await symlink(BIN, join(folder, 'linked.js'));
  t.match(
    await spawnCli(t, ['--version'], {}, { bin: join(folder, 'linked.js') }),
    { code: 0 },
    'through a link, as npm installs it',
  );
});
