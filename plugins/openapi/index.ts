/**
 * The OpenAPI document, generated from the routes' schemas, and Swagger UI to try it out.
 *
 * Security headers of a page a browser shows (Helmet) are set here only; answers of the API carry their own few.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifySchema, RouteHandlerMethod } from 'fastify';
import fp from 'fastify-plugin';
import { stringify } from 'yaml';
import { sendDocumentationFile } from './documentation-files.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { linkTo } from '../path-prefix.ts';
import { withSharedComponents } from './shared-components.ts';

const TAGS = [
  { name: 'Packs', description: 'Packs and their immutable versions.' },
  { name: 'Activation', description: 'Which version a channel is at: activate, roll back, look back.' },
  { name: 'Prompts', description: 'What services read on every request: the prompts of the active version.' },
  { name: 'Coach', description: 'Coach sessions, which keep the version they started on.' },
  { name: 'Audit', description: 'Who did what, when and why, and the proof of it.' },
  { name: 'Events', description: 'Each change as it is made, as a stream.' },
  { name: 'Keys', description: 'API keys and what they allow.' },
  { name: 'Instances', description: 'The instances that share the log.' },
  { name: 'Health', description: 'For probes.' },
];

const TITLE = 'Prompt Registry';

/** Where to go on from `/`; relative, so that they hold below a path prefix. */
const ENTRIES = { docs: './docs', openapi: './openapi.json', packs: './v1/packs', readiness: './readyz' } as const;

/** Whether `Accept` (RFC 9110 section 12.5.1) asks for a page rather than for JSON, as browsers do. */
function prefersPage(accept = ''): boolean {
  const ranges = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()));
  const quality = (type: string) => {
    const parameters = ranges.find(([name]) => name === type);
    return parameters === undefined
      ? 0
      : Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  };
  return quality('text/html') > quality('application/json');
}

/** Without the bar at the top, which offers to explore other documents. */
const SWAGGER_UI = {
  layout: 'BaseLayout',
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  plugins: [withoutEndlessAnswers],
};

/** A plugin of Swagger UI, sent to the browser as text. Swagger UI shows an answer when it ends; a stream of events has no end. */
function withoutEndlessAnswers() {
  return {
    statePlugins: {
      spec: {
        wrapSelectors: {
          allowTryItOutFor:
            (allowed: (...args: unknown[]) => boolean) => (state: unknown, path: string, method: string) =>
              path !== '/v1/events' && allowed(state, path, method),
        },
      },
    },
  };
}

const MIN_REVISION = {
  'registry-min-revision': {
    type: 'integer',
    minimum: 0,
    description: 'The `Registry-Revision` last seen: the answer is from this one or a later one, else a refusal.',
  },
  'registry-epoch': {
    type: 'integer',
    minimum: 1,
    description: 'The `Registry-Epoch` that came with it; the one in force where not given.',
  },
};

async function openapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    stripBasePath: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: TITLE,
        version: packageJson.version,
        description: [
          'Versioned, immutable prompt packs; one active version per channel; activation and rollback at run time.',
          '',
          'Every answer carries `Registry-Revision`, the log revision of the one snapshot it was computed from. What hangs on a',
          'channel carries a strong `ETag`; send it back in `If-None-Match` to get 304 while nothing has moved.',
          'Errors are RFC 9457 problem details; `code` is stable and `/problems/{code}` says what it means.',
        ].join('\n'),
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'prk_<keyId>_<secret>',
            description: 'An API key. The first one is in `DATA_DIR/operator.key` on the host; it makes others.',
          },
        },
      },
      security: [{ key: [] }],
      servers: [{ url: '.', description: 'The server that this document came from.' }], // relative to the document: below a path prefix as well
      tags: TAGS,
    },
    transform: ({ schema, url, route }) => ({ schema: withScope(unfilled(schema), route.config?.scope), url }),
    transformObject: (made) => withSharedComponents('openapiObject' in made ? made.openapiObject : made.swaggerObject),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `Model${index}`,
    },
  });

  // A part of its own, so that Helmet's headers and the open scope hold for the documentation only.
  await app.register(async (docs) => {
    const sendJson = sender('application/json; charset=utf-8', () => JSON.stringify(app.swagger()));
    const sendYaml = sender('application/yaml', () => openapiYaml(app));
    // Swagger UI's own would make the document, and open a file, for each request.
    const cheap: Readonly<Record<string, RouteHandlerMethod>> = {
      '/docs/json': sender('application/json; charset=utf-8', () =>
        JSON.stringify({ ...app.swagger(), servers: [{ url: '..', description: 'This server.' }] }),
      ), // it is served one level further down
      '/docs/yaml': sendYaml,
      '/docs/static/*': sendDocumentationFile,
    };
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, scope: 'open' };
      route.schema = { ...route.schema, hide: true };
      route.handler = cheap[route.url] ?? route.handler;
    });
    // RFC 9110 sections 13.1 and 14.2: a server need not do these for what it only shows; the file server's refusals are no problem of ours.
    docs.addHook('onRequest', (request, _reply, next) => {
      for (const name of ['range', 'if-range', 'if-match', 'if-unmodified-since'])
        Reflect.deleteProperty(request.raw.headers, name);
      next();
    });
    await docs.register(helmet, {
      // On a plain-http LAN address there is nothing to upgrade to, and a browser told to try shows an empty page.
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
      strictTransportSecurity: false,
    });
    docs.addHook('onSend', (request, reply, payload, next) => {
      const location = reply.getHeader('location');
      if (typeof location === 'string' && location.startsWith('/'))
        void reply.header('location', linkTo(request, location));
      next(null, payload);
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: '.',
      staticCSP: false,
      theme: { title: TITLE },
      uiConfig: SWAGGER_UI,
    });
    docs.get('/', (request, reply) => {
      if (request.url === '*') return void reply.callNotFound(); // RFC 9112 section 3.2.4: for OPTIONS alone; the router takes it for `/`
      void reply.header('vary', 'Accept');
      if (prefersPage(request.headers.accept)) void reply.redirect(ENTRIES.docs);
      else void reply.send({ name: packageJson.name, version: packageJson.version, links: ENTRIES });
    });
    docs.get('/openapi.json', sendJson);
    docs.get('/openapi.yaml', sendYaml);
  });
}

/** Says in an operation's description which scope it needs, and leaves open ones open. */
function withScope(schema: FastifySchema | undefined, scope: string | undefined): FastifySchema {
  if (schema === undefined || schema.hide === true) return { hide: true };
  if (scope === undefined || scope === 'open') return { ...schema, security: [] };
  return {
    ...schema,
    headers: withMinRevision(schema.headers),
    description: `${schema.description ?? ''}\n\nScope: \`${scope}\`.`,
  };
}

/**
 * Without the examples of what may be left out of a query: Swagger UI fills them in and sends them, so that who asks for the log as the
 * page comes would be shown what passes every filter at once, which is nothing.
 */
function unfilled(schema: FastifySchema | undefined): FastifySchema | undefined {
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

/** What every request that needs a key may carry (`min-revision.ts`). */
function withMinRevision(headers: unknown): object {
  const { properties, ...rest } = { type: 'object', ...(headers as { properties?: object } | undefined) };
  return { ...rest, properties: { ...properties, ...MIN_REVISION } };
}

export default fp(openapi, { name: 'openapi' });

/**
 * Answers with what is made for whoever asks first: it takes long enough to keep others waiting, and anybody may ask. As bytes, so that
 * however many do not read their answer hold one copy of it.
 */
function sender(type: string, make: () => string): RouteHandlerMethod {
  let made: Buffer | undefined;
  return (_request, reply) => reply.type(type).send((made ??= Buffer.from(make())));
}

/** The OpenAPI document as `openapi.yaml` holds it, byte for byte. */
export function openapiYaml(app: FastifyInstance): string {
  return `# Generated from the routes' schemas by \`npm run openapi\`. Do not edit.\n${stringify(app.swagger(), { lineWidth: 120, aliasDuplicateObjects: false })}`;
}
