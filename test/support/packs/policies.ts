/**
 * Policies for tests: as `policy.yaml` says them, and as a start finds them next to the packs.
 *
 * Example: `shippedPolicy('coach', { version: 2, requiredStyles: ['direct'] })`.
 */
import type { ShippedPolicy } from '../../../registry/packs/pack-folder.ts';
import { parsePolicy } from '../../../registry/packs/policy.ts';
import type { Policy } from '../../../registry/model.ts';

/** A policy that everything is above; any member may be given. */
export function policyOf(members: Partial<Policy> = {}): Policy {
  return { version: 1, clauses: [], forbidden: [], requiredStyles: [], limits: {}, placeholders: [], ...members };
}

/** A policy as it is read from a packs folder. */
export function shippedPolicy(pack: string, members: Partial<Policy> = {}): ShippedPolicy {
  return { path: `packs/${pack}/policy.yaml`, pack, ...parsePolicy(policyOf(members)) };
}

/** A floor under which exactly the versions named lie: their texts name them (`documentOf`). */
export function floorUnder(pack: string, policyVersion: number, ...versions: readonly string[]): ShippedPolicy {
  return shippedPolicy(pack, {
    version: policyVersion,
    forbidden: versions.map((version) => ({
      id: `not-${version.replaceAll('.', '-')}`,
      text: `${pack} ${version}: the system prompt`,
    })),
  });
}
