/** The manifests of deploy/kubernetes, with the types of what the tests read. A schema check proves that they have this shape. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../apps/server-process.ts';

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels: Labels;
}
interface Named {
  readonly name: string;
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Named;
}

export interface Container {
  image: string;
  ports: { name: string; containerPort: number | string }[];
  env: { name: string; value: string }[];
  envFrom: { configMapRef: Named }[];
  securityContext: object;
  resources: { requests: { memory: string }; limits: { memory: string } };
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
  lifecycle: { preStop: { sleep: { seconds: number } } };
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

export interface Pod {
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: { runAsUser: number; runAsGroup: number; fsGroup: number };
  topologySpreadConstraints: { labelSelector: Selector }[];
  containers: [Container];
  volumes: { name: string; emptyDir?: object; secret?: { items: { path: string }[] } }[];
}

export interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly rollingUpdate: { readonly maxUnavailable: number } };
    readonly selector: Selector;
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
  };
}

interface Kinds {
  Deployment: Deployment;
  Service: Manifest & {
    readonly spec: { readonly selector: Labels; readonly ports: { readonly targetPort: string }[] };
  };
  PodDisruptionBudget: Manifest & { readonly spec: { readonly maxUnavailable: number; readonly selector: Selector } };
  NetworkPolicy: Manifest & {
    readonly spec: {
      readonly podSelector: Selector;
      readonly ingress: { readonly ports: { readonly port: string }[] }[];
    };
  };
  ServiceAccount: Manifest & { readonly automountServiceAccountToken: boolean };
}

export interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator: readonly [{ readonly name: string; readonly literals: readonly string[] }];
}

export const FOLDER = join(ROOT, 'deploy', 'kubernetes');
const read = (file: string): unknown => parse(readFileSync(join(FOLDER, file), 'utf8'));

export const kustomization = read('kustomization.yaml') as Kustomization;

/** All manifests, by their files. */
export const manifests: ReadonlyMap<string, Manifest> = new Map(
  globSync('*.yaml', { cwd: FOLDER })
    .filter((file) => file !== 'kustomization.yaml')
    .sort()
    .map((file) => [file, read(file) as Manifest]),
);

/** The manifest of a kind. @throws Error if it is missing */
export function manifestOf<K extends keyof Kinds>(kind: K, among: Iterable<Manifest> = manifests.values()): Kinds[K] {
  const found = [...among].find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`There is no ${kind}.`);
  return found as Kinds[K];
}
