/**
 * Suggestions of the registry for completion: packs, channels, versions and scopes.
 *
 * Rule: the user waits at most a second. If the registry does not respond, there are no suggestions and no error. The shell expands what it
 * gets, so only words that consist of safe characters are returned.
 * Example: `prompt-registry complete versions -- rollback --pack coach --to` prints one version a line.
 */
import type { components, RegistryClient } from '@prompt-registry/client';
import { Context } from './context.ts';
import { defined } from './defined.ts';
import { withFields } from './fields.ts';
import { looksLikeVersion } from './arguments.ts';

export const KINDS = ['packs', 'versions', 'packs-or-versions', 'channels', 'scopes'] as const;
export type Kind = (typeof KINDS)[number];

/** Milliseconds. */
const TIMEOUT = 1000;

const SCOPES: readonly components['schemas']['Key']['scopes'][number][] = [
  'prompts:read',
  'sessions:start',
  'packs:publish',
  'packs:activate',
  'packs:revoke',
  'audit:read',
  'metrics:read',
  'keys:admin',
  '*',
];

/** Suggests words of a kind; none if the registry does not respond. @param typed the words typed so far; they may name the registry and the pack */
export async function suggest(
  { io, out, options }: Context,
  kind: Kind,
  typed: readonly string[],
): Promise<readonly string[]> {
  if (kind === 'scopes') return SCOPES;
  const words = joined(typed);
  const [url, key, keyFile] = ['--url', '--key', '--key-file'].map((name) => valueOf(words, name));
  const context = new Context(io, out, { ...options, timeout: TIMEOUT / 1000, ...defined({ url, key, keyFile }) });
  try {
    return (await ask(context, kind, words)).filter((word) => /^[0-9a-z][0-9a-z.-]*$/iu.test(word));
  } catch {
    return [];
  }
}

async function ask(
  context: Context,
  kind: Exclude<Kind, 'scopes'>,
  words: readonly string[],
): Promise<readonly string[]> {
  const registry = await context.registry();
  if (kind === 'packs') return packsOf(registry);
  if (kind === 'channels') return channelsOf(registry);
  const [, given] = words.filter(
    (word, index) => !word.startsWith('-') && words[index - 1]?.startsWith('-') !== true && !looksLikeVersion(word),
  );
  const pack = valueOf(words, '--pack') ?? (kind === 'packs-or-versions' ? given : undefined);
  const versions = await versionsOf(registry, await context.pack(pack));
  return kind === 'versions' || pack !== undefined ? versions : [...(await packsOf(registry)), ...versions];
}

/** Rejoins what bash splits at colons and equals signs. */
function joined(words: readonly string[]): string[] {
  return words
    .join('\0')
    .replaceAll(/\0?([:=])\0?/gu, '$1')
    .split('\0');
}

/** The value of an option, given as `--name value` or `--name=value`. */
function valueOf(words: readonly string[], option: string): string | undefined {
  const after = words.indexOf(option);
  return after === -1
    ? words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1)
    : words[after + 1];
}

async function packsOf(registry: RegistryClient): Promise<string[]> {
  const { data } = await registry.ask((api) => api.GET('/v1/packs')).then(withFields({ packs: 'list' }));
  return data.packs.map(({ pack }) => pack);
}

async function channelsOf(registry: RegistryClient): Promise<string[]> {
  const { data } = await registry.ask((api) => api.GET('/v1/packs')).then(withFields({ packs: 'list' }));
  return [...new Set(data.packs.flatMap(({ channels }) => channels.map(({ channel }) => channel)))];
}

async function versionsOf(registry: RegistryClient, pack: string): Promise<string[]> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/packs/{pack}/versions', { params: { path: { pack } } }))
    .then(withFields({ versions: 'list' }));
  return data.versions.map(({ version }) => version);
}
