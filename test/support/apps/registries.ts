/**
 * Registries for tests, on real stores, with a small pack `coach` in three versions.
 *
 * Example: `const registry = await openRegistry(t, { store })`; it is closed with the test.
 */
import type { Test } from 'tap';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { shippedOf } from '../packs/pack-documents.ts';

export const DAY = 86_400_000;

/** Complete options, with a new store unless one is given. */
export function optionsOf(members: Partial<RegistryOptions> = {}): RegistryOptions {
  return {
    store: new MemoryStore(),
    channels: ['production', 'staging'],
    defaultPack: 'coach',
    sessionTtl: DAY,
    shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0'),
    ...members,
  };
}

/** Opens a registry that is closed with the test. */
export async function openRegistry(t: Test, members: Partial<RegistryOptions> = {}): Promise<Registry> {
  const registry = await Registry.open(optionsOf(members));
  t.teardown(() => registry.close());
  return registry;
}
