/** `completion`: a script for the shell, made from the commands there are. */
import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import type { Act } from '../context.ts';
import { EXIT } from '../exit.ts';

export function addCompletion(program: Command, act: Act): void {
  program
    .command('completion')
    .description('a script that completes commands and options, e.g.: source <(prompt-registry completion bash)')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action(
      act<object, [string]>(async ({ out }, _, shell) => {
        out.answer({ shell, script: completionScript(program, shell as Shell) }, () => out.line(completionScript(program, shell as Shell)));
        return EXIT.ok;
      }),
    );
}
