/** A registry whose store fails as planned, and what a test watches of it. */
import type { Test } from 'tap';
import type { RegistryError } from '../../../registry/errors.ts';
import type { Event } from '../../../registry/log/event.ts';
import type { Batch } from '../../../registry/log/store.ts';
import type { Registry, RegistryOptions } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { FailingStore, type Fault, type Plan } from '../stores/failing-store.ts';
import { openRegistry } from './registries.ts';

/** A registry, after its first start, on a separate store that fails as planned from here on. */
export async function planned(t: Test, plan: Plan, options: Partial<RegistryOptions> = {}) {
  const real = new MemoryStore();
  t.teardown(() => real.close());
  let begun = false;
  let before = 0;
  const store = new FailingStore(real, (call) => (begun ? plan({ ...call, turn: call.turn - before }) : undefined));
  const registry = await openRegistry(t, { store, ...options });
  before = store.batches.length;
  begun = true;
  return { registry, real, store, sent: () => store.batches.slice(before) };
}

/** The n-th append from here on has the n-th fault. */
export const appends =
  (...faults: (Fault | undefined)[]): Plan =>
  ({ method, turn }) =>
    method === 'append' ? faults[turn - 1] : undefined;

/** Everything a registry announces, in order. */
export function heardBy(registry: Registry): Event[] {
  const heard: Event[] = [];
  registry.onChange((events) => void heard.push(...events));
  return heard;
}

export const refusalOf = (write: Promise<unknown>) =>
  write.then(
    () => undefined,
    (error: unknown) => error as RegistryError,
  );

export const ids = (batches: readonly Batch[]) => batches.map(({ events }) => events.map(({ id }) => id).join());
