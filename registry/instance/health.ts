/** How an instance is, for probes and operators. */

export interface Health {
  /** Whether there is a whole snapshot to answer from. */
  readonly ready: boolean;
  /** What is wrong or unusual, for people; empty if nothing is. */
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly name:
    'waiting' | 'stale' | 'pinned' | 'log-diverged' | 'clock-behind-log' | 'clock-in-doubt' | 'snapshot-differs';
  readonly detail: string;
}

/** What `healthOf` looks at; undefined means that nothing is wrong. */
export interface Signs {
  readonly ready: boolean;
  readonly staleSeconds: number | undefined;
  readonly pinnedVersion: string | undefined;
  /** Why the log is not followed. */
  readonly diverged: string | undefined;
  /** How far the log is ahead of the clock, in words. */
  readonly clockBehindLog: string | undefined;
  /** Why nothing that is due by time is done. */
  readonly clockInDoubt: string | undefined;
  /** What differs between the last good snapshot of this start and the log. */
  readonly snapshotDiffers: string | undefined;
}

export function healthOf(signs: Signs): Health {
  const { ready, staleSeconds, pinnedVersion, diverged, clockBehindLog, clockInDoubt, snapshotDiffers } = signs;
  const conditions: Condition[] = [];
  const add = (name: Condition['name'], detail: string) => void conditions.push({ name, detail });
  if (!ready)
    add('waiting', 'The store cannot be reached, and there is no last good snapshot to serve in the meantime.');
  else if (staleSeconds !== undefined)
    add('stale', `This instance last knew ${staleSeconds} s ago that it was current.`);
  if (pinnedVersion !== undefined) add('pinned', `PIN_VERSION: ${pinnedVersion} is served, whatever the log says.`);
  if (diverged !== undefined)
    add('log-diverged', 'The log in the store is not the one that this instance has applied, so it is not followed.');
  if (clockBehindLog !== undefined) add('clock-behind-log', clockBehindLog);
  else if (clockInDoubt !== undefined) add('clock-in-doubt', `${clockInDoubt} Steps, schedules and trials wait.`);
  if (snapshotDiffers !== undefined)
    add('snapshot-differs', `This start used a last good snapshot that differs from the log: ${snapshotDiffers}.`);
  return { ready, conditions };
}
