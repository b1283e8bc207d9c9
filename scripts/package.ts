/**
 * Makes the packages that are not workspaces, each in its folder below dist/: the plugin (`dist/fastify`) and the service (`dist/server`).
 *
 * Example: `npm run package && npm pack ./dist/server`.
 */
import { FASTIFY } from './packages/fastify.ts';
import { makePackage } from './packages/make-package.ts';
import { SERVER } from './packages/server.ts';

for (const each of [FASTIFY, SERVER]) makePackage(each);
