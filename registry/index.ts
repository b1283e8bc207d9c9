/** The only door to the domain for everything outside `registry/`. */

// ── Words: the shapes that packs, answers and requests are made of ──
export {
  Actor,
  ChannelName,
  Compatibility,
  Digest,
  KeyId,
  KeyLabel,
  PAGE,
  PackDocument,
  PackName,
  Policy,
  Reason,
  Revision,
  Scope,
  Style,
  StyleId,
  StyleTitle,
  Timestamp,
  Version,
  Violation,
  type InputFault,
  type PackContent,
} from './model.ts';
export { EVENT_TYPES, GENESIS_HASH, type Event, type EventData, type EventType, type Head } from './log/event.ts';
export { MOVE_KINDS, movesOf } from './log/moves.ts';
export type { RolloutEvents } from './log/data/rollouts.ts';

export {
  AttributeName,
  AttributeText,
  AttributeValue,
  Attributes,
  Audience,
  Condition,
  Duration,
  Finish,
  MOST_ATTRIBUTES,
  RolloutId,
  ScheduleId,
  SessionPolicy,
  Share,
  Step,
  Subject,
  type AttributeTexts,
} from './model.ts';

// ── Errors: every refusal, and why a registry does not open ──
export {
  LogBroken,
  RegistryError,
  StartRefused,
  StoreDamaged,
  invalidInput,
  messageOf,
  type RegistryErrorCode,
} from './errors.ts';

// ── Running a registry ──
export { Registry, type Marked, type Receipt, type RegistryOptions } from './registry.ts';
export type { Health } from './instance/health.ts';
export type { Store } from './log/store.ts';
export { SYSTEM_CLOCK, type Clock } from './machine/clock.ts';

// ── Asking: requests and answers ──
export { attributeName } from './assignment/plain.ts';
export {
  checkedFor,
  type At,
  type Attribution,
  type For,
  type PublishRequest,
  type ReadOf,
  type SessionRequest,
} from './requests.ts';
export type { EventAnswer, RolloutAnswer, RolloutDesk, ScheduleAnswer } from './rollout-desk.ts';
export { needsSomebody } from './rollouts/due.ts';
export type { RolloutPage, RolloutQuery } from './rollouts/history.ts';
export type { RolloutPreview } from './rollouts/preview.ts';
export type {
  CancelScheduleRequest,
  ConfirmRequest,
  RolloutVerb,
  ScheduleRequest,
  StartRolloutRequest,
  SteerRequest,
} from './rollouts/requests.ts';
export type { ActivateRequest, RevokeRequest, RollbackRequest } from './moves/commands.ts';
export type { Activation } from './moves/history.ts';
export type { Precondition } from './moves/move-command.ts';
export type { Preview, Reader } from './moves/preview.ts';
export type { Session } from './sessions/session.ts';
export { fingerprintOf } from './writing/idempotency.ts';

// ── Snapshots: what an answer is read from ──
export { packIn, planIn, viewIn, type PackState, type Snapshot } from './state/snapshot.ts';
export { reaches, type Position } from './state/position.ts';
export type { ChannelPlan, Rollout, ScheduledActivation, Trial } from './state/plans.ts';
export type { KeyRecord, VersionRecord } from './state/records.ts';
export {
  armFor,
  styleIn,
  type ActivePack,
  type ArmView,
  type Assignment,
  type ChannelView,
  type StyleList,
  type StylePrompt,
  type SystemPrompt,
} from './state/views.ts';

// ── Folders and documents of packs ──
export { parsePack } from './packs/pack.ts';
export { readPackFolders, readPolicies } from './packs/pack-folder.ts';
export { differences, type Edition } from './packs/diff.ts';
export { brokenName, brokenPattern } from './packs/shapes.ts';
export { unfitText, unfitTexts } from './values/unfit-texts.ts';
export { makeFolder } from './machine/make-folder.ts';

// ── Keys ──
export { allows, keyOfToken, mayBeKnownLater, whyInvalid, type RevokedKey } from './keys/keys.ts';
export { operatorKeyFile, operatorKeyPath } from './keys/operator-key.ts';

// ── Streams ──
export {
  Watchers,
  type EndReason,
  type Sink,
  type Watch,
  type Watcher,
  type WatchersOptions,
} from './streams/watchers.ts';
export type { Encode, Filter } from './streams/messages.ts';

// ── Proof ──
export { EVENT_ORDERS, verifyLog } from './proof/verify.ts';
export type { StateProof } from './proof/comparison.ts';
export { savedProof } from './proof/snapshot-check.ts';
export { readSecretFile } from './local/secret-file.ts';
export { readSnapshotKey } from './local/snapshot-key.ts';

// ── Tools on the host ──
export { lastOperatorKey, recoverOperatorKey } from './host/recover-key.ts';
export { acceptRestore } from './host/accept-restore.ts';
export { backUp, type Backup } from './host/back-up.ts';

// ── Deciding by hand, without a store ──
export { decide } from './transitions.ts';
