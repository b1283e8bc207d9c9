/** `versions`, `show`, `diff`: what there is, what it says, how it differs. */
import { Option, type Command } from 'commander';
import type { components, RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { Complaint, EXIT, wrongUsage } from '../exit.ts';
import { violationText } from '../explain.ts';
import { printDiff } from '../hunks.ts';
import { currentOf } from '../changes.ts';
import { pages } from '../pages.ts';
import { having } from '../shape.ts';
import { safeLines, type Cell } from '../output.ts';
import { limit as most, looksLikeVersion, name, nameOrVersion, version as edition } from '../values.ts';

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
    .description("a pack's versions, the highest first")
    .argument('[pack]', 'the pack; the default pack where none is named', name)
    .option('--pack <name>', 'the same', name)
    .option('--limit <n>', 'the most to show, or "all"', most, 100)
    .addOption(new Option('--status <status>', 'only versions of this status').choices(['registered', 'revoked']))
    .action(act<ListOptions, [string | undefined]>(list));

  program
    .command('show')
    .description('a version and its texts; the active one where none is named')
    .argument('[pack]', 'the pack, or the version where only one of them is named', nameOrVersion)
    .argument('[version]', 'the version', edition)
    .option('--pack <name>', 'the pack', name)
    .option('--channel <name>', 'the channel whose active version is shown', name)
    .option('--system', 'print only the system prompt, exactly as it is')
    .addOption(new Option('--style <id>', 'print only this style prompt, exactly as it is').conflicts('system'))
    .action(act<ShowOptions, [string | undefined, string | undefined]>(show));

  program
    .command('diff')
    .description('how a version differs from another one, prompt by prompt')
    .argument('<from>', 'the version to start from', edition)
    .argument('[to]', 'the version to get to; the active one where none is named', edition)
    .option('--pack <name>', 'the pack', name)
    .option('--channel <name>', 'the channel whose active version is meant', name)
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
      .then(having({ versions: 'list' }));
    return { items: data.versions, next: data.nextCursor };
  };
  for await (const { items, next } of pages(limit, undefined, ask)) {
    versions.push(...items);
    more = next !== null;
  }
  context.out.answer({ pack, versions, more }, () => {
    context.out.table(versions.map(row));
    if (versions.length === 0) context.out.note(`${pack} has no such version.`);
    if (more) context.out.note('There are more; --limit all shows them.');
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
      ? ['red', `revoked${replacement === undefined ? '' : `, see ${replacement}`}`]
      : activeIn.length > 0
        ? ['green', `active in ${activeIn.join(', ')}`]
        : problems.length > 0
          ? ['yellow', 'under the floor']
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
    throw wrongUsage('--channel names the channel whose active version is shown; it does not go with a version.');
  const pack = await context.pack(named, onlyVersion ? undefined : first);
  const found = await editionOf(context, pack, version, channel);
  if (system === true)
    context.out.answer({ version: found.version, digest: found.digest, text: found.system }, () =>
      context.out.exact(found.system),
    );
  else if (style !== undefined) showStyle(context, found, style);
  else context.out.answer(found, () => printEdition(context, found));
  return EXIT.ok;
}

type Edition = Schemas['Version'] | Schemas['ActivePack'];
/** An answer that is an edition. */
const whole = having({
  pack: 'string',
  version: 'string',
  digest: 'string',
  system: 'string',
  styles: 'list',
  compatibility: 'object',
});

async function editionOf(
  context: Context,
  pack: string,
  version: string | undefined,
  channel: string | undefined,
): Promise<Edition> {
  const registry = await context.registry();
  return version === undefined
    ? (
        await registry
          .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query: defined({ channel }) } }))
          .then(whole)
      ).data
    : (
        await registry
          .ask((api) => api.GET('/v1/packs/{pack}/versions/{version}', { params: { path: { pack, version } } }))
          .then(whole)
      ).data;
}

function showStyle({ out }: Context, { pack, version, digest, styles }: Edition, id: string): void {
  const style = styles.find((each) => each.id === id);
  if (style === undefined) {
    const supported = styles.map((each) => each.id);
    throw new Complaint(`Version ${version} of ${pack} has no style "${id}". Its styles: ${supported.join(', ')}.`, {
      exit: EXIT.refused,
      code: 'style-not-found',
      members: { supportedStyles: supported },
    });
  }
  out.answer({ version, digest, ...style }, () => out.exact(style.text));
}

function printEdition({ out }: Context, edition: Edition): void {
  const {
    pack,
    version,
    digest,
    defaultStyle,
    compatibility: { models, clients, locales },
    system,
    styles,
  } = edition;
  out.table([
    ['pack', ['bold', pack]],
    ['version', ['bold', version]],
    ['digest', digest],
    ...('channel' in edition ? activeRows(edition) : versionRows(edition)),
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
    throw wrongUsage('--channel names the channel whose active version is meant; it does not go with two versions.');
  const registry = await context.registry();
  const pack = await context.pack(named);
  const to = given ?? (await activeVersion(registry, pack, channel));
  const { data } = await registry
    .ask((api) =>
      api.GET('/v1/packs/{pack}/versions/{version}/diff', {
        params: { path: { pack, version: to }, query: { against: from } },
      }),
    )
    .then(having({ from: 'string', to: 'string', assets: 'list', metadata: 'list' }));
  context.out.answer(data, () => printDiff(context.out, data));
  return EXIT.ok;
}

async function activeVersion(registry: RegistryClient, pack: string, channel: string | undefined): Promise<string> {
  const current = await currentOf(registry, { pack, channel });
  if (current === undefined)
    throw new Complaint(`Nothing is active in that channel of ${pack} yet.`, {
      exit: EXIT.refused,
      code: 'channel-not-found',
      hint: 'Name the version to compare with: prompt-registry diff <from> <to>',
    });
  return current.active.version;
}
