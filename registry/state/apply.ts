/** What events about the registry itself do to the state. */
import { LogBroken } from '../errors.ts';
import type { RegistryEvents } from '../log/data/registry.ts';
import type { Appliers } from './draft.ts';

export const REGISTRY_APPLIERS: Appliers<keyof RegistryEvents> = {
  'registry-created': (draft, { data }) => {
    draft.registryId = data.registryId;
  },
  'registry-restored': (draft, { revision, data }) => {
    if (data.epoch <= draft.epoch)
      throw new LogBroken(`Revision ${revision} opens epoch ${data.epoch} in epoch ${draft.epoch}.`); // SPEC R4
    draft.epoch = data.epoch;
    draft.epochStart = revision;
  },
};
