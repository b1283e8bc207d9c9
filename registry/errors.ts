/**
 * What the registry refuses, each with a stable code. No HTTP here: `plugins/problems/problem-details.ts` gives each code its status.
 */
import type { InputFault } from './model.ts';

/** Every code the domain can refuse with. */
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
  | 'not-ready';

/** A refusal: a stable code, a message for people, and members of its own (e.g. `knownVersions`) for programs. */
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
 * The store can be reached, but what it holds is damaged: waiting does not help, somebody has to restore it. A call that meets it fails as
 * `store-unavailable`; a start ends with exit code 65.
 */
export class StoreDamaged extends RegistryError {
  /** @param damaged the revision or the digest that cannot be read, where it is known */
  constructor(
    message: string,
    damaged: { readonly revision?: number; readonly digest?: string } = {},
    options?: ErrorOptions,
  ) {
    super('store-unavailable', message, damaged, options);
  }
}

/** An input that breaks its schema or the rules a schema cannot say. */
export function invalidInput(message: string, errors: readonly InputFault[]): RegistryError {
  return new RegistryError('validation-failed', message, { errors });
}

/** The service must not start: the message says what is wrong, where, and what would be right. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
  /** After sysexits(3): 78 configuration, 65 data, 75 try again later. */
  readonly exitCode: 65 | 75 | 78;

  constructor(exitCode: 65 | 75 | 78, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The most names that a message or a `known…` member lists. */
export const NAMES_LISTED = 100;

/** A list for a sentence. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

/** The log is not what it must be: a gap, a broken chain, an event that contradicts the state. */
export class LogBroken extends Error {
  override readonly name = 'LogBroken';
}

export function notReady(): RegistryError {
  return new RegistryError('not-ready', 'There is no whole snapshot to answer from yet: the store cannot be reached.');
}
