/**
 * What the OpenAPI document says beyond the routes' schemas: title, tags, security, and what all operations with a scope have in common.
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import { withSharedComponents } from './shared-components.ts';

export const TITLE = 'Prompt Registry';

const TAGS = [
  { name: 'Packs', description: 'Packs and their immutable versions.' },
  { name: 'Activation', description: 'The active version of each channel: activate, roll back, read the history.' },
  { name: 'Rollouts', description: "A channel's gradual move to another version, and what decides who gets which." },
  { name: 'Prompts', description: 'What services read on every request: the prompts of the active version.' },
  { name: 'Coach', description: 'Coach sessions, which keep the version they started with.' },
  { name: 'Audit', description: 'Who did what, when and why, with proof.' },
  { name: 'Events', description: 'A stream of all changes as they happen.' },
  { name: 'Keys', description: 'API keys and their scopes.' },
  { name: 'Instances', description: 'The instances that share the log.' },
  { name: 'Health', description: 'Probes.' },
];

/** The headers of every request that needs a key (`min-revision.ts`). */
const MIN_REVISION = {
  'registry-min-revision': {
    type: 'integer',
    minimum: 0,
    description:
      'The last `Registry-Revision` you have seen. The response is from this revision or a later one; otherwise the request is refused.',
  },
  'registry-epoch': {
    type: 'integer',
    minimum: 1,
    description: 'The `Registry-Epoch` of that response; default: the current epoch.',
  },
};

const DOCUMENT_OPTIONS = {
  stripBasePath: false,
  openapi: {
    openapi: '3.1.0',
    info: {
      title: TITLE,
      version: packageJson.version,
      description: [
        'Versioned, immutable prompt packs; one active version per channel; activation and rollback at run time.',
        '',
        'Every response has `Registry-Revision`, the log revision of the one snapshot it comes from. Responses that depend on a',
        'channel have a strong `ETag`; send it in `If-None-Match` to get a 304 until the channel moves.',
        'Errors are RFC 9457 problem details; `code` is stable, and `/problems/{code}` explains it.',
      ].join('\n'),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'prk_<keyId>_<secret>',
          description: 'An API key. The first one is in `DATA_DIR/operator.key` on the host; use it to create others.',
        },
      },
    },
    security: [{ key: [] }],
    servers: [{ url: '.', description: 'The server that serves this document.' }], // relative, so that it works below a path prefix
    tags: TAGS,
  },
  transform: ({ schema, url, route }) => ({
    schema: withScope(withoutQueryExamples(schema), route.config?.scope),
    url,
  }),
  transformObject: (made) => withSharedComponents('openapiObject' in made ? made.openapiObject : made.swaggerObject),
  refResolver: {
    buildLocalReference: (json, _base, _fragment, index) =>
      typeof json['$id'] === 'string' ? json['$id'] : `Model${index}`,
  },
} satisfies FastifyDynamicSwaggerOptions;

/** Options for `@fastify/swagger`, which generates the document from the routes' schemas. @param publicUrl the address that users see, if known */
export function documentOptions(publicUrl: string | undefined): FastifyDynamicSwaggerOptions {
  if (publicUrl === undefined) return DOCUMENT_OPTIONS;
  const servers = [{ url: publicUrl, description: 'The public address.' }];
  return { ...DOCUMENT_OPTIONS, openapi: { ...DOCUMENT_OPTIONS.openapi, servers } };
}

/** Adds the required scope to the description of an operation. An open operation needs no security. */
function withScope(schema: FastifySchema | undefined, scope: string | undefined): FastifySchema {
  if (schema === undefined || schema.hide === true) return { hide: true };
  if (scope === undefined || scope === 'open') return { ...schema, security: [] };
  return {
    ...schema,
    headers: withMinRevision(schema.headers),
    description: `${schema.description ?? ''} Scope: \`${scope}\`.`,
  };
}

/**
 * Removes the examples of optional query parameters. Swagger UI fills them in and sends them: a user who only wants to list the log would
 * set every filter at once and get nothing.
 */
function withoutQueryExamples(schema: FastifySchema | undefined): FastifySchema | undefined {
  if (schema?.querystring === undefined) return schema;
  const {
    properties = {},
    required = [],
    ...rest
  } = schema.querystring as { properties?: Record<string, object>; required?: string[] };
  const bare = Object.entries(properties).map(([name, property]) => {
    const { examples, ...others } = property as { examples?: unknown[] };
    return [name, required.includes(name) ? { examples, ...others } : others] as const;
  });
  return { ...schema, querystring: { ...rest, required, properties: Object.fromEntries(bare) } };
}

function withMinRevision(headers: unknown): object {
  const { properties, ...rest } = { type: 'object', ...(headers as { properties?: object } | undefined) };
  return { ...rest, properties: { ...properties, ...MIN_REVISION } };
}
