/** The only door to the domain for everything outside `registry/`. */
export * from './model.ts';
export {
  RegistryError,
  StartRefused,
  StoreDamaged,
  messageOf,
  invalidInput,
  type RegistryErrorCode,
} from './errors.ts';
export { type InputFault } from './model.ts';
export { GENESIS_HASH, hashOf, EVENT_TYPES, type Event, type EventType, type Head } from './log/event.ts';
export { canonical, sha256 } from './values/canonical.ts';
export { LogBroken } from './errors.ts';
export { FrozenMap } from './values/frozen.ts';
export { SILENT, type Logger } from './machine/logger.ts';
export { makeFolder } from './machine/make-folder.ts';
export { parsePack } from './packs/pack.ts';
export { unfitTexts } from './values/unfit-texts.ts';
export { brokenPattern } from './packs/shapes.ts';
export { normalizeText } from './packs/texts.ts';
export { readPackFolders, readPolicies, type ShippedPolicy, type ShippedVersion } from './packs/pack-folder.ts';
export {
  isActivatable,
  packIn,
  reaches,
  versionIn,
  viewIn,
  type PackState,
  type Position,
  type Snapshot,
} from './state/snapshot.ts';
export {
  styleIn,
  type ActivePack,
  type ChannelView,
  type StylePrompt,
  type StyleList,
  type SystemPrompt,
} from './state/views.ts';
export { type KeyRecord, type PolicyRecord, type Pointer, type VersionRecord } from './state/records.ts';
export { Registry, type Marked, type Receipt, type RegistryOptions, type RunningInstance } from './registry.ts';
export type { Preview, Reader } from './moves/preview.ts';
export type { ChangeListener, InstanceRecord } from './instance/instance.ts';
export type { Condition, Health } from './instance/health.ts';
export type { At, Attribution, PublishRequest } from './requests.ts';
export type { ActivateRequest, RevokeRequest, RollbackRequest } from './moves/commands.ts';
export type { CreateKeyRequest, RevokeKeyRequest } from './keys/commands.ts';
export { type Activation } from './moves/history.ts';
export { movesOf } from './log/moves.ts';
export { EVENT_ORDERS, verifyLog, type AuditQuery, type Verification } from './proof/verify.ts';
export type { StateProof } from './proof/comparison.ts';
export { savedProof } from './proof/snapshot-check.ts';
export { differences, type AssetDiff, type Differences, type Edition } from './packs/diff.ts';
export type { OperatorKeyFile } from './keys/operator-key.ts';
export { operatorKeyFile, operatorKeyPath } from './keys/operator-key.ts';
export { lastOperatorKey, recoverOperatorKey } from './host/recover-key.ts';
export { acceptRestore } from './host/accept-restore.ts';
export { readSnapshotKey } from './local/snapshot-key.ts';
export { fingerprintOf } from './writing/idempotency.ts';
export { allows, whyInvalid, keyOfToken, mayBeKnownLater, newKey } from './keys/keys.ts';
export { Policy } from './model.ts';
export type { Reach } from './following/instances.ts';
export type { ForcedVersion } from './instance/forced-version.ts';
export type { RevocationAnswer } from './moves/revocation.ts';
export type { Session } from './sessions/session.ts';
export type { Store } from './log/store.ts';
export { decide, type Command } from './transitions.ts';
export { apply } from './events.ts';
export { type Precondition, type Rules } from './moves/moving.ts';
export { type Decision } from './log/proposal.ts';
export type { Clock } from './machine/clock.ts';
export { SYSTEM_CLOCK } from './machine/clock.ts';
export type { Encode, Filter, StreamMessage } from './streams/messages.ts';
export { Watchers, type EndReason, type Sink, type Watch, type WatchersOptions } from './streams/watchers.ts';
