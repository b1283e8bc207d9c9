/** The only door to the domain for everything outside `registry/`. */
export * from './model.ts';
export {
  RegistryError,
  StartRefused,
  StoreDamaged,
  messageOf,
  invalidInput,
  type InputFault,
  type RegistryErrorCode,
} from './errors.ts';
export {
  canonical,
  GENESIS_HASH,
  hashOf,
  sha256,
  EVENT_TYPES,
  type Event,
  type EventType,
  type Head,
} from './event.ts';
export { LogBroken } from './fold.ts';
export { FrozenMap } from './frozen-map.ts';
export { SILENT, type Log } from './log.ts';
export { makeFolder } from './make-folder.ts';
export { parsePack, unfitTexts } from './pack.ts';
export { brokenPattern } from './shapes.ts';
export { normalizeText } from './texts.ts';
export { readPackFolders, readPolicies, type ShippedPolicy, type ShippedVersion } from './pack-folder.ts';
export {
  isActivatable,
  packIn,
  reaches,
  styleIn,
  versionIn,
  viewIn,
  type ActivePack,
  type ChannelView,
  type KeyRecord,
  type PackState,
  type PolicyRecord,
  type Place,
  type Pointer,
  type Snapshot,
  type StylePrompt,
  type StyleList,
  type SystemPrompt,
  type VersionRecord,
} from './snapshot.ts';
export { Registry, type Marked, type Preview, type Reader, type Receipt, type RegistryOptions } from './registry.ts';
export type { ChangeListener, Condition, Health, InstanceRecord } from './instance.ts';
export type {
  ActivateRequest,
  At,
  Attribution,
  CreateKeyRequest,
  PublishRequest,
  RevokeKeyRequest,
  RevokeRequest,
  RollbackRequest,
} from './requests.ts';
export { movesOf, type Activation } from './activations.ts';
export { EVENT_ORDERS, verifyLog, type AuditQuery, type Verification } from './audit.ts';
export type { StateProof } from './comparison.ts';
export { savedProof } from './snapshot-check.ts';
export { differences, type AssetDiff, type Differences } from './diff.ts';
export type { OperatorKeyFile } from './first-start.ts';
export { operatorKeyFile, operatorKeyPath } from './operator-key.ts';
export { lastOperatorKey, recoverOperatorKey } from './recover.ts';
export { acceptRestore } from './restore.ts';
export { readSnapshotKey } from './snapshot-key.ts';
export { fingerprintOf } from './idempotency.ts';
export { allows, deadBecause, keyOfToken, mayBeKnownLater, newKey } from './keys.ts';
export { Policy } from './policy.ts';
export type { Reach } from './instances.ts';
export type { Pin } from './pinned-version.ts';
export type { RevocationAnswer } from './revocation.ts';
export type { Session } from './sessions.ts';
export type { Store } from './store.ts';
export { decide, apply, type Command, type Decision, type Precondition, type Rules } from './transitions.ts';
export type { Clock } from './store-clock.ts';
export { SYSTEM_CLOCK } from './writer.ts';
export type { Encode, Filter, StreamMessage } from './stream-messages.ts';
export { Watchers, type EndReason, type Sink, type Watch, type WatchersOptions } from './watchers.ts';
