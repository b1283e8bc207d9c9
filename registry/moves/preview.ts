/**
 * Previews: what a move would do.
 *
 * Problem: a preview shows texts, but only auditors may read those of a revoked version, and an operator need not be one.
 * Rule: a preview is decided like the move itself. For a revoked version it shows what changes and why the move would be refused. Only
 * auditors also see the lines.
 * Example: `previewActivate({ version: '2.0.0', reason })` for a revoked 2.0.0: its `system` is `changed`, without hunks.
 */
import { differences, type Differences, type Edition } from '../packs/diff.ts';
import type { Violation } from '../model.ts';
import type { VersionRecord } from '../state/records.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { EndedRollout } from './move-command.ts';

/** What a move would do. */
export interface Preview {
  readonly wouldActivate: string;
  readonly previousVersion: string | null;
  readonly differences: Differences;
  /** Why it would be refused; empty if it would not. */
  readonly problems: readonly Violation[];
  /** The rollout that it would end, if any. */
  readonly rollout: EndedRollout | undefined;
  /** The state that it was decided on. */
  readonly snapshot: Snapshot;
}

/** Who reads a version. */
export interface Reader {
  /** Whether the texts of revoked versions may be shown. */
  readonly mayAudit: boolean;
}

export const NO_AUDITOR: Reader = Object.freeze({ mayAudit: false });

/** Why a version may not be active; empty if it may. */
export function problemsOf({ revocation, violations }: VersionRecord): readonly Violation[] {
  const revoked: Violation[] =
    revocation === undefined ? [] : [{ rule: 'revoked', detail: `Revoked at ${revocation.at}: ${revocation.reason}` }];
  return [...revoked, ...violations];
}

/** @param active the channel's active version, if any */
export async function previewOf(
  active: Edition | undefined,
  target: Edition,
  { mayAudit }: Reader,
  { rollout, snapshot }: Pick<Preview, 'rollout' | 'snapshot'>,
): Promise<Preview> {
  const { version, revocation } = target.record;
  const found = await differences(active, target);
  return {
    wouldActivate: version,
    previousVersion: active?.record.version ?? null,
    problems: problemsOf(target.record),
    rollout,
    snapshot,
    differences:
      revocation === undefined || mayAudit
        ? found
        : { ...found, assets: found.assets.map((asset) => ({ ...asset, hunks: [] })) },
  };
}
