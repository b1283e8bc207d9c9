/**
 * Accepting a restore: an operator says that the log as it is now is the one to go on with, although it is older than what instances
 * have applied (DESIGN section 4).
 *
 * Problem: after a database was restored from a backup its log ends earlier than it once did, and revisions will be given out a second
 * time for other events. Instances and clients that have seen the lost ones must neither follow in silence nor be lost for good.
 * Rule: `registry-restored` opens a new epoch. Places are compared by epoch, then revision, so the accepted log is later than anything
 * seen before; instances that had stopped following fold it anew, streams are told to read again.
 * Example: the log was at 100 and is restored at 80; revision 81 opens epoch 2. (2, 81) is later than (1, 100).
 */
import { appendOnHost, stateOnHost } from './append-on-host.ts';
import { SILENT } from '../machine/logger.ts';
import { LastGood } from '../local/last-good.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import { checkRequest } from '../requests.ts';
import type { SealKey } from '../local/seal.ts';
import type { Position } from '../state/snapshot.ts';
import type { Store } from '../log/store.ts';

/**
 * Opens a new epoch on the log as it is: one above any that the log, or the last good snapshot of this host, has seen.
 *
 * @param dataDir where the last good snapshot of this host is
 * @param snapshotKey the key of its MAC, if it has one
 * @throws RegistryError `validation-failed`, `store-unavailable`, `store-busy`, `outcome-unknown`; LogBroken; Error where the log is empty
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
    'The log is empty: there is no registry in this database. Restore the database first.',
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
