/** The only door to the domain for everything outside `registry/`. */
export * from './model.ts';
export { RegistryError, StartRefused, messageOf, invalidInput, type InputFault, type RegistryErrorCode } from './errors.ts';
export { canonical, GENESIS_HASH, hashOf, sha256, type Event, type EventType, type Head } from './event.ts';
export { LogBroken } from './fold.ts';
export { FrozenMap } from './frozen-map.ts';
export { SILENT, type Log } from './log.ts';
export { normalizeText, parsePack, unfitTexts } from './pack.ts';
export { readPackFolders, type ShippedVersion } from './pack-folder.ts';
export { packIn, styleIn, versionIn, viewIn, type ActivePack, type ChannelView, type PackState, type Pointer, type Snapshot, type StylePrompt, type StyleList, type SystemPrompt, type VersionRecord } from './snapshot.ts';
export { Registry, type ActivateRequest, type At, type ChangeListener, type PublishRequest, type RegistryOptions, type RollbackRequest } from './registry.ts';
export type { Activation } from './activations.ts';
export type { Session } from './sessions.ts';
export type { Store } from './store.ts';
export { decide, apply, type Command, type Decision, type Precondition, type Rules } from './transitions.ts';
export { SYSTEM_CLOCK, type Clock } from './writer.ts';
