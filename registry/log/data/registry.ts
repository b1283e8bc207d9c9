/** `data` of the events about the registry itself. */
export interface RegistryEvents {
  'registry-created': { readonly registryId: string; readonly sessionKeyId: string };
  /** An operator accepted that a restored log ends earlier than before: the events that are missing from it are void. */
  'registry-restored': { readonly epoch: number };
}
