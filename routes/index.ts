/**
 * The API's table of contents.
 *
 *     packs         listPacks getPack getPolicy
 *     versions      listVersions getVersion publishVersion diffVersions revokeVersion
 *     activations   getActivePack listActivations activateVersion rollbackPack
 *     prompts       getSystemPrompt listStyles getStylePrompt
 *     coach         startCoachSession getCoachSession
 *     audit         listEvents getAuditHead verifyAudit
 *     events        streamEvents
 *     keys          listKeys createKey revokeKey
 *     instances     listInstances
 *     health        live ready
 *     metrics       getMetrics
 *     problems      getProblem
 */
import type { FastifyInstance } from 'fastify';
import { movesOf } from '../registry/index.ts';
import activationRoutes from './activations/index.ts';
import { activationSchemas } from './activations/schemas.ts';
import auditRoutes from './audit/index.ts';
import { auditSchemas } from './audit/schemas.ts';
import coachRoutes from './coach/index.ts';
import { prepareView } from './wire/conditional.ts';
import eventRoutes from './events/index.ts';
import healthRoutes from './health/index.ts';
import instanceRoutes from './instances/index.ts';
import keyRoutes from './keys/index.ts';
import { keySchemas } from './keys/schemas.ts';
import metricsRoutes from './metrics/index.ts';
import packRoutes from './packs/index.ts';
import { packSchemas } from './packs/schemas.ts';
import problemRoutes from './problems/index.ts';
import promptRoutes from './prompts/index.ts';
import { Instances } from './wire/prefer-wait.ts';
import { Problem } from './wire/schema-kit.ts';
import versionRoutes from './versions/index.ts';
import { versionSchemas } from './versions/schemas.ts';
import { words } from './wire/words.ts';

export default async function routes(app: FastifyInstance): Promise<void> {
  for (const schema of [
    Problem,
    Instances,
    ...words,
    ...versionSchemas,
    ...packSchemas,
    ...activationSchemas,
    ...keySchemas,
    ...auditSchemas,
  ])
    app.addSchema(schema);
  await app.register(packRoutes);
  await app.register(versionRoutes);
  await app.register(activationRoutes);
  await app.register(promptRoutes);
  await app.register(coachRoutes);
  await app.register(auditRoutes);
  await app.register(eventRoutes, { counts: app.metrics.streams });
  await app.register(keyRoutes);
  await app.register(instanceRoutes);
  await app.register(healthRoutes);
  await app.register(metricsRoutes);
  await app.register(problemRoutes);

  // At the flip, not at the first request after it.
  app.registry.onChange((events, snapshot) => {
    for (const event of events) {
      for (const { channel } of movesOf(event)) {
        const view = snapshot.views.get(event.pack ?? '')?.get(channel);
        if (view !== undefined) prepareView(view);
      }
    }
  });
}
