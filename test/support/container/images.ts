/**
 * Container images without a daemon: Debian's buildah builds the Dockerfile, on a base that mmdebstrap makes.
 *
 * Problem: the image must be tested without Docker and without an image registry to pull a base from.
 * Rule: the base is made of Debian packages from the machine's own sources, of the Node that runs the tests, and of the machine's npm. All that
 * buildah stores is in a folder of the test.
 * Example: `const images = openImages(t); await images.build(context, await makeBase(images))`.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { newFolder } from '../process/folder.ts';

/** What the image says about itself, in Docker's form (https://github.com/moby/docker-image-spec). Durations are in nanoseconds. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Healthcheck: { readonly Test: readonly string[]; readonly Timeout: number };
  readonly Labels: Readonly<Record<string, string>>;
  readonly Volumes: object | null;
}

/** The files of a container, which starts as its image is. */
export interface Root {
  /** Where the whole tree is mounted. */
  readonly path: string;
  /** The folder with all that was added or changed since the image. */
  readonly changes: string;
}

export interface Images {
  /** A folder for whatever else the test makes; it goes with the images. */
  readonly folder: string;
  /** Makes an image of a tree. @param tar the tree @param env e.g. `PATH=/usr/bin` @returns the image's name */
  load(tar: string, env: string): Promise<string>;
  /** Builds the Dockerfile of a folder. @param base the image that it starts from @returns the image's name */
  build(context: string, base: string): Promise<string>;
  configOf(image: string): Promise<ImageConfig>;
  /** Mounts a container's files. They go with the images. */
  mount(image: string): Promise<Root>;
}

const PROGRAMS = { buildah: '/usr/bin/buildah', mmdebstrap: '/usr/bin/mmdebstrap', runc: '/usr/sbin/runc' };
export const RUNC = PROGRAMS.runc;
/** Time limit of a program, in milliseconds. */
const LIMIT = 180_000;
const NPM_CACHE = '/var/cache/npm';

const execute = promisify(execFile);

/** Runs a program to its end. @returns what it printed @throws Error with its stderr, if it fails */
async function run(program: string, args: readonly string[], env = process.env): Promise<string> {
  // NODE_OPTIONS may hold tap's hooks, which must not run in npm.
  const { NODE_OPTIONS: _, ...clean } = env;
  const options = { env: clean, timeout: LIMIT, maxBuffer: 16 * 1024 * 1024 };
  return (await execute(program, args, options)).stdout;
}

/** Why this machine cannot build and run containers; false if it can. */
export function whyNoContainers(): string | false {
  if (process.getuid?.() !== 0) return 'only root can make the base of an image';
  for (const [name, path] of Object.entries(PROGRAMS))
    if (!existsSync(path)) return `${path} is not installed; apt-get install ${name} brings it`;
  const { status, stderr } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  return status === 0 ? false : `this machine allows no namespaces: ${stderr.trim()}`;
}

/** Opens an empty store for images. They are removed with the test. */
export function openImages(t: Test): Images {
  const folder = newFolder(t);
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay'];
  const buildah = async (...args: string[]) => (await run(PROGRAMS.buildah, [...store, ...args])).trim();
  t.teardown(() => buildah('rm', '--all'));

  return {
    folder,
    load: async (tar, env) => {
      const container = await buildah('from', 'scratch');
      await buildah('add', '--quiet', container, tar, '/');
      await buildah('config', '--env', env, container);
      await buildah('commit', '--quiet', '--rm', container, 'base');
      return 'localhost/base';
    },
    build: async (context, base) => {
      const npm = await npmSettings();
      const npmrc = join(folder, 'npmrc');
      writeFileSync(npmrc, npm.npmrc, { mode: 0o600 });
      // Docker's format: OCI's has no health check. With chroot the steps use the network of this machine.
      const how = ['--format', 'docker', '--isolation', 'chroot', '--pull=never', '--layers=false'];
      const reach = ['--secret', `id=npmrc,src=${npmrc}`, ...npm.mounts.flatMap((mount) => ['--volume', mount])];
      await buildah('build', ...how, ...reach, '--build-arg', `NODE_IMAGE=${base}`, '--tag', 'image', context);
      return 'localhost/image';
    },
    configOf: async (image) => {
      const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', image)) as {
        Docker: { config: ImageConfig };
      };
      return Docker.config;
    },
    mount: async (image) => {
      const path = await buildah('mount', await buildah('from', '--pull-never', image));
      return { path, changes: join(dirname(path), 'diff') }; // the layout of the driver "overlay"
    },
  };
}

/** How npm reaches its registry from this machine, for npm inside a build: settings, and the files that they name, as `from:to:ro` mounts. */
async function npmSettings(): Promise<{ npmrc: string; mounts: string[] }> {
  const settings = JSON.parse(await run('npm', ['config', 'list', '--json'])) as Record<string, unknown>;
  const text = (name: string) => (typeof settings[name] === 'string' ? settings[name] : undefined);
  const files = [text('globalconfig'), text('userconfig')].filter((path) => path !== undefined && existsSync(path));
  const kept = ['registry', 'proxy', 'https-proxy', 'noproxy'].flatMap((name) =>
    text(name) ? [`${name}=${text(name)}`] : [],
  );
  const authority = text('cafile') ?? process.env['NODE_EXTRA_CA_CERTS'];
  const mounts = authority === undefined ? [] : [`${authority}:${authority}:ro`];
  if (authority !== undefined) kept.push(`cafile=${authority}`);
  const cache = text('cache');
  if (cache !== undefined && existsSync(cache)) {
    mounts.push(`${cache}:${NPM_CACHE}`);
    kept.push(`cache=${NPM_CACHE}`, 'prefer-offline=true');
  }
  return { npmrc: [...files.map((path) => readFileSync(path ?? '', 'utf8')), ...kept].join('\n'), mounts };
}

/** What apt says if it cannot reach its sources. */
const NO_PACKAGES = /Failed to fetch|Unable to (?:connect|fetch)|Could not (?:connect|resolve)|Temporary failure/u;

/** The packages of the base cannot be downloaded here. */
export class BaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('the Debian packages for a base image cannot be downloaded here', { cause });
  }
}

/**
 * Makes what the official Node image is to the Dockerfile: Debian with Node and npm in /usr/local.
 *
 * @returns the image's name
 * @throws BaseUnavailable if this machine's sources of packages cannot be reached
 */
export async function makeBase(images: Images): Promise<string> {
  const tar = join(images.folder, 'base.tar');
  const sources = join(images.folder, 'sources.list');
  const format = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)';
  writeFileSync(sources, await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']));
  const apt = (await run('apt-config', ['dump', 'Acquire::http', 'Acquire::https'])).split('\n').filter(Boolean);
  const hooks = [
    'mkdir -p "$1/usr/local/bin" "$1/usr/local/lib/node_modules"',
    'echo "root:x:0:0:root:/root:/bin/sh" >"$1/etc/passwd"',
    `copy-in ${process.execPath} /usr/local/bin`,
    `copy-in ${npmFolder()} /usr/local/lib/node_modules`,
    'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
  ];
  const packages = '--include=libstdc++6,libc-bin,base-files,dash,coreutils';
  const release = /^VERSION_CODENAME=(\w+)$/mu.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  const made = run(PROGRAMS.mmdebstrap, [
    ...['--quiet', '--variant=extract', packages],
    ...hooks.map((hook) => `--extract-hook=${hook}`),
    ...apt.map((option) => `--aptopt=${option}`),
    ...[release, tar, sources],
  ]);
  await made.catch((cause: Error & { readonly stderr?: string }) => {
    throw NO_PACKAGES.test(cause.stderr ?? '') ? new BaseUnavailable(cause) : cause;
  });
  return images.load(tar, 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
}

/** The folder of the npm that this machine runs. */
function npmFolder(): string {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  const npm = paths.find((path) => existsSync(path));
  if (npm === undefined) throw new Error('There is no npm in PATH.');
  return dirname(dirname(realpathSync(npm)));
}
