/**
 * Lists that come page by page.
 *
 * Problem: a service that gives the same place again, or none where there should be one, would be asked for ever.
 * Rule: each page leads to a place where nobody was before, or to the end (null).
 */
import { Complaint, EXIT } from './exit.ts';

export interface Page<T, P> {
  readonly items: readonly T[];
  /** Where the next page begins; null behind the last. */
  readonly next: P | null;
}

/** The most that the registry puts on a page. */
const LARGEST_PAGE = 1000;

/**
 * Pages until there are none, or until there are as many items as were asked for.
 * @param ask gives the page that begins at a place, with at most so many items
 * @throws Complaint `not-understood` where a page leads nowhere
 */
export async function* pages<T, P extends string | number>(
  most: number,
  from: P | undefined,
  ask: (cursor: P | undefined, limit: number) => Promise<Page<T, P>>,
): AsyncGenerator<Page<T, P>> {
  const been = new Set<unknown>([from]);
  let cursor = from;
  let left = most;
  while (left > 0) {
    const page = await ask(cursor, Math.min(LARGEST_PAGE, left));
    if (page.next !== null && (been.has(page.next) || !['string', 'number'].includes(typeof page.next)))
      throw leadsNowhere();
    yield page;
    if (page.next === null) return;
    been.add(page.next);
    cursor = page.next;
    left -= page.items.length;
  }
}

function leadsNowhere(): Complaint {
  return new Complaint('The answer is a page of a list that does not say where the next one begins.', {
    exit: EXIT.unavailable,
    code: 'not-understood',
    hint: 'It is another service, or a registry of another age. Check --url or PROMPT_REGISTRY_URL.',
  });
}
