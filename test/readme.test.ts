// The README's walkthrough gives what it says, word for word: each `sh` block is run, each `json` block is what came out.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { startServer } from './support/server-process.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** The fenced blocks of a section, in order. */
function blocksOf(markdown: string, heading: string): { language: string; text: string }[] {
  const section = markdown.split(/^## /mu).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gmu)].map(([, language = '', text = '']) => ({ language, text: text.trim() }));
}

/** What the README shows, where `…` stands for anything. */
function patternOf(shown: string): RegExp {
  const parts = shown.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
  return new RegExp(`^${parts.join('[^\\n]*?')}$`, 'u');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

t.test('the walkthrough', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const blocks = blocksOf(readme, 'From zero to a rollback');
  t.ok(blocks.length >= 12, 'the walkthrough is found');

  const folder = await mkdtemp(join(tmpdir(), 'walkthrough-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(join(root, 'packs'), join(folder, 'packs'), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const port = await freePort();
  await startServer(t, { PORT: String(port), DATA_DIR: join(folder, 'data'), PACKS_DIR: join(folder, 'packs') });

  let output = '';
  let variables = ''; // of the one shell that a reader types all of it into
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
      const script = `${variables}${text.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)}`;
      for (const [line] of text.matchAll(/^[A-Z_]+=.*$/gmu)) variables += `${line}\n`;
      output = (await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })).stdout.trim();
    } else if (language === 'json') {
      t.match(output, patternOf(text), `gives ${text.slice(0, 60)}…`);
    }
  }
});

t.test('the table of operations names exactly those of openapi.yaml', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const section = readme.split(/^## /mu).find((part) => part.startsWith('The API')) ?? '';
  const named = [...section.matchAll(/^\| (.+?) \|/gmu)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/gu)].map(([, name]) => name));
  const document = await readFile(join(root, 'openapi.yaml'), 'utf8');
  const declared = [...document.matchAll(/operationId: (\w+)/gu)].map(([, name]) => name).filter((name) => name !== 'getProblem');
  t.same(named.sort(), declared.sort());
});
