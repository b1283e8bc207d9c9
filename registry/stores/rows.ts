/** Turns rows of a database into the events, contents and session keys that the port promises. */
import { StoreDamaged } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { PackContent } from '../model.ts';
import type { SessionKey } from '../log/store.ts';
import { parseFrozen } from './frozen-json.ts';

/**
 * Reads the event at a revision.
 *
 * @param shown the database, for messages
 * @param exact whether the row must match to the byte what was appended: a member that occurs twice has one value for the search and another
 *   for the hash
 * @throws StoreDamaged with the member `revision` if the row does not match or cannot be read
 */
export function eventOf(body: string, revision: number, shown: string, exact = false): Event {
  try {
    const event = Object.freeze(JSON.parse(body)) as Event;
    if (exact && (event.revision !== revision || JSON.stringify(event) !== body))
      throw new Error('It is not stored as it was appended.');
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
 * Reads the content of a digest. The parser's error is dropped because it quotes the text, and prompts are never logged.
 * @throws StoreDamaged with the member `digest` if it cannot be read
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
 * Reads a session key.
 * @throws StoreDamaged if a part of it is not a text
 */
export function sessionKeyOf([keyId, secret, createdAt]: readonly unknown[], shown: string): SessionKey {
  if (typeof keyId !== 'string' || typeof secret !== 'string' || typeof createdAt !== 'string') {
    throw new StoreDamaged(
      `A session key in the registry database ${shown} is damaged; restore the database from a backup.`,
    );
  }
  return Object.freeze({ keyId, secret, createdAt });
}
