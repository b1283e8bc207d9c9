/** How a tool of the host was started, for its usage text: by npm in a checkout, or by the command of the package. */
import { basename } from 'node:path';

const COMMAND = 'prompt-registry-server';

/**
 * @param tool the npm script, e.g. `audit:verify`
 * @param args its arguments, as the usage text shows them
 * @returns e.g. `npm run audit:verify -- [--json]` or `prompt-registry-server audit:verify [--json]`
 */
export function calledAs(tool: string, args?: string): string {
  const byPackage = basename(process.argv[1] ?? '').startsWith(COMMAND);
  if (byPackage) return [COMMAND, tool, ...(args === undefined ? [] : [args])].join(' ');
  return `npm run ${tool}${args === undefined ? '' : ` -- ${args}`}`;
}
