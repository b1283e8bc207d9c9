/**
 * Publishing a version again that an older build registered (SPEC R1).
 *
 * Problem: builds before the normal form of texts was a fixed point registered some texts in another form, under a digest of that form.
 * Rule: what is registered keeps its content and digest. The same prompts published again, from a folder, by the command line, or as the
 * registry gave them back, are that version: they are compared in the normal form.
 * Example: a folder whose system.md ends in two newlines was registered with one of them; now it has none, and is still the same version.
 */
import type { PackContent, PackVersion, Actor, Policy } from '../model.ts';
import { isSameContent } from './pack.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { invalidInput, RegistryError } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import { violationsOf } from './floor.ts';
import { type Decision, NOTHING } from '../log/proposal.ts';

/**
 * The version under the digest that it is registered with, if it is registered in another form; else as it was given.
 * @param contentOf gives a registered content
 * @throws what `contentOf` throws
 */
export async function asRegistered(
  snapshot: Snapshot,
  given: PackVersion,
  contentOf: (digest: string) => Promise<PackContent>,
): Promise<PackVersion> {
  const known = snapshot.packs.get(given.content.pack)?.versions.get(given.content.version);
  if (known === undefined || known.digest === given.digest) return given;
  const content = await contentOf(known.digest);
  return isSameContent(content, given) ? { ...given, content, digest: known.digest } : given;
}

export interface PublishCommand {
  readonly type: 'publish';
  readonly version: PackVersion;
  readonly actor: Actor;
  readonly reason: string;
  /** Whether a version under the floor is registered all the same, flagged: shipped ones are. */
  readonly belowFloor?: 'flag' | 'refuse';
  /** The policy to check against; the one in force where not given. */
  readonly policy?: Policy | undefined;
}

/** SPEC R1: the same again is a success without effect; anything else under the same version is refused. */
export function decidePublish(snapshot: Snapshot, command: PublishCommand): Decision {
  const { version, actor, reason, belowFloor = 'refuse' } = command;
  const { content, digest, summary, author } = version;
  const state = snapshot.packs.get(content.pack);
  const known = state?.versions.get(content.version);
  if (known !== undefined) {
    const differing = [
      known.digest !== digest && 'content',
      known.summary !== summary && 'summary',
      known.author !== author && 'author',
    ].filter(Boolean);
    if (differing.length === 0) return NOTHING;
    throw new RegistryError(
      'version-exists',
      `Version ${content.version} of pack "${content.pack}" is registered already and versions never change, but this one differs in its ${differing.join(', ')}. Publish the change under a new version.`,
      { digest: known.digest, differing },
    );
  }
  if (version.unseen.length > 0)
    throw invalidInput('The pack document holds texts in which nothing can be seen.', version.unseen);
  const policy = command.policy ?? state?.policy?.policy;
  const violations = policy === undefined ? [] : violationsOf(content, policy);
  if (violations.length > 0 && belowFloor === 'refuse') {
    throw new RegistryError(
      'policy-violated',
      `Version ${content.version} of pack "${content.pack}" is under the floor: ${violations.map(({ detail }) => detail).join(' ')}`,
      { violations },
    ); // SPEC R7
  }
  const { styles, defaultStyle, compatibility } = content;
  const event: EventDraft = {
    type: 'version-published',
    actor,
    reason,
    pack: content.pack,
    version: content.version,
    data: {
      digest,
      summary,
      author,
      defaultStyle,
      styles: styles.map(({ id, title }) => ({ id, title })),
      compatibility,
      ...(policy !== undefined && { violations }),
    },
  };
  return { events: [event], contents: [{ digest, content }] };
}
