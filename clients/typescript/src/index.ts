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
export type { Bundle, ChannelDocument, CheckedChannel, Rollout } from './channel.ts';
export type { Change, RolloutSummary, SourceEvents } from './source-events.ts';
export type { ActivePackDocument, CheckedPack } from './pack.ts';
export { createPromptSource, type PromptSource, type PromptSourceOptions, type SourceStatus } from './prompt-source.ts';
export type { ActivePack, Assignment, Origin, Provenance, StylePrompt, SystemPrompt } from './served-pack.ts';
export type { CoachSession } from './sessions.ts';
export { streamEvents, type StreamMessage, type StreamQuery } from './stream.ts';
export type { For } from './subject.ts';
export type { SubjectPrompts } from './subject-prompts.ts';
