/**
 * Members that a JSON text names twice in one object.
 *
 * Problem: `JSON.parse` keeps the last one and drops the others without a word, so that what is done need not be what somebody read.
 * Rule (RFC 7493 section 2.3, which RFC 8785 rests on): names within an object are unique.
 * Example: `{"dryRun":true,"version":"1.0.0","dryRun":false}` names `/dryRun` twice.
 */

/** A value that is open. */
interface Level {
  /** The names seen in it so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  /** Which member or element the reading is in. */
  at: string | number;
}

/**
 * @param text well-formed JSON
 * @returns a pointer (RFC 6901) to the first member whose name its object had already; undefined where there is none
 */
export function repeatedName(text: string): string | undefined {
  const open: Level[] = [];
  let naming = false;
  for (let index = 0; index < text.length; index += 1) {
    const level = open.at(-1);
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
        naming = level?.names !== undefined;
        if (typeof level?.at === 'number') level.at += 1;
        break;
      case '"': {
        const end = endOfString(text, index);
        if (naming && level?.names !== undefined) {
          naming = false;
          level.at = JSON.parse(text.slice(index, end + 1)) as string;
          if (level.names.has(level.at)) return pointerTo(open);
          level.names.add(level.at);
        }
        index = end;
      }
    }
  }
  return undefined;
}

/** Where the quote is that ends the string that begins at `start`: the next one behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
}

function pointerTo(open: readonly Level[]): string {
  return open.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
