/**
 * Metrics of the process: memory, CPU, event-loop lag, garbage collection, open files.
 *
 * Their observers cannot be stopped again. So there is one set for each process, created with the first application and shared by all.
 * It does not keep the process alive.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';

let register: Registry | undefined;

/** The metrics of the process, which are observed from the first call on. */
export function processMetrics(): Registry {
  if (register === undefined) {
    register = new Registry();
    collectDefaultMetrics({ register });
  }
  return register;
}
