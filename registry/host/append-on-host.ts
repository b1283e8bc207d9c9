/** An append by a tool on the host while instances may run: a compare-and-set like theirs, which they follow. */
import { Contents } from '../local/contents.ts';
import { SILENT } from '../machine/logger.ts';
import { readLog } from '../instance/open.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { StoreClock } from '../log/store-clock.ts';
import type { Store } from '../log/store.ts';
import { Writer } from '../writing/writer.ts';
import type { Proposal } from '../log/proposal.ts';
import { SYSTEM_CLOCK } from '../machine/clock.ts';

/** The state of the log. @throws RegistryError `store-unavailable`; LogBroken; Error with the message `ifEmpty` if the log is empty */
export async function stateOnHost(store: Store, ifEmpty: string): Promise<Snapshot> {
  const snapshot = await readLog(store, new Contents(store));
  if (snapshot.revision === 0) throw new Error(ifEmpty);
  return snapshot;
}

/** Appends the proposal. @throws RegistryError `store-unavailable`, `store-busy`, `outcome-unknown` */
export async function appendOnHost(
  store: Store,
  base: Snapshot,
  propose: (snapshot: Snapshot) => Proposal,
): Promise<Snapshot> {
  const current = { applied: base };
  const writer = new Writer({
    store,
    contents: new Contents(store),
    clock: new StoreClock(store, SYSTEM_CLOCK, SILENT),
    current,
    show: (next) => void (current.applied = next),
  });
  try {
    return (await writer.commit(() => propose)).snapshot;
  } finally {
    await writer.close();
  }
}
