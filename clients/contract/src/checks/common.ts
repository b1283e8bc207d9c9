/** What several operations have in common: unknown packs and channels, and lists in pages. */
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';

/** A pack that does not exist answers 404 and lists the packs that do. @param request names that pack */
export async function refusesUnknownPack(
  kit: Kit,
  operation: string,
  request: (pack: string) => Request,
): Promise<void> {
  await kit.world.publishAll();
  const { knownPacks } = await kit.refused(operation, request(`no-such-${kit.world.runId}`), 404, 'pack-not-found');
  kit.ok(knownPacks?.includes(kit.world.pack) === true, 'knownPacks includes the pack of this run', knownPacks);
}

/** A channel that does not exist answers 404 and lists the channels that do. @param request names that channel */
export async function refusesUnknownChannel(
  kit: Kit,
  operation: string,
  request: (channel: string) => Request,
): Promise<void> {
  const { knownChannels } = await kit.refused(
    operation,
    request(`no-such-${kit.world.runId}`),
    404,
    'channel-not-found',
  );
  kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels lists the channels', knownChannels);
}

/** All entries of a list about the pack of this run: as one page, and joined from pages of at most `limit`. */
export async function pagesJoin<Entry>(kit: Kit, operation: string, member: string, limit: number): Promise<void> {
  const page = async (query: Readonly<Record<string, string | number | undefined>>) => {
    const { body } = await kit.ask<Page>(operation, { path: kit.world.path(), query }, 200);
    return { entries: body[member] as readonly Entry[], nextCursor: body.nextCursor };
  };
  const { entries: whole } = await page({ limit: 1000 });
  const joined: Entry[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages <= whole.length; pages += 1) {
    const { entries, nextCursor } = await page({ limit, cursor });
    if (entries.length > limit) kit.same(entries.length, limit, 'a page has at most `limit` entries');
    joined.push(...entries);
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  kit.same(joined, whole, 'all pages together are the whole list');
  await kit.refused(operation, { path: kit.world.path(), query: { cursor: 'made-up' } }, 400, 'validation-failed');
}

interface Page {
  readonly [member: string]: unknown;
  readonly nextCursor: string | null;
}
