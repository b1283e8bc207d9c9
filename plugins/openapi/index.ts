/**
 * Serves the OpenAPI document, which is generated from the routes' schemas, and Swagger UI to try it out.
 *
 * Helmet's security headers, which protect pages in a browser, are set only here. API responses have a few headers of their own.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import helmet from '@fastify/helmet';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import fp from 'fastify-plugin';
import { stringify } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { linkTo } from '../path-prefix.ts';
import { documentOptions, TITLE } from './document.ts';
import { sendDocumentationFile } from './documentation-files.ts';

/** The links that `/` returns. They are relative, so that they work below a path prefix. */
const ENTRIES = { docs: './docs', openapi: './openapi.json', packs: './v1/packs', readiness: './readyz' } as const;

/** `BaseLayout` has no bar at the top, where other documents could be opened. */
const SWAGGER_UI = {
  layout: 'BaseLayout',
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  plugins: [withoutStreams],
};

export interface OpenapiOptions {
  /** The address that users see; default: the one that the document was loaded from. */
  readonly publicUrl?: string | undefined;
}

async function openapi(app: FastifyInstance, { publicUrl }: OpenapiOptions): Promise<void> {
  await app.register(swagger, documentOptions(publicUrl));
  // A separate context, so that Helmet's headers and the open scope apply only to the documentation.
  await app.register(async (docs) => {
    const sendJson = sender('application/json; charset=utf-8', () => JSON.stringify(app.swagger()));
    const sendYaml = sender('application/yaml', () => openapiYaml(app));
    // Swagger UI's own handlers generate the document, and open a file, for each request.
    const cheap: Readonly<Record<string, RouteHandlerMethod>> = {
      '/docs/json': sender('application/json; charset=utf-8', () =>
        JSON.stringify({ ...app.swagger(), servers: [{ url: '..', description: 'This server.' }] }),
      ), // relative to /docs, because the page may call only the server that it was loaded from
      '/docs/yaml': sendYaml,
      '/docs/static/*': sendDocumentationFile,
    };
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, scope: 'open' };
      route.schema = { ...route.schema, hide: true };
      route.handler = cheap[route.url] ?? route.handler;
    });
    addPageHooks(docs);
    await docs.register(helmet, {
      // On a plain-http address there is nothing to upgrade to, and a browser that tries shows an empty page.
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
      strictTransportSecurity: false,
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: '.',
      staticCSP: false,
      theme: { title: TITLE },
      uiConfig: SWAGGER_UI,
    });
    docs.get('/', (request, reply) => {
      if (request.url === '*') return void reply.callNotFound(); // RFC 9112 section 3.2.4: only for OPTIONS, but the router maps it to `/`
      void reply.header('vary', 'Accept');
      if (prefersPage(request.headers.accept)) void reply.redirect(ENTRIES.docs);
      else void reply.send({ name: packageJson.name, version: packageJson.version, links: ENTRIES });
    });
    docs.get('/openapi.json', sendJson);
    docs.get('/openapi.yaml', sendYaml);
  });
}

export default fp(openapi, { name: 'openapi' });

function addPageHooks(docs: FastifyInstance): void {
  // RFC 9110 sections 13.1 and 14.2: a server may ignore these headers. The file server would refuse some of them without a problem.
  docs.addHook('onRequest', (request, _reply, next) => {
    for (const name of ['range', 'if-range', 'if-match', 'if-unmodified-since'])
      Reflect.deleteProperty(request.raw.headers, name);
    next();
  });
  docs.addHook('onSend', (request, reply, payload, next) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string' && location.startsWith('/'))
      void reply.header('location', linkTo(request, location));
    next(null, payload);
  });
}

/** Whether `Accept` (RFC 9110 section 12.5.1) prefers HTML to JSON, as browsers do. */
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

/**
 * A plugin of Swagger UI, sent to the browser as text. It turns off "Try it out" for the event stream: Swagger UI shows a response only when
 * it ends, and a stream does not end.
 */
function withoutStreams() {
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

/**
 * Sends a text that is made for the first request only: making it blocks other requests, and anybody may ask for it. It is kept as bytes,
 * so that any number of slow readers share one copy.
 */
function sender(type: string, make: () => string): RouteHandlerMethod {
  let made: Buffer | undefined;
  return (_request, reply) => reply.type(type).send((made ??= Buffer.from(make())));
}

/** The OpenAPI document, byte for byte as in `openapi.yaml`. */
export function openapiYaml(app: FastifyInstance): string {
  return `# Generated from the routes' schemas by \`npm run openapi\`. Do not edit.\n${stringify(app.swagger(), { lineWidth: 120, aliasDuplicateObjects: false })}`;
}
