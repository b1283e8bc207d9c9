/**
 * What callers ask of the registry, in process or over HTTP, and the check that both are held to.
 */
import type { TSchema } from '@sinclair/typebox';
import { invalidInput } from './errors.ts';
import type { Idempotency } from './log/event.ts';
import {
  Actor,
  ChannelName,
  KeyLabel,
  PackName,
  Reason,
  SCOPES,
  Timestamp,
  Version,
  type Scope,
  type InputFault,
} from './model.ts';
import { schemaFaults, invisibleTexts } from './packs/faults.ts';
import type { Precondition } from './moves/moving.ts';
import { unfitTexts } from './values/unfit-texts.ts';

/** Which pointer is meant; the default pack and channel where it says nothing. */
export interface At {
  readonly pack?: string | undefined;
  readonly channel?: string | undefined;
}

/** Who asks, and how a repeat of the request is known. */
export interface Attribution {
  /** The registry itself where not given. */
  readonly actor?: Actor;
  /** The same key again gives the first answer again (SPEC R6). */
  readonly idempotency?: Idempotency | undefined;
}

export interface ActivateRequest extends At, Attribution {
  readonly version: string;
  readonly reason: string;
  readonly precondition?: Precondition | undefined;
}

export interface RollbackRequest extends At, Attribution {
  readonly reason: string;
  readonly toVersion?: string | undefined;
  readonly fromVersion?: string | undefined;
  readonly precondition?: Precondition | undefined;
}

export interface RevokeRequest extends Attribution {
  readonly pack: string;
  readonly version: string;
  readonly replacement?: string | undefined;
  readonly reason: string;
}

export interface PublishRequest extends Attribution {
  readonly pack: string;
  /** Untrusted; a pack document. */
  readonly document: unknown;
}

export interface CreateKeyRequest extends Attribution {
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** RFC 3339, in the future. */
  readonly expiresAt?: string | undefined;
  /** What the maker holds; everything where not given. */
  readonly heldScopes?: readonly Scope[];
}

export interface RevokeKeyRequest extends Attribution {
  readonly keyId: string;
  readonly reason: string;
  /** What the revoker holds; everything where not given. */
  readonly heldScopes?: readonly Scope[];
}

const SCHEMAS: Readonly<Record<string, TSchema>> = {
  pack: PackName,
  channel: ChannelName,
  version: Version,
  toVersion: Version,
  fromVersion: Version,
  replacement: Version,
  reason: Reason,
  label: KeyLabel,
  expiresAt: Timestamp,
  actor: Actor,
};
/** Must be given where an operation has them: what is in the log for good has them for good, also where no TypeScript looked (SPEC R11). */
const REQUIRED: ReadonlySet<string> = new Set(['reason', 'version', 'label', 'actor']);

/**
 * Holds a request's members to the domain's words.
 * @throws RegistryError `validation-failed` with every fault, by parameter
 */
export function checkRequest(members: Readonly<Record<string, unknown>>): void {
  const faults: InputFault[] = [];
  for (const [parameter, value] of Object.entries(members)) {
    const schema = SCHEMAS[parameter];
    if (schema === undefined || (value === undefined && !REQUIRED.has(parameter))) continue;
    // The one format there is among these has no checker in TypeBox.
    const found = schema === Timestamp ? timestampFaults(String(value)) : schemaFaults(schema, value);
    const faulty = [...found, ...unfitTexts(value), ...(found.length === 0 ? invisibleTexts(schema, value) : [])];
    faults.push(
      ...faulty.map(({ pointer = '', detail }) => ({
        parameter: `${parameter}${pointer.replaceAll('/', '.')}`,
        detail,
      })),
    );
  }
  if (faults.length > 0) throw invalidInput('The request breaks its schema.', faults);
}

/** @throws RegistryError `validation-failed` for scopes that are none, or for an end that has passed */
export function checkNewKey(scopes: readonly Scope[], expiresAt: string | undefined, now: number): void {
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
  if (scopes.length === 0 || unknown.length > 0) {
    throw invalidInput('The scopes are not as they should be.', [
      { parameter: 'scopes', detail: `Name one or more of ${SCOPES.join(', ')}.` },
    ]);
  }
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) {
    throw invalidInput('The key would be dead at once.', [
      { parameter: 'expiresAt', detail: `${expiresAt} has passed; name a time to come.` },
    ]);
  }
}

function timestampFaults(value: string): InputFault[] {
  return Number.isNaN(Date.parse(value)) ? [{ detail: 'Must be an RFC 3339 time, e.g. 2027-01-31T00:00:00Z.' }] : [];
}
