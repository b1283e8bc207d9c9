/** The commands there are: the table of contents of the command line. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAudit } from './commands/audit.ts';
import { addCompletion } from './commands/completion.ts';
import { addKeys } from './commands/keys.ts';
import { addMoves } from './commands/moves.ts';
import { addNew } from './commands/new.ts';
import { addPublishing } from './commands/publish.ts';
import { addSession } from './commands/session.ts';
import { addStatus } from './commands/status.ts';
import { addVersions } from './commands/versions.ts';
import { addWatch } from './commands/watch.ts';
import { DEFAULT_URL } from './connection.ts';
import type { Act } from './context.ts';
import { EXIT_CODES_HELP } from './exit.ts';
import { seconds } from './values.ts';

const HELP = `
Settings:
  PROMPT_REGISTRY_URL   as --url
  PROMPT_REGISTRY_KEY   as --key
  PROMPT_REGISTRY_PACK  as --pack; where neither is given: the registry's default pack
  NO_COLOR              no colours
  Without a key, and where the registry is on this machine, the operator key is taken
  from operator.key in DATA_DIR (./data where that is not set).

${EXIT_CODES_HELP}`;

/** Builds the program. @param act makes the actions; what they are given is up to who runs it */
export function buildProgram(act: Act): Command {
  const program = new Command('prompt-registry');
  program
    .description('Looks at a prompt registry, publishes to it, activates versions and rolls back.')
    .version(ownVersion())
    .option('--url <url>', `where the registry is (default: ${DEFAULT_URL})`)
    .option('--key <key>', 'the API key; others on this machine can see it, PROMPT_REGISTRY_KEY they cannot')
    .option('--key-file <file>', 'a file with the API key in it')
    .option('--json', 'the answer as JSON on stdout, an error as JSON on stderr')
    .option('--no-color', 'no colours')
    .option('--timeout <seconds>', 'how long an answer may take (default: 5)', seconds)
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        command === program ? [] : program.options.filter(({ long }) => long !== '--version'),
    })
    .addHelpText('after', HELP);
  addStatus(program, act);
  addVersions(program, act);
  addNew(program, act);
  addPublishing(program, act);
  addMoves(program, act);
  addWatch(program, act);
  addAudit(program, act);
  addKeys(program, act);
  addSession(program, act);
  addCompletion(program, act);
  return program;
}

/** This file lies at the same depth below the package, compiled (dist/clients/cli/src) or not (src). */
function ownVersion(): string {
  for (const path of ['../package.json', '../../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name: string;
        version: string;
      };
      if (name === '@prompt-registry/cli') return version;
    } catch {
      // The other place, then.
    }
  }
  return 'unknown';
}
