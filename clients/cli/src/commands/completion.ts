/** `completion`: a script for the shell, made from the commands there are; `complete`: what the script asks as one types. */
import { Argument, type Command } from 'commander';
import { COMPLETE, completionScript, SHELLS, type Shell } from '../completion.ts';
import type { Act } from '../context.ts';
import { EXIT } from '../exit.ts';
import { KINDS, known, type Kind } from '../known.ts';

export function addCompletion(program: Command, act: Act): void {
  program
    .command('completion')
    .description('a script that completes what is typed, e.g.: source <(prompt-registry completion bash)')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action(
      act<object, [string]>(async ({ out }, _, shell) => {
        out.answer({ shell, script: completionScript(program, shell as Shell) }, () =>
          out.line(completionScript(program, shell as Shell)),
        );
        return EXIT.ok;
      }),
    );

  program
    .command(COMPLETE, { hidden: true })
    .description(
      'what the registry has of a kind, for the scripts of completion; nothing where it does not answer within a second',
    )
    .addArgument(new Argument('<kind>', 'of what').choices(KINDS))
    .argument('[words...]', 'what is typed so far, behind "--"')
    .action(async (kind: Kind, words: readonly string[], ...rest: unknown[]) =>
      act(async (context) => {
        const found = await known(context, kind, words);
        context.out.answer({ kind, words: found }, () => found.forEach((word) => context.out.say(word)));
        return EXIT.ok;
      })(...rest),
    );
}
