// The README's walkthroughs give what they say, word for word: each `sh` block is run, each `json` or `text` block is what came out.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { freePort } from './support/http/free-port.ts';
import { spawnServer, startServer } from './support/apps/server-process.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a section, in order. */
function blocksOf(markdown: string, heading: string): Block[] {
  const section = markdown.split(/^## /mu).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gmu)].map(([, language = '', text = '']) => ({
    language,
    text: text.trim(),
  }));
}

/** What the README shows, where `…` stands for anything. */
function patternOf(shown: string): RegExp {
  const parts = shown.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
  return new RegExp(`^${parts.join('[^\\n]*?')}$`, 'u');
}

/** What `npx prompt-registry` runs, without npm's way of finding it. */
const NPX = `npx() { test "$1" = prompt-registry; shift; node '${join(root, 'clients', 'cli', 'bin', 'prompt-registry.js')}' "$@"; }\n`;

/** Runs the `sh` blocks, as typed into one shell, and holds each `json` or `text` block to what the one before it gave. */
async function follow(
  t: Test,
  blocks: readonly Block[],
  folder: string,
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  let output = '';
  let variables = '';
  const moved = (text: string) =>
    text.replaceAll(/127\.0\.0\.1:(\d+)/gu, (_, port: string) => `127.0.0.1:${ports[port] ?? port}`);
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const env = {
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        PROMPT_REGISTRY_URL: moved('http://127.0.0.1:3000'),
      };
      const script = `${NPX}${variables}${moved(text)}`;
      for (const [line] of text.matchAll(/^[A-Z_]+=.*$/gmu)) variables += `${line}\n`;
      output = (await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })).stdout.trim();
    } else if (language === 'json' || language === 'text') {
      t.match(output, patternOf(moved(text)), `gives ${text.slice(0, 60)}…`);
    }
  }
}

async function walkthroughFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'walkthrough-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(join(root, 'packs'), join(folder, 'packs'), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** What `git add .` would take after a walk in a checkout, apart from what was there before. */
async function leftForGit(folder: string): Promise<string[]> {
  await cp(join(root, '.gitignore'), join(folder, '.gitignore'));
  await run('git', ['init', '--quiet'], { cwd: folder });
  const { stdout } = await run('git', ['-c', 'safe.directory=*', 'ls-files', '--others', '--exclude-standard'], {
    cwd: folder,
  });
  return stdout.split('\n').filter((path) => path !== '' && !/^(?:packs\/|node_modules$|\.gitignore$)/u.test(path));
}

t.test('the walkthrough', async (t) => {
  const blocks = blocksOf(await readFile(join(root, 'README.md'), 'utf8'), 'From zero to a rollback');
  t.ok(blocks.length >= 12, 'the walkthrough is found');
  const folder = await walkthroughFolder(t);
  const port = await freePort();
  await startServer(t, { PORT: String(port), DATA_DIR: join(folder, 'data'), PACKS_DIR: join(folder, 'packs') });
  await follow(t, blocks, folder, { 3000: port });
  t.strictSame(await leftForGit(folder), [], 'nothing of it would be committed');
});

t.test('the walkthrough with the command line', async (t) => {
  const blocks = blocksOf(
    await readFile(join(root, 'README.md'), 'utf8'),
    'From zero to a rollback, with the command line',
  );
  t.ok(
    blocks.filter(({ language }) => language === 'text' || language === 'json').length >= 9,
    'the walkthrough is found',
  );
  const folder = await walkthroughFolder(t);
  const port = await freePort();
  await startServer(t, { PORT: String(port), DATA_DIR: join(folder, 'data'), PACKS_DIR: join(folder, 'packs') });
  await follow(t, blocks, folder, { 3000: port });
  t.strictSame(await leftForGit(folder), [], 'nothing of it would be committed');
});

t.test('two instances on one PostgreSQL', async (t) => {
  const blocks = blocksOf(await readFile(join(root, 'README.md'), 'utf8'), 'Two instances on one PostgreSQL');
  const [postgres, ...instances] = blocks.filter(({ language }) => language === 'bash').map(({ text }) => text);
  const folder = await walkthroughFolder(t);
  const ports = { 54329: await freePort(), 3001: await freePort(), 3002: await freePort() };

  t.match(postgres, /^npm run postgres -- --port 54329$/u);
  const server = spawnServer(
    t,
    {},
    { script: join(root, 'scripts', 'postgres.ts'), args: ['--port', String(ports[54329])] },
  );
  await server.said((line) => line.includes(`STORE_URL=postgres://postgres@127.0.0.1:${ports[54329]}/registry`));
  t.equal(instances.length, 2);
  for (const line of instances) {
    const [, url = '', dataDir = '', port = ''] =
      /^STORE_URL=(\S+) DATA_DIR=(\S+) PORT=(\d+) npm start$/u.exec(line) ?? [];
    const settings = {
      STORE_URL: url.replace('54329', String(ports[54329])),
      DATA_DIR: join(folder, dataDir),
      PACKS_DIR: join(folder, 'packs'),
    };
    await startServer(t, { ...settings, PORT: String(ports[port as '3001' | '3002']) });
  }
  await follow(t, blocks, folder, ports);
  t.strictSame(await leftForGit(folder), [], 'nothing of it would be committed');
});

t.test('the table of operations names exactly those of openapi.yaml', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const section = readme.split(/^## /mu).find((part) => part.startsWith('The API')) ?? '';
  const named = [...section.matchAll(/^\| (.+?) \|/gmu)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/gu)].map(([, name]) => name),
  );
  const document = await readFile(join(root, 'openapi.yaml'), 'utf8');
  const declared = [...document.matchAll(/operationId: (\w+)/gu)]
    .map(([, name]) => name)
    .filter((name) => name !== 'getProblem');
  t.same(named.sort(), declared.sort());
});
