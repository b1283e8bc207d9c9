/**
 * Channels are separate: each has its own active version, and a move of one does not move the others. Checked for every operation with a
 * channel. On a server with a single channel there is nothing to compare, and these checks pass.
 */
import type { Activation, ActivationPage, ActivePack, EventPage, Pack, Prompt, Revocation } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import type { Answer } from '../asker.ts';

interface Pair {
  /** The channel that the other checks move, too. */
  readonly own: string;
  readonly other: string;
}

/** Activates one version in each of two channels. @returns undefined if the server has one channel only */
async function twoChannels(kit: Kit, own = '2.0.0', others = '1.0.0'): Promise<Pair | undefined> {
  const { world } = kit;
  const other = await world.otherChannel();
  if (other === undefined) return undefined;
  await kit.ask(
    'activateVersion',
    { path: world.path(), body: { ...world.activationBody(others), channel: other } },
    200,
    201,
  );
  await world.activate(own);
  return { own: (await world.activePack()).body.channel, other };
}

const activeIn = (kit: Kit, channel: string): Promise<Answer<ActivePack>> =>
  kit.ask<ActivePack>('getActivePack', { path: kit.world.path(), query: { channel } }, 200);

function each(says: string, operations: Readonly<Record<string, (kit: Kit, pair: Pair) => Promise<void>>>): Check[] {
  return Object.entries(operations).flatMap(([operation, run]) =>
    checksOf(operation, {
      [says]: async (kit) => {
        const pair = await twoChannels(kit);
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

/** A move of one channel leaves the other as it was. */
async function moves(kit: Kit, { own, other }: Pair, operation: string, body: object): Promise<void> {
  const before = await activeIn(kit, other);
  const { body: moved } = await kit.ask<Activation>(
    operation,
    { path: kit.world.path(), body: { ...body, channel: own } },
    201,
  );
  kit.same(moved.channel, own, 'the response names the channel that moved');
  const after = await activeIn(kit, other);
  kit.same([after.etag, after.body], [before.etag, before.body], `${other} did not change`);
}

export const channelChecks: readonly Check[] = [
  ...each('each channel has its own active version', {
    getActivePack: reads('getActivePack', {}, (kit) => ({ path: kit.world.path() })),
    getSystemPrompt: reads('getSystemPrompt', {}, ofPack),
    listStyles: reads('listStyles', {}, ofPack),
    getStylePrompt: reads('getStylePrompt', { path: { styleId: 'supportive' } }, ofPack),
    getPack: async (kit, { own, other }) => {
      const { body } = await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200);
      const listed = Object.fromEntries(body.channels.map(({ channel, version }) => [channel, version]));
      kit.same(listed, { [own]: '2.0.0', [other]: '1.0.0' }, 'exactly these channels, with their versions');
    },
  }),
  ...each('a move of one channel does not move the others', {
    activateVersion: (kit, pair) => moves(kit, pair, 'activateVersion', kit.world.activationBody('1.10.0')),
    rollbackPack: async (kit, pair) => {
      await kit.world.activate('1.2.0', '2.0.0');
      await moves(kit, pair, 'rollbackPack', kit.world.rollbackBody());
    },
  }),
  ...each('channel selects', {
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
          `only the moves of ${channel}`,
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
          `only the moves of ${channel}`,
          events.map((event) => event.channel),
        );
      }
    },
  }),
  ...checksOf('revokeVersion', {
    'every channel with that version moves down its own stack, in one event': async (kit) => {
      const { world } = kit;
      const version = await world.unusedVersion();
      const pair = await twoChannels(kit, '1.2.0', '1.0.0');
      if (pair === undefined) return;
      const { own, other } = pair;
      for (const channel of [own, other])
        await kit.ask(
          'activateVersion',
          { path: world.path(), body: { ...world.activationBody(version), channel } },
          201,
        );
      const { body } = await kit.ask<Revocation>(
        'revokeVersion',
        { path: world.path({ version }), body: { reason: 'Checked' } },
        200,
      );
      const moved = body.moves.map((move) => [move.channel, move.previousVersion, move.version]).sort();
      kit.same(
        moved,
        [
          [own, version, '1.2.0'],
          [other, version, '1.0.0'],
        ].sort(),
        'moves lists both channels',
      );
      const found = [(await activeIn(kit, own)).body, (await activeIn(kit, other)).body];
      kit.same(
        found.map((active) => [active.version, active.revision]),
        [
          ['1.2.0', body.revision],
          ['1.0.0', body.revision],
        ],
        'both channels are there since that revision',
      );
    },
  }),
];
