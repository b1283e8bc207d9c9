/**
 * Completion for bash, zsh and fish.
 *
 * Rule: made from the very tree of commands that is run, so that it cannot tell of others. Packs, versions and channels are asked of the
 * registry as one types (`known.ts`), by the hidden command `complete`.
 * Example: behind `prompt-registry audit ` it offers `verify`, `head`, `log`; behind `--status ` it offers `registered`, `revoked`; behind
 * `activate ` it offers the versions of the pack.
 */
import type { Argument, Command, Option } from 'commander';
import type { Kind } from './known.ts';

/** The command that the scripts ask. */
export const COMPLETE = 'complete';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly description: string;
}

interface Flag extends Word {
  readonly takesValue: boolean;
  /** The values that there are; empty where it may be any. */
  readonly values: readonly string[];
  /** Its value is the name of a file. */
  readonly file: boolean;
  /** Its value is something that the registry has. */
  readonly known: Kind | undefined;
}

/** What can follow one command, e.g. `audit verify`; the program itself is ``. */
interface CommandCompletion {
  readonly at: string;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
  /** Names of files belong here. */
  readonly files: boolean;
  /** Something that the registry has belongs here. */
  readonly known: Kind | undefined;
}

/** The script that a shell reads. */
export function completionScript(program: Command, shell: Shell): string {
  const completions = completionsOf(program, program, '');
  return { bash, zsh, fish }[shell](completions);
}

function completionsOf(program: Command, command: Command, at: string): CommandCompletion[] {
  const commands = command.commands.filter((each) => each.name() !== COMPLETE);
  const names = commands.map((each): Word => ({ word: each.name(), description: each.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) =>
    argChoices.map((word): Word => ({ word, description: '' })),
  );
  const flags = [
    ...new Set([
      ...command.options,
      ...program.options.filter(({ long }) => command === program || long !== '--version'),
    ]),
  ].map((option): Flag => ({
    word: option.long ?? option.short ?? '',
    description: option.description,
    takesValue: option.required || option.optional || option.variadic,
    values: option.argChoices ?? [],
    file: option.long === '--key-file',
    known: kindOf(option),
  }));
  const files = command.registeredArguments.some((argument) => argument.name() === 'folder');
  const here = {
    at,
    words: [...names, ...choices],
    flags: [
      ...flags,
      { word: '--help', description: 'what it does', takesValue: false, values: [], file: false, known: undefined },
    ],
    files,
    known: kindBehind(command.registeredArguments),
  };
  return [
    here,
    ...commands.flatMap((each) => completionsOf(program, each, at === '' ? each.name() : `${at} ${each.name()}`)),
  ];
}

/** What the value of an option is. */
function kindOf({ long, flags }: Option): Kind | undefined {
  if (long === '--pack') return 'packs';
  if (long === '--channel') return 'channels';
  if (long === '--scope') return 'scopes';
  return flags.includes('<version>') ? 'versions' : undefined;
}

/** What the arguments of a command are. */
function kindBehind(these: readonly Argument[]): Kind | undefined {
  const names = these.map((argument) => argument.name());
  const versions = names.some((name) => ['version', 'from', 'to'].includes(name));
  if (names.includes('pack')) return versions ? 'packs-or-versions' : 'packs';
  return versions ? 'versions' : undefined;
}

/** `:audit` and `audit:verify`: the steps from one place to the next. */
function stepsOf(completions: readonly CommandCompletion[]): string[] {
  return completions
    .filter(({ at }) => at !== '')
    .map(({ at }) => `${at.split(' ').slice(0, -1).join(' ')}:${at.split(' ').at(-1)}`);
}

/** How a shell offers what may follow. */
interface Offers {
  readonly files: string;
  readonly choices: (values: readonly string[]) => string;
  readonly known: (kind: Kind) => string;
}

/** The cases, of a place and a flag that takes a value, of what follows: files, its choices, what the registry has, or nothing. */
function valueCases(completions: readonly CommandCompletion[], { files, choices, known }: Offers): string {
  const cases = new Map<string, string[]>();
  for (const { at, flags } of completions) {
    for (const { word, values, file, known: kind } of flags.filter(({ takesValue }) => takesValue)) {
      const offer = file
        ? `${files}; `
        : values.length > 0
          ? `${choices(values)}; `
          : kind === undefined
            ? ''
            : `${known(kind)}; `;
      cases.set(offer, [...(cases.get(offer) ?? []), `'${at}:${word}'`]);
    }
  }
  return [...cases].map(([offer, patterns]) => `    ${patterns.join('|')}) ${offer}return;;`).join('\n');
}

/** The cases of what the registry has where no option stands, by place. */
function knownCases(completions: readonly CommandCompletion[], offer: (kind: Kind) => string): string {
  return completions
    .flatMap(({ at, known }) => (known === undefined ? [] : [`    '${at}') ${offer(known)};;`]))
    .join('\n');
}

function bash(completions: readonly CommandCompletion[]): string {
  return `# Completion of prompt-registry for bash: source <(prompt-registry completion bash)
_prompt_registry_names() { # what there is on disk, quoted by the shell where it must be
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
  compopt -o filenames 2> /dev/null || true
}
_prompt_registry_known() { # what the registry has, where it can be asked
  prompt-registry ${COMPLETE} "$1" -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2> /dev/null
}
_prompt_registry() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at= word words=
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at:$word" in
      ${stepsOf(completions)
        .map((step) => `'${step}'`)
        .join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at:$previous" in
${valueCases(completions, {
  files: '_prompt_registry_names -f',
  choices: (values) => `mapfile -t COMPREPLY < <(compgen -W "${values.join(' ')}" -- "$current")`,
  known: (kind) => `mapfile -t COMPREPLY < <(compgen -W "$(_prompt_registry_known ${kind})" -- "$current")`,
})}
  esac
  case "$at" in
${completions.map(({ at, words, flags }) => `    '${at}') words="${[...words, ...flags].map(({ word }) => word).join(' ')}";;`).join('\n')}
  esac
  case "$at" in
    ${fileCompletions(completions)}) [[ $current == -* ]] || { _prompt_registry_names -d; return; };;
  esac
  [[ $current == -* ]] || case "$at" in
${knownCases(completions, (kind) => `words="$(_prompt_registry_known ${kind}) $words"`)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _prompt_registry prompt-registry`;
}

function fileCompletions(completions: readonly CommandCompletion[]): string {
  return completions
    .filter(({ files }) => files)
    .map(({ at }) => `'${at}'`)
    .join('|');
}

function zsh(completions: readonly CommandCompletion[]): string {
  const described = ({ word, description }: Word) =>
    quoted(`${word.replaceAll(':', '\\:')}${description === '' ? '' : `:${description}`}`);
  return `#compdef prompt-registry
# Completion of prompt-registry for zsh: source <(prompt-registry completion zsh)
_prompt_registry_known() { # what the registry has, where it can be asked
  compadd -- \${(f)"$(prompt-registry ${COMPLETE} "$1" -- "\${words[@]:1:$((CURRENT-2))}" 2> /dev/null)"}
}
_prompt_registry() {
  local at= word
  local -a commands flags
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$at:$word" in
      (${stepsOf(completions).map(quoted).join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${valueCases(completions, { files: '_files', choices: (values) => `compadd -- ${values.join(' ')}`, known: (kind) => `_prompt_registry_known ${kind}` })}
  esac
  case "$at" in
${completions.map(({ at, words, flags }) => `    (${quoted(at)}) commands=(${words.map(described).join(' ')}); flags=(${flags.map(described).join(' ')});;`).join('\n')}
  esac
  _describe -t commands command commands
  _describe -o -t options option flags
  case "$at" in
    (${fileCompletions(completions)}) _files -/;;
  esac
  case "$at" in
${knownCases(completions, (kind) => `_prompt_registry_known ${kind}`)}
  esac
}
if [[ "\${funcstack[1]}" == _prompt_registry ]]; then _prompt_registry "$@"; else compdef _prompt_registry prompt-registry; fi`;
}

function fish(completions: readonly CommandCompletion[]): string {
  const asked = (kind: Kind) => `(__prompt_registry_known ${kind})`;
  const lines = completions.flatMap(({ at, words, flags, files, known }) => {
    const here = `complete -c prompt-registry -n ${fishQuoted(`__prompt_registry_at ${fishQuoted(at)}`)}`;
    const described = (description: string) => (description === '' ? '' : ` -d ${fishQuoted(description)}`);
    return [
      ...words.map(({ word, description }) => `${here} -a ${fishQuoted(word)}${described(description)}`),
      ...flags.map(
        ({ word, description, takesValue, values, file, known: kind }) =>
          `${here} -l ${word.replace(/^-+/u, '')}${described(description)}${file ? ' -r -F' : takesValue ? ' -x' : ''}${values.length > 0 ? ` -a ${fishQuoted(values.join(' '))}` : kind === undefined ? '' : ` -a ${fishQuoted(asked(kind))}`}`,
      ),
      ...(files ? [`${here} -a '(__fish_complete_directories)'`] : []),
      ...(known === undefined ? [] : [`${here} -a ${fishQuoted(asked(known))}`]),
    ];
  });
  return `# Completion of prompt-registry for fish: prompt-registry completion fish | source
function __prompt_registry_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at:$word"
      case ${stepsOf(completions).map(fishQuoted).join(' ')}
        set at (string trim -- "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
function __prompt_registry_known
  set -l words (commandline -opc)
  prompt-registry ${COMPLETE} $argv[1] -- $words[2..] 2>/dev/null
end
complete -c prompt-registry -f
${lines.join('\n')}`;
}

/** For bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
