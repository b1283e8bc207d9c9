/**
 * What node tells of the process: memory, CPU, event-loop lag, garbage collection, open files.
 *
 * They are about the process, not about an application in it, and what watches them cannot be stopped again: so there is one set a
 * process, made with the first application and shared by all. It keeps no process alive.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';

let register: Registry | undefined;

/** The process's own metrics, observed from the first call on. */
export function processMetrics(): Registry {
  if (register === undefined) {
    register = new Registry();
    collectDefaultMetrics({ register });
  }
  return register;
}
