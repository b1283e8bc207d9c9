/**
 * The program: `prompt-registry-contract --url … --key …`.
 *
 * Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 no prompt registry answered or the key was refused, 4 stdout cannot be
 * written. The document and its validators load slowly, so they are loaded only once a server has answered.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { firstLook } from './first-look.ts';
import { HELP, readCommand, Usage } from './options.ts';
import { print, say, UNWRITTEN } from './output.ts';

/** Runs the program. @returns its exit code */
async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args, process.env);
  if (command === 'help') return printed(HELP);
  if (command === 'version') {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const { readDocument } = await import('./document.ts');
    return printed(`${version} (openapi.yaml ${readDocument().info.version})\n`);
  }
  const pack = command.pack ?? `contract-${randomBytes(4).toString('hex')}`;
  const found = await firstLook({
    ...command,
    pack,
    chosen: command.pack !== undefined,
    readsOnly: () => readsOnly(command.only),
  });
  if (found !== undefined) say(found.message);
  if (found?.exitCode !== undefined) return found.exitCode;
  const { run } = await import('./run.ts');
  return run({ ...command, pack });
}

/** Whether only reads were named. An unknown name is refused later. */
async function readsOnly(only: readonly string[]): Promise<boolean> {
  const { operationsOf, readDocument } = await import('./document.ts');
  const operations = operationsOf(readDocument());
  return only.length > 0 && only.every((name) => (operations.get(name)?.method ?? 'GET') === 'GET');
}

/** Prints a help or version text. @returns the exit code */
async function printed(text: string): Promise<number> {
  const why = await print(text);
  if (why === undefined) return 0;
  say(`The text cannot be written to stdout (${why}).`);
  return UNWRITTEN;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Usage)) throw error;
  say(`${error.message}\nTry --help.`);
  process.exitCode = 2;
}
