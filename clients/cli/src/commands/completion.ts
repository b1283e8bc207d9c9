/** `completion`: prints a shell script. `complete`: the hidden command that the script runs to get suggestions. */
import { Argument, type Command } from 'commander';
import { COMPLETE, completionScript, SHELLS, type Shell } from '../completion.ts';
import type { Act } from '../context.ts';
import { EXIT } from '../exit.ts';
import { KINDS, suggest, type Kind } from '../suggestions.ts';

export function addCompletion(program: Command, act: Act): void {
  program
    .command('completion')
    .description('Print a shell completion script; load it with: source <(prompt-registry completion bash)')
    .addArgument(new Argument('<shell>', 'The shell').choices(SHELLS))
    .action(
      act<object, [string]>(async ({ out }, _, shell) => {
        out.result({ shell, script: completionScript(program, shell as Shell) }, () =>
          out.line(completionScript(program, shell as Shell)),
        );
        return EXIT.ok;
      }),
    );

  program
    .command(COMPLETE, { hidden: true })
    .description(
      'Print suggestions for shell completion; prints nothing if the registry does not respond within a second',
    )
    .addArgument(new Argument('<kind>', 'What to suggest').choices(KINDS))
    .argument('[words...]', 'The words typed so far, after "--"')
    .action(async (kind: Kind, words: readonly string[], ...rest: unknown[]) =>
      act(async (context) => {
        const found = await suggest(context, kind, words);
        context.out.result({ kind, words: found }, () => found.forEach((word) => context.out.say(word)));
        return EXIT.ok;
      })(...rest),
    );
}
