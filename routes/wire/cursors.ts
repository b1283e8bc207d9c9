/** Cursors: opaque to callers, so that what they hold may change. */
import { invalidInput } from '../../registry/index.ts';

/** Where the next page starts. */
export function encodeCursor(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/**
 * Reads a cursor back.
 * @param isPlace whether a text is a place that a page may have ended at
 * @throws RegistryError `validation-failed` for anything that no page gave out
 */
export function decodeCursor(cursor: string, isPlace: (text: string) => boolean): string {
  const place = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!isPlace(place) || encodeCursor(place) !== cursor) {
    throw invalidInput('This cursor was not issued by this API.', [
      {
        parameter: 'cursor',
        detail: 'Send "nextCursor" of the page before, or leave it out to start from the beginning.',
      },
    ]);
  }
  return place;
}
