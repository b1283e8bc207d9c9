// The front page and the walkthroughs print what they show: each `sh` block is run, and each `json` or `text` block is compared with its output.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { freePort } from './support/http/free-port.ts';
import { spawnServer, startServer } from './support/apps/server-process.ts';
import { blocksOf, sectionOf, textOf, type Block } from './support/docs/pages.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** What a page shows, as a pattern: `…` stands for anything in a line. */
function patternOf(shown: string): RegExp {
  const parts = shown.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
  return new RegExp(`^${parts.join('[^\\n]*?')}$`, 'u');
}

/** What `npx prompt-registry` runs, without npm's search for it. */
const NPX = `npx() { test "$1" = prompt-registry; shift; node '${join(root, 'clients', 'cli', 'bin', 'prompt-registry.js')}' "$@"; }\n`;

interface Walk {
  /** Where the commands run. */
  readonly folder: string;
  /** The real port for each port that a page shows. */
  readonly ports: Readonly<Record<string, number>>;
}

const withRealPorts = (text: string, ports: Walk['ports']) =>
  text.replaceAll(/127\.0\.0\.1:(\d+)/gu, (_, port: string) => `127.0.0.1:${ports[port] ?? port}`);

/** Runs commands in bash; fails if one of them fails. @returns what they print to stdout */
async function shell(commands: string, { folder, ports }: Walk): Promise<string> {
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    PROMPT_REGISTRY_URL: withRealPorts('http://127.0.0.1:3000', ports),
  };
  const script = `${NPX}${withRealPorts(commands, ports)}`;
  return (await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })).stdout.trim();
}

/** Runs the `sh` blocks as if typed into one shell, and compares each `json` or `text` block with the output before it. */
async function follow(t: Test, blocks: readonly Block[], walk: Walk): Promise<void> {
  let output = '';
  let variables = '';
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      output = await shell(`${variables}${text}`, walk);
      for (const [line] of text.matchAll(/^[A-Z_]+=.*$/gmu)) variables += `${line}\n`;
    } else if (language === 'json' || language === 'text') {
      t.match(output, patternOf(withRealPorts(text, walk.ports)), `prints ${text.slice(0, 60)}…`);
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

/** A service on an empty data folder. */
async function freshService(t: Test): Promise<Walk> {
  const folder = await walkthroughFolder(t);
  const port = await freePort();
  await startServer(t, { PORT: String(port), DATA_DIR: join(folder, 'data'), PACKS_DIR: join(folder, 'packs') });
  return { folder, ports: { 3000: port } };
}

/** What `git add .` would add after a walk in a checkout, apart from what was there before. */
async function leftForGit(folder: string): Promise<string[]> {
  await cp(join(root, '.gitignore'), join(folder, '.gitignore'));
  await run('git', ['init', '--quiet'], { cwd: folder });
  const { stdout } = await run('git', ['-c', 'safe.directory=*', 'ls-files', '--others', '--exclude-standard'], {
    cwd: folder,
  });
  return stdout.split('\n').filter((path) => path !== '' && !/^(?:packs\/|node_modules$|\.gitignore$)/u.test(path));
}

for (const [path, fewest] of [
  ['docs/getting-started.md', 9],
  ['docs/http-walkthrough.md', 9],
  ['docs/rollouts.md', 7],
] as const) {
  t.test(path, async (t) => {
    const blocks = blocksOf(textOf(path));
    const shown = blocks.filter(({ language }) => language === 'text' || language === 'json');
    t.ok(shown.length >= fewest, 'the walkthrough is found');
    const walk = await freshService(t);
    await follow(t, blocks, walk);
    t.strictSame(await leftForGit(walk.folder), [], 'it leaves nothing that git would add');
  });
}

t.test('the front page is short, and starts and tests with one line each', async (t) => {
  const readme = textOf('README.md');
  t.ok(readme.split('\n').length <= 151, 'at most 150 lines');
  t.strictSame(blocksOf(sectionOf(readme, 'Start and test')), [
    { language: 'sh', text: 'npm ci && npm start\nnpm ci && npm test' },
  ]);
});

t.test('the front page has one line for each way to run it', async (t) => {
  const lines = [...sectionOf(textOf('README.md'), 'Run it').matchAll(/^\| (?!as |---)(.*) \|$/gmu)].map(
    ([, line = '']) => line,
  );
  const ways = [
    ['npm start', 'server.ts'],
    ['npx --no-install @prompt-registry/server', 'deploy/npm/command.ts'],
    ['docker run', 'Dockerfile'],
    ['docker compose up', 'compose.yaml'],
    ['kubectl apply -k deploy/kubernetes', 'deploy/kubernetes/kustomization.yaml'],
    ['systemctl enable --now prompt-registry', 'deploy/systemd/prompt-registry.service'],
    ['app.register(registry', 'docs/embedding.md'],
  ] as const;
  t.equal(lines.length, ways.length);
  for (const [command, made] of ways) {
    t.equal(lines.filter((line) => line.includes(command)).length, 1, command);
    t.ok(existsSync(join(root, made)), made);
  }
});

t.test('pages that share a service', async (t) => {
  const walk = await freshService(t);

  t.test('the picture of the terminal shows what its commands print', async (t) => {
    const lines = [...textOf('docs/pictures/rollback.svg').matchAll(/<text [^>]*>(.*)<\/text>/gu)].map(
      ([, line = '']) =>
        line
          .replaceAll(/<[^>]+>/gu, '')
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&amp;', '&'),
    );
    /** Without times and hashes, which differ in every run. */
    const lasting = (text: string) => text.replaceAll(/\d{4}-[-\d]+T[:.\d]+Z|[0-9a-f]{64}/gu, '…');
    const steps = lines.join('\n').split(/^\$ /mu).slice(1);
    t.ok(steps.length >= 4, 'the commands are found');
    for (const step of steps) {
      const [command = '', ...shown] = step.trimEnd().split('\n');
      t.equal(lasting(await shell(`${command} 2>&1`, walk)), lasting(shown.join('\n')), command);
    }
  });

  t.test('the six commands of the front page run', async (t) => {
    const blocks = blocksOf(sectionOf(textOf('README.md'), 'Roll back in six commands'));
    t.equal(blocks[0]?.text.split('\n').length, 6);
    await follow(t, blocks, walk);
  });

  t.test('the commands that create a key', async (t) => {
    for (const path of ['docs/security.md', 'docs/observability/README.md']) {
      const commands = blocksOf(textOf(path)).filter(({ language }) => language === 'sh');
      t.ok(commands.length > 0, path);
      for (const { text } of commands)
        t.match(JSON.parse(await shell(`KEY=$(cat data/operator.key)\n${text}`, walk)), { secret: /^prk_/u }, path);
    }
  });
});

t.test('docs/deployment.md: two instances on one PostgreSQL', async (t) => {
  const blocks = blocksOf(sectionOf(textOf('docs/deployment.md'), 'Try it: two instances on one PostgreSQL'));
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
  await follow(t, blocks, { folder, ports });
  t.strictSame(await leftForGit(folder), [], 'it leaves nothing that git would add');
});

t.test('docs/api.md names exactly the operations of openapi.yaml', async (t) => {
  const section = sectionOf(textOf('docs/api.md'), 'Operations');
  const named = [...section.matchAll(/^\| (.+?) \|/gmu)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/gu)].map(([, name]) => name),
  );
  const declared = [...textOf('openapi.yaml').matchAll(/operationId: (\w+)/gu)]
    .map(([, name]) => name)
    .filter((name) => name !== 'getProblem');
  t.same(named.sort(), declared.sort());
});
