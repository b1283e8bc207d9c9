/** Entity tags in request headers (RFC 9110 section 8.8.3). */
const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/gu;

/** The entity tags of a list. Anything else in the header is ignored, so it never matches. */
export function tagsIn(header: string): string[] {
  return header.match(TAG) ?? [];
}

/** Whether a header is a list of entity tags and nothing else. Empty elements are allowed (RFC 9110 section 5.6.1). */
export function isTagList(header: string): boolean {
  const elements = header
    .replaceAll(TAG, '""')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
  return elements.length > 0 && elements.every((element) => element === '""');
}
