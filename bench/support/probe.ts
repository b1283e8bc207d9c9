/**
 * Preloaded (`--import`) into a process under measurement: reports to its parent what the process has used so far, and ends with it.
 */
import { constants } from 'node:os';

/** What a process has used so far. */
export interface Usage {
  /** User and system time of all its threads, in microseconds. */
  readonly cpu: number;
  /** Bytes in memory now, and at most so far. */
  readonly rss: number;
  readonly peakRss: number;
}

process.on('message', (question) => {
  if (question !== 'usage') return;
  const { user, system } = process.cpuUsage();
  const usage: Usage = {
    cpu: user + system,
    rss: process.memoryUsage.rss(),
    peakRss: process.resourceUsage().maxRSS * 1024,
  };
  process.send?.(usage);
});
process.on('disconnect', () => process.kill(process.pid, constants.signals.SIGTERM));
process.channel?.unref();
