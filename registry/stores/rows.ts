/** What a database gives back of an event, of a content and of a session key, as the port promises it. */
import { StoreDamaged } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { PackContent } from '../model.ts';
import type { SessionKey } from '../log/store.ts';
import { parseFrozen } from './frozen-json.ts';

/**
 * The event that lies at a revision.
 *
 * @param shown the database, for messages
 * @param exact whether it must lie there to the byte as it was appended: a member that stands there twice is one to the search and another
 *   to the hash
 * @throws StoreDamaged with the member `revision`, where it does not lie there so, or cannot be read at all
 */
export function eventOf(body: string, revision: number, shown: string, exact = false): Event {
  try {
    const event = Object.freeze(JSON.parse(body)) as Event;
    if (exact && (event.revision !== revision || JSON.stringify(event) !== body))
      throw new Error('It does not lie there as it was appended.');
    return event;
  } catch (cause) {
    throw new StoreDamaged(
      `Revision ${revision} in the registry database ${shown} is damaged.`,
      { revision },
      { cause },
    );
  }
}

/**
 * The content that lies under a digest. The parser's own message quotes the text, and no prompt is ever logged; so it is not passed on.
 * @throws StoreDamaged with the member `digest`, where it cannot be read
 */
export function contentOf(body: string, digest: string, shown: string): PackContent {
  try {
    return parseFrozen(body) as PackContent;
  } catch {
    throw new StoreDamaged(
      `The content ${digest} in the registry database ${shown} is damaged; restore it from a backup.`,
      { digest },
    );
  }
}

/**
 * A session key.
 * @throws StoreDamaged where a part of it is not a text
 */
export function sessionKeyOf([keyId, secret, createdAt]: readonly unknown[], shown: string): SessionKey {
  if (typeof keyId !== 'string' || typeof secret !== 'string' || typeof createdAt !== 'string') {
    throw new StoreDamaged(
      `A session key in the registry database ${shown} is damaged; restore the database from a backup.`,
    );
  }
  return Object.freeze({ keyId, secret, createdAt });
}
