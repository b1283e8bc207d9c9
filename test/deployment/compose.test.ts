/**
 * compose.yaml says what it may say, and fits what it refers to: the settings of the service, the image, the configuration of nginx.
 *
 * No Compose runs here. The image and the proxy are run by their own tests.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parse } from 'yaml';
import { readConfig } from '../../config.ts';
import { ROOT } from '../support/apps/server-process.ts';
import { settingNames, shutdownSeconds } from '../support/deployment/service-facts.ts';
import { SHIPPED as NGINX } from '../support/http/nginx.ts';

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly tmpfs: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: object;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const compose = parse(textOf('compose.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);

t.test('it is what the Compose specification allows', async (t) => {
  const { $schema: _, ...schema } = JSON.parse(textOf('test/fixtures/compose-spec/compose-spec.json')) as object & {
    $schema: string;
  };
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  validate(compose);
  t.strictSame(validate.errors, null);
  t.equal(validate({ ...compose, services: { registry: { imagine: 'nginx' } } }), false, 'a wrong file is found');
});

t.test('every service is hardened', async (t) => {
  const hardened = {
    ...{ restart: 'unless-stopped', read_only: true, cap_drop: ['ALL'] },
    security_opt: ['no-new-privileges:true'],
  };
  for (const [name, service] of services) t.match({ ...service }, { ...hardened, tmpfs: /^\/tmp(?:,|$)/u }, name);
});

t.test('without a profile there is one instance, reachable from this machine alone', async (t) => {
  const plain = services.filter(([, { profiles }]) => profiles === undefined);
  t.match(plain, [['registry', { ports: ['127.0.0.1:3000:3000'], volumes: ['registry:/data'] }]]);
  t.equal(plain.length, 1);
});

t.test('the instances fit the image', async (t) => {
  const dockerfile = textOf('Dockerfile');
  const [, port] = /^EXPOSE (\d+)$/mu.exec(dockerfile) ?? [];
  t.match(dockerfile, /^HEALTHCHECK/mu);
  t.match(dockerfile, /DATA_DIR=\/data$/mu);
  const volumes = ours.map(([, service]) => service.volumes);
  t.equal(new Set(volumes.flat()).size, ours.length, 'a DATA_DIR belongs to one instance');
  for (const [name, { build, stop_grace_period: patience = '', ...service }] of ours) {
    t.ok(statSync(join(ROOT, build ?? '', 'Dockerfile')).isFile());
    t.ok(service.volumes.every((volume) => volume.endsWith(':/data')));
    t.ok(parseInt(patience, 10) > shutdownSeconds(), `${name} has the time to finish its requests`);
    for (const each of service.ports ?? []) t.ok(each.endsWith(`:${port}`), each);
  }
});

t.test('the settings exist, and their values are right', async (t) => {
  const known = settingNames();
  for (const [, { environment = {}, secrets = [] }] of ours) {
    for (const name of Object.keys(environment)) t.ok(known.includes(name), name);
    const { PGPASSWORD_FILE: file, ...others } = environment;
    t.ok(readConfig(others));
    t.strictSame(
      file === undefined ? [] : [file],
      secrets.map((name) => `/run/secrets/${name}`),
    );
  }
});

t.test('what it names is there', async (t) => {
  for (const [name, { volumes, secrets = [], networks = [], depends_on: needs = {}, image, build }] of services) {
    for (const volume of volumes.map((each) => each.split(':')[0] ?? ''))
      t.ok(volume.startsWith('./') ? statSync(join(ROOT, volume)).isFile() : volume in compose.volumes, volume);
    for (const secret of secrets) t.ok(secret in compose.secrets, secret);
    for (const network of networks) t.ok(network in compose.networks, network);
    for (const other of Object.keys(needs)) t.ok(other in compose.services, other);
    if (build === undefined) t.match(image, /^\w+:\d+\.\d+/u, `${name} has a version`);
  }
  for (const { file } of Object.values(compose.secrets)) t.match(textOf('.gitignore'), `/${file.split('/')[0]}/`, file);
});

t.test('nginx finds the instances, its certificate, and its port', async (t) => {
  const instances = services.filter(([name, { profiles }]) => name.startsWith('registry') && profiles !== undefined);
  const servers = [...NGINX.matchAll(/^\s*server ([\w-]+):3000/gmu)].map(([, name]) => name);
  t.strictSame(
    servers,
    instances.map(([name]) => name),
  );
  const { secrets = [], ports = [], depends_on: needs = {} } = compose.services['proxy'] ?? ({} as Service);
  t.strictSame(Object.keys(needs), servers);
  const files = [...NGINX.matchAll(/\/run\/secrets\/(\S+);/gu)].map(([, name]) => name);
  t.strictSame(files, secrets);
  t.strictSame(
    ports.map((each) => each.split(':').at(-1)),
    [/listen (\d+) ssl;/u.exec(NGINX)?.[1]],
  );
});
