/** Prompts of the active version: `getSystemPrompt`, `listStyles`, `getStylePrompt`. Each is of the version that `getActivePack` shows, whole. */
import type { ActivePack, Prompt, StyleList } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import { conditional } from './conditional.ts';

const origin = ({ pack, channel, version, digest, revision }: ActivePack | Prompt | StyleList) => ({
  pack,
  channel,
  version,
  digest,
  revision,
});

/** The checks that the three have in common. @param agrees compares what is its own with the active pack */
function checks(
  operation: string,
  path: Request['path'],
  agrees: (kit: Kit, body: Prompt & StyleList, active: ActivePack) => void,
): Check[] {
  const request = ({ world }: Kit, query: Request['query'] = {}): Request => ({
    ...(path !== undefined && { path }),
    query: { pack: world.pack, ...world.there, ...query },
  });
  return checksOf(operation, {
    'it is of the active version, before and after a move': async (kit) => {
      for (const version of ['1.0.0', '2.0.0']) {
        await kit.world.at(version);
        const active = (await kit.world.activePack()).body;
        const { body } = await kit.ask<Prompt & StyleList>(operation, request(kit), 200);
        kit.same(
          origin(body),
          origin(active),
          `pack, channel, version, digest and revision are those of getActivePack (${version})`,
        );
        agrees(kit, body, active);
      }
    },
    'it is conditional': (kit) => conditional(kit, operation, request(kit)),
    'what is not there is 404 with what there is': async (kit) => {
      await kit.world.active();
      const { knownPacks } = await kit.refused(
        operation,
        request(kit, { pack: `no-such-${kit.world.run}` }),
        404,
        'pack-not-found',
      );
      kit.ok(knownPacks?.includes(kit.world.pack) === true, 'knownPacks');
      const { knownChannels } = await kit.refused(
        operation,
        request(kit, { channel: `no-such-${kit.world.run}` }),
        404,
        'channel-not-found',
      );
      kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels', knownChannels);
    },
  });
}

export const promptChecks: readonly Check[] = [
  ...checks('getSystemPrompt', undefined, (kit, body, active) =>
    kit.same(body.text, active.system, 'the text is the system prompt of the active version'),
  ),
  ...checksOf('getSystemPrompt', {
    'without a pack it is of the default pack': async (kit) => {
      const { body } = await kit.ask<Prompt>('getSystemPrompt', {}, 200);
      const { body: named } = await kit.ask<Prompt>(
        'getSystemPrompt',
        { query: { pack: body.pack, channel: body.channel } },
        200,
      );
      kit.same(named.pack, body.pack, 'the pack that it names');
      kit.ok(body.pack !== kit.world.pack, 'it is not the pack of this run', body.pack);
    },
  }),
  ...checks('listStyles', undefined, (kit, body, active) => {
    kit.same(
      [body.defaultStyle, body.styles],
      [active.defaultStyle, active.styles.map(({ id, title }) => ({ id, title }))],
      'the styles of the active version, in its own order',
    );
  }),
  ...checks('getStylePrompt', { styleId: 'supportive' }, (kit, body, active) => {
    const style = active.styles.find(({ id }) => id === 'supportive');
    kit.same(
      [body.styleId, body.title, body.text],
      [style?.id, style?.title, style?.text],
      'the style of the active version',
    );
  }),
  ...checksOf('getStylePrompt', {
    'a style that the active version lacks is 404 with those it has': async (kit) => {
      const { world } = kit;
      await world.at('2.0.0');
      const { supportedStyles } = await kit.refused(
        'getStylePrompt',
        { path: { styleId: 'direct' }, query: { pack: world.pack, ...world.there } },
        404,
        'style-not-found',
      );
      kit.same(supportedStyles, ['supportive', 'socratic'], 'supportedStyles');
      const { body } = await kit.ask<Prompt>(
        'getStylePrompt',
        { path: { styleId: 'socratic' }, query: { pack: world.pack, ...world.there } },
        200,
      );
      kit.same(body.text, `${world.pack} 2.0.0: the socratic style.`, 'one that it has');
    },
  }),
];
