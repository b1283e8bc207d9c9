/**
 * What callers ask of the registry, in process or over HTTP, and the check that both must pass. The requests of a capability are in its
 * folder: `moves/commands.ts`, `keys/commands.ts`.
 */
import type { TSchema } from '@sinclair/typebox';
import { isPlainSubject, plainTexts, textsOf } from './assignment/plain.ts';
import { invalidInput } from './errors.ts';
import type { Idempotency } from './log/event.ts';
import {
  Actor,
  Attributes,
  type AttributeTexts,
  ChannelName,
  Duration,
  KeyLabel,
  PackName,
  Reason,
  Revision,
  SessionPolicy,
  Share,
  Subject,
  Timestamp,
  Version,
  type InputFault,
} from './model.ts';
import { timeOf } from './values/parsed.ts';
import { schemaFaults, invisibleTexts } from './packs/faults.ts';
import { unfitTexts } from './values/unfit-texts.ts';

/** Which pointer is meant. Default: the default pack and the default channel. */
export interface At {
  readonly pack?: string | undefined;
  readonly channel?: string | undefined;
}

/** The pack and the channel that are meant if a request names none. */
export interface Defaults {
  readonly defaultPack: string;
  readonly defaultChannel: string;
}

/** Who asks, and how a repeat of the request is recognised. */
export interface Attribution {
  /** Default: the registry itself. */
  readonly actor?: Actor;
  /** The same key again gets the first answer again (SPEC R6). */
  readonly idempotency?: Idempotency | undefined;
}

export interface PublishRequest extends Attribution {
  readonly pack: string;
  /** A pack document; untrusted. */
  readonly document: unknown;
}

/** The pointer that a request means. */
export function pointerOf({ pack, channel }: At, defaults: Defaults): { pack: string; channel: string } {
  return { pack: pack ?? defaults.defaultPack, channel: channel ?? defaults.defaultChannel };
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
  at: Timestamp,
  sessions: SessionPolicy,
  revertAfter: Duration,
  share: Share,
  rollout: Revision,
  subject: Subject,
  attributes: Attributes,
  actor: Actor,
};
/** Required wherever an operation has them: they stay in the log, so callers without TypeScript must give them too (SPEC R11). */
const REQUIRED: ReadonlySet<string> = new Set(['reason', 'version', 'label', 'actor', 'at', 'rollout', 'revertAfter']);

/**
 * Checks the members of a request against the schemas of the domain.
 * @throws RegistryError `validation-failed` with every fault, by parameter
 */
export function checkRequest(members: Readonly<Record<string, unknown>>): void {
  const faults: InputFault[] = [];
  for (const [parameter, value] of Object.entries(members)) {
    const schema = SCHEMAS[parameter];
    if (schema === undefined || (value === undefined && !REQUIRED.has(parameter))) continue;
    // TypeBox has no checker for the only format among these.
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

function timestampFaults(value: string): InputFault[] {
  return timeOf(value) === undefined
    ? [{ detail: 'Must be an RFC 3339 time with its zone, e.g. 2027-01-31T00:00:00Z.' }]
    : [];
}

/** Whom a read is decided for, while a rollout runs. */
export interface For {
  /** A user, an account, a conversation: 1 to 200 characters. Without it the read gets the stable version. */
  readonly subject?: string | undefined;
  /** Compared as strings: 30 is `"30"`. At most 20. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** Which channel a read means, and whom it is for. */
export interface ReadOf extends At, For {}

export interface SessionRequest extends For {
  readonly styleId?: string | undefined;
  readonly channel?: string | undefined;
}

/** A subject and its attributes, checked. @throws RegistryError `validation-failed` */
export function checkedFor({ subject, attributes }: For): { subject: string | undefined; attributes: AttributeTexts } {
  if (subject !== undefined && !isPlainSubject(subject)) checkRequest({ subject });
  if (attributes === undefined) return { subject, attributes: NO_ATTRIBUTES };
  const texts = plainTexts(attributes);
  if (texts === undefined) checkRequest({ attributes });
  return { subject, attributes: texts ?? textsOf(attributes) };
}

const NO_ATTRIBUTES: AttributeTexts = Object.freeze({});
