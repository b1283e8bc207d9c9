/** `versions`, `show`, `diff`: list, show and compare versions. */
import { Option, type Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { CliError, EXIT, wrongUsage } from '../exit.ts';
import { violationText } from '../explain.ts';
import { printDiff } from '../diff-output.ts';
import { currentOf } from '../channel-move.ts';
import { pages } from '../pages.ts';
import { withFields } from '../fields.ts';
import { safeLines, type Cell } from '../output.ts';
import { limit as parseLimit, looksLikeVersion, name, nameOrVersion, version as parseVersion } from '../arguments.ts';

type Schemas = components['schemas'];

interface ListOptions {
  readonly pack?: string;
  readonly limit: number;
  readonly status?: 'registered' | 'revoked';
}

interface ShowOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly style?: string;
  readonly system?: boolean;
}

interface DiffOptions {
  readonly pack?: string;
  readonly channel?: string;
}

export function addVersions(program: Command, act: Act): void {
  program
    .command('versions')
    .description('List the versions of a pack, highest first')
    .argument('[pack]', 'The pack (default: the default pack)', name)
    .option('--pack <name>', 'The pack', name)
    .option('--limit <n>', 'Maximum number of versions, or "all"', parseLimit, 100)
    .addOption(new Option('--status <status>', 'Only versions with this status').choices(['registered', 'revoked']))
    .action(act<ListOptions, [string | undefined]>(list));

  program
    .command('show')
    .description('Show a version and its prompts (default: the active version)')
    .argument('[pack]', 'The pack; a single argument can also be the version', nameOrVersion)
    .argument('[version]', 'The version', parseVersion)
    .option('--pack <name>', 'The pack', name)
    .option('--channel <name>', 'Show the active version of this channel', name)
    .option('--system', 'Print only the system prompt, unchanged')
    .addOption(new Option('--style <id>', 'Print only the prompt of this style, unchanged').conflicts('system'))
    .action(act<ShowOptions, [string | undefined, string | undefined]>(show));

  program
    .command('diff')
    .description('Compare two versions, prompt by prompt')
    .argument('<from>', 'The old version', parseVersion)
    .argument('[to]', 'The new version (default: the active version)', parseVersion)
    .option('--pack <name>', 'The pack', name)
    .option('--channel <name>', 'Compare with the active version of this channel', name)
    .action(act<DiffOptions, [string, string | undefined]>(diff));
}

async function list(context: Context, { pack: named, limit, status }: ListOptions, given: string | undefined) {
  const registry = await context.registry();
  const pack = await context.pack(named, given);
  const versions: Schemas['VersionSummary'][] = [];
  let more = false;
  const ask = async (cursor: string | undefined, size: number) => {
    const query = { limit: size, ...defined({ cursor, status }) };
    const { data } = await registry
      .ask((api) => api.GET('/v1/packs/{pack}/versions', { params: { path: { pack }, query } }))
      .then(withFields({ versions: 'list' }));
    return { items: data.versions, next: data.nextCursor };
  };
  for await (const { items, next } of pages(limit, undefined, ask)) {
    versions.push(...items);
    more = next !== null;
  }
  context.out.result({ pack, versions, more }, () => {
    context.out.table(versions.map(row));
    if (versions.length === 0) context.out.note(`${pack} has no matching versions.`);
    if (more) context.out.note('There are more versions. Use --limit all to list them.');
  });
  return EXIT.ok;
}

function row({
  version,
  status,
  activeIn,
  problems,
  publishedAt,
  summary,
  replacement,
}: Schemas['VersionSummary']): Cell[] {
  const state: Cell =
    status === 'revoked'
      ? ['red', `revoked${replacement === undefined ? '' : `, replaced by ${replacement}`}`]
      : activeIn.length > 0
        ? ['green', `active in ${activeIn.join(', ')}`]
        : problems.length > 0
          ? ['yellow', 'violates the policy']
          : '';
  return [['bold', version], state, publishedAt.slice(0, 10), summary];
}

async function show(
  context: Context,
  { pack: named, channel, style, system }: ShowOptions,
  first: string | undefined,
  second: string | undefined,
) {
  const onlyVersion = first !== undefined && second === undefined && looksLikeVersion(first);
  const version = onlyVersion ? first : second;
  if (version !== undefined && channel !== undefined)
    throw wrongUsage('--channel shows the active version of a channel and cannot be combined with a version.');
  const pack = await context.pack(named, onlyVersion ? undefined : first);
  const found = await fetchVersion(context, pack, version, channel);
  if (system === true)
    context.out.result({ version: found.version, digest: found.digest, text: found.system }, () =>
      context.out.exact(found.system),
    );
  else if (style !== undefined) showStyle(context, found, style);
  else context.out.result(found, () => printShownVersion(context, found));
  return EXIT.ok;
}

type ShownVersion = Schemas['Version'] | Schemas['ActivePack'];
/** Checks that a response is a version. */
const asVersion = withFields({
  pack: 'string',
  version: 'string',
  digest: 'string',
  system: 'string',
  styles: 'list',
  compatibility: 'object',
});

async function fetchVersion(
  context: Context,
  pack: string,
  version: string | undefined,
  channel: string | undefined,
): Promise<ShownVersion> {
  const registry = await context.registry();
  return version === undefined
    ? (
        await registry
          .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query: defined({ channel }) } }))
          .then(asVersion)
      ).data
    : (
        await registry
          .ask((api) => api.GET('/v1/packs/{pack}/versions/{version}', { params: { path: { pack, version } } }))
          .then(asVersion)
      ).data;
}

function showStyle({ out }: Context, { pack, version, digest, styles }: ShownVersion, id: string): void {
  const style = styles.find((each) => each.id === id);
  if (style === undefined) {
    const supported = styles.map((each) => each.id);
    throw new CliError(`Version ${version} of ${pack} has no style "${id}". Its styles: ${supported.join(', ')}.`, {
      exit: EXIT.refused,
      code: 'style-not-found',
      members: { supportedStyles: supported },
    });
  }
  out.result({ version, digest, ...style }, () => out.exact(style.text));
}

function printShownVersion({ out }: Context, shown: ShownVersion): void {
  const {
    pack,
    version,
    digest,
    defaultStyle,
    compatibility: { models, clients, locales },
    system,
    styles,
  } = shown;
  out.table([
    ['pack', ['bold', pack]],
    ['version', ['bold', version]],
    ['digest', digest],
    ...('channel' in shown ? activeRows(shown) : versionRows(shown)),
    ['default style', defaultStyle],
    ['models', models.map(({ provider, family }) => `${provider} ${family}`).join(', ')],
    ['clients', clients.map(({ name, range }) => `${name} ${range}`).join(', ')],
    ['locales', locales.join(', ')],
  ]);
  for (const [title, text] of [
    ['system', system],
    ...styles.map(({ id, title: name, text: prompt }) => [`styles/${id} (${name})`, prompt]),
  ] as [string, string][]) {
    out.line();
    out.line(out.paint('cyan', `## ${title}`));
    out.line(safeLines(text));
  }
}

function activeRows({ channel, revision, activatedAt, activatedBy, reason }: Schemas['ActivePack']): Cell[][] {
  return [
    ['active in', ['green', channel]],
    ['revision', `${revision}`],
    ['since', `${activatedAt} by ${activatedBy.label}: ${reason}`],
  ];
}

function versionRows({
  status,
  activeIn,
  summary,
  author,
  publishedAt,
  publishedBy,
  problems,
  revokedReason,
  replacement,
}: Schemas['Version']): Cell[][] {
  return [
    ['status', status === 'revoked' ? ['red', `revoked: ${revokedReason ?? ''}`] : status],
    ...(replacement === undefined ? [] : [['replacement', replacement]]),
    ['active in', activeIn.length === 0 ? 'no channel' : ['green', activeIn.join(', ')]],
    ['summary', summary],
    ['author', author],
    ['published', `${publishedAt} by ${publishedBy.label}`],
    ...problems.map((problem): Cell[] => ['problem', ['yellow', violationText(problem)]]),
  ];
}

async function diff(context: Context, { pack: named, channel }: DiffOptions, from: string, given: string | undefined) {
  if (given !== undefined && channel !== undefined)
    throw wrongUsage(
      '--channel compares with the active version of a channel and cannot be combined with two versions.',
    );
  const registry = await context.registry();
  const pack = await context.pack(named);
  const to = given ?? (await activeVersion(registry, pack, channel));
  const { data } = await registry
    .ask((api) =>
      api.GET('/v1/packs/{pack}/versions/{version}/diff', {
        params: { path: { pack, version: to }, query: { against: from } },
      }),
    )
    .then(withFields({ from: 'string', to: 'string', assets: 'list', metadata: 'list' }));
  context.out.result(data, () => printDiff(context.out, data));
  return EXIT.ok;
}

async function activeVersion(registry: RegistryClient, pack: string, channel: string | undefined): Promise<string> {
  const current = await currentOf(registry, { pack, channel });
  if (current === undefined)
    throw new CliError(`${pack} has no active version in this channel yet.`, {
      exit: EXIT.refused,
      code: 'channel-not-found',
      hint: 'Name both versions: prompt-registry diff <from> <to>',
    });
  return current.active.version;
}
