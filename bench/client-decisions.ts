/** S13: whether a subject gets the candidate, decided by the TypeScript client and by clients for feature flags. */
import { createPromptSource, type PromptSource } from '@prompt-registry/client';
import { channelBody } from '../routes/channels/response-bodies.ts';
import { againstOther } from './client-reads.ts';
import type { Plan } from './plan.ts';
import { KEYS, sink, type Reads } from './reads-in-process.ts';
import type { Table } from './report.ts';
import {
  flagd,
  growthBook,
  NOWHERE,
  unleashWith,
  type FlagdCore,
  type GrowthBook,
  type Unleash,
} from './support/flag-clients.ts';
import { openRegistry } from './support/registry.ts';
import { AUDIENCE, people, ROLLED_OUT, SHARE, type Person } from './support/rollout.ts';
import type { Workplace } from './support/workplace.ts';

/** The largest part of another client's time that a decision may take. */
const GOAL = { atMost: 0.2 } as const;
/** A decision takes other clients as long as many reads. */
const READS_A_DECISION = 10;
const FLAG = 'prompts';
const [COUNTRY, PLAN, LOCALE, AGE, VERSION] = AUDIENCE.conditions;

export async function decisionsOfClient(plan: Plan, workplace: Workplace): Promise<Table> {
  const everybody = people(KEYS);
  const source = await sourceUnderRollout(workplace);
  const ours: Reads = (reads) => decide(source, everybody, reads);
  const unleash = await unleashWith([{ name: FLAG, variants: [], strategies: [unleashStrategy()] }]);
  const growthbook = growthBook({ [FLAG]: growthBookFeature() });
  const core = flagd({ [FLAG]: flagdFlag() });
  const users = everybody.map(({ subject, attributes }) => ({ userId: subject, properties: attributes }));
  const contexts = everybody.map(({ subject, attributes }) => ({ targetingKey: subject, ...numbered(attributes) }));
  const targets = everybody.map(({ subject, attributes }) => ({
    attributes: { id: subject, ...numbered(attributes) },
  }));
  const others: readonly (readonly [what: string, theirs: Reads])[] = [
    ['Unleash isEnabled', (reads) => decideWithUnleash(unleash, users, reads)],
    ['GrowthBook getFeatureValue', (reads) => decideWithGrowthBook(growthbook, targets, reads)],
    ['flagd resolveStringEvaluation', (reads) => decideWithFlagd(core, contexts, reads)],
  ];
  for (const [what, theirs] of [['client', ours] as const, ...others]) checkShare(what, theirs);
  const { pairs, each } = plan.reads;
  const shorter = { ...plan, reads: { pairs, each: each / READS_A_DECISION } };
  const nothing: Reads = (reads) => countPeople(everybody, reads);
  try {
    const rows = [];
    for (const [what, theirs] of others)
      rows.push(await againstOther(shorter, `S13 client / ${what}`, ours, theirs, nothing, GOAL));
    return {
      title: 'Decisions of the TypeScript client',
      about:
        `\`source.for({subject, attributes}).assignment\`, which checks the subject and decides which arm it gets, against clients for feature flags that decide the same: ${AUDIENCE.conditions.length} conditions ` +
        `(is one of, equals, starts with, greater than, at least this version), which all hold, and a share of ${SHARE} %. Ours looks at the conditions only if the bucket is below the share. What the loop around them takes is taken off both.`,
      rows,
    };
  } finally {
    unleash.destroy();
    growthbook.destroy();
  }
}

/** A source that was given a channel with the rollout, and asks nobody. */
async function sourceUnderRollout(workplace: Workplace): Promise<PromptSource> {
  const registry = await openRegistry(await workplace.underRollout());
  const at = { pack: ROLLED_OUT, channel: registry.defaultChannel };
  const bundle = channelBody(registry.current, at);
  await registry.close();
  const source = createPromptSource({ url: NOWHERE, key: 'none', pack: ROLLED_OUT, bundle });
  await source.ready();
  await source.close();
  return source;
}

/** @throws Error if the candidate does not get about its share: then something else is measured than a decision */
function checkShare(what: string, decideFor: Reads): void {
  const before = sink.count;
  decideFor(KEYS);
  const percent = ((sink.count - before) / KEYS) * 100;
  if (Math.abs(percent - SHARE) > 5)
    throw new Error(`${what} gives the candidate to ${percent.toFixed(0)} %, not ${SHARE} %.`);
}

/** The attributes in the types of other clients, which compare numbers as numbers. */
function numbered(attributes: Person['attributes']) {
  return { ...attributes, age: Number(attributes.age) };
}

// ── The same audience and share, in the words of each client ──

function unleashStrategy(): object {
  const constraint = (contextName: string, operator: string, match: object) => ({
    contextName,
    operator,
    values: [],
    inverted: false,
    caseInsensitive: false,
    ...match,
  });
  return {
    name: 'flexibleRollout',
    parameters: { rollout: String(SHARE), stickiness: 'userId', groupId: FLAG },
    constraints: [
      constraint(COUNTRY.attribute, 'IN', { values: COUNTRY.values }),
      constraint(PLAN.attribute, 'IN', { values: PLAN.values }),
      constraint(LOCALE.attribute, 'STR_STARTS_WITH', { values: LOCALE.values }),
      constraint(AGE.attribute, 'NUM_GT', { value: AGE.values[0] }),
      constraint(VERSION.attribute, 'SEMVER_GTE', { value: OLDEST }),
    ],
  };
}

/** Of the range `>=2.1.0`. */
const OLDEST = VERSION.values[0].slice(2);

function growthBookFeature(): object {
  const condition = {
    [COUNTRY.attribute]: { $in: COUNTRY.values },
    [PLAN.attribute]: PLAN.values[0],
    [LOCALE.attribute]: { $regex: `^(?:${LOCALE.values.join('|')})` },
    [AGE.attribute]: { $gt: Number(AGE.values[0]) },
    [VERSION.attribute]: { $vgte: OLDEST },
  };
  return {
    defaultValue: 'stable',
    rules: [{ condition, hashAttribute: 'id', coverage: SHARE / 100, force: 'candidate' }],
  };
}

function flagdFlag(): object {
  const of = ({ attribute }: { readonly attribute: string }) => ({ var: attribute });
  const audience = [
    { in: [of(COUNTRY), COUNTRY.values] },
    { '==': [of(PLAN), PLAN.values[0]] },
    { or: LOCALE.values.map((start) => ({ starts_with: [of(LOCALE), start] })) },
    { '>': [of(AGE), Number(AGE.values[0])] },
    { sem_ver: [of(VERSION), '>=', OLDEST] },
  ];
  const share = { fractional: [{ var: 'targetingKey' }, ['candidate', SHARE], ['stable', 100 - SHARE]] };
  return {
    state: 'ENABLED',
    variants: { stable: 'stable', candidate: 'candidate' },
    defaultVariant: 'stable',
    targeting: { if: [{ and: audience }, share, 'stable'] },
  };
}

// ── Each loop is a separate function, so that each is compiled for what it asks. ──

function countPeople(everybody: readonly Person[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += everybody[index % KEYS]?.subject.length ?? 0;
}

function decide(source: PromptSource, everybody: readonly Person[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += source.for(everybody[index % KEYS] ?? NOBODY).assignment?.arm === 'candidate' ? 1 : 0;
}

const NOBODY = { subject: 'nobody' };

function decideWithUnleash(unleash: Unleash, users: readonly object[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += unleash.isEnabled(FLAG, users[index % KEYS] ?? {}) ? 1 : 0;
}

function decideWithGrowthBook(
  growthbook: GrowthBook,
  targets: readonly { readonly attributes: object }[],
  reads: number,
): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += growthbook.getFeatureValue(FLAG, '', targets[index % KEYS]) === 'candidate' ? 1 : 0;
}

function decideWithFlagd(core: FlagdCore, contexts: readonly object[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += core.resolveStringEvaluation(FLAG, '', contexts[index % KEYS] ?? {}).value === 'candidate' ? 1 : 0;
}
