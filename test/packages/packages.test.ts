/**
 * The published packages work once installed: each is packed, installed into an empty folder with its dependencies only, compiled against
 * by TypeScript, and used against a running server.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import { join, relative } from 'node:path';
import t from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { ENV, install, NODE, pack, PATH, run } from '../support/apps/packed.ts';
import { ROOT } from '../support/apps/server-process.ts';
import { words } from '../support/process/words.ts';

const TSC = join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');

/**
 * Type-checks a program against the installed packages and their types: as strictly as possible, with no other types than Node's, and with
 * the module resolution of Node and of bundlers.
 */
async function compile(folder: string, ...files: readonly string[]): Promise<string> {
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
  symlinkSync(join(ROOT, 'node_modules', 'undici-types'), join(folder, 'node_modules', 'undici-types'));
  const options = words`
    --noEmit --strict --exactOptionalPropertyTypes --target ES2024 --types node --allowImportingTsExtensions
  `;
  const found: string[] = [];
  for (const [module, resolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ] as const) {
    const asked = [TSC, ...options, '--module', module, '--moduleResolution', resolution, ...files];
    found.push(
      await run(NODE, asked, { cwd: folder, env: ENV }).then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      ),
    );
  }
  return found.join('');
}

t.test('the packages', async (t) => {
  const tarballs = newFolder(t);
  const client = await pack('clients/typescript', tarballs);
  const cli = await pack('clients/cli', tarballs);
  const contract = await pack('clients/contract', tarballs);
  const plugin = await pack('dist/fastify', tarballs);
  const server = await pack('dist/server', tarballs);
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = await listen(app);

  t.test('hold what runs, its types and its licence, and no sources or tests', async (t) => {
    for (const [name, { files }] of Object.entries({ client, cli, contract, plugin, server })) {
      t.ok(
        files.includes('README.md') && files.includes('LICENSE') && files.includes('package.json'),
        `${name} says what it is`,
      );
      t.strictSame(
        files.filter(
          (path) =>
            (/(^|\/)(src|test|node_modules)\//u.test(path) && !path.startsWith('dist/')) ||
            (/(?<!\.d)\.ts$|tsbuildinfo/u.test(path) && !path.startsWith('examples/')),
        ),
        [],
        name,
      );
    }
  });

  t.test('the client', async (t) => {
    const folder = await install(t, [client.tarball]);
    const program = `
      import { createPromptSource, RegistryFailure, type StylePrompt } from '@prompt-registry/client';
      import { diskCopy } from '@prompt-registry/client/disk';
      const [, , url = '', key = ''] = process.argv;
      const prompts = createPromptSource({ url, key, pack: 'coach', copy: diskCopy({ folder: 'copy' }) });
      prompts.on('error', (failure: RegistryFailure) => console.error(failure.code));
      await prompts.ready();
      const prompt: StylePrompt = prompts.getStylePrompt('supportive');
      // @ts-expect-error a prompt has no such member
      void prompt.temperature;
      console.log(JSON.stringify([prompt.version, prompt.revision > 0, (await prompts.startSession({ styleId: 'supportive' })).local]));
      await prompts.close();
    `;
    writeFileSync(join(folder, 'program.ts'), program);
    t.equal(await compile(folder, 'program.ts'), '', 'its types are whole');
    const { stdout } = await run(NODE, ['program.ts', url, key], { cwd: folder, env: ENV });
    t.strictSame(JSON.parse(stdout), ['2.0.0', true, false]);
    t.notOk(
      readdirSync(join(folder, 'node_modules')).some((name) => ['fastify', 'tap'].includes(name)),
      'nothing of the server is with it',
    );
  });

  t.test('the command line', async (t) => {
    const folder = await install(t, [client.tarball, cli.tarball]);
    const bin = join(folder, 'node_modules', '.bin', 'prompt-registry');
    const ask = (...args: readonly string[]) =>
      run(NODE, [bin, ...args], { cwd: folder, env: { ...ENV, PROMPT_REGISTRY_URL: url, PROMPT_REGISTRY_KEY: key } });
    t.match((await ask('status')).stdout, /coach/u);
    t.match((await ask('validate', join(ROOT, 'packs'))).stdout, /2\.0\.0/u);
    t.match((await ask('--version')).stdout, /^\d+\.\d+\.\d+/u);
  });

  t.test('the contract kit', async (t) => {
    const folder = await install(t, [contract.tarball]);
    const bin = join(folder, 'node_modules', '.bin', 'prompt-registry-contract');
    const { stdout } = await run(NODE, [bin, '--url', url, '--key', key, '--only', 'listPacks'], {
      cwd: folder,
      env: { ...ENV, TAP: '' },
      maxBuffer: 64 * 1024 * 1024,
    });
    t.match(stdout, /listPacks/u);
    t.notMatch(stdout, /^not ok/mu);
    t.notOk(readdirSync(join(folder, 'node_modules')).includes('tap'), 'no test framework is with it');
  });

  t.test('the plugin, in the example application', async (t) => {
    const folder = await install(t, [plugin.tarball], 'fastify@5.12.8');
    const installed = join(folder, 'node_modules', '@prompt-registry', 'fastify');
    const example = 'my coach'; // folders of people have blanks in their names
    cpSync(join(installed, 'examples', 'embedded'), join(folder, example), {
      recursive: true,
      filter: (path) => !path.endsWith('package.json'),
    });
    t.equal(await compile(folder, `${example}/coach-service.ts`), '', 'its types are whole');
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      optionalDependencies?: object;
    };
    t.equal(manifest.optionalDependencies, undefined, 'it does not bring its own Node');
    t.strictSame(deadLinks(installed), []);

    const service = spawn(NODE, ['coach-service.ts'], {
      cwd: join(folder, example),
      env: { ...ENV, PORT: '0', OPERATOR_TOKEN: 'token' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => service.kill('SIGKILL'));
    const origin = await listening(service.stdout);
    const ask = async (path: string, body?: object, authorization = '') => {
      const answer = await fetch(
        `${origin}${path}`,
        body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { 'content-type': 'application/json', authorization },
              body: JSON.stringify(body),
            },
      );
      return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
    };
    t.match(await ask('/prompts'), [200, { version: '1.1.0', styles: ['supportive', 'direct'] }]);
    const [status, session] = await ask('/sessions', { style: 'direct' });
    t.match([status, session], [201, { version: '1.1.0', style: 'direct' }]);
    t.match(await ask('/operator/activate', { version: '1.0.0', reason: 'Too direct' }), [
      401,
      { error: /operators/u },
    ]);
    t.match(await ask('/operator/activate', { version: '1.0.0', reason: 'Too direct' }, 'Bearer token'), [
      200,
      { version: '1.0.0', previousVersion: '1.1.0' },
    ]);
    t.match(await ask('/sessions', { style: 'direct' }), [422, { error: /supportive/u }]);
    t.match(await ask('/operator/rollback', { reason: ' ' }, 'Bearer token'), [
      400,
      { errors: [{ parameter: 'reason' }] },
    ]);
    t.match(await ask(`/sessions/${String(session['sessionId'])}/turns`, { message: 'I am stuck.' }), [
      200,
      {
        version: '1.1.0',
        messages: [
          { role: 'system', content: /Say what you see/u },
          { role: 'user', content: 'I am stuck.' },
        ],
      },
    ]);
    t.match(await ask('/operator/rollback', { reason: 'It was not the style' }, 'Bearer token'), [
      200,
      { version: '1.1.0', previousVersion: '1.0.0' },
    ]);
    t.match(await ask('/sessions/forged/turns', { message: 'x' }), [404, { error: String }]);
    const rollOut = (percent: number) =>
      ask('/operator/rollout', { version: '1.0.0', percent, reason: 'Is it too direct?' }, 'Bearer token');
    t.match(await rollOut(50), [200, { version: '1.0.0', stable: '1.1.0', percent: 50 }]);
    t.match(await ask('/prompts'), [200, { version: '1.1.0', rollout: { version: '1.0.0', percent: 50 } }]);
    const users = Array.from({ length: 40 }, (_, index) => `u-${index}`);
    const versionsOf = () =>
      Promise.all(users.map(async (user) => (await ask(`/prompts/supportive?user=${user}`))[1]['version']));
    const first = await versionsOf();
    t.strictSame([...new Set(first)].sort(), ['1.0.0', '1.1.0'], 'some users get it');
    for (const user of [users[first.indexOf('1.0.0')], users[first.indexOf('1.1.0')]])
      t.equal(
        (await ask('/sessions', { user }))[1]['version'],
        first[users.indexOf(user ?? '')],
        'so do their sessions',
      );
    t.match(await rollOut(100), [200, { percent: 100 }]);
    t.strictSame(new Set(await versionsOf()), new Set(['1.0.0']));
    t.match(await ask('/prompts/supportive'), [200, { version: '1.1.0' }], 'without a user it is the stable one');
    const back = { reason: 'It was not direct enough' };
    t.match(await ask('/operator/rollback', back, 'Bearer token'), [
      200,
      { version: '1.1.0', previousVersion: '1.1.0' },
    ]);
    t.strictSame(new Set(await versionsOf()), new Set(['1.1.0']), 'back in one step');
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGTERM');
    t.equal(await ended, 0, 'it ends in good order');

    writeFileSync(
      join(folder, 'database.ts'),
      `
      import { StartRefused } from '@prompt-registry/fastify';
      import { openPostgresStore } from '@prompt-registry/fastify/stores/postgres';
      try {
        openPostgresStore({ url: 'postgres://registry@db.example/registry' });
      } catch (error) {
        console.log(error instanceof StartRefused && error.message);
      }
    `,
    );
    t.match(
      (await run(NODE, ['database.ts'], { cwd: folder, env: ENV })).stdout,
      /which is not installed: npm install pg$/mu,
      'without its driver the store says what is missing',
    );
  });
});

t.test('the lines of docs/clients.md pack and install what they name', async (t) => {
  const section =
    readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8')
      .split(/^## /mu)
      .find((part) => part.startsWith('Installing the packages')) ?? '';
  const [packing = '', installing = ''] = [...section.matchAll(/^```bash\n([\s\S]*?)^```$/gmu)].map(([, text]) => text);
  const bash = (script: string, cwd: string, env: Readonly<Record<string, string>> = {}) =>
    run('bash', ['-euo', 'pipefail', '-c', script], {
      cwd,
      env: { ...ENV, PATH, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
  const registry = newFolder(t);
  t.match(packing, /^npm run package$/mu); // done before these tests
  const elsewhere = packing.replace(/^npm run package$/mu, '').replaceAll(/\bpacked\b/gu, `${registry}/packed`);
  await bash(elsewhere, ROOT);

  const lines = installing.trim().split('\n');
  const bins = [[], ['prompt-registry'], ['prompt-registry-contract'], [], ['prompt-registry-server']];
  t.equal(lines.length, bins.length);
  for (const [index, line] of lines.entries()) {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    await bash(line.replace('npm install', 'npm install --prefer-offline --no-audit --no-fund'), folder, {
      REGISTRY: registry,
    });
    for (const bin of bins[index] ?? [])
      t.match((await bash(`npx --no-install ${bin} --version`, folder)).stdout, /^\d+\.\d+\.\d+/u, line);
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    t.ok(Object.keys({ ...dependencies, ...devDependencies }).length > 0, line);
  }
});

/** Links of the pages in a folder that lead to nothing in it; `page -> target`. */
function deadLinks(folder: string): string[] {
  const pages = globSync('**/*.md', { cwd: folder, exclude: ['node_modules'] });
  if (pages.length === 0) throw new Error(`There is no page in ${folder}.`);
  return pages.flatMap((page) =>
    [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#\s]+)/gu)]
      .map(([, target = '']) => target)
      .filter(
        (target) =>
          !existsSync(join(folder, page, '..', target)) ||
          relative(folder, join(folder, page, '..', target)).startsWith('..'),
      )
      .map((target) => `${page} -> ${target}`),
  );
}

/** Where the service says that it listens. */
async function listening(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [address] = /http:\/\/127\.0\.0\.1:\d+/u.exec(line) ?? [];
    if (address !== undefined) {
      output.resume();
      return address;
    }
  }
  throw new Error('The service ended before it listened.');
}
