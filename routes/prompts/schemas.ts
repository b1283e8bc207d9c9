/** Wire shapes of the prompts of the active version. */
import { Type } from '@sinclair/typebox';
import { ChannelName, Digest, PackName, Revision, StyleId, Version } from '../../registry/index.ts';
import { channelQuery, closed, ref } from '../wire/schema-kit.ts';
import { StyleTitle } from '../wire/words.ts';

const origin = { pack: PackName, channel: ChannelName, version: Version, digest: Digest, revision: Revision };
const originExample = {
  pack: 'coach',
  channel: 'production',
  version: '1.1.0',
  digest: `sha256:${'4f'.repeat(32)}`,
  revision: 7,
};

export const SystemPrompt = closed(
  { ...origin, text: Type.String() },
  { $id: 'SystemPrompt', description: 'The system prompt of the active version.' },
);
export const systemPromptExample = { ...originExample, text: 'You are a coach, not a therapist.' };

export const StyleList = closed(
  { ...origin, defaultStyle: StyleId, styles: Type.Array(ref(StyleTitle)) },
  { $id: 'StyleList', description: 'The styles of the active version, in its own order.' },
);
export const styleListExample = {
  ...originExample,
  defaultStyle: 'supportive',
  styles: [{ id: 'supportive', title: 'Supportive' }],
};

export const StylePrompt = closed(
  { ...origin, styleId: StyleId, title: StyleTitle.properties.title, text: Type.String() },
  { $id: 'StylePrompt', description: "One style's prompt of the active version." },
);
export const stylePromptExample = {
  ...originExample,
  styleId: 'supportive',
  title: 'Supportive',
  text: 'Lead with what went well.',
};

export const promptQuery = closed({ pack: Type.Optional(PackName), ...channelQuery });
export const styleParams = closed({ styleId: StyleId });

export const promptSchemas = [SystemPrompt, StyleList, StylePrompt];
