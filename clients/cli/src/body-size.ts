/**
 * Warns about versions whose request exceeds the default body limit.
 *
 * Problem: a valid pack can still be rejected with 413, because the registry limits request bodies (`BODY_LIMIT`).
 */
import type { FoundVersion } from './folders.ts';

/** The default of `BODY_LIMIT`, 1mb, in bytes. */
const DEFAULT_BODY_LIMIT = 1024 * 1024;

/** One warning for each version that is too large for the default limit. */
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
      if (size <= DEFAULT_BODY_LIMIT) return [];
      return [
        `${pack} ${content.version}: the request to publish it has ${size} bytes, more than the default BODY_LIMIT of ${DEFAULT_BODY_LIMIT} (1mb). Raise the registry's BODY_LIMIT first.`,
      ];
    },
  );
}
