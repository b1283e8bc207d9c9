/** Path and query parameters that several operations share. */
import { Type } from '@sinclair/typebox';
import { ChannelName, PackName, PAGE, Version } from '../../registry/index.ts';
import { closed, nullable } from './schema-types.ts';

export const packParams = closed({ pack: PackName });
export const versionParams = closed({ pack: PackName, version: Version });

/** For operations that have no query parameters. */
export const noQuery = closed({});
export const channelQuery = { channel: Type.Optional(ChannelName) };
export const limitQuery = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE.most, default: PAGE.usual, description: 'The maximum number of entries.' }),
);
export const cursorQuery = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: '^[A-Za-z0-9_-]+$',
    description: '`nextCursor` of the previous page. Omit it to start from the beginning.',
  }),
);
/** The member of a page that holds the next cursor. */
export const NextCursor = nullable(
  Type.String({ description: 'Send it as `cursor` for the next page; null on the last page.', examples: ['MS4wLjA'] }),
);
