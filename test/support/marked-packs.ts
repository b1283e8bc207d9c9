/**
 * Versions whose every text says which version it is of, so that an answer that mixes two of them gives itself away.
 *
 * All versions have the style `common`; each has a default style of its own beside it.
 * Example: the system prompt of 3.0.0 begins with `[coach 3.0.0 system]`.
 */
import { parsePack } from '../../registry/pack.ts';
import type { ShippedVersion } from '../../registry/pack-folder.ts';

/** A pack document as a publisher sends it. */
export interface MarkedDocument {
  readonly version: string;
  readonly summary: string;
  readonly author: string;
  readonly system: string;
  readonly styles: readonly { readonly id: string; readonly title: string; readonly text: string }[];
  readonly defaultStyle: string;
  readonly compatibility: object;
}

/** The document of a version; `summary` may be given, to tell one publication from another. */
export function markedDocument(pack: string, version: string, summary = `Edition ${version}`): MarkedDocument {
  const text = (part: string) => `[${pack} ${version} ${part}] ${`This sentence belongs to ${version}. `.repeat(12)}[end of ${version}]`;
  const own = `own-${version.replaceAll('.', '-')}`;
  return {
    ...{ version, summary, author: 'The tests', system: text('system'), defaultStyle: own },
    styles: ['common', own].map((id) => ({ id, title: `${id} of ${version}`, text: text(`style ${id}`) })),
    compatibility: { models: [], clients: [], locales: ['en'], packFormat: 1 },
  };
}

/** The version as a start registers it. */
export function markedVersion(pack: string, version: string): ShippedVersion {
  return { path: `packs/${pack}/${version}`, version: parsePack(pack, markedDocument(pack, version)) };
}
