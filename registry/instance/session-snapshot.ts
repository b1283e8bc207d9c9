/** The snapshot that a session is read from: one that is no older than the session (SPEC R10). */
import { RegistryError } from '../errors.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Instance } from './instance.ts';

/**
 * Another instance may have started the session at a revision that has not arrived here yet; then this waits for that revision.
 *
 * @param snapshot is given back if it is new enough
 * @throws RegistryError `session-not-found`, `revision-not-reached`, `not-ready`
 */
export async function snapshotFor(
  sessionId: string,
  snapshot: Snapshot,
  instance: Pick<Instance, 'sessions' | 'clock' | 'staleSeconds' | 'reach' | 'current'>,
): Promise<Snapshot> {
  const { sessions } = instance;
  let notFound: unknown;
  try {
    const { revision } = sessions.read(snapshot, sessionId, instance.clock.now());
    // SPEC R9: an instance that is cut off cannot wait for a newer revision. It can read the session, and that has to do.
    if (revision <= snapshot.revision || instance.staleSeconds !== undefined) return snapshot;
  } catch (error) {
    notFound = error;
  }
  const revision = sessions.revisionOf(sessionId);
  if (revision === undefined || revision <= snapshot.revision) throw notFound;
  await instance.reach({ revision }).catch((refusal: unknown) => {
    const restoredOver = refusal instanceof RegistryError && refusal.code === 'revision-unknown';
    if (notFound !== undefined && !restoredOver) throw refusal;
  });
  return instance.current.served;
}
