/** Compares a version in a folder with one in the registry, with the registry's own diff. */
import type { components } from '@prompt-registry/client';
import { differences, type Edition } from '../../../registry/packs/diff.ts';
import type { PackContent } from '../../../registry/model.ts';

type Version = components['schemas']['Version'];

/** The prompt changes from a registered version to the one in a folder. */
export async function assetDiffs(base: Version, content: PackContent): Promise<components['schemas']['AssetDiff'][]> {
  const {
    problems: violations,
    styles,
    pack,
    version,
    system,
    defaultStyle,
    compatibility,
    digest,
    summary,
    author,
    publishedAt,
    publishedBy,
  } = base;
  const record: Edition['record'] = {
    pack,
    version,
    digest,
    summary,
    author,
    defaultStyle,
    compatibility,
    publishedAt,
    publishedBy,
    violations,
    styles,
  };
  const from = { record, content: { pack, version, system, styles, defaultStyle, compatibility } };
  // Only the prompts matter here, so the metadata of the base serves for both.
  const { assets } = await differences(from, { record, content });
  return assets.map(({ asset, change, hunks }) => ({
    asset,
    change,
    hunks: hunks.map((hunk) => ({ ...hunk, lines: [...hunk.lines] })),
  }));
}
