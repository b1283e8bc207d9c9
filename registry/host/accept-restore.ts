/**
 * Accepting a restore: an operator decides to continue with the log as it is now, although it is older than what instances have applied
 * (docs/operations.md, "A restored database").
 *
 * Problem: the log of a restored database ends earlier than before, and revisions will be used a second time for other events. Instances
 * and clients that have seen the lost events must not follow silently, but they must be able to recover.
 * Rule: `registry-restored` opens a new epoch. Positions are compared by epoch, then revision, so the accepted log is later than anything
 * seen before. Instances that had stopped following fold it again, and streams get a `resync`.
 * Example: the log was at 100 and is restored at 80; revision 81 opens epoch 2. (2, 81) is later than (1, 100).
 */
import { appendOnHost, stateOnHost } from './append-on-host.ts';
import { SILENT } from '../machine/logger.ts';
import { LastGood } from '../local/last-good.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import { checkRequest } from '../requests.ts';
import type { SealKey } from '../local/seal.ts';
import type { Position } from '../state/position.ts';
import type { Store } from '../log/store.ts';

/**
 * Opens a new epoch: one above the highest in the log and in this host's last good snapshot.
 *
 * @param dataDir where the last good snapshot of this host is
 * @param snapshotKey the key of its MAC, if it has one
 * @throws RegistryError `validation-failed`, `store-unavailable`, `store-busy`, `outcome-unknown`; LogBroken; Error if the log is empty
 */
export async function acceptRestore(
  store: Store,
  dataDir: string,
  reason: string,
  snapshotKey?: SealKey,
): Promise<Position> {
  checkRequest({ reason });
  const state = await stateOnHost(
    store,
    'The log is empty: this database holds no registry. Restore the database first.',
  );
  const saved = await new LastGood(dataDir, { logger: SILENT, key: snapshotKey }).load();
  const seen = saved?.state.registryId === state.registryId ? saved.state.epoch : 0;
  const { epoch, revision } = await appendOnHost(store, state, (base) => ({
    events: [
      { type: 'registry-restored', actor: SYSTEM_ACTOR, reason, data: { epoch: Math.max(base.epoch, seen) + 1 } },
    ],
    contents: [],
  }));
  return { epoch, revision };
}
