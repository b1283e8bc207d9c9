/**
 * Publishing, also of versions that an older build registered (SPEC R1).
 *
 * Problem: older builds normalised some texts differently and registered them under the digest of that form.
 * Rule: a registered version keeps its content and digest. Publishing the same prompts again means the same version, because texts are
 * compared in normal form, whether they come from a folder, the command line or the registry itself.
 * Example: a system.md with two newlines at the end was registered with one. Today it would have none, but it is still the same version.
 */
import type { PackContent, PackVersion, Actor, Policy } from '../model.ts';
import { isSameContent } from './pack.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { invalidInput, RegistryError } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import { violationsOf } from './floor.ts';
import { type Decision, NOTHING } from '../log/proposal.ts';

/**
 * The version with the content and digest that it is registered with, if an older build registered it in another form; else as given.
 * @param contentOf loads a registered content
 * @throws the error of `contentOf`
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
  /** Whether to register a version below the floor, flagged (shipped versions), or to refuse it. Default: refuse. */
  readonly belowFloor?: 'flag' | 'refuse';
  /** The policy to check against. Default: the policy in force. */
  readonly policy?: Policy | undefined;
}

/** SPEC R1: publishing the same content again succeeds without effect; different content under a known version is refused. */
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
      `Version ${content.version} of pack "${content.pack}" is already registered, and versions never change. This one differs in: ${differing.join(', ')}. Publish the change as a new version.`,
      { digest: known.digest, differing },
    );
  }
  if (version.invisible.length > 0)
    throw invalidInput('The pack document has texts without a visible character.', version.invisible);
  const policy = command.policy ?? state?.policy?.policy;
  const violations = policy === undefined ? [] : violationsOf(content, policy);
  if (violations.length > 0 && belowFloor === 'refuse') {
    throw new RegistryError(
      'policy-violated',
      `Version ${content.version} of pack "${content.pack}" is below the floor: ${violations.map(({ detail }) => detail).join(' ')}`,
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
