/**
 * Completion for bash, zsh and fish.
 *
 * Rule: made from the very tree of commands that is run, so that it cannot tell of others.
 * Example: behind `prompt-registry audit ` it offers `verify`, `head`, `log`; behind `--status ` it offers `registered`, `revoked`.
 */
import type { Command } from 'commander';

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
}

/** What can follow one command, e.g. `audit verify`; the program itself is ``. */
interface Place {
  readonly at: string;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
  /** Names of files belong here. */
  readonly files: boolean;
}

/** The script that a shell reads. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, program, '');
  return { bash, zsh, fish }[shell](places);
}

function placesOf(program: Command, command: Command, at: string): Place[] {
  const names = command.commands.map((each): Word => ({ word: each.name(), description: each.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices.map((word): Word => ({ word, description: '' })));
  const flags = [...new Set([...command.options, ...program.options.filter(({ long }) => command === program || long !== '--version')])].map(({ long, short, description, argChoices = [], required, optional, variadic }): Flag => ({
    ...{ word: long ?? short ?? '', description },
    ...{ takesValue: required || optional || variadic, values: argChoices, file: long === '--key-file' },
  }));
  const files = command.registeredArguments.some((argument) => argument.name() === 'folder');
  const here = { at, words: [...names, ...choices], flags: [...flags, { word: '--help', description: 'what it does', takesValue: false, values: [], file: false }], files };
  return [here, ...command.commands.flatMap((each) => placesOf(program, each, at === '' ? each.name() : `${at} ${each.name()}`))];
}

/** `:audit` and `audit:verify`: the steps from one place to the next. */
function stepsOf(places: readonly Place[]): string[] {
  return places.filter(({ at }) => at !== '').map(({ at }) => `${at.split(' ').slice(0, -1).join(' ')}:${at.split(' ').at(-1)}`);
}

/** Flags that take a value, each once. */
function valuedOf(places: readonly Place[]): Flag[] {
  return [...new Map(places.flatMap(({ flags }) => flags.filter(({ takesValue }) => takesValue).map((flag) => [flag.word, flag] as const))).values()];
}

/** The cases of what follows a flag that takes a value: files, its choices, or nothing. */
function valueCases(places: readonly Place[], files: string, choices: (values: readonly string[]) => string): string {
  return valuedOf(places).map(({ word, values, file }) => `    ${word}) ${file ? `${files}; ` : values.length > 0 ? `${choices(values)}; ` : ''}return;;`).join('\n');
}

function bash(places: readonly Place[]): string {
  return `# Completion of prompt-registry for bash: source <(prompt-registry completion bash)
_prompt_registry_names() { # what there is on disk, quoted by the shell where it must be
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
  compopt -o filenames 2> /dev/null || true
}
_prompt_registry() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at= word words=
  COMPREPLY=()
  case "$previous" in
${valueCases(places, '_prompt_registry_names -f', (values) => `mapfile -t COMPREPLY < <(compgen -W "${values.join(' ')}" -- "$current")`)}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at:$word" in
      ${stepsOf(places).map((step) => `'${step}'`).join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at" in
${places.map(({ at, words, flags }) => `    '${at}') words="${[...words, ...flags].map(({ word }) => word).join(' ')}";;`).join('\n')}
  esac
  case "$at" in
    ${filePlaces(places)}) [[ $current == -* ]] || { _prompt_registry_names -d; return; };;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _prompt_registry prompt-registry`;
}

function filePlaces(places: readonly Place[]): string {
  return places.filter(({ files }) => files).map(({ at }) => `'${at}'`).join('|');
}

function zsh(places: readonly Place[]): string {
  const described = ({ word, description }: Word) => quoted(`${word.replaceAll(':', '\\:')}${description === '' ? '' : `:${description}`}`);
  return `#compdef prompt-registry
# Completion of prompt-registry for zsh: source <(prompt-registry completion zsh)
_prompt_registry() {
  local at= word
  local -a commands flags
  case "\${words[CURRENT-1]}" in
${valueCases(places, '_files', (values) => `compadd -- ${values.join(' ')}`)}
  esac
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$at:$word" in
      (${stepsOf(places).map(quoted).join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at" in
${places.map(({ at, words, flags }) => `    (${quoted(at)}) commands=(${words.map(described).join(' ')}); flags=(${flags.map(described).join(' ')});;`).join('\n')}
  esac
  _describe -t commands command commands
  _describe -o -t options option flags
  case "$at" in
    (${filePlaces(places)}) _files -/;;
  esac
}
if [[ "\${funcstack[1]}" == _prompt_registry ]]; then _prompt_registry "$@"; else compdef _prompt_registry prompt-registry; fi`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ at, words, flags, files }) => {
    const here = `complete -c prompt-registry -n ${fishQuoted(`__prompt_registry_at ${fishQuoted(at)}`)}`;
    const described = (description: string) => (description === '' ? '' : ` -d ${fishQuoted(description)}`);
    return [
      ...words.map(({ word, description }) => `${here} -a ${fishQuoted(word)}${described(description)}`),
      ...flags.map(({ word, description, takesValue, values, file }) => `${here} -l ${word.replace(/^-+/u, '')}${described(description)}${file ? ' -r -F' : takesValue ? ' -x' : ''}${values.length > 0 ? ` -a ${fishQuoted(values.join(' '))}` : ''}`),
      ...(files ? [`${here} -a '(__fish_complete_directories)'`] : []),
    ];
  });
  return `# Completion of prompt-registry for fish: prompt-registry completion fish | source
function __prompt_registry_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at:$word"
      case ${stepsOf(places).map(fishQuoted).join(' ')}
        set at (string trim -- "$at $word")
    end
  end
  test "$at" = "$argv[1]"
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
