/**
 * The service as a package: packed, installed into an empty folder with its dependencies only, and run there by its command.
 *
 * The command is started as a supervisor starts it: by its link in `node_modules/.bin`, in its own working directory.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { installTool } from '../../scripts/tools.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import { ENV, install, NODE, pack, PATH } from '../support/apps/packed.ts';
import { newFolder } from '../support/process/folder.ts';
import { startServer, type Settings } from '../support/apps/server-process.ts';

const run = promisify(execFile);
const OLDER = join(installTool('older-node'), 'node_modules', `older-node-linux-${process.arch}`, 'bin', 'node');

t.test('the package of the service', async (t) => {
  const { tarball } = await pack('dist/server', newFolder(t));
  const folder = await install(t, [tarball]);
  const installed = join(folder, 'node_modules', '@prompt-registry', 'server');
  const script = join(folder, 'node_modules', '.bin', 'prompt-registry-server');
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
    dependencies: Record<string, string>;
    optionalDependencies?: object;
  };

  /** Runs the command to its end. @returns exit code, stdout and stderr */
  const command = (args: readonly string[], env: Settings = {}, node = NODE) =>
    run(node, [script, ...args], { cwd: folder, env: { PATH, ...env } }).then(
      (said) => ({ code: 0, ...said }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
    );
  /** Starts the service, in a new working directory by default. */
  const start = (t: Test, settings: Settings, args: readonly string[] = [], cwd = newFolder(t)) =>
    startServer(t, settings, { script, args, cwd });

  t.test('has one command, pinned dependencies, and not its own Node or development tools', async (t) => {
    t.strictSame(Object.keys(manifest.bin), ['prompt-registry-server']);
    t.equal(manifest.optionalDependencies, undefined);
    t.strictSame(
      Object.entries(manifest.dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/u.test(version)),
      [],
      'every version is exact',
    );
    t.strictSame(
      readdirSync(join(folder, 'node_modules')).filter((name) => /^(?:tap|typescript|node-linux.*)$/u.test(name)),
      [],
    );
    t.match(
      await run('npx', ['--no-install', '@prompt-registry/server', '--version'], {
        cwd: folder,
        env: { ...ENV, PATH },
      }),
      {
        stdout: /^\d+\.\d+\.\d+\n$/u,
      },
    );
  });

  t.test('serves the example packs, rolls back, ends on SIGTERM, and keeps its data in ./data', async (t) => {
    const cwd = newFolder(t);
    const settings = { DATA_DIR: join(cwd, 'data') };
    // DATA_DIR is not set for the service: ./data of the working directory is its default.
    const first = await start(t, { DATA_DIR: '' }, [], cwd);
    const key = readFileSync(join(settings.DATA_DIR, 'operator.key'), 'utf8').trim();
    const ask = async (address: string, path: string, body?: object) => {
      const answer = await fetch(`${address}/v1/${path}`, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
      return [answer.status, (await answer.json()) as object] as const;
    };
    t.match(await ask(first.address, 'prompts/styles'), [200, { pack: 'coach', version: '2.0.0' }]);
    for (const [move, body, version] of [
      ['activations', { version: '1.0.0', reason: 'Too blunt' }, '1.0.0'],
      ['rollback', { reason: 'It was not' }, '2.0.0'],
      ['rollback', { reason: 'It was', toVersion: '1.0.0' }, '1.0.0'],
    ] as const)
      t.match(await ask(first.address, `packs/coach/${move}`, body), [201, { version }]);
    t.equal((await fetch(`${first.address}/docs/`)).status, 200, 'Swagger UI finds its files');
    const { code, stderr } = await first.stop();
    t.equal(code, 0);
    t.match(stderr, `Packs: the examples of this package (${join(installed, 'packs')})`);
    t.match(stderr, `Data: ${settings.DATA_DIR} (DATA_DIR)`);

    const second = await start(t, { DATA_DIR: '' }, [], cwd);
    t.match(await ask(second.address, 'prompts/styles'), [200, { version: '1.0.0' }]);
    t.equal((await second.stop()).code, 0);
  });

  t.test('--packs serves other packs, and wins over PACKS_DIR', async (t) => {
    const packs = newFolder(t);
    writePackFolder(packs, 'coach', documentOf('coach', '7.0.0'));
    const settings = { DATA_DIR: join(newFolder(t), 'data') };
    for (const [args, env] of [
      [['--packs', packs], { PACKS_DIR: '/nowhere' }],
      [[], { PACKS_DIR: packs }],
    ] as const) {
      const server = await start(t, { ...settings, ...env }, args);
      t.match(await (await server.ask('/v1/prompts/styles')).json(), { version: '7.0.0' });
      t.match((await server.stop()).stderr, `Packs: ${packs}\n`);
    }
  });

  t.test('finds the packages of traces and of PostgreSQL', async (t) => {
    const server = await start(t, {
      DATA_DIR: join(newFolder(t), 'data'),
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      STORE_URL: 'postgres://registry@127.0.0.1:9/registry',
    });
    t.equal((await fetch(`${server.address}/livez`)).status, 200);
    t.equal((await fetch(`${server.address}/readyz`)).status, 503, 'it waits for the database');
    t.notMatch((await server.stop()).stderr, /not installed|Cannot find/u);
  });

  t.test('says how to use it', async (t) => {
    t.match(await command(['--help']), { code: 0, stdout: /Usage: [^]*--packs DIR[^]*keys:recover[^]*DATA_DIR/u });
    for (const [args, says] of [
      [['--port', '3000'], /--port/u],
      [['start'], /no command "start"/u],
      [['--packs'], /--packs/u],
      [['--packs', ''], /--packs is empty/u],
    ] as const)
      t.match(await command(args, { DATA_DIR: '/nowhere' }), { code: 2, stdout: '', stderr: says });
    t.match(await command([], { PORT: 'none' }), { code: 78, stderr: /PORT="none" is wrong/u });
  });

  t.test('the tools of the host are its commands', async (t) => {
    const DATA_DIR = join(newFolder(t), 'data');
    await (await start(t, { DATA_DIR })).stop();
    const key = readFileSync(join(DATA_DIR, 'operator.key'), 'utf8');
    t.match(await command(['keys:recover', '--help'], { DATA_DIR }), {
      code: 0,
      stdout: /^Usage: prompt-registry-server keys:recover/u,
    });
    t.match(await command(['keys:recover'], { DATA_DIR }), { code: 0, stdout: /Made the operator key/u });
    t.not(readFileSync(join(DATA_DIR, 'operator.key'), 'utf8'), key);
    t.match(await command(['audit:verify', '--json'], { DATA_DIR }), { code: 0, stdout: /"valid":true/u });
    t.match(await command(['backup', join(folder, 'registry.backup')], { DATA_DIR }), { code: 0, stdout: /^Wrote / });
    t.match(await command(['audit:verify', '--head', 'x'], { DATA_DIR }), { code: 2, stderr: /--head "x"/u });
    t.match(await command(['backup', join(DATA_DIR, '..', 'backup.db')], { DATA_DIR }), { code: 0, stdout: /^Wrote / });
    t.match(await command(['backup'], { DATA_DIR }), { code: 1, stderr: /Usage: prompt-registry-server backup FILE/u });
    t.match(await command(['restore:accept', '--reason', 'A test'], { DATA_DIR }), { code: 0, stdout: /^Accepted: / });
  });

  t.test(
    'an older Node says what is needed',
    { skip: existsSync(OLDER) ? false : 'there is no Node 20 for this platform' },
    async (t) => {
      const { code, stdout, stderr } = await command(['--version'], {}, OLDER);
      t.equal(stdout, '');
      t.match(stderr, /^prompt-registry-server needs Node 24 or later; this is Node 20\.\S+ \(.*\)\.\n$/u);
      t.equal(code, 70);
    },
  );
});
