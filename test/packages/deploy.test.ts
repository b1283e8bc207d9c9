/**
 * A deployer copies the repository, installs without the development tools, and starts: by each of the ways in which npm leaves them out, with
 * npm on the project's Node and on an older one.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t from 'tap';
import { installTool } from '../../scripts/tools.ts';
import { newFolder } from '../support/process/folder.ts';
import { ROOT } from '../support/apps/server-process.ts';

const run = promisify(execFile);
/** What npm and the service see: nothing of this run's own settings but where to find programs, and how to reach the registry. */
const INHERITED =
  /^(?:PATH|HOME|LANG|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_(?:registry|cache|userconfig|globalconfig))$/iu;
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name)));

/** What installing and running makes; the rest of a checkout is what git holds. */
const MADE = /^(?:node_modules|\.git|\.tap|dist|data|data-.*|coverage|.*\.tsbuildinfo)$/u;

const OLDER_NODE = join(installTool('older-node'), 'node_modules', `older-node-linux-${process.arch}`, 'bin');

const WAYS: readonly {
  readonly title: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly node: string;
}[] = [
  { title: 'npm ci --omit=dev', args: ['--omit=dev'], node: dirname(process.execPath) },
  { title: 'NODE_ENV=production npm ci, on Node 20', args: [], env: { NODE_ENV: 'production' }, node: OLDER_NODE },
  {
    title: 'npm ci --omit=dev --omit=optional, with an installed Node 24',
    args: ['--omit=dev', '--omit=optional'],
    node: dirname(process.execPath),
  },
];

for (const { title, args, env, node } of WAYS) {
  t.test(title, { skip: existsSync(join(node, 'node')) ? false : `there is no ${node}/node` }, async (t) => {
    const folder = join(newFolder(t), 'checkout');
    cpSync(ROOT, folder, {
      recursive: true,
      filter: (path) => path === ROOT || path === join(ROOT, 'test', 'fixtures') || !MADE.test(basename(path)),
    });
    rmSync(join(folder, 'test'), { recursive: true }); // the service runs without it
    const settings = { ...ENV, ...env, PATH: `${node}:${ENV['PATH'] ?? ''}` };
    const installed = await run('npm', ['ci', '--prefer-offline', ...args], {
      cwd: folder,
      env: settings,
      maxBuffer: 64 * 1024 * 1024,
    });
    t.notMatch(installed.stdout + installed.stderr, /ERESOLVE|npm warn deprecated/u);
    t.match(installed.stdout, 'The clients are not built: the development tools are not installed');
    for (const name of ['tap', 'typescript', 'eslint'])
      t.notOk(existsSync(join(folder, 'node_modules', name)), `without ${name}`);

    const service = spawn('npm', ['start'], {
      cwd: folder,
      env: { ...settings, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    t.teardown(
      () => service.exitCode === null && service.signalCode === null && process.kill(-(service.pid ?? 0), 'SIGKILL'),
    );
    const closed = once(service, 'close');
    let address: string | undefined;
    for await (const line of createInterface({ input: service.stdout })) {
      address ??= /Listening at (http:[^"\s]+)/u.exec(line)?.[1];
      if (line.includes('API documentation')) break;
    }
    service.stdout.resume();
    t.equal((await fetch(`${address ?? ''}/readyz`)).status, 200, 'it is ready');
    service.kill('SIGTERM');
    t.strictSame(await closed, [0, null]);
  });
}
