/** Prompts of the active version: `getSystemPrompt`, `listStyles`, `getStylePrompt`. Each belongs to the version that `getActivePack` shows. */
import type { ActivePack, Prompt, StyleList } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { conditional } from './conditional.ts';

const origin = ({ pack, channel, version, digest, revision }: ActivePack | Prompt | StyleList) => ({
  pack,
  channel,
  version,
  digest,
  revision,
});

/** The checks that the three have in common. @param agrees compares the rest of the body with the active pack */
function checks(
  operation: string,
  path: Request['path'],
  agrees: (kit: Kit, body: Prompt & StyleList, active: ActivePack) => void,
): Check[] {
  const request = ({ world }: Kit, query: Request['query'] = {}): Request => ({
    ...(path !== undefined && { path }),
    query: { pack: world.pack, ...world.chosenChannel, ...query },
  });
  return checksOf(operation, {
    'it belongs to the active version, before and after a move': async (kit) => {
      for (const version of ['1.0.0', '2.0.0']) {
        await kit.world.activate(version);
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
    'it supports If-None-Match': (kit) => conditional(kit, operation, request(kit)),
    'an unknown pack or channel answers 404 and lists the known ones': async (kit) => {
      await refusesUnknownPack(kit, operation, (pack) => request(kit, { pack }));
      await refusesUnknownChannel(kit, operation, (channel) => request(kit, { channel }));
    },
  });
}

export const promptChecks: readonly Check[] = [
  ...checks('getSystemPrompt', undefined, (kit, body, active) =>
    kit.same(body.text, active.system, 'the text is the system prompt of the active version'),
  ),
  ...checksOf('getSystemPrompt', {
    'the default for `pack` is the default pack': async (kit) => {
      const { body } = await kit.ask<Prompt>('getSystemPrompt', {}, 200);
      const { body: named } = await kit.ask<Prompt>(
        'getSystemPrompt',
        { query: { pack: body.pack, channel: body.channel } },
        200,
      );
      kit.same(named.pack, body.pack, 'the same pack answers when it is named');
      kit.ok(body.pack !== kit.world.pack, 'it is not the pack of this run', body.pack);
    },
  }),
  ...checks('listStyles', undefined, (kit, body, active) => {
    kit.same(
      [body.defaultStyle, body.styles],
      [active.defaultStyle, active.styles.map(({ id, title }) => ({ id, title }))],
      'the styles of the active version, in the order of the pack',
    );
  }),
  ...checks('getStylePrompt', { styleId: 'supportive' }, (kit, body, active) => {
    const style = active.styles.find(({ id }) => id === 'supportive');
    kit.same(
      [body.styleId, body.title, body.text],
      [style?.id, style?.title, style?.text],
      'id, title and text are those of the active version',
    );
  }),
  ...checksOf('getStylePrompt', {
    'a style that the active version lacks answers 404 and lists its styles': async (kit) => {
      const { world } = kit;
      await world.activate('2.0.0');
      const { supportedStyles } = await kit.refused(
        'getStylePrompt',
        { path: { styleId: 'direct' }, query: { pack: world.pack, ...world.chosenChannel } },
        404,
        'style-not-found',
      );
      kit.same(supportedStyles, ['supportive', 'socratic'], 'supportedStyles lists its styles');
      const { body } = await kit.ask<Prompt>(
        'getStylePrompt',
        { path: { styleId: 'socratic' }, query: { pack: world.pack, ...world.chosenChannel } },
        200,
      );
      kit.same(body.text, `${world.pack} 2.0.0: the socratic style.`, 'a style of that version answers its text');
    },
  }),
];
