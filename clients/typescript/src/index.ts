/** Public interface of the package. The copy on disk needs Node and is in `@prompt-registry/client/disk`. */
export type { components, operations, paths } from './api.ts';
export {
  createRegistryClient,
  tokenOf,
  type Answer,
  type RegistryClient,
  type RegistryClientOptions,
} from './client.ts';
export type { PackCopy, SavedState } from './copy.ts';
export { RegistryFailure, type FailureCode, type OwnCode, type Problem } from './failure.ts';
export type { Connection } from './follower.ts';
export type { SourceEvents } from './source-state.ts';
export type { ActivePackDocument, CheckedPack } from './pack.ts';
export { createPromptSource, type PromptSource, type PromptSourceOptions, type SourceStatus } from './prompt-source.ts';
export type { ActivePack, Origin, Provenance, StylePrompt, SystemPrompt } from './served-pack.ts';
export type { CoachSession } from './sessions.ts';
export { streamEvents, type StreamMessage, type StreamQuery } from './stream.ts';
