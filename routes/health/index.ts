/** Probes: whether the process is alive, and whether it can take requests. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { RegistryError, type Registry } from '../../registry/index.ts';
import * as schemas from './schemas.ts';

const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/livez', {
    config: { scope: 'open', share: 'none' },
    schema: schemas.live,
    handler: async () => ({ status: 'live' as const }),
  });

  app.get('/readyz', {
    config: { scope: 'open', share: 'none' },
    schema: schemas.ready,
    handler: async ({ registry, snapshot: { epoch, revision } }) => {
      if (app.draining)
        throw new RegistryError('not-ready', 'The process is shutting down; it finishes the requests in progress.');
      return { status: 'ready' as const, revision, epoch, ...readiness(registry) };
    },
  });
};

export default healthRoutes;

/** @throws RegistryError `not-ready` without a whole snapshot to serve */
function readiness(registry: Registry) {
  const { staleSeconds, pinnedVersion } = registry;
  const { ready, conditions } = registry.health();
  if (!ready) throw new RegistryError('not-ready', conditions.map(({ detail }) => detail).join(' '), { conditions });
  return {
    stale: staleSeconds !== undefined,
    ...(staleSeconds !== undefined && { staleSeconds }),
    ...(pinnedVersion !== undefined && { pinned: pinnedVersion }),
    conditions: conditions.flatMap(({ name, detail }) => (name === 'waiting' ? [] : [{ name, detail }])),
  };
}
