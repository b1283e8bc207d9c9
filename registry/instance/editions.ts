/** A version with its texts. */
import type { Contents } from '../local/contents.ts';
import type { PackContent } from '../model.ts';
import type { Edition } from '../packs/diff.ts';
import type { VersionRecord } from '../state/records.ts';
import type { Snapshot } from '../state/snapshot.ts';

/**
 * The texts of a version: what is served is in the snapshot, everything else comes through a bounded cache.
 * @throws RegistryError `store-unavailable`
 */
export async function contentOf(record: VersionRecord, snapshot: Snapshot, contents: Contents): Promise<PackContent> {
  for (const view of snapshot.views.get(record.pack)?.values() ?? [])
    for (const arm of [view, view.rollout?.candidate]) if (arm?.content.version === record.version) return arm.content;
  return contents.get(record.digest);
}

/** @throws RegistryError `store-unavailable` */
export async function editionOf(record: VersionRecord, snapshot: Snapshot, contents: Contents): Promise<Edition> {
  return { record, content: await contentOf(record, snapshot, contents) };
}
