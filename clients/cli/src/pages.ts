/**
 * Reads paginated lists.
 *
 * Problem: a broken service may repeat a cursor or omit it, and reading would never end.
 * Rule: each page has a new cursor, or null at the end.
 */
import { CliError, EXIT } from './exit.ts';

export interface Page<T, P> {
  readonly items: readonly T[];
  /** The cursor of the next page; null on the last page. */
  readonly next: P | null;
}

/** The registry's page size limit. */
const MAX_PAGE_SIZE = 1000;

/**
 * Yields pages up to the given number of items.
 * @param ask fetches the page at a cursor, with at most `limit` items
 * @throws CliError `not-understood` if a page has no valid cursor
 */
export async function* pages<T, P extends string | number>(
  maxItems: number,
  from: P | undefined,
  ask: (cursor: P | undefined, limit: number) => Promise<Page<T, P>>,
): AsyncGenerator<Page<T, P>> {
  const seen = new Set<unknown>([from]);
  let cursor = from;
  let left = maxItems;
  while (left > 0) {
    const page = await ask(cursor, Math.min(MAX_PAGE_SIZE, left));
    if (page.next !== null && (seen.has(page.next) || !['string', 'number'].includes(typeof page.next)))
      throw invalidCursor();
    yield page;
    if (page.next === null) return;
    seen.add(page.next);
    cursor = page.next;
    left -= page.items.length;
  }
}

function invalidCursor(): CliError {
  return new CliError('The response is a page of a list without a valid cursor for the next page.', {
    exit: EXIT.unavailable,
    code: 'not-understood',
    hint: 'It may be a different service, or an incompatible version of the registry. Check --url or PROMPT_REGISTRY_URL.',
  });
}
