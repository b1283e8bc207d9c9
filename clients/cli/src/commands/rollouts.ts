/** `rollout`: moves a channel to another version gradually, and shows how far it is. */
import { Option, type Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { isRunning, rolloutOf, rolloutWith, type Rollout } from '../channel-state.ts';
import { defined } from '../defined.ts';
import { EXIT } from '../exit.ts';
import { withFields } from '../fields.ts';
import type { Cell } from '../output.ts';
import { pages } from '../pages.ts';
import { audienceText, nextOf, planText, progressOf } from '../rollout-text.ts';
import { limit as parseLimit, name, rolloutId } from '../arguments.ts';
import { addStartRollout } from './start-rollout.ts';
import { addSteering } from './steer-rollout.ts';

interface StatusOptions {
  readonly pack?: string;
  readonly channel?: string;
}

interface ListOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly state?: Rollout['state'];
  readonly limit: number;
}

const STATES: readonly Rollout['state'][] = ['running', 'paused', 'baking', 'promoted', 'aborted'];

export function addRollouts(program: Command, act: Act): void {
  const rollout = program.command('rollout').description('Move a channel to another version gradually');
  addStartRollout(rollout, act);

  rollout
    .command('status')
    .description('Show the rollout of a channel, or its last one')
    .argument('[rollout]', 'The id of an earlier rollout', rolloutId)
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--channel <name>', "The channel (default: the pack's default channel)", name)
    .action(act<StatusOptions, [number | undefined]>(status));

  rollout
    .command('list')
    .description('List rollouts, newest first')
    .option('--pack <name>', 'The pack (default: the default pack)', name)
    .option('--channel <name>', 'Only rollouts of this channel', name)
    .addOption(new Option('--state <state>', 'Only rollouts in this state').choices(STATES))
    .option('--limit <n>', 'Maximum number of rollouts, or "all"', parseLimit, 100)
    .action(act<ListOptions>(list));

  addSteering(rollout, act);
}

async function status(context: Context, { pack: named, channel }: StatusOptions, id: number | undefined) {
  const registry = await context.registry();
  const channelRef = { pack: await context.pack(named), channel };
  const found =
    id === undefined ? await rolloutOf(registry, channelRef) : await rolloutWith(registry, channelRef.pack, id);
  context.out.result(found, () => context.out.table(detailsOf(found)));
  return EXIT.ok;
}

function detailsOf(rollout: Rollout): Cell[][] {
  const { id, pack, channel, version, stableVersion, audience, startedAt, startedBy, reason } = rollout;
  const { endedAt, endedBy, endReason } = rollout;
  const next = nextOf(rollout);
  return [
    ['rollout', ['bold', `${id}`]],
    ['version', `${pack} ${version} in ${channel}; the others are on ${stableVersion}`],
    ['state', [isRunning(rollout) ? 'green' : 'dim', progressOf(rollout)]],
    ...(next === undefined ? [] : [['next', next]]),
    ['plan', planText(rollout)],
    ['audience', audienceText(audience)],
    ['started', `${startedAt} by ${startedBy.label}: ${reason}`],
    ...(endedAt === undefined ? [] : [['ended', `${endedAt} by ${endedBy?.label ?? '?'}: ${endReason ?? '?'}`]]),
  ];
}

async function list(context: Context, { pack: named, limit, channel, state }: ListOptions) {
  const registry = await context.registry();
  const pack = await context.pack(named);
  const rollouts: Rollout[] = [];
  let more = false;
  const ask = async (cursor: string | undefined, size: number) => {
    const query = { limit: size, ...defined({ cursor, channel, state }) };
    const { data } = await registry
      .ask((api) => api.GET('/v1/packs/{pack}/rollouts', { params: { path: { pack }, query } }))
      .then(withFields({ rollouts: 'list' }));
    return { items: data.rollouts, next: data.nextCursor };
  };
  for await (const { items, next } of pages(limit, undefined, ask)) {
    rollouts.push(...items);
    more = next !== null;
  }
  context.out.result({ pack, rollouts, more }, () => {
    context.out.table(rollouts.map(row));
    if (rollouts.length === 0) context.out.note(`${pack} has no matching rollouts.`);
    if (more) context.out.note('There are more rollouts. Use --limit all to list them.');
  });
  return EXIT.ok;
}

function row(rollout: Rollout): Cell[] {
  const { id, channel, version, startedAt, startedBy, endReason } = rollout;
  const state = `${progressOf(rollout)}${endReason === undefined ? '' : `: ${endReason}`}`;
  return [
    ['bold', `${id}`],
    channel,
    version,
    isRunning(rollout) ? ['green', state] : state,
    `started ${startedAt} by ${startedBy.label}`,
  ];
}
