/**
 * The API's table of contents.
 *
 *     packs         listPacks getPack getPolicy
 *     versions      listVersions getVersion publishVersion diffVersions revokeVersion
 *     activations   getActivePack listActivations activateVersion rollbackPack
 *     prompts       getSystemPrompt listStyles getStylePrompt
 *     channels      getChannel confirmActivation
 *     rollouts      startRollout listRollouts getRollout advanceRollout pauseRollout resumeRollout promoteRollout abortRollout
 *     schedule      scheduleActivation listSchedule cancelScheduledActivation
 *     coach         startCoachSession getCoachSession
 *     audit         listEvents getAuditHead verifyAudit
 *     events        streamEvents
 *     keys          listKeys createKey revokeKey
 *     instances     listInstances
 *     health        live ready
 *     metrics       getMetrics
 *     problems      getProblem
 *
 * Each folder has `index.ts` (verb, path, scope, handler) and `schemas.ts` (what goes in and out). `wire/` holds what they share of HTTP.
 */
import type { FastifyInstance } from 'fastify';
import activationRoutes from './activations/index.ts';
import auditRoutes from './audit/index.ts';
import channelRoutes from './channels/index.ts';
import coachRoutes from './coach/index.ts';
import { addComponents } from './components.ts';
import eventRoutes from './events/index.ts';
import healthRoutes from './health/index.ts';
import instanceRoutes from './instances/index.ts';
import keyRoutes from './keys/index.ts';
import metricsRoutes from './metrics/index.ts';
import packRoutes from './packs/index.ts';
import problemRoutes from './problems/index.ts';
import promptRoutes from './prompts/index.ts';
import rolloutRoutes from './rollouts/index.ts';
import scheduleRoutes from './schedule/index.ts';
import versionRoutes from './versions/index.ts';
import { prepareOnMove } from './wire/prepared.ts';

export default async function routes(app: FastifyInstance): Promise<void> {
  addComponents(app);
  await app.register(packRoutes);
  await app.register(versionRoutes);
  await app.register(activationRoutes);
  await app.register(promptRoutes);
  await app.register(channelRoutes);
  await app.register(rolloutRoutes);
  await app.register(scheduleRoutes);
  await app.register(coachRoutes);
  await app.register(auditRoutes);
  await app.register(eventRoutes, { counts: app.metrics.streams });
  await app.register(keyRoutes);
  await app.register(instanceRoutes);
  await app.register(healthRoutes);
  await app.register(metricsRoutes);
  await app.register(problemRoutes);
  prepareOnMove(app.registry);
}
