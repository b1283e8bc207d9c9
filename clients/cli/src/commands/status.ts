/** `status`: what is active where, and whether the registry is well. */
import { RegistryFailure, type components } from '@prompt-registry/client';
import type { Act } from '../context.ts';
import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { lackingScopes } from '../explain.ts';
import type { Cell, Output } from '../output.ts';
import { having } from '../shape.ts';

type Schemas = components['schemas'];
/** What a key may not see, or an older service does not tell, is said instead of it. */
type Told<T> = T | { readonly unavailable: string };

export function addStatus(program: Command, act: Act): void {
  program
    .command('status')
    .description('packs, channels, instances and their lag, and what is not as it should be')
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
          registry.ask((api) => api.GET('/v1/packs')).then(having({ packs: 'list' })),
          told(
            registry
              .ask((api) => api.GET('/readyz'))
              .then(having({ revision: 'number', conditions: 'list' }))
              .then(({ data }) => data),
          ),
          told(
            registry
              .ask((api) => api.GET('/v1/instances'))
              .then(having({ instances: 'list' }))
              .then(({ data }) => data.instances),
          ),
        ]);
        context.out.answer({ url: registry.url, health, packs, instances }, () => {
          printHealth(context.out, registry.url, health);
          for (const pack of packs) printPack(context.out, pack);
          printInstances(context.out, instances);
        });
        return EXIT.ok;
      }),
    );
}

/** What can be told, or why it cannot; anything else ends the command. */
async function told<T extends object>(answer: Promise<T>): Promise<Told<T>> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RegistryFailure)) throw error;
    if (error.code === 'forbidden') return { unavailable: `the key lacks ${lackingScopes(error.problem)}` };
    if (error.code === 'not-found') return { unavailable: 'this service is older and does not tell' };
    if (error.code === 'not-ready') return { unavailable: error.message };
    throw error;
  }
}

function printHealth(out: Output, url: string, health: Told<Schemas['Readiness']>): void {
  const rows: Cell[][] = [['Registry', ['bold', url]]];
  if ('unavailable' in health) {
    out.table([...rows, ['Health', ['red', `not ready: ${health.unavailable}`]]]);
    return;
  }
  const { revision, epoch, conditions } = health;
  rows.push(['Revision', `${revision}${epoch > 1 ? ` of epoch ${epoch}` : ''}`]);
  if (conditions.length === 0) rows.push(['Health', ['green', 'ready']]);
  conditions.forEach(({ name, detail }, index) =>
    rows.push([index === 0 ? 'Health' : '', ['yellow', `ready, but ${name}: ${detail}`]]),
  );
  out.table(rows);
}

function printPack(out: Output, { pack, versionCount, latest, versions, channels }: Schemas['Pack']): void {
  out.line();
  const revoked = versions.filter(({ status }) => status === 'revoked').length;
  const problems = versions.filter(({ status, problems: found }) => status !== 'revoked' && found.length > 0).length;
  const remarks = [
    `${versionCount} ${versionCount === 1 ? 'version' : 'versions'}`,
    `latest ${latest ?? 'none'}`,
    ...(revoked > 0 ? [`${revoked} revoked`] : []),
    ...(problems > 0 ? [`${problems} under the floor`] : []),
  ];
  out.table([[['bold', pack], remarks.join(', ')]]);
  if (channels.length === 0) out.say('  nothing is active yet');
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
}

function printInstances(out: Output, instances: Told<Schemas['Instance'][]>): void {
  out.line();
  if ('unavailable' in instances) {
    out.say(`Instances: not shown, ${instances.unavailable}`);
    return;
  }
  out.line(out.paint('bold', 'Instances'));
  out.table(
    instances.map(({ id, appliedRevision, behind, startedAt, lastSeenAt, pinnedVersion }) => [
      id,
      `revision ${appliedRevision}`,
      behind === 0 ? ['green', 'current'] : ['yellow', `${behind} behind`],
      `up since ${startedAt}`,
      `seen ${lastSeenAt}`,
      ...(pinnedVersion === undefined ? [] : [['yellow', `pinned to ${pinnedVersion}`] as const]),
    ]),
    '  ',
  );
}
