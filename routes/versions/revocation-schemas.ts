/** Schemas of the revocation of a version. */
import { Type } from '@sinclair/typebox';
import { ChannelName, Digest, PackName, Reason, Revision, Version } from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { replayedHeader, waitedHeader, waitHeaders } from '../wire/headers.ts';
import { noQuery, versionParams } from '../wire/parameters.ts';
import { InstancesReached, pendingInstancesExample } from '../wire/prefer-wait.ts';
import { writeProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, nullable, ref, stringEnum } from '../wire/schema-types.ts';

export const RevokeBody = closed(
  {
    reason: Reason,
    replacement: Type.Optional({
      ...Version,
      description: 'The version that replaces it in channels that point at it and in sessions pinned to it.',
    }),
    sessions: Type.Optional(
      stringEnum(
        ['next-turn', 'end'],
        'What happens to the sessions on it, in every channel. `next-turn`, the default: they go on with what replaces it. `end`: they end.',
      ),
    ),
    dryRun: Type.Optional(
      Type.Boolean({
        description: 'Report what would happen, and change nothing. Omit it to revoke the version permanently.',
      }),
    ),
  },
  { $id: 'RevokeRequest', examples: [{ reason: 'Leaves out the crisis wording', replacement: '1.0.0', dryRun: true }] },
);

const Move = closed(
  {
    channel: ChannelName,
    version: Version,
    digest: Digest,
    previousVersion: nullable(Type.String({ examples: ['2.0.0'] })),
  },
  { $id: 'Move', description: 'A move of a channel.' },
);

export const Revocation = closed(
  {
    revision: Revision,
    pack: PackName,
    version: Version,
    moves: Type.Array(ref(Move)),
    instances: Type.Optional(ref(InstancesReached)),
  },
  {
    $id: 'Revocation',
    description:
      'A revocation, and where it moved the channels that pointed at the version. In a dry run, `revision` is the current one.',
  },
);
export const revocationExample = {
  revision: 12,
  pack: 'coach',
  version: '2.0.0',
  moves: [{ channel: 'production', version: '1.1.0', digest: example.digest, previousVersion: '2.0.0' }],
};

export const pendingExample = {
  ...revocationExample,
  instances: pendingInstancesExample,
};

export const revocationSchemas = [RevokeBody, Move, Revocation];

export const revokeVersion = {
  operationId: 'revokeVersion',
  tags: ['Activation'],
  summary: 'Revoke a version',
  description:
    'Revokes a version permanently: from the response on, it is neither read nor activated nor served to sessions. Channels that point at it move in the same event, to `replacement` or down their stack. Sessions pinned to it continue on its replacement, or end.',
  params: versionParams,
  querystring: noQuery,
  headers: waitHeaders,
  body: ref(RevokeBody),
  response: {
    200: jsonResponse(Revocation, 'Revoked. With `dryRun`: what the revocation would do.', revocationExample, {
      ...replayedHeader,
      ...waitedHeader,
    }),
    202: jsonResponse(
      Revocation,
      'Revoked. With `Prefer: wait`: some instances have not applied it in time.',
      pendingExample,
      { ...replayedHeader, ...waitedHeader },
    ),
    ...writeProblems(
      'pack-not-found',
      'version-not-found',
      'version-revoked',
      'replacement-required',
      'unknown-version',
      'policy-violated',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};
