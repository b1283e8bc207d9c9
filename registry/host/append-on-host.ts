/** An append by a tool on the host, beside whatever instances run: a compare-and-set like theirs, which they follow. */
import { Contents } from '../local/contents.ts';
import { SILENT } from '../machine/logger.ts';
import { readLog } from '../instance/open.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { StoreClock } from '../log/store-clock.ts';
import type { Store } from '../log/store.ts';
import { Writer } from '../writing/writer.ts';
import type { Proposal } from '../log/proposal.ts';
import { SYSTEM_CLOCK } from '../machine/clock.ts';

/** The state of a log that holds a registry. @throws RegistryError `store-unavailable`; LogBroken; Error with `ifEmpty` where it holds none */
export async function stateOnHost(store: Store, ifEmpty: string): Promise<Snapshot> {
  const snapshot = await readLog(store, new Contents(store));
  if (snapshot.revision === 0) throw new Error(ifEmpty);
  return snapshot;
}

/** Appends what is proposed. @throws RegistryError `store-unavailable`, `store-busy`, `outcome-unknown` */
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
    return (await writer.commit(propose)).snapshot;
  } finally {
    await writer.close();
  }
}
