/**
 * How large the request is that registers a version.
 *
 * Problem: a pack may be valid and still be refused (413), since a registry takes bodies up to its `BODY_LIMIT` only.
 */
import type { FoundVersion } from './folders.ts';

/** Bytes that a registry takes whose `BODY_LIMIT` is the default, 1mb. */
const USUAL_BODY_LIMIT = 1024 * 1024;

/** One sentence for each version whose request is larger than what a registry takes by default. */
export function sizeWarnings(versions: readonly FoundVersion[]): string[] {
  return versions.flatMap(
    ({
      version: {
        content: { pack, ...content },
        summary,
        author,
      },
    }) => {
      const size = Buffer.byteLength(JSON.stringify({ ...content, summary, author }));
      if (size <= USUAL_BODY_LIMIT) return [];
      return [
        `${pack} ${content.version}: the request to register it has ${size} bytes. A registry takes ${USUAL_BODY_LIMIT} (1mb) unless its BODY_LIMIT says otherwise: raise that first.`,
      ];
    },
  );
}
