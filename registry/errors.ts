/** Errors, each with a stable code. No HTTP here: `plugins/problems/problem-details.ts` gives each code its status. */
import type { InputFault } from './model.ts';

/** Every code of a refusal. */
export type RegistryErrorCode =
  | 'validation-failed'
  | 'pack-not-found'
  | 'version-not-found'
  | 'channel-not-found'
  | 'style-not-found'
  | 'session-not-found'
  | 'key-not-found'
  | 'forbidden'
  | 'unknown-version'
  | 'style-not-supported'
  | 'policy-violated'
  | 'version-exists'
  | 'version-revoked'
  | 'replacement-required'
  | 'content-revoked'
  | 'idempotency-mismatch'
  | 'nothing-to-roll-back-to'
  | 'never-active'
  | 'not-active'
  | 'revision-conflict'
  | 'store-unavailable'
  | 'store-busy'
  | 'outcome-unknown'
  | 'revision-not-reached'
  | 'revision-unknown'
  | 'not-ready'
  | 'rollout-not-found'
  | 'rollout-running'
  | 'rollout-ended'
  | 'already-active'
  | 'trial-running'
  | 'no-trial'
  | 'schedule-not-found'
  | 'schedule-full'
  | 'older-instances'
  | 'session-ended';

/** A refusal: a stable code, a message for people, and extra members (e.g. `knownVersions`) for programs. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: RegistryErrorCode,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.members = members;
  }
}

/**
 * The store is reachable, but its data is damaged. Waiting does not help: an operator must restore it. Calls fail with
 * `store-unavailable`; a start ends with exit code 65.
 */
export class StoreDamaged extends RegistryError {
  /** @param damaged the revision or digest that cannot be read, if known */
  constructor(
    message: string,
    damaged: { readonly revision?: number; readonly digest?: string } = {},
    options?: ErrorOptions,
  ) {
    super('store-unavailable', message, damaged, options);
  }
}

/** The error for an input that breaks its schema, or a rule that a schema cannot express. */
export function invalidInput(message: string, errors: readonly InputFault[]): RegistryError {
  return new RegistryError('validation-failed', message, { errors });
}

/** The service must not start. The message says what is wrong, where, and how to fix it. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
  /** As in sysexits(3): 78 configuration, 65 data, 75 temporary failure. */
  readonly exitCode: 65 | 75 | 78;

  constructor(exitCode: 65 | 75 | 78, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The most names that a message or a `known…` member lists. */
export const MAX_NAMES = 100;

/** Names as a list in a sentence. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

/** The log is broken: a gap, a wrong hash, or an event that contradicts the state. */
export class LogBroken extends Error {
  override readonly name = 'LogBroken';
}

export function notReady(): RegistryError {
  return new RegistryError(
    'not-ready',
    'There is no complete snapshot to answer from yet, and the store cannot be reached.',
  );
}
