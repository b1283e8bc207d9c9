/**
 * Channels are apart: each has a version of its own, and a move of one leaves the others where they are. Of every operation that takes a
 * channel; a server that has but one has nothing to compare.
 */
import type { Activation, ActivationPage, ActivePack, EventPage, Pack, Prompt, Revocation } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import type { Answer } from '../asker.ts';

interface Pair {
  /** The channel that the suite moves elsewhere, too. */
  readonly own: string;
  readonly other: string;
}

/** Has the pack at 2.0.0 in the one channel and at 1.0.0 in the other. */
async function apart(kit: Kit, own = '2.0.0', others = '1.0.0'): Promise<Pair | undefined> {
  const { world } = kit;
  const other = await world.elsewhere();
  if (other === undefined) return undefined;
  await kit.ask('activateVersion', { path: world.path(), body: { ...world.moveTo(others), channel: other } }, 200, 201);
  await world.at(own);
  return { own: (await world.activePack()).body.channel, other };
}

const activeIn = (kit: Kit, channel: string): Promise<Answer<ActivePack>> =>
  kit.ask<ActivePack>('getActivePack', { path: kit.world.path(), query: { channel } }, 200);

function each(says: string, operations: Readonly<Record<string, (kit: Kit, pair: Pair) => Promise<void>>>): Check[] {
  return Object.entries(operations).flatMap(([operation, run]) =>
    checksOf(operation, {
      [says]: async (kit) => {
        const pair = await apart(kit);
        if (pair !== undefined) await run(kit, pair);
      },
    }),
  );
}

function reads(
  operation: string,
  request: Request,
  more: (kit: Kit) => Request = () => ({}),
): (kit: Kit, pair: Pair) => Promise<void> {
  return async (kit, { own, other }) => {
    for (const [channel, version] of [
      [own, '2.0.0'],
      [other, '1.0.0'],
    ] as const) {
      const made = more(kit);
      const { body } = await kit.ask<Prompt>(
        operation,
        { ...request, ...made, query: { ...made.query, channel } },
        200,
      );
      kit.same([body.channel, body.version], [channel, version], `channel and version of ${channel}`);
    }
  };
}

const ofPack = (kit: Kit): Request => ({ query: { pack: kit.world.pack } });

/** A move of the one channel, and what it leaves as it was. */
async function moves(kit: Kit, { own, other }: Pair, operation: string, body: object): Promise<void> {
  const before = await activeIn(kit, other);
  const { body: moved } = await kit.ask<Activation>(
    operation,
    { path: kit.world.path(), body: { ...body, channel: own } },
    201,
  );
  kit.same(moved.channel, own, 'the channel that was moved');
  const after = await activeIn(kit, other);
  kit.same([after.etag, after.body], [before.etag, before.body], `${other} is where it was`);
}

export const channelChecks: readonly Check[] = [
  ...each('each channel has a version of its own', {
    getActivePack: reads('getActivePack', {}, (kit) => ({ path: kit.world.path() })),
    getSystemPrompt: reads('getSystemPrompt', {}, ofPack),
    listStyles: reads('listStyles', {}, ofPack),
    getStylePrompt: reads('getStylePrompt', { path: { styleId: 'supportive' } }, ofPack),
    getPack: async (kit, { own, other }) => {
      const { body } = await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200);
      const told = Object.fromEntries(body.channels.map(({ channel, version }) => [channel, version]));
      kit.same(told, { [own]: '2.0.0', [other]: '1.0.0' }, 'the channels, and no others');
    },
  }),
  ...each('a move of one channel leaves the others where they are', {
    activateVersion: (kit, pair) => moves(kit, pair, 'activateVersion', kit.world.moveTo('1.10.0')),
    rollbackPack: async (kit, pair) => {
      await kit.world.at('1.2.0', '2.0.0');
      await moves(kit, pair, 'rollbackPack', kit.world.back());
    },
  }),
  ...each('channel chooses', {
    listActivations: async (kit, { own, other }) => {
      for (const channel of [own, other]) {
        const { activations } = (
          await kit.ask<ActivationPage>(
            'listActivations',
            { path: kit.world.path(), query: { channel, limit: 1000 } },
            200,
          )
        ).body;
        kit.ok(
          activations.length > 0 && activations.every((move) => move.channel === channel),
          `the moves of ${channel} alone`,
          activations.map((move) => move.channel),
        );
      }
    },
    listEvents: async (kit, { own, other }) => {
      for (const channel of [own, other]) {
        const { events } = (
          await kit.ask<EventPage>(
            'listEvents',
            { query: { pack: kit.world.pack, channel, type: 'version-activated', limit: 1000 } },
            200,
          )
        ).body;
        kit.ok(
          events.length > 0 && events.every((event) => event.channel === channel),
          `the moves of ${channel} alone`,
          events.map((event) => event.channel),
        );
      }
    },
  }),
  ...checksOf('revokeVersion', {
    'every channel that points at the version moves, each down its own stack, in the same event': async (kit) => {
      const { world } = kit;
      const version = await world.fresh();
      const pair = await apart(kit, '1.2.0', '1.0.0');
      if (pair === undefined) return;
      const { own, other } = pair;
      for (const channel of [own, other])
        await kit.ask('activateVersion', { path: world.path(), body: { ...world.moveTo(version), channel } }, 201);
      const { body } = await kit.ask<Revocation>(
        'revokeVersion',
        { path: world.path({ version }), body: { reason: 'Checked' } },
        200,
      );
      const told = body.moves.map((move) => [move.channel, move.previousVersion, move.version]).sort();
      kit.same(
        told,
        [
          [own, version, '1.2.0'],
          [other, version, '1.0.0'],
        ].sort(),
        'moves tells both',
      );
      const found = [(await activeIn(kit, own)).body, (await activeIn(kit, other)).body];
      kit.same(
        found.map((active) => [active.version, active.revision]),
        [
          ['1.2.0', body.revision],
          ['1.0.0', body.revision],
        ],
        'both are there since that revision',
      );
    },
  }),
];
