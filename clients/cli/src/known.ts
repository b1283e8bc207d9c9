/**
 * What the registry knows, for completion: names of packs and channels, versions, scopes.
 *
 * Rule: whoever presses Tab waits for a second at most; where it cannot be told, nothing is said. A shell expands what it is given, so
 * only what is a name, a version or a scope by its letters is given to it.
 * Example: `prompt-registry complete versions -- rollback --pack coach --to` prints a version a line.
 */
import type { components, RegistryClient } from '@prompt-registry/client';
import { Context } from './context.ts';
import { defined } from './defined.ts';
import { having } from './shape.ts';
import { looksLikeVersion } from './values.ts';

export const KINDS = ['packs', 'versions', 'packs-or-versions', 'channels', 'scopes'] as const;
export type Kind = (typeof KINDS)[number];

/** Milliseconds that the registry has to answer. */
const PATIENCE = 1000;

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

/** @param typed words of the command line so far, which may name the registry and the pack @returns none where it cannot be told */
export async function known(
  { io, out, options }: Context,
  kind: Kind,
  typed: readonly string[],
): Promise<readonly string[]> {
  if (kind === 'scopes') return SCOPES;
  const words = joined(typed);
  const [url, key, keyFile] = ['--url', '--key', '--key-file'].map((name) => valueOf(words, name));
  const context = new Context(io, out, { ...options, timeout: PATIENCE / 1000, ...defined({ url, key, keyFile }) });
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

/** The words as they were typed: bash takes them apart at colons and equals signs. */
function joined(words: readonly string[]): string[] {
  return words
    .join('\0')
    .replaceAll(/\0?([:=])\0?/gu, '$1')
    .split('\0');
}

/** The value of an option, behind it or in one word with it. */
function valueOf(words: readonly string[], option: string): string | undefined {
  const after = words.indexOf(option);
  return after === -1
    ? words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1)
    : words[after + 1];
}

async function packsOf(registry: RegistryClient): Promise<string[]> {
  const { data } = await registry.ask((api) => api.GET('/v1/packs')).then(having({ packs: 'list' }));
  return data.packs.map(({ pack }) => pack);
}

async function channelsOf(registry: RegistryClient): Promise<string[]> {
  const { data } = await registry.ask((api) => api.GET('/v1/packs')).then(having({ packs: 'list' }));
  return [...new Set(data.packs.flatMap(({ channels }) => channels.map(({ channel }) => channel)))];
}

async function versionsOf(registry: RegistryClient, pack: string): Promise<string[]> {
  const { data } = await registry
    .ask((api) => api.GET('/v1/packs/{pack}/versions', { params: { path: { pack } } }))
    .then(having({ versions: 'list' }));
  return data.versions.map(({ version }) => version);
}
