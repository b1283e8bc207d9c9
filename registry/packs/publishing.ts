/**
 * Publishing a version again that an older build registered (SPEC R1).
 *
 * Problem: builds before the normal form of texts was a fixed point registered some texts in another form, under a digest of that form.
 * Rule: what is registered keeps its content and digest. The same prompts published again, from a folder, by the command line, or as the
 * registry gave them back, are that version: they are compared in the normal form.
 * Example: a folder whose system.md ends in two newlines was registered with one of them; now it has none, and is still the same version.
 */
import type { PackContent, PackVersion } from '../model.ts';
import { isSameContent } from './pack.ts';
import type { Snapshot } from '../state/snapshot.ts';

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
