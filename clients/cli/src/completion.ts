/**
 * Completion scripts for bash, zsh and fish.
 *
 * Rule: scripts are generated from the command tree that also runs, so they always match it. For packs, versions and channels they call the
 * hidden command `complete` (`suggestions.ts`) as the user types.
 * Example: `prompt-registry audit ` suggests `verify`, `head`, `log`; `--status ` suggests `registered`, `revoked`; `activate ` suggests the
 * versions of the pack.
 */
import type { Argument, Command, Option } from 'commander';
import type { Kind } from './suggestions.ts';

/** The hidden command that the scripts call. */
export const COMPLETE = 'complete';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly description: string;
}

interface Flag extends Word {
  readonly takesValue: boolean;
  /** Allowed values; empty if any value is allowed. */
  readonly values: readonly string[];
  /** Whether its value is a file name. */
  readonly file: boolean;
  /** What the registry suggests as its value. */
  readonly suggests: Kind | undefined;
}

/** What can follow a command. */
interface CommandNode {
  /** E.g. `audit verify`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
  /** Whether its argument is a folder. */
  readonly files: boolean;
  /** What the registry suggests as its argument. */
  readonly suggests: Kind | undefined;
}

/** Generates the script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, program, '');
  return { bash, zsh, fish }[shell](nodes);
}

function nodesOf(program: Command, command: Command, path: string): CommandNode[] {
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
    file: option.long === '--key-file' || option.long === '--audience',
    suggests: kindOf(option),
  }));
  const files = command.registeredArguments.some((argument) => argument.name() === 'folder');
  const here = {
    path,
    words: [...names, ...choices],
    flags: [
      ...flags,
      { word: '--help', description: 'Show help', takesValue: false, values: [], file: false, suggests: undefined },
    ],
    files,
    suggests: kindOfArguments(command.registeredArguments),
  };
  return [
    here,
    ...commands.flatMap((each) => nodesOf(program, each, path === '' ? each.name() : `${path} ${each.name()}`)),
  ];
}

/** What the registry suggests for an option. */
function kindOf({ long, flags }: Option): Kind | undefined {
  if (long === '--pack') return 'packs';
  if (long === '--channel') return 'channels';
  if (long === '--scope') return 'scopes';
  return flags.includes('<version>') ? 'versions' : undefined;
}

/** What the registry suggests for the arguments of a command. */
function kindOfArguments(args: readonly Argument[]): Kind | undefined {
  const names = args.map((argument) => argument.name());
  const versions = names.some((name) => ['version', 'from', 'to'].includes(name));
  if (names.includes('pack')) return versions ? 'packs-or-versions' : 'packs';
  return versions ? 'versions' : undefined;
}

/** Steps down the command tree, e.g. `:audit` and `audit:verify`. */
function stepsOf(nodes: readonly CommandNode[]): string[] {
  return nodes
    .filter(({ path }) => path !== '')
    .map(({ path }) => `${path.split(' ').slice(0, -1).join(' ')}:${path.split(' ').at(-1)}`);
}

/** Shell code that offers suggestions. */
interface Offers {
  readonly files: string;
  readonly choices: (values: readonly string[]) => string;
  readonly suggestions: (kind: Kind) => string;
}

/** Shell `case` branches for option values: file names, fixed choices, suggestions of the registry, or nothing. */
function valueCases(nodes: readonly CommandNode[], { files, choices, suggestions }: Offers): string {
  const cases = new Map<string, string[]>();
  for (const { path, flags } of nodes) {
    for (const { word, values, file, suggests: kind } of flags.filter(({ takesValue }) => takesValue)) {
      const offer = file
        ? `${files}; `
        : values.length > 0
          ? `${choices(values)}; `
          : kind === undefined
            ? ''
            : `${suggestions(kind)}; `;
      cases.set(offer, [...(cases.get(offer) ?? []), `'${path}:${word}'`]);
    }
  }
  return [...cases].map(([offer, patterns]) => `    ${patterns.join('|')}) ${offer}return;;`).join('\n');
}

/** Shell `case` branches for arguments that the registry suggests. */
function argumentCases(nodes: readonly CommandNode[], offer: (kind: Kind) => string): string {
  return nodes
    .flatMap(({ path, suggests }) => (suggests === undefined ? [] : [`    '${path}') ${offer(suggests)};;`]))
    .join('\n');
}

function bash(nodes: readonly CommandNode[]): string {
  return `# Completion of prompt-registry for bash: source <(prompt-registry completion bash)
_prompt_registry_files() { # file names; the shell quotes them
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
  compopt -o filenames 2> /dev/null || true
}
_prompt_registry_suggest() { # suggestions of the registry; none if it does not respond
  prompt-registry ${COMPLETE} "$1" -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2> /dev/null
}
_prompt_registry() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at= word words=
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at:$word" in
      ${stepsOf(nodes)
        .map((step) => `'${step}'`)
        .join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at:$previous" in
${valueCases(nodes, {
  files: '_prompt_registry_files -f',
  choices: (values) => `mapfile -t COMPREPLY < <(compgen -W "${values.join(' ')}" -- "$current")`,
  suggestions: (kind) => `mapfile -t COMPREPLY < <(compgen -W "$(_prompt_registry_suggest ${kind})" -- "$current")`,
})}
  esac
  case "$at" in
${nodes.map(({ path, words, flags }) => `    '${path}') words="${[...words, ...flags].map(({ word }) => word).join(' ')}";;`).join('\n')}
  esac
  case "$at" in
    ${folderPatterns(nodes)}) [[ $current == -* ]] || { _prompt_registry_files -d; return; };;
  esac
  [[ $current == -* ]] || case "$at" in
${argumentCases(nodes, (kind) => `words="$(_prompt_registry_suggest ${kind}) $words"`)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _prompt_registry prompt-registry`;
}

function folderPatterns(nodes: readonly CommandNode[]): string {
  return nodes
    .filter(({ files }) => files)
    .map(({ path }) => `'${path}'`)
    .join('|');
}

function zsh(nodes: readonly CommandNode[]): string {
  const described = ({ word, description }: Word) =>
    quoted(`${word.replaceAll(':', '\\:')}${description === '' ? '' : `:${description}`}`);
  return `#compdef prompt-registry
# Completion of prompt-registry for zsh: source <(prompt-registry completion zsh)
_prompt_registry_suggest() { # suggestions of the registry; none if it does not respond
  compadd -- \${(f)"$(prompt-registry ${COMPLETE} "$1" -- "\${words[@]:1:$((CURRENT-2))}" 2> /dev/null)"}
}
_prompt_registry() {
  local at= word
  local -a commands flags
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$at:$word" in
      (${stepsOf(nodes).map(quoted).join('|')}) at="\${at:+$at }$word";;
    esac
  done
  case "$at:\${words[CURRENT-1]}" in
${valueCases(nodes, { files: '_files', choices: (values) => `compadd -- ${values.join(' ')}`, suggestions: (kind) => `_prompt_registry_suggest ${kind}` })}
  esac
  case "$at" in
${nodes.map(({ path, words, flags }) => `    (${quoted(path)}) commands=(${words.map(described).join(' ')}); flags=(${flags.map(described).join(' ')});;`).join('\n')}
  esac
  _describe -t commands command commands
  _describe -o -t options option flags
  case "$at" in
    (${folderPatterns(nodes)}) _files -/;;
  esac
  case "$at" in
${argumentCases(nodes, (kind) => `_prompt_registry_suggest ${kind}`)}
  esac
}
if [[ "\${funcstack[1]}" == _prompt_registry ]]; then _prompt_registry "$@"; else compdef _prompt_registry prompt-registry; fi`;
}

function fish(nodes: readonly CommandNode[]): string {
  const suggestions = (kind: Kind) => `(__prompt_registry_suggest ${kind})`;
  const lines = nodes.flatMap(({ path, words, flags, files, suggests }) => {
    const here = `complete -c prompt-registry -n ${fishQuoted(`__prompt_registry_at ${fishQuoted(path)}`)}`;
    const described = (description: string) => (description === '' ? '' : ` -d ${fishQuoted(description)}`);
    return [
      ...words.map(({ word, description }) => `${here} -a ${fishQuoted(word)}${described(description)}`),
      ...flags.map(
        ({ word, description, takesValue, values, file, suggests: kind }) =>
          `${here} -l ${word.replace(/^-+/u, '')}${described(description)}${file ? ' -r -F' : takesValue ? ' -x' : ''}${values.length > 0 ? ` -a ${fishQuoted(values.join(' '))}` : kind === undefined ? '' : ` -a ${fishQuoted(suggestions(kind))}`}`,
      ),
      ...(files ? [`${here} -a '(__fish_complete_directories)'`] : []),
      ...(suggests === undefined ? [] : [`${here} -a ${fishQuoted(suggestions(suggests))}`]),
    ];
  });
  return `# Completion of prompt-registry for fish: prompt-registry completion fish | source
function __prompt_registry_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at:$word"
      case ${stepsOf(nodes).map(fishQuoted).join(' ')}
        set at (string trim -- "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
function __prompt_registry_suggest
  set -l words (commandline -opc)
  prompt-registry ${COMPLETE} $argv[1] -- $words[2..] 2>/dev/null
end
complete -c prompt-registry -f
${lines.join('\n')}`;
}

/** Quotes for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
