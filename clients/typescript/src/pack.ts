/**
 * Checks packs, whether they come from the registry, the copy or the caller.
 *
 * Rule: every pack is checked before it is served: its structure, its names, and its digest, which is recomputed over the whole content
 * (SHA-256 over RFC 8785 of pack, version, system, styles in order, defaultStyle, compatibility).
 */
import canonicalize from 'canonicalize';
import type { components } from './api.ts';
import { messageOf, RegistryFailure } from './failure.ts';

/** The response of `getActivePack`. */
export type ActivePackDocument = components['schemas']['ActivePack'];
export type Compatibility = ActivePackDocument['compatibility'];

/** A style and its text. */
export interface Style {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** A checked version; deeply frozen. */
export interface CheckedPack {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  /** The revision at which the channel last moved. */
  readonly revision: number;
  readonly activatedAt: string;
  readonly defaultStyle: string;
  readonly compatibility: Compatibility;
  readonly system: string;
  readonly styles: readonly Style[];
}

/**
 * Checks a pack from any source.
 * @throws RegistryFailure `not-understood` if fields are missing or invalid, `digest-mismatch` if the content does not match its digest
 */
export async function checkPack(given: unknown): Promise<CheckedPack> {
  if (!isPackDocument(given))
    throw new RegistryFailure(
      'not-understood',
      'This is not a complete pack: fields are missing or have wrong types. The registry may be incompatible with this client.',
    );
  const { pack, channel, version, digest, revision, activatedAt, defaultStyle, compatibility, system } = given;
  const styles = given.styles.map(({ id, title, text }) => ({ id, title, text }));
  const found = await digestOf({ pack, version, system, styles, defaultStyle, compatibility });
  if (found !== digest)
    throw new RegistryFailure(
      'digest-mismatch',
      `${pack} ${version} does not match its digest: expected ${digest}, got ${found}. It is not served.`,
    );
  return freeze({
    pack,
    channel,
    version,
    digest,
    revision,
    activatedAt,
    defaultStyle,
    compatibility: structuredClone(compatibility),
    system,
    styles,
  });
}

type Content = Pick<CheckedPack, 'pack' | 'version' | 'system' | 'styles' | 'defaultStyle' | 'compatibility'>;

async function digestOf(content: Content): Promise<string> {
  let bytes: ArrayBuffer;
  try {
    bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalize(content)));
  } catch (error) {
    const why = isSecureContext()
      ? `the digest of its content cannot be computed: ${messageOf(error)}`
      : 'browsers compute digests only on pages from https or localhost';
    throw new RegistryFailure(
      'not-understood',
      `${content.pack} ${content.version} cannot be checked: ${why}. It is not served.`,
      { cause: error },
    );
  }
  return `sha256:${Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Whether digests can be computed: browsers do not allow it on insecure pages. */
function isSecureContext(): boolean {
  return (crypto as Partial<typeof crypto>).subtle !== undefined;
}

function isPackDocument(given: unknown): given is ActivePackDocument {
  if (typeof given !== 'object' || given === null) return false;
  const { pack, channel, version, digest, revision, activatedAt, defaultStyle, compatibility, system, styles } =
    given as Record<string, unknown>;
  return (
    [pack, channel, version, digest, activatedAt, defaultStyle, system].every(
      (each) => typeof each === 'string' && each !== '',
    ) &&
    Number.isSafeInteger(revision) &&
    !Number.isNaN(Date.parse(activatedAt as string)) &&
    typeof compatibility === 'object' &&
    compatibility !== null &&
    Array.isArray(styles) &&
    styles.every(
      (each: unknown) =>
        typeof each === 'object' &&
        each !== null &&
        ['id', 'title', 'text'].every((name) => typeof (each as Record<string, unknown>)[name] === 'string'),
    ) &&
    styles.some((each: unknown) => (each as Style).id === defaultStyle)
  );
}

/** Freezes a value and all that it contains. */
export function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) freeze(member as object);
  return Object.freeze(value);
}
