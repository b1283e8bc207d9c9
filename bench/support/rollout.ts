/** The rollout that reads are measured under, and the people who read. */
import type { Audience } from '../../registry/index.ts';
import { versionNames } from './fill.ts';
import { openRegistry } from './registry.ts';

/** The pack that the rollout runs in; the default pack has none. */
export const ROLLED_OUT = 'pack-001';

/** One condition of each kind that clients for feature flags know too. */
export const AUDIENCE = {
  conditions: [
    { attribute: 'country', operator: 'in', values: ['de', 'at', 'ch'] },
    { attribute: 'plan', operator: 'equals', values: ['pro'] },
    { attribute: 'locale', operator: 'startsWith', values: ['de-', 'en-'] },
    { attribute: 'age', operator: 'greaterThan', values: ['17'] },
    { attribute: 'appVersion', operator: 'semver', values: ['>=2.1.0'] },
  ],
} as const satisfies Audience;

/** Percent of the audience that gets the candidate. */
export const SHARE = 10;

/** Somebody who takes part: all conditions are looked at. */
export interface Person {
  readonly subject: string;
  readonly attributes: Readonly<Record<'country' | 'plan' | 'locale' | 'age' | 'appVersion', string>>;
}

/** So many people, the same in each run. */
export function people(count: number): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    subject: `user-${index * 7919}`,
    attributes: {
      country: ['de', 'at', 'ch'][index % 3] ?? '',
      plan: 'pro',
      locale: index % 2 === 0 ? 'de-DE' : 'en-GB',
      age: String(18 + (index % 60)),
      appVersion: `2.${1 + (index % 9)}.${index % 5}`,
    },
  }));
}

/** The parameters of a read for a person, as browsers write them. */
export function queryOf({ subject, attributes }: Person): string {
  const query = new URLSearchParams({ subject });
  for (const [name, value] of Object.entries(attributes)) query.append('attribute', `${name}:${value}`);
  return String(query);
}

/** Starts the rollout in a data folder with that pack, whose highest version is active. */
export async function startRollout(dataDir: string): Promise<void> {
  const registry = await openRegistry(dataDir);
  const [version = ''] = versionNames(1);
  const plan = { steps: [{ share: SHARE }], finish: 'wait', audience: AUDIENCE } as const;
  await registry.rollouts.start({ pack: ROLLED_OUT, version, ...plan, reason: 'Warmer openings' });
  await registry.close();
}
