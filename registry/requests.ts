/**
 * What callers ask of the registry, in process or over HTTP, and the check that both must pass. The requests of a capability are in its
 * folder: `moves/commands.ts`, `keys/commands.ts`.
 */
import type { TSchema } from '@sinclair/typebox';
import { invalidInput } from './errors.ts';
import type { Idempotency } from './log/event.ts';
import { Actor, ChannelName, KeyLabel, PackName, Reason, Timestamp, Version, type InputFault } from './model.ts';
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
  actor: Actor,
};
/** Required wherever an operation has them: they stay in the log, so callers without TypeScript must give them too (SPEC R11). */
const REQUIRED: ReadonlySet<string> = new Set(['reason', 'version', 'label', 'actor']);

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
  return Number.isNaN(Date.parse(value)) ? [{ detail: 'Must be an RFC 3339 time, e.g. 2027-01-31T00:00:00Z.' }] : [];
}
