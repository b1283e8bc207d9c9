/** A version in a folder beside one of the registry, compared as the registry compares. */
import type { components } from '@prompt-registry/client';
import { differences, type Edition } from '../../../registry/packs/diff.ts';
import type { PackContent } from '../../../registry/model.ts';

type Version = components['schemas']['Version'];

/** How the prompts of a folder differ from those of a registered version. */
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
  // Only the prompts are looked at: the metadata beside them is that of the base.
  const { assets } = await differences(from, { record, content });
  return assets.map(({ asset, change, hunks }) => ({
    asset,
    change,
    hunks: hunks.map((hunk) => ({ ...hunk, lines: [...hunk.lines] })),
  }));
}
