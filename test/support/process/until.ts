/** Waiting for a condition that nothing announces. */
import { setTimeout } from 'node:timers/promises';

/** Resolves once the condition holds; the test's own time limit is the only one. Example: `await until(() => registry.ready)`. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(5);
}
