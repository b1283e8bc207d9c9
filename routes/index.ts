/**
 * The API's table of contents.
 *
 *     packs      listPacks getPack listVersions getVersion publishVersion
 *                getActivePack listActivations activateVersion rollbackPack
 *     prompts    getSystemPrompt listStyles getStylePrompt
 *     coach      startCoachSession getCoachSession
 *     health     live ready
 *     problems   getProblem
 */
import type { FastifyInstance } from 'fastify';
import coachRoutes from './coach/index.ts';
import { prepareView } from './conditional.ts';
import healthRoutes from './health/index.ts';
import packRoutes from './packs/index.ts';
import problemRoutes from './problems/index.ts';
import promptRoutes from './prompts/index.ts';
import { Problem } from './schema-kit.ts';

export default async function routes(app: FastifyInstance): Promise<void> {
  app.addSchema(Problem);
  await app.register(packRoutes);
  await app.register(promptRoutes);
  await app.register(coachRoutes);
  await app.register(healthRoutes);
  await app.register(problemRoutes);

  // At the flip, not at the first request after it.
  app.registry.onChange((events, snapshot) => {
    for (const { pack, channel } of events) {
      const view = pack === undefined || channel === undefined ? undefined : snapshot.views.get(pack)?.get(channel);
      if (view !== undefined) prepareView(view);
    }
  });
}
