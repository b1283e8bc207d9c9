/** Cursors of pages. They are opaque to callers, so their content can change. */
import { invalidInput } from '../../registry/index.ts';

/** The cursor of the page that starts after a position; null if there is no such page. */
export function encodeCursor(position: string | number | undefined): string | null {
  return position === undefined ? null : Buffer.from(String(position)).toString('base64url');
}

/** The revision in a cursor: the next page is before it. @throws RegistryError `validation-failed` */
export function revisionCursor(cursor: string | undefined): number | undefined {
  const revision = decodeCursor(cursor, (text) => /^[1-9]\d{0,14}$/u.test(text));
  return revision === undefined ? undefined : Number(revision);
}

/**
 * The position in a cursor, if the request has one.
 * @param isPosition whether a page could have ended at this position
 * @throws RegistryError `validation-failed` for a cursor that `encodeCursor` did not make
 */
export function decodeCursor(cursor: string | undefined, isPosition: (text: string) => boolean): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  if (isPosition(position) && encodeCursor(position) === cursor) return position;
  throw invalidInput('This cursor was not issued by this API.', [
    {
      parameter: 'cursor',
      detail: 'Send "nextCursor" of the previous page, or omit it to start from the beginning.',
    },
  ]);
}
