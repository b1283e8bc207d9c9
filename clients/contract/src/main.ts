/**
 * The program: `prompt-registry-contract --url … --key …`.
 *
 * Exit codes: 0 all passed, 1 a deviation, 2 wrong usage, 3 no prompt registry answered or the key was refused. What takes time to load (the
 * document, its validators, tap) is loaded only once there is a server to check.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { firstLook } from './first-look.ts';
import { HELP, readCommand, Usage } from './options.ts';

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Runs the program. @returns its exit code */
async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args, process.env);
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === 'version') {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
    const { readDocument } = await import('./document.ts');
    process.stdout.write(`${version} (openapi.yaml ${readDocument().info.version})\n`);
    return 0;
  }
  const pack = command.pack ?? `contract-${randomBytes(4).toString('hex')}`;
  const refused = await firstLook({ ...command, pack, chosen: command.pack !== undefined });
  if (refused === undefined) {
    const { run } = await import('./run.ts');
    return run({ ...command, pack }, say);
  }
  say(refused.message);
  return refused.exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Usage)) throw error;
  say(`${error.message}\nTry --help.`);
  process.exitCode = 2;
}
