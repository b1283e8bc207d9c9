/**
 * Whole packs as they come from a registry, a copy or the caller, and what makes them fit to be served.
 *
 * Rule: nothing is served that was not checked: its shape, its names, and its digest, which is computed anew over the whole content
 * (SHA-256 over RFC 8785 of pack, version, system, styles in order, defaultStyle, compatibility).
 */
import canonicalize from 'canonicalize';
import type { components } from './api.ts';
import { messageOf, RegistryFailure } from './failure.ts';

/** The answer of `getActivePack`. */
export type ActivePackDocument = components['schemas']['ActivePack'];
export type Compatibility = ActivePackDocument['compatibility'];

/** A style, with its text. */
export interface Style {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** A version that was checked; deep-frozen. */
export interface CheckedPack {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  /** The one that last moved the channel. */
  readonly revision: number;
  readonly activatedAt: string;
  readonly defaultStyle: string;
  readonly compatibility: Compatibility;
  readonly system: string;
  readonly styles: readonly Style[];
}

/**
 * Checks a pack, whoever gave it.
 * @throws RegistryFailure `not-understood` where its shape is another, `digest-mismatch` where its content is
 */
export async function checkPack(given: unknown): Promise<CheckedPack> {
  if (!hasShape(given))
    throw new RegistryFailure(
      'not-understood',
      'What came is no whole pack: members are missing or of other types. The registry may be of another edition than this client.',
    );
  const { pack, channel, version, digest, revision, activatedAt, defaultStyle, compatibility, system } = given;
  const styles = given.styles.map(({ id, title, text }) => ({ id, title, text }));
  const found = await digestOf({ pack, version, system, styles, defaultStyle, compatibility });
  if (found !== digest)
    throw new RegistryFailure(
      'digest-mismatch',
      `${pack} ${version} is not what its digest says: ${digest} was named, ${found} came. It is not served.`,
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
      ? `its content has no digest: ${messageOf(error)}`
      : 'only pages that come from https or localhost can compute a digest';
    throw new RegistryFailure(
      'not-understood',
      `${content.pack} ${content.version} cannot be checked: ${why}. It is not served.`,
      { cause: error },
    );
  }
  return `sha256:${Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Whether there is what a digest takes: browsers keep it from pages that came in the clear. */
function isSecureContext(): boolean {
  return (crypto as Partial<typeof crypto>).subtle !== undefined;
}

function hasShape(given: unknown): given is ActivePackDocument {
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

function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) freeze(member as object);
  return Object.freeze(value);
}
