/**
 * Finds repeated members of an object in a JSON text.
 *
 * Problem: `JSON.parse` silently keeps only the last one, so the service could do something other than what a reader of the text expects.
 * Rule (RFC 7493 section 2.3, which RFC 8785 builds on): names within an object are unique.
 * Example: `{"dryRun":true,"version":"1.0.0","dryRun":false}` names `/dryRun` twice.
 */

/** An object or array that has not ended yet. */
interface Container {
  /** The names seen in it so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  /** The current member or element. */
  at: string | number;
}

/**
 * @param text well-formed JSON
 * @returns a pointer (RFC 6901) to the first repeated member, if any
 */
export function repeatedName(text: string): string | undefined {
  const open: Container[] = [];
  let naming = false;
  for (let index = 0; index < text.length; index += 1) {
    const container = open.at(-1);
    switch (text.charAt(index)) {
      case '{':
        naming = true;
        open.push({ names: new Set(), at: '' });
        break;
      case '[':
        naming = false;
        open.push({ names: undefined, at: 0 });
        break;
      case '}':
      case ']':
        naming = false;
        open.pop();
        break;
      case ',':
        naming = container?.names !== undefined;
        if (typeof container?.at === 'number') container.at += 1;
        break;
      case '"': {
        const end = endOfString(text, index);
        if (naming && container?.names !== undefined) {
          naming = false;
          container.at = JSON.parse(text.slice(index, end + 1)) as string;
          if (container.names.has(container.at)) return pointerTo(open);
          container.names.add(container.at);
        }
        index = end;
      }
    }
  }
  return undefined;
}

/** The position of the closing quote of the string that begins at `start`: the next quote after an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
}

function pointerTo(open: readonly Container[]): string {
  return open.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
