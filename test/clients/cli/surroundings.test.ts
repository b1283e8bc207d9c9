// The command line where things are not as they should be: no key, a wrong address, no registry there, a folder with faults, an old Node.
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { buildProgram } from '../../../clients/cli/src/program.ts';
import { EXIT, EXIT_CODES_HELP } from '../../../clients/cli/src/exit.ts';
import { isLoopback } from '../../../clients/cli/src/connection.ts';
import { newFolder } from '../../support/folder.ts';
import { documentOf, versionOf } from '../../support/pack-documents.ts';
import { writePackFolder } from '../../support/pack-folders.ts';
import { ROOT } from '../../support/server-process.ts';
import { BIN, called, json, typed } from './command-line.ts';

const KEY = { PROMPT_REGISTRY_KEY: 'prk_abc_def' };

/** Something that listens and is no registry. */
async function listening(t: Test, answer: RequestListener): Promise<{ readonly env: Readonly<Record<string, string>>; readonly port: number }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, env: { ...KEY, PROMPT_REGISTRY_URL: `http://127.0.0.1:${port}` } };
}

const problem = (status: number, members: object, headers: Readonly<Record<string, string>> = {}): RequestListener => (_, response) => {
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify({ type: '/problems/x', title: 'A title', status, detail: 'A detail.', ...members }));
};

t.test('nobody there', async (t) => {
  const { port } = await listening(t, () => undefined);
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port: free } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  t.match(await typed(t, ['status', '--url', `http://127.0.0.1:${free}`], KEY), { code: 3, stdout: '', stderr: /^error: .*cannot be reached.*\nIs the service running there\? --url/u });
  const { code, stderr } = await called(['status', '--json', '--url', `http://127.0.0.1:${free}`], KEY);
  t.match([code, json(stderr)], [3, { code: 'unreachable', message: /cannot be reached/u, hint: /--url/u, exitCode: 3 }]);
  t.match(await called(['status', '--url', `http://127.0.0.1:${port}`, '--timeout', '0.1'], KEY), { code: 3, stderr: /did not answer in time[^]*--timeout/u }, 'one that never answers');
});

t.test('an answer that is none of a registry', async (t) => {
  for (const [what, answer] of [
    ['a page', (_, response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>')],
    ['a page of a proxy', (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')],
    ['other JSON', (_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"not here"}')],
    ['JSON of another service', (_, response) => response.setHeader('content-type', 'application/json').end('{"hello":"world"}')],
    ['a list', (_, response) => response.setHeader('content-type', 'application/json').end('[]')],
    ['a body that is cut', (_, response) => response.setHeader('content-type', 'application/json').end('{"packs":[{"pack":')],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ] as [string, RequestListener][]) {
    const { env } = await listening(t, answer);
    t.match(await called(['versions', 'coach'], env), { code: 3, stdout: '', stderr: /^error: /u }, what);
  }
  const { env } = await listening(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"packs":[');
    setImmediate(() => response.destroy());
  });
  t.match(await called(['versions', 'coach'], env), { code: 3, stdout: '' }, 'a connection that is cut');
  const silent = await listening(t, (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"packs":['));
  t.match(await called(['versions', 'coach', '--timeout', '0.1'], silent.env), { code: 3, stderr: /in time/u }, 'a body that never ends');
});

t.test('an older service says so of an operation that it lacks', async (t) => {
  const { env } = await listening(t, problem(404, { code: 'not-found' }));
  t.match(await called(['keys', 'list'], env), { code: 1, stderr: /older than this command line/u });
});

t.test('status of an older service shows what there is', async (t) => {
  const { env } = await listening(t, (request, response) => {
    if (request.url !== '/v1/packs') return problem(404, { code: 'not-found' })(request, response);
    return response.setHeader('content-type', 'application/json').end('{"packs":[]}');
  });
  t.match(await called(['status'], env), { code: 0, stdout: /older and does not tell/u });
});

t.test('a service that cannot now says when', async (t) => {
  const { env } = await listening(t, problem(503, { code: 'overloaded' }, { 'retry-after': '7' }));
  t.match(await called(['keys', 'list'], env), { code: 3, stderr: /Try again in 7 s/u });
  t.match(json((await called(['keys', 'list', '--json'], env)).stderr), { code: 'overloaded', retryAfterSeconds: 7, status: 503 });
  const unknown = await listening(t, problem(503, { code: 'outcome-unknown', eventId: 'e-1' }, { 'retry-after': '0' }));
  t.match(await called(['keys', 'create', 'x', '--scope', 'prompts:read'], unknown.env), { code: 3, stderr: /audit log --id e-1/u });
});

t.test('a service that does not know that it is current', async (t) => {
  const { env } = await listening(t, (_, response) => response.writeHead(200, { 'content-type': 'application/json', 'registry-stale': '12' }).end('{"keys":[]}'));
  t.match(await called(['keys', 'list'], env), { code: 0, stderr: /12 s/u });
});

t.test('watch ends where waiting mends nothing', async (t) => {
  const { env } = await listening(t, problem(401, { code: 'unauthenticated' }));
  t.match(await called(['watch'], env), { code: 4 });
  const interruption = new AbortController();
  const quiet = await listening(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    setImmediate(() => interruption.abort());
  });
  t.match(await called(['watch'], quiet.env, { interrupted: interruption.signal }), { code: 130, stdout: '' });
});

t.test('watch comes back to a stream, and says when there is nothing to come back to', async (t) => {
  const asked: (string | undefined)[] = [];
  const message = (id: string, event: string, data: object) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const { env } = await listening(t, (request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    if (asked.length === 2) return problem(503, { code: 'overloaded' }, { 'retry-after': '0' })(request, response);
    if (asked.length === 4) return problem(401, { code: 'unauthenticated' })(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 1) return response.end(message('7', 'revision', { epoch: 1, revision: 7 }));
    return response.end(message('2:5', 'resync', { epoch: 2, revision: 5 }) + message('2:5', 'heartbeat', { epoch: 2, revision: 5 }));
  });
  const { code, stdout, stderr } = await called(['watch'], env);
  t.equal(code, 4, 'the key was revoked meanwhile');
  t.match(stdout, /^5 {2}resync {2}the history before is not known here any more; look with: prompt-registry status\n$/u);
  t.match(stderr, /Trying again in 1 s[^]*The stream is back/u);
  t.same(asked, [undefined, '7', '7', '2:5'], 'each time behind the last message that came');
});

t.test('a key is never sent where it does not belong', async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'operator.key'), 'prk_operator_secret\n');
  const seen: (string | undefined)[] = [];
  const { port } = await listening(t, (request, response) => {
    seen.push(request.headers.authorization);
    problem(401, { code: 'unauthenticated' })(request, response);
  });
  t.match(await called(['keys', 'list', '--url', `http://localhost:${port}`], {}, { cwd: folder }), { code: 4, stderr: /operator\.key/u });
  t.same(seen, ['Bearer prk_operator_secret'], 'on this machine it is found');

  const elsewhere = await called(['keys', 'list', '--url', 'http://prompts.example.com'], {}, { cwd: folder });
  t.match(elsewhere, { code: 4, stderr: /no key for http:\/\/prompts\.example\.com/u }, 'elsewhere it is not, and nothing is sent');
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
  for (const key of ['', 'prk_a b', 'prk_ä\u0000']) t.match(await called(['keys', 'list', '--key', key], {}), { code: 4, stderr: /is no key/u });
  t.match(await called(['keys', 'list', '--key-file', 'nowhere'], KEY, { cwd: folder }), { code: 4, stderr: /nowhere/u });
  t.notMatch(elsewhere.stderr + closed.stderr, 'secret');
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
    [['validate', 'nowhere'], /cannot be read/u],
  ] as [string[], RegExp][]) {
    t.match(await called(args, KEY), { code: 2, stdout: '', stderr: said }, args.join(' '));
    t.match(json((await called([...args, '--json'], KEY)).stderr), { exitCode: 2, message: said });
  }
  t.match(await typed(t, [], {}), { code: 2, stdout: '', stderr: /^Usage: prompt-registry/u });
  const help = await typed(t, ['--help'], {});
  t.match(help, { code: 0, stderr: '', stdout: /Exit codes:[^]*130/u });
  t.match(help.stdout, 'PROMPT_REGISTRY_PACK');
  const { version } = JSON.parse(await readFile(join(ROOT, 'clients', 'cli', 'package.json'), 'utf8')) as { version: string };
  t.match(await called(['--version'], {}), { code: 0, stdout: `${version}\n` });
});

t.test('a folder is checked without a registry', async (t) => {
  const folder = newFolder(t);
  await cp(join(ROOT, 'packs'), join(folder, 'packs'), { recursive: true });
  const all = await typed(t, ['validate', 'packs'], {}, { cwd: folder });
  t.match(all, { code: 0, stderr: '', stdout: /^coach 1\.0\.0 +valid {2}sha256:[0-9a-f]{64}\n[^]*onboarding 1\.1\.0 {2}valid/u });
  t.equal(all.stdout.trimEnd().split('\n').length, 5);
  t.equal((await called(['validate', 'packs/coach'], {}, { cwd: folder })).stdout.trimEnd().split('\n').length, 3, 'one pack');
  t.match(await called(['validate', '.'], {}, { cwd: join(folder, 'packs', 'coach', '1.0.0') }), { code: 0, stdout: /^coach 1\.0\.0 {2}valid/u }, 'one version, from inside');

  const plain = writePackFolder(folder, 'plain', documentOf('plain', '1.0.0'));
  const { valid, versions, faults } = json((await called(['validate', plain, '--json'], {})).stdout);
  t.match([valid, versions, faults], [true, [{ pack: 'plain', version: '1.0.0', digest: versionOf('plain', '1.0.0').digest }], []], 'the digest that the registry gives');

  // Each fault by itself, and all of them at once.
  const text = await readFile(join(plain, 'pack.yaml'), 'utf8');
  await writeFile(join(plain, 'pack.yaml'), text.replace('defaultStyle: supportive', 'defaultStyle: none'));
  t.match(await called(['validate', plain], {}), { code: 5, stdout: `  ${plain}: /defaultStyle: "none" is none of the version's styles` });
  await writeFile(join(plain, 'pack.yaml'), `${text}colour: red\n`);
  t.match(await called(['validate', plain], {}), { code: 5, stdout: `${plain}/pack.yaml: /colour: ` });
  await writeFile(join(plain, 'pack.yaml'), text);
  await rm(join(plain, 'styles', 'direct.md'));
  await writeFile(join(plain, 'styles', 'extra.md'), 'x');
  t.match(await called(['validate', plain], {}), { code: 5, stdout: /direct\.md: cannot be read[^]*extra\.md: is not listed/u });
  t.match(await called(['publish', plain], { ...KEY, PROMPT_REGISTRY_URL: 'http://127.0.0.1:9' }), { code: 5, stdout: '', stderr: /2 faults; nothing was published/u }, 'nothing is sent');

  const low = join(folder, 'packs', 'coach', '1.0.0');
  await writeFile(join(low, 'system.md'), 'You are a therapist. {{secret}}');
  const { code, stdout } = await called(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder });
  t.equal(code, 5);
  t.match(stdout, /^coach 1\.0\.0 {2}under the floor/u);
  t.match(stdout, '  packs/coach/1.0.0: clause not-a-professional in system: The system prompt must contain');
  t.match(stdout, 'placeholder secret in system');
  await writeFile(join(folder, 'packs', 'coach', 'policy.yaml'), 'version: many\n');
  t.match(await called(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder }), { code: 5, stdout: /packs\/coach\/policy\.yaml: \/version/u });
  await mkdir(join(folder, 'empty'));
  t.match(await called(['validate', 'empty'], {}, { cwd: folder }), { code: 5, stdout: /There is no version in it/u });
});

t.test('completion knows each command and option', async (t) => {
  const program = buildProgram(() => async () => undefined);
  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await called(['completion', shell], {});
    t.equal(code, 0);
    const words = commands.flatMap((command) => [command.name(), ...command.options.map(({ long = '?' }) => (shell === 'fish' ? `-l ${long.slice(2)}` : long))]);
    t.ok(words.length > 40);
    t.same(words.filter((word) => !stdout.includes(word)), [], shell);
  }
  t.match(await called(['completion', 'csh'], {}), { code: 2, stderr: /bash, zsh, fish/u });

  // Asked as bash asks.
  const folder = newFolder(t);
  await writeFile(join(folder, 'completion'), (await called(['completion', 'bash'], {})).stdout);
  const offered = async (...words: string[]) => {
    const script = `source completion; COMP_WORDS=(prompt-registry ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _prompt_registry; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await typed(t, ['-euo', 'pipefail', '-c', script], {}, { cwd: folder, node: '/bin/bash', bin: '--norc' });
    return stdout.trim().split(' ');
  };
  t.same(await offered('ro'), ['rollback']);
  t.same(await offered('--url', 'http://x', 'audit', 've'), ['verify']);
  t.same(await offered('versions', '--status', ''), ['registered', 'revoked']);
  t.same(await offered('rollback', '--to'), ['--to']);
  t.same(await offered('completion', ''), ['bash', 'zsh', 'fish'].concat((await offered('completion', '--'))));
});

t.test('the reference names each command, and each exit code as --help does', async (t) => {
  const reference = await readFile(join(ROOT, 'clients', 'cli', 'README.md'), 'utf8');
  const paths = buildProgram(() => async () => undefined).commands.flatMap((command) => (command.commands.length === 0 ? [command.name()] : command.commands.map((each) => `${command.name()} ${each.name()}`)));
  t.ok(paths.length >= 18);
  t.same(paths.filter((path) => !new RegExp(`^\\| \`${path}[ \`]`, 'mu').test(reference)), []);
  const codes = Object.values(EXIT).map(String);
  t.same([...reference.matchAll(/^\| (\d+) \|/gmu)].map(([, code]) => code), codes);
  t.same([...EXIT_CODES_HELP.matchAll(/^ {2}(\d+) /gmu)].map(([, code]) => code), codes);
});

t.test('what cannot start says why', async (t) => {
  const require = createRequire(import.meta.url);
  const older = join(require.resolve(`older-node-linux-${process.arch}/package.json`), '..', 'bin', 'node');
  t.match(await typed(t, ['status'], {}, { node: older }), { code: 70, stdout: '', stderr: /^prompt-registry needs Node 22\.12 or later; this is 20\./u });

  const folder = newFolder(t);
  await mkdir(join(folder, 'bin'));
  await cp(BIN, join(folder, 'bin', basename(BIN)));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  t.match(await typed(t, ['status'], {}, { bin: join(folder, 'bin', basename(BIN)) }), { code: 70, stderr: /npm run build/u });
  await symlink(BIN, join(folder, 'linked.js'));
  t.match(await typed(t, ['--version'], {}, { bin: join(folder, 'linked.js') }), { code: 0 }, 'by a link, as npm installs it');
});
