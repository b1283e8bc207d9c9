/** Lines of a log that can be told apart, each 300 characters long. */

const LENGTH = 300;

/** The line with this number, with its line end. */
export function numbered(line: number): string {
  return `${String(line).padEnd(LENGTH - 1, '.')}\n`;
}
