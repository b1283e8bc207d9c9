/**
 * Clients for feature flags that the TypeScript client is compared with. They are installed in tools/peers, so their types cannot be imported:
 * here is what is used of them. Each is given its flags, asks nobody and reports nothing.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installTool } from '../../scripts/tools.ts';

/** Where nothing listens: the clients answer from what they are given. */
export const NOWHERE = 'http://127.0.0.1:1';

export interface GrowthBook {
  initSync(options: { readonly payload: object }): void;
  getFeatureValue(key: string, fallback: string, user?: { readonly attributes: object }): string;
  destroy(): void;
}

export interface Unleash {
  on(event: 'error' | 'warn', listener: () => void): void;
  once(event: 'ready', listener: (value: unknown) => void): void;
  isEnabled(name: string, context: object): boolean;
  getVariant(name: string, context: object): { readonly payload?: { readonly value: string } };
  destroy(): void;
}

export interface FlagdCore {
  setConfigurations(flags: string): void;
  resolveStringEvaluation(key: string, fallback: string, context: object): { readonly value: string };
}

interface Classes {
  readonly GrowthBook: new (options: object) => GrowthBook;
  readonly GrowthBookClient: new (options: object) => GrowthBook;
  readonly Unleash: new (options: object) => Unleash;
  readonly FlagdCore: new () => FlagdCore;
}

/** @throws Error where they cannot be installed */
function load<Name extends keyof Classes>(module: string, name: Name): Classes[Name] {
  const require = createRequire(join(installTool('peers'), 'package.json'));
  return (require(module) as Pick<Classes, Name>)[name];
}

/** For one user. */
export function growthBookFor(user: object, features: object): GrowthBook {
  return initialised(new (load('@growthbook/growthbook', 'GrowthBook'))({ attributes: user }), features);
}

/** For many users: each question names one. */
export function growthBook(features: object): GrowthBook {
  return initialised(new (load('@growthbook/growthbook', 'GrowthBookClient'))({}), features);
}

function initialised(client: GrowthBook, features: object): GrowthBook {
  client.initSync({ payload: { features } });
  return client;
}

export function flagd(flags: object): FlagdCore {
  const core = new (load('@openfeature/flagd-core', 'FlagdCore'))();
  core.setConfigurations(JSON.stringify({ flags }));
  return core;
}

/** @param features what the flags differ in */
export async function unleashWith(
  features: readonly {
    readonly name: string;
    readonly strategies: readonly object[];
    readonly variants: readonly object[];
  }[],
): Promise<Unleash> {
  const data = features.map((feature) => ({
    type: 'release',
    enabled: true,
    stale: false,
    project: 'default',
    impressionData: false,
    ...feature,
  }));
  const unleash = new (load('unleash-client', 'Unleash'))({
    url: NOWHERE,
    appName: 'bench',
    disableMetrics: true,
    refreshInterval: 0,
    skipInstanceCountWarning: true,
    bootstrap: { data },
  });
  unleash.on('error', () => undefined); // there is no server to ask
  unleash.on('warn', () => undefined);
  await new Promise((resolve) => unleash.once('ready', resolve));
  return unleash;
}
