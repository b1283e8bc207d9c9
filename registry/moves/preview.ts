/**
 * Previews: what a move would do, for whoever looks before leaping.
 *
 * Problem: a preview shows texts, and those of a revoked version are for auditors only; whoever may move a channel need not be one.
 * Rule: a preview is decided as the move itself would be; of a revoked version it says what changes and what refuses it, and gives
 * the lines only to whom `version` would give the texts.
 * Example: `previewActivate({ version: '2.0.0', reason })` of a revoked 2.0.0: its `system` is `changed`, without hunks.
 */
import { differences, type Differences, type Edition } from '../packs/diff.ts';
import type { Violation } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';

/** What a move would do. */
export interface Preview {
  readonly wouldActivate: string;
  readonly previousVersion: string | null;
  readonly differences: Differences;
  /** What would refuse it. */
  readonly problems: readonly Violation[];
  /** What it was decided on. */
  readonly snapshot: Snapshot;
}

/** Who looks at a version. */
export interface Reader {
  /** Whether a revoked version's texts may be shown. */
  readonly mayAudit: boolean;
}

/** Nobody in particular. */
export const NO_AUDITOR: Reader = Object.freeze({ mayAudit: false });

/** @param active what the channel is at; undefined where it is at nothing */
export async function previewOf(
  active: Edition | undefined,
  target: Edition,
  { mayAudit }: Reader,
  snapshot: Snapshot,
): Promise<Preview> {
  const { version, revocation, violations } = target.record;
  const found = await differences(active, target);
  const revoked: Violation[] =
    revocation === undefined ? [] : [{ rule: 'revoked', detail: `Revoked at ${revocation.at}: ${revocation.reason}` }];
  return {
    wouldActivate: version,
    previousVersion: active?.record.version ?? null,
    problems: [...revoked, ...violations],
    snapshot,
    differences:
      revocation === undefined || mayAudit
        ? found
        : { ...found, assets: found.assets.map((asset) => ({ ...asset, hunks: [] })) },
  };
}
