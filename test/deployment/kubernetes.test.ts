/**
 * The manifests for Kubernetes: they follow the published schemas, what they refer to exists, and they fit the service and its image.
 *
 * No cluster runs here. A wrong name in a manifest is no error to Kubernetes (a selector that selects nothing, a setting that nobody reads),
 * so the references are compared one by one.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { installTool } from '../../scripts/tools.ts';
import { ENV, NODE } from '../support/apps/packed.ts';
import { openApp } from '../support/apps/app.ts';
import { withRoutes } from '../support/apps/routes.ts';
import { ROOT } from '../support/apps/server-process.ts';
import {
  FOLDER,
  kustomization,
  manifestOf,
  manifests,
  type Manifest,
  type Pod,
} from '../support/deployment/manifests.ts';
import { settingNames, shutdownSeconds } from '../support/deployment/service-facts.ts';
import { newFolder } from '../support/process/folder.ts';
import { words } from '../support/process/words.ts';

const run = promisify(execFile);
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const version = (JSON.parse(textOf('package.json')) as { version: string }).version;
const dockerfile = textOf('Dockerfile');
const deployment = manifestOf('Deployment');
const budget = manifestOf('PodDisruptionBudget');
const { spec: pod, metadata } = deployment.spec.template;
const [container] = pod.containers;
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;

/** Checks manifests against the published schemas: unknown members by the types, formats and quantities by the checks. @returns all faults */
async function schemaFaults(folder: string, all: readonly Manifest[]): Promise<string> {
  const text = all.map(
    (manifest, n) => `
      import { ${manifest.kind} as Kind${n}, type I${manifest.kind} as Manifest${n} } from 'kubernetes-models/${manifest.apiVersion}';
      const manifest${n}: Manifest${n} = ${JSON.stringify(manifest)};
      try { new Kind${n}(manifest${n}).validate(); } catch (error) { console.log(String(error)); }`,
  );
  writeFileSync(join(folder, 'check.ts'), text.join('\n'));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const options = words`--noEmit --strict --skipLibCheck --target ES2024 --module NodeNext --allowImportingTsExtensions`;
  const said = async (args: readonly string[]) =>
    run(NODE, args, { cwd: folder, env: ENV }).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    );
  return (await said([tsc, ...options, 'check.ts'])) + (await said(['check.ts']));
}

t.test('the manifests follow the published schemas', async (t) => {
  const folder = newFolder(t);
  symlinkSync(join(installTool('kubernetes-schema'), 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  t.equal(await schemaFaults(folder, [...manifests.values()]), '');
  const planted = (change: (spec: Pod) => void) => {
    const copy = structuredClone(deployment);
    change(copy.spec.template.spec);
    return copy;
  };
  const faults = await schemaFaults(folder, [
    planted(({ containers }) => Object.assign(containers[0], { livenesProbe: {} })),
    planted(({ containers }) => (containers[0].ports[0]!.containerPort = '3000')),
    planted(({ containers }) => (containers[0].resources.limits.memory = '512 MB')),
  ]);
  t.match(faults, /livenesProbe/u, 'control: an unknown member is found');
  t.match(faults, /not assignable to type 'number'/u, 'control: a wrong type is found');
  t.match(faults, /memory/u, 'control: a wrong quantity is found');
});

t.test('the kustomization lists every manifest, and the version of the project', async (t) => {
  t.strictSame([...kustomization.resources].sort(), [...manifests.keys()]);
  t.match(kustomization.images, [{ name: container.image, newTag: version }]);
  t.equal(manifests.size, new Set([...manifests.values()].map(({ kind }) => kind)).size, 'one of each kind');
  t.strictSame(
    [...manifests.values()].filter(({ metadata }) => metadata.name !== 'prompt-registry').map(({ kind }) => kind),
    [],
  );
});

const noKubectl = spawnSync('kubectl', ['version', '--client']).status === 0 ? false : 'kubectl is not installed';
t.test('kubectl builds it', { skip: noKubectl }, async (t) => {
  const { stdout } = await run('kubectl', ['kustomize', FOLDER], { env: ENV });
  const built = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  t.equal(built.length, manifests.size + 1, 'the manifests and the settings');
  const [{ image, envFrom }] = manifestOf('Deployment', built).spec.template.spec.containers;
  t.equal(image, `prompt-registry:${version}`);
  const settings = built.find(({ kind }) => kind === 'ConfigMap')?.metadata.name;
  t.equal(envFrom[0]?.configMapRef.name, settings, 'a change of the settings restarts the pods');
});

t.test('every selector selects the pods', async (t) => {
  const selectors = [
    manifestOf('Service').spec.selector,
    deployment.spec.selector.matchLabels,
    budget.spec.selector.matchLabels,
    manifestOf('NetworkPolicy').spec.podSelector.matchLabels,
    ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
  ];
  t.equal(selectors.length, 6);
  for (const selector of selectors) t.strictSame(selector, metadata.labels);
  t.equal(pod.serviceAccountName, manifestOf('ServiceAccount').metadata.name);
});

t.test('every port is the one that the service listens on', async (t) => {
  const [port] = container.ports;
  t.equal(String(port?.containerPort), valueOf('PORT'));
  const named = [
    ...manifestOf('Service').spec.ports.map(({ targetPort }) => targetPort),
    ...manifestOf('NetworkPolicy').spec.ingress.flatMap(({ ports }) => ports.map((each) => each.port)),
    ...PROBES.map((probe) => container[probe].httpGet.port),
  ];
  t.strictSame(
    named,
    named.map(() => port?.name),
  );
});

t.test('every probe is a route that needs no key', async (t) => {
  const { routes } = await withRoutes(() => openApp(t, { store: 'memory' }));
  const paths = PROBES.map((probe) => container[probe].httpGet.path);
  t.strictSame(paths, ['/livez', '/livez', '/readyz']);
  for (const path of paths)
    t.ok(
      routes.some(({ method, url, scope }) => method === 'GET' && url === path && scope === 'open'),
      path,
    );
});

t.test('every setting is one of the service, and every file is mounted', async (t) => {
  const [settings] = kustomization.configMapGenerator;
  t.strictSame(
    container.envFrom.map(({ configMapRef }) => configMapRef.name),
    [settings.name],
  );
  const names = [
    ...container.env.map(({ name }) => name),
    ...settings.literals.map((literal) => literal.slice(0, literal.indexOf('='))),
  ];
  t.strictSame(
    names.filter((name) => !settingNames().includes(name)),
    [],
  );
  const mounts = container.volumeMounts;
  t.strictSame(mounts.map(({ name }) => name).sort(), pod.volumes.map(({ name }) => name).sort());
  const files = mounts.flatMap(({ name, mountPath }) =>
    (pod.volumes.find((volume) => volume.name === name)?.secret?.items ?? []).map(({ path }) => `${mountPath}/${path}`),
  );
  t.strictSame(files, [valueOf('STORE_URL_FILE')]);
  const dataDir = valueOf('DATA_DIR');
  t.ok(
    mounts.some(({ mountPath, readOnly }) => mountPath === dataDir && readOnly !== true),
    'DATA_DIR can be written',
  );
  t.match(dockerfile, new RegExp(`DATA_DIR=${dataDir}$`, 'mu'), 'it is the folder that the image prepares');
});

t.test('the pods have no more rights than they need', async (t) => {
  // The level "restricted" of https://kubernetes.io/docs/concepts/security/pod-security-standards, and a root that is read-only.
  const { runAsUser, runAsGroup, fsGroup, ...others } = pod.securityContext;
  t.strictSame(others, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  t.match(dockerfile, `USER ${runAsUser}:${runAsGroup}`);
  t.equal(fsGroup, runAsGroup, 'the service can read the secret');
  t.strictSame(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  t.equal(pod.automountServiceAccountToken, false);
  t.equal(manifestOf('ServiceAccount').automountServiceAccountToken, false);
  t.strictSame(
    ['hostNetwork', 'hostPID', 'hostIPC'].filter((member) => member in pod),
    [],
  );
  t.ok(
    pod.volumes.every((volume) => 'emptyDir' in volume || 'secret' in volume),
    'no folder of the node',
  );
});

t.test('a restart of the pods loses no request', async (t) => {
  t.equal(deployment.spec.replicas, 2);
  t.equal(deployment.spec.strategy.rollingUpdate.maxUnavailable, 0);
  t.equal(budget.spec.maxUnavailable, 1);
  const pause = container.lifecycle.preStop.sleep.seconds;
  const { periodSeconds, failureThreshold } = container.readinessProbe;
  t.ok(pause > periodSeconds * failureThreshold, 'a balancer that asks /readyz itself has the time to notice');
  t.ok(pod.terminationGracePeriodSeconds > pause + shutdownSeconds(), 'the shutdown has the time that it may take');
});

/** A setting of the container. */
function valueOf(setting: string): string | undefined {
  return container.env.find(({ name }) => name === setting)?.value;
}
