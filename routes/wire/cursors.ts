/** Cursors: opaque to callers, so that what they hold may change. */
import { invalidInput } from '../../registry/index.ts';

/** Where the next page starts. */
export function encodeCursor(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/**
 * Reads a cursor back.
 * @param isKey whether a text is a place that a page may have ended at
 * @throws RegistryError `validation-failed` for anything that no page gave out
 */
export function decodeCursor(cursor: string, isKey: (text: string) => boolean): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!isKey(key) || encodeCursor(key) !== cursor) {
    throw invalidInput('This cursor was not issued by this API.', [
      {
        parameter: 'cursor',
        detail: 'Send "nextCursor" of the page before, or leave it out to start from the beginning.',
      },
    ]);
  }
  return key;
}
