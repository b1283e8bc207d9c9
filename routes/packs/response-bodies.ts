/** Response bodies of packs and policies, made from the metadata in a snapshot. */
import semver from 'semver';
import type { Static } from '@sinclair/typebox';
import type { PackState } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import { versionSummary } from '../versions/response-bodies.ts';
import type * as schemas from './schemas.ts';

const VERSIONS_SHOWN = 20;

export function packBody(state: PackState): schemas.Pack {
  const latest =
    state.versions.find(({ version, revocation }) => semver.prerelease(version) === null && revocation === undefined)
      ?.version ?? null;
  return {
    pack: state.pack,
    versionCount: state.versions.size,
    latest,
    versions: state.versions.highest(VERSIONS_SHOWN).map((record) => versionSummary(state, record)),
    channels: [...state.pointers.values()].map(({ channel, version, digest, revision, activatedAt, activatedBy }) => ({
      channel,
      version,
      digest,
      revision,
      activatedAt,
      activatedBy,
    })),
  };
}

/** The policy in force. Without a policy, the floor is empty. */
export function policyBody({ pack, policy: record }: PackState): Static<typeof schemas.Policy> {
  if (record === undefined)
    return {
      pack,
      version: 0,
      digest: null,
      revision: null,
      clauses: [],
      forbidden: [],
      requiredStyles: [],
      limits: {},
      placeholders: [],
    };
  return mutable({ pack, ...record.policy, digest: record.digest, revision: record.revision });
}
