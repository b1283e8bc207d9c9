/** What deployment files must agree with: the settings, the exit codes, and how long a shutdown takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment } from '../../../config.ts';
import { SECRETS } from '../../../settings/texts.ts';
import { ROOT } from '../apps/server-process.ts';

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The names of all settings, and of the files that hold secret ones. */
export function settingNames(): string[] {
  return [...Object.keys(Environment.properties), ...SECRETS.map((name) => `${name}_FILE`)];
}

/** The longest time from SIGTERM to the end of the process, in seconds, as `server.ts` sets it. */
export function shutdownSeconds(): number {
  const milliseconds = ['GRACE', 'NOTICE'].map((name) => {
    const [, value] = new RegExp(`^const ${name} = ([\\d_]+);$`, 'mu').exec(textOf('server.ts')) ?? [];
    if (value === undefined) throw new Error(`server.ts does not say what ${name} is.`);
    return Number(value.replaceAll('_', ''));
  });
  return milliseconds.reduce((sum, each) => sum + each, 0) / 1000;
}

/** The exit codes of `docs/settings.md`, and whether a supervisor should start the service again (`yes`, `no` or empty). */
export function exitCodes(): ReadonlyMap<number, string> {
  const rows = [...textOf('docs/settings.md').matchAll(/^\| (\d+) \| .* \| (yes|no|) ?\|$/gmu)];
  if (rows.length === 0) throw new Error('docs/settings.md has no table of exit codes.');
  return new Map(rows.map(([, code = '', again = '']) => [Number(code), again]));
}
