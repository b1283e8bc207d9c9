/** All commands and global options. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAssign } from './commands/assign.ts';
import { addAudit } from './commands/audit.ts';
import { addCompletion } from './commands/completion.ts';
import { addKeys } from './commands/keys.ts';
import { addMoves } from './commands/moves.ts';
import { addNew } from './commands/new.ts';
import { addPublishing } from './commands/publish.ts';
import { addRollouts } from './commands/rollouts.ts';
import { addSchedule } from './commands/schedule.ts';
import { addSession } from './commands/session.ts';
import { addStatus } from './commands/status.ts';
import { addVersions } from './commands/versions.ts';
import { addWatch } from './commands/watch.ts';
import { DEFAULT_URL } from './connection.ts';
import type { Act } from './context.ts';
import { EXIT_CODES_HELP } from './exit.ts';
import { seconds } from './arguments.ts';

const HELP = `
Settings:
  PROMPT_REGISTRY_URL   same as --url
  PROMPT_REGISTRY_KEY   same as --key
  PROMPT_REGISTRY_PACK  same as --pack (default: the registry's default pack)
  NO_COLOR              disable colors
  Without a key, and if the registry runs on this machine, the operator key is read
  from operator.key in DATA_DIR (default: ./data).

${EXIT_CODES_HELP}`;

/** Builds the program. @param act wraps each handler; tests can pass their own */
export function buildProgram(act: Act): Command {
  const program = new Command('prompt-registry');
  program
    .description('Publish prompt packs, activate versions and roll them back.')
    .version(ownVersion(), '-V, --version', 'Show the version number')
    .option('--url <url>', `URL of the registry (default: ${DEFAULT_URL})`)
    .option('--key <key>', 'API key; visible to other users of this machine, unlike PROMPT_REGISTRY_KEY')
    .option('--key-file <file>', 'Read the API key from a file')
    .option('--json', 'Print results as JSON on stdout, errors as JSON on stderr')
    .option('--no-color', 'Disable colors')
    .option('--timeout <seconds>', 'Seconds to wait for each response (default: 5)', seconds)
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        command === program ? [] : program.options.filter(({ long }) => long !== '--version'),
    })
    .helpOption('-h, --help', 'Show help')
    .helpCommand('help [command]', 'Show help for a command')
    .addHelpText('after', HELP);
  addStatus(program, act);
  addVersions(program, act);
  addNew(program, act);
  addPublishing(program, act);
  addMoves(program, act);
  addRollouts(program, act);
  addSchedule(program, act);
  addAssign(program, act);
  addWatch(program, act);
  addAudit(program, act);
  addKeys(program, act);
  addSession(program, act);
  addCompletion(program, act);
  return program;
}

/** Reads package.json: two levels up from the source file, four from the compiled one. */
function ownVersion(): string {
  for (const path of ['../package.json', '../../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name: string;
        version: string;
      };
      if (name === '@prompt-registry/cli') return version;
    } catch {
      // Try the other path.
    }
  }
  return 'unknown';
}
