/** `status`: what is active in each channel, and the health of the service. */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Act } from '../context.ts';
import type { Command } from 'commander';
import { channelStateOf, rolloutWith, type ChannelState, type Rollout } from '../channel-state.ts';
import { defined } from '../defined.ts';
import { EXIT } from '../exit.ts';
import { missingScopes } from '../explain.ts';
import type { Cell, Output } from '../output.ts';
import { withFields } from '../fields.ts';
import { nameOf, nextOf, progressOf } from '../rollout-text.ts';

type Schemas = components['schemas'];
/** A part of the status, or why it is not available: the key lacks a scope, or the service is older. */
type OrUnavailable<T> = T | { readonly unavailable: string };

export function addStatus(program: Command, act: Act): void {
  program
    .command('status')
    .description('Show packs, channels, instances and the health of the service')
    .action(
      act(async (context) => {
        const registry = await context.registry();
        const [
          {
            data: { packs },
          },
          health,
          instances,
        ] = await Promise.all([
          registry.ask((api) => api.GET('/v1/packs')).then(withFields({ packs: 'list' })),
          orUnavailable(
            registry
              .ask((api) => api.GET('/readyz'))
              .then(withFields({ revision: 'number', conditions: 'list' }))
              .then(({ data }) => data),
          ),
          orUnavailable(
            registry
              .ask((api) => api.GET('/v1/instances'))
              .then(withFields({ instances: 'list' }))
              .then(({ data }) => data.instances),
          ),
        ]);
        const plans = (await Promise.all(packs.flatMap((pack) => plansOf(registry, pack)))).filter(isUnderWay);
        context.out.result({ url: registry.url, health, packs, plans, instances }, () => {
          printHealth(context.out, registry.url, health);
          for (const pack of packs)
            printPack(
              context.out,
              pack,
              plans.filter((plan) => plan.pack === pack.pack),
            );
          printInstances(context.out, instances);
        });
        return EXIT.ok;
      }),
    );
}

/** What is under way in a channel. */
interface Plans {
  readonly pack: string;
  readonly channel: string;
  readonly rollout?: Rollout;
  readonly trial?: NonNullable<ChannelState['trial']>;
  readonly schedule: ChannelState['schedule'];
}

/** What is under way in each channel of a pack; nothing if the registry is older than rollouts. */
function plansOf(registry: RegistryClient, { pack, channels }: Schemas['Pack']): Promise<Plans>[] {
  return channels.map(async ({ channel }) => {
    const { rollout: running, trial, schedule = [] } = (await channelStateOf(registry, pack, channel)) ?? {};
    const rollout = running === undefined ? undefined : await rolloutWith(registry, pack, running.id);
    return { pack, channel, schedule, ...defined({ rollout, trial }) };
  });
}

function isUnderWay({ rollout, trial, schedule }: Plans): boolean {
  return rollout !== undefined || trial !== undefined || schedule.length > 0;
}

/** The response, or why it is not available. Other failures are thrown. */
async function orUnavailable<T extends object>(response: Promise<T>): Promise<OrUnavailable<T>> {
  try {
    return await response;
  } catch (error) {
    if (!(error instanceof RegistryFailure)) throw error;
    if (error.code === 'forbidden') return { unavailable: `the key lacks ${missingScopes(error.problem)}` };
    if (error.code === 'not-found') return { unavailable: 'not supported by this older service' };
    if (error.code === 'not-ready') return { unavailable: error.message };
    throw error;
  }
}

function printHealth(out: Output, url: string, health: OrUnavailable<Schemas['Readiness']>): void {
  const rows: Cell[][] = [['Registry', ['bold', url]]];
  if ('unavailable' in health) {
    out.table([...rows, ['Health', ['red', `not ready: ${health.unavailable}`]]]);
    return;
  }
  const { revision, epoch, conditions } = health;
  rows.push(['Revision', `${revision}${epoch > 1 ? ` of epoch ${epoch}` : ''}`]);
  if (conditions.length === 0) rows.push(['Health', ['green', 'ready']]);
  conditions.forEach(({ name, detail }, index) =>
    rows.push([index === 0 ? 'Health' : '', ['yellow', `ready (${name}): ${detail}`]]),
  );
  out.table(rows);
}

function printPack(
  out: Output,
  { pack, versionCount, latest, versions, channels }: Schemas['Pack'],
  plans: readonly Plans[],
): void {
  out.line();
  const revoked = versions.filter(({ status }) => status === 'revoked').length;
  const problems = versions.filter(({ status, problems: found }) => status !== 'revoked' && found.length > 0).length;
  const remarks = [
    `${versionCount} ${versionCount === 1 ? 'version' : 'versions'}`,
    `latest ${latest ?? 'none'}`,
    ...(revoked > 0 ? [`${revoked} revoked`] : []),
    ...(problems > 0 ? [`${problems} violating the policy`] : []),
  ];
  out.table([[['bold', pack], remarks.join(', ')]]);
  if (channels.length === 0) out.say('  no active version yet');
  out.table(
    channels.map(({ channel, version, revision, activatedAt, activatedBy }) => [
      channel,
      ['green', version],
      `revision ${revision}`,
      `since ${activatedAt}`,
      `by ${activatedBy.label}`,
    ]),
    '  ',
  );
  out.table(plans.flatMap(planRows), '  ');
}

function planRows({ channel, rollout, trial, schedule }: Plans): Cell[][] {
  return [
    ...(rollout === undefined
      ? []
      : [
          [channel, ['yellow', nameOf(rollout)] as const, progressOf(rollout), `next: ${nextOf(rollout) ?? 'nothing'}`],
        ]),
    ...(trial === undefined
      ? []
      : [
          [
            channel,
            ['yellow', `trial of ${trial.version}`] as const,
            `goes back at ${trial.revertAt}`,
            'unless confirmed',
          ],
        ]),
    ...schedule.map(({ version, at, scheduledBy }) => [
      channel,
      ['yellow', `${version} is scheduled`] as const,
      `at ${at}`,
      `by ${scheduledBy.label}`,
    ]),
  ];
}

function printInstances(out: Output, instances: OrUnavailable<Schemas['Instance'][]>): void {
  out.line();
  if ('unavailable' in instances) {
    out.say(`Instances: not available, ${instances.unavailable}`);
    return;
  }
  out.line(out.paint('bold', 'Instances'));
  out.table(
    instances.map(({ id, appliedRevision, behind, startedAt, lastSeenAt, pinnedVersion }) => [
      id,
      `revision ${appliedRevision}`,
      behind === 0 ? ['green', 'current'] : ['yellow', `${behind} behind`],
      `up since ${startedAt}`,
      `last seen ${lastSeenAt}`,
      ...(pinnedVersion === undefined ? [] : [['yellow', `pinned to ${pinnedVersion}`] as const]),
    ]),
    '  ',
  );
}
