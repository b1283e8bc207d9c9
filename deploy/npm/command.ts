/**
 * The command `prompt-registry-server` of the package `@prompt-registry/server`.
 *
 * Problem: without a checkout there is no `npm start`, and no `npm run keys:recover` for the operator.
 * Rule: it starts the same `server.ts` with the same settings and exit codes. The tools of the host are its commands, by the names of their
 * npm scripts, so that `npm run keys:recover` in a message is `prompt-registry-server keys:recover`. Invalid usage ends with exit code 2.
 * Example: `DATA_DIR=/srv/registry prompt-registry-server --packs ./packs`.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };

/** The tools by their names: what each does, and its program, which reads `process.argv` itself. */
const TOOLS = new Map<string, readonly [does: string, run: () => Promise<unknown>]>([
  ['audit:verify', ['checks the whole log', () => import('../../scripts/audit-verify.ts')]],
  ['backup', ['backs up the SQLite database', () => import('../../scripts/backup.ts')]],
  ['backup', ['writes a backup of the SQLite database', () => import('../../scripts/backup.ts')]],
  ['keys:recover', ['makes a new operator key', () => import('../../scripts/keys-recover.ts')]],
  ['restore:accept', ['continues with a restored database', () => import('../../scripts/restore-accept.ts')]],
]);

const WRONG_USAGE = 2;

/**
 * Runs the command with the arguments and the environment of this process.
 *
 * @param examples the folder of the packs that are served by default
 */
export async function main(examples: string): Promise<void> {
  const [name = ''] = process.argv.slice(2);
  const [, runTool] = TOOLS.get(name) ?? [];
  if (runTool !== undefined) {
    process.argv.splice(2, 1);
    await runTool();
    return;
  }
  try {
    await runServer(examples);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nSee prompt-registry-server --help.`);
    process.exitCode = WRONG_USAGE;
  }
}

/** @throws TypeError, Error if the arguments are invalid */
async function runServer(examples: string): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { packs: { type: 'string' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [unknown] = positionals;
  if (unknown !== undefined)
    throw new Error(`There is no command "${unknown}". The commands are ${[...TOOLS.keys()].join(', ')}.`);
  if (values.help === true) return console.log(await helpText());
  if (values.version === true) return console.log(packageJson.version);
  if (values.packs?.trim() === '') throw new Error('--packs is empty. Name the folder of the packs.');
  const { DEFAULTS } = await import('../../config.ts');
  const { PACKS_DIR = '', DATA_DIR = '' } = process.env;
  const chosen = values.packs ?? (PACKS_DIR === '' ? undefined : PACKS_DIR);
  process.env['PACKS_DIR'] = chosen ?? examples;
  // On stderr, because stdout has only the lines of the log.
  console.error(
    `Packs: ${chosen === undefined ? `the examples of this package (${examples}); --packs DIR serves your own` : resolve(chosen)}`,
  );
  console.error(`Data: ${resolve(DATA_DIR === '' ? DEFAULTS.DATA_DIR : DATA_DIR)} (DATA_DIR)`);
  await import('../../server.ts');
}

async function helpText(): Promise<string> {
  const { DEFAULTS, Environment } = await import('../../config.ts');
  const defaults: Readonly<Record<string, string>> = { ...DEFAULTS, PACKS_DIR: 'the examples of this package' };
  const settings = Object.entries(Environment.properties).map(([name, { description = '' }]) => {
    const value = defaults[name];
    return `  ${name}${value === undefined ? '' : ` (default: ${value})`}\n      ${description}`;
  });
  const tools = [...TOOLS].map(([name, [does]]) => `  ${name.padEnd(16)}${does}`);
  return `Usage: prompt-registry-server [--packs DIR]
       prompt-registry-server <tool> [options]

Starts the prompt registry ${packageJson.version}. SIGTERM or Ctrl-C stops it.

  --packs DIR     the folder of the packs, instead of PACKS_DIR
  --version
  -h, --help

Tools, which take the settings of the service. <tool> --help shows the options of one:
${tools.join('\n')}

Settings, from the environment:
${settings.join('\n')}`;
}
