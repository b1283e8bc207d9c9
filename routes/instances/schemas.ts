/** Schemas of the list of instances. */
import { Type } from '@sinclair/typebox';
import { Revision, Timestamp } from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { noQuery } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, ref } from '../wire/schema-types.ts';

const Instance = closed(
  {
    id: Type.String({ description: 'Identifies one run of one process.', examples: ['registry-0-3f9a1c2e'] }),
    startedAt: Timestamp,
    appliedRevision: Revision,
    behind: Type.Integer({ minimum: 0, description: 'How many revisions it is behind the instance that responds.' }),
    lastSeenAt: Type.String({
      format: 'date-time',
      description: "When it last renewed its lease, by the store's clock. A healthy instance renews it once a second.",
    }),
    pinnedVersion: Type.Optional(
      Type.String({
        description: 'The forced version (`PIN_VERSION`), which it serves whatever the log says.',
        examples: ['coach@1.0.0'],
      }),
    ),
  },
  { $id: 'Instance' },
);
const InstanceList = closed({ instances: Type.Array(ref(Instance)) }, { $id: 'InstanceList' });
const instanceExample = {
  id: 'registry-0-3f9a1c2e',
  startedAt: example.at,
  appliedRevision: 9,
  behind: 0,
  lastSeenAt: example.at,
};

export const instanceSchemas = [Instance, InstanceList];

// ── Operations ──

export const listInstances = {
  operationId: 'listInstances',
  tags: ['Instances'],
  summary: 'List the instances',
  description:
    'Every instance with a lease in the store, as far as the instance that responds knows, the longest running first. An instance that has not renewed its lease for ten minutes is removed.',
  querystring: noQuery,
  response: { 200: jsonResponse(InstanceList, 'The instances.', { instances: [instanceExample] }), ...problems() },
};
