/** Schemas of the prompts of the active version. */
import { Type } from '@sinclair/typebox';
import { ChannelName, Digest, PackName, Revision, StyleId, Version } from '../../registry/index.ts';
import { assignmentHeader, etagHeader, readHeaders } from '../wire/headers.ts';
import { channelQuery } from '../wire/parameters.ts';
import { subjectQuery } from '../wire/subject.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse, notModifiedArm } from '../wire/responses.ts';
import { closed, ref } from '../wire/schema-types.ts';
import { StyleTitle } from '../wire/shared-schemas.ts';

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
  { $id: 'StyleList', description: 'The styles of the active version, in the order of the version.' },
);
export const styleListExample = {
  ...originExample,
  defaultStyle: 'supportive',
  styles: [{ id: 'supportive', title: 'Supportive' }],
};

export const StylePrompt = closed(
  { ...origin, styleId: StyleId, title: StyleTitle.properties.title, text: Type.String() },
  { $id: 'StylePrompt', description: 'The prompt of one style of the active version.' },
);
export const stylePromptExample = {
  ...originExample,
  styleId: 'supportive',
  title: 'Supportive',
  text: 'Lead with what went well.',
};

export const promptQuery = closed({ pack: Type.Optional(PackName), ...channelQuery, ...subjectQuery });
export const styleParams = closed({ styleId: StyleId });

export const promptSchemas = [SystemPrompt, StyleList, StylePrompt];

// ── Operations ──

export const getSystemPrompt = {
  operationId: 'getSystemPrompt',
  tags: ['Prompts'],
  summary: 'Read the system prompt',
  description:
    'The system prompt of the active version. Default: the default pack and channel. Supports conditional requests.',
  querystring: promptQuery,
  headers: readHeaders,
  response: {
    200: jsonResponse(SystemPrompt, 'The system prompt.', systemPromptExample, { ...etagHeader, ...assignmentHeader }),
    304: notModifiedArm,
    ...problems('pack-not-found', 'channel-not-found'),
  },
};

export const listStyles = {
  operationId: 'listStyles',
  tags: ['Prompts'],
  summary: 'List the styles',
  description:
    'The styles that the active version supports, in the order of the version. Supports conditional requests.',
  querystring: promptQuery,
  headers: readHeaders,
  response: {
    200: jsonResponse(StyleList, 'The styles.', styleListExample, { ...etagHeader, ...assignmentHeader }),
    304: notModifiedArm,
    ...problems('pack-not-found', 'channel-not-found'),
  },
};

export const getStylePrompt = {
  operationId: 'getStylePrompt',
  tags: ['Prompts'],
  summary: "Read a style's prompt",
  description:
    'The prompt of one style. If the active version lacks the style, the 404 lists the styles that it has. Supports conditional requests.',
  params: styleParams,
  querystring: promptQuery,
  headers: readHeaders,
  response: {
    200: jsonResponse(StylePrompt, 'The style prompt.', stylePromptExample, { ...etagHeader, ...assignmentHeader }),
    304: notModifiedArm,
    ...problems('pack-not-found', 'channel-not-found', 'style-not-found', 'uri-too-long'),
  },
};
