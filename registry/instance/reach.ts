/** Waiting until this instance has applied a position in the history (SPEC R10). */
import { RegistryError } from '../errors.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { reaches } from '../state/position.ts';

/** How long a reader waits for a revision that has not arrived yet, in milliseconds. */
const REACH_PATIENCE = 2000;

/** A position as a caller names it: without an epoch, the epoch in force. */
export interface WantedPosition {
  readonly epoch?: number | undefined;
  readonly revision: number;
}

export interface Reachable {
  readonly current: { readonly applied: Snapshot };
  /** Whether the log is not followed. */
  readonly diverged: boolean;
  /** Applies what the log holds. @throws RegistryError `store-unavailable`; LogBroken */
  readonly catchUp: () => Promise<void>;
}

/**
 * Waits until a position is applied here, two seconds at most.
 * @throws RegistryError `revision-not-reached` if that takes longer, `revision-unknown` if the log ends before it
 */
export async function reach(
  { epoch, revision }: WantedPosition,
  { current, diverged, catchUp }: Reachable,
): Promise<void> {
  const reached = () => reaches(current.applied, { epoch: epoch ?? current.applied.epoch, revision });
  if (reached()) return;
  const notReached = (cause?: unknown) =>
    new RegistryError(
      'revision-not-reached',
      `This instance is at revision ${current.applied.revision} and cannot reach revision ${revision} at the moment.`,
      { currentRevision: current.applied.revision },
      { cause },
    );
  if (diverged) throw notReached();
  let timer: NodeJS.Timeout | undefined;
  try {
    const timeout = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(notReached()), REACH_PATIENCE)));
    await Promise.race([catchUp(), timeout]);
  } catch (error) {
    throw error instanceof RegistryError && error.code === 'revision-not-reached' ? error : notReached(error);
  } finally {
    clearTimeout(timer);
  }
  if (reached()) return;
  const currentRevision = current.applied.revision;
  throw new RegistryError(
    'revision-unknown',
    `The log ends at revision ${currentRevision}; it has no revision ${revision}${epoch === undefined ? '' : ` of epoch ${epoch}`}.`,
    { currentRevision },
  );
}
