/** Every schema with a name: they become `components/schemas` of the OpenAPI document, in this order. */
import type { FastifyInstance } from 'fastify';
import { activationSchemas } from './activations/schemas.ts';
import { auditSchemas } from './audit/schemas.ts';
import { channelSchemas } from './channels/schemas.ts';
import { coachSchemas } from './coach/schemas.ts';
import { eventSchemas } from './events/schemas.ts';
import { healthSchemas } from './health/schemas.ts';
import { instanceSchemas } from './instances/schemas.ts';
import { keySchemas } from './keys/schemas.ts';
import { metricsSchemas } from './metrics/schemas.ts';
import { packSchemas } from './packs/schemas.ts';
import { problemSchemas } from './problems/schemas.ts';
import { promptSchemas } from './prompts/schemas.ts';
import { rolloutSchemas } from './rollouts/schemas.ts';
import { scheduleSchemas } from './schedule/schemas.ts';
import { diffSchemas } from './versions/diff-schemas.ts';
import { revocationSchemas } from './versions/revocation-schemas.ts';
import { versionSchemas } from './versions/schemas.ts';
import { InstancesReached } from './wire/prefer-wait.ts';
import { Problem } from './wire/problems.ts';
import { sharedSchemas } from './wire/shared-schemas.ts';

/** Adds the schemas, before any route refers to them. */
export function addComponents(app: FastifyInstance): void {
  for (const schema of [
    Problem,
    InstancesReached,
    ...sharedSchemas,
    ...versionSchemas,
    ...diffSchemas,
    ...revocationSchemas,
    ...packSchemas,
    ...activationSchemas,
    ...rolloutSchemas,
    ...scheduleSchemas,
    ...channelSchemas,
    ...keySchemas,
    ...auditSchemas,
    ...promptSchemas,
    ...coachSchemas,
    ...eventSchemas,
    ...instanceSchemas,
    ...healthSchemas,
    ...metricsSchemas,
    ...problemSchemas,
  ])
    app.addSchema(schema);
}
