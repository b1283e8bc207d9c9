/** `validate`, `publish`: from a folder to a registered version. */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Command } from 'commander';
import { sizeWarnings } from '../body-size.ts';
import type { Act, Context } from '../context.ts';
import { Complaint, EXIT } from '../exit.ts';
import { complaintOf, violationText } from '../explain.ts';
import type { FoundFolder, FoundVersion } from '../folders.ts';
import { summaryOf } from '../hunks.ts';
import { sendOnce } from '../sending.ts';
import { having } from '../shape.ts';
import type { Output } from '../output.ts';

type Version = components['schemas']['Version'];

interface PublishOptions {
  readonly dryRun?: boolean;
}

/** What a version is to the registry. */
interface Fate {
  readonly pack: string;
  readonly version: string;
  readonly digest: string;
  readonly outcome: 'registered' | 'unchanged' | 'would-register' | 'would-be-refused';
  /** Why it would be refused. */
  readonly problems?: readonly string[];
  /** What it is compared with, and how it differs from that. */
  readonly comparedWith?: string;
  readonly changes?: components['schemas']['AssetDiff'][];
}

export function addPublishing(program: Command, act: Act): void {
  program
    .command('validate')
    .description('check a folder without the registry: its schema, its policy.yaml, its digest')
    .argument('<folder>', 'of a version, of a pack, or of packs')
    .action(act<object, [string]>(validate));

  program
    .command('publish')
    .description('register the version in a folder, or all of them; nothing is active by that')
    .argument('<folder>', 'of a version, of a pack, or of packs')
    .option('--dry-run', 'only check it, and compare it with what the registry has')
    .action(act<PublishOptions, [string]>(publish));
}

async function validate({ out, io }: Context, _: object, folder: string) {
  const { faults, faultsIfNew, ...rest } = await read(folder, io.cwd);
  const found = { ...rest, faults: [...faults, ...faultsIfNew] };
  const valid = isValid(found);
  const versions = found.versions.map(
    ({
      path,
      version: {
        content: { pack, version },
        digest,
      },
      violations,
    }) => ({ path, pack, version, digest, valid: violations.length === 0, violations }),
  );
  const warnings = sizeWarnings(found.versions);
  out.answer({ valid, versions, faults: found.faults, ...(warnings.length > 0 && { warnings }) }, () =>
    printFound(out, found),
  );
  for (const warning of warnings) out.warn(warning);
  return valid ? EXIT.ok : EXIT.invalid;
}

/** Only these two commands need what reads folders; loading it takes longer than most others take altogether. */
async function read(folder: string, cwd: string): Promise<FoundFolder> {
  const { readFolder } = await import('../folders.ts');
  return readFolder(folder, cwd);
}

type Found = Pick<FoundFolder, 'versions' | 'faults'>;

function isValid({ versions, faults }: Found): boolean {
  return faults.length === 0 && versions.every(({ violations }) => violations.length === 0);
}

function printFound(out: Output, { versions, faults }: Found): void {
  out.table(
    versions.map(({ version: { content, digest }, violations }) => [
      ['bold', `${content.pack} ${content.version}`],
      violations.length === 0 ? ['green', 'valid'] : ['red', 'under the floor'],
      digest,
    ]),
  );
  for (const line of faultLines({ versions, faults })) out.say(`  ${line}`);
}

function faultLines({ versions, faults }: Found): string[] {
  return [
    ...faults,
    ...versions.flatMap(({ path, violations }) =>
      violations.map((violation) => `${path}: ${violationText(violation)}`),
    ),
  ];
}

async function publish(context: Context, { dryRun }: PublishOptions, folder: string) {
  const { out, io } = context;
  const found = await read(folder, io.cwd);
  if (!isValid(found)) {
    const lines = faultLines(found);
    throw new Complaint(
      `${folder} has ${lines.length === 1 ? 'a fault' : `${lines.length} faults`}; nothing was published:${lines.map((line) => `\n  ${line}`).join('')}`,
      { exit: EXIT.invalid, code: 'invalid-folder', members: { faults: lines } },
    );
  }
  const registry = await context.registry();
  const fates: Fate[] = [];
  for (const version of found.versions) {
    try {
      fates.push(dryRun === true ? await foresee(registry, version) : await register(context, registry, version));
    } catch (error) {
      throw stoppedAt(context, version, fates, error);
    }
  }
  if (dryRun === true) for (const warning of sizeWarnings(found.versions)) out.warn(warning);
  out.answer({ versions: fates }, () => {
    for (const fate of fates) printFate(out, fate);
  });
  return fates.some(({ outcome }) => outcome === 'would-be-refused') ? EXIT.refused : EXIT.ok;
}

/** What came before stays: it is told with what stopped the rest. */
function stoppedAt(
  { where }: Context,
  { version: { content } }: FoundVersion,
  before: readonly Fate[],
  error: unknown,
): unknown {
  if (!(error instanceof RegistryFailure || error instanceof Complaint) || before.length === 0) return error;
  const { message, exit, code, hint, members } = error instanceof Complaint ? error : complaintOf(error, where);
  const done = before.map(({ pack, version, outcome }) => `\n  ${pack} ${version}: ${outcome}`).join('');
  return new Complaint(`${content.pack} ${content.version}: ${message}\nBefore it:${done}`, {
    exit,
    code,
    hint,
    members: { ...members, versions: before },
    cause: error,
  });
}

async function register(
  context: Context,
  registry: RegistryClient,
  { version: { content, summary, author } }: FoundVersion,
): Promise<Fate> {
  const {
    pack,
    styles,
    compatibility: { models, clients, locales, packFormat },
    ...rest
  } = content;
  const compatibility = { models: [...models], clients: [...clients], locales: [...locales], packFormat };
  const body = { ...rest, summary, author, compatibility, styles: [...styles] };
  const { status, headers, data } = await sendOnce(
    context,
    (key) =>
      registry
        .ask((api) =>
          api.POST('/v1/packs/{pack}/versions', {
            params: { path: { pack }, header: { 'idempotency-key': key } },
            body,
          }),
        )
        .then(having({ version: 'string', digest: 'string' })),
    `versions ${pack}`,
  );
  const registered = status === 201 || headers.has('idempotency-replayed');
  return { pack, version: content.version, digest: data.digest, outcome: registered ? 'registered' : 'unchanged' };
}

/** What would come of publishing it, by what the registry has. */
async function foresee(registry: RegistryClient, { version }: FoundVersion): Promise<Fate> {
  const {
    content: { pack, version: name },
    digest,
  } = version;
  const fate = { pack, version: name, digest };
  const there = await versionThere(registry, pack, name);
  if (there === 'revoked')
    return {
      ...fate,
      outcome: 'would-be-refused',
      problems: ['It is registered, and revoked; publish under a new version.'],
    };
  if (there !== undefined) {
    const { isSameContent } = await import('../../../../registry/packs/pack.ts');
    const same = isSameContent(there, version) && there.summary === version.summary && there.author === version.author;
    return same
      ? { ...fate, digest: there.digest, outcome: 'unchanged' }
      : {
          ...fate,
          outcome: 'would-be-refused',
          problems: [
            'Another content is registered under this version, and a version never changes; publish under a new one.',
          ],
          ...(await compared(there, version)),
        };
  }
  const problems = [
    ...version.invisible.map(({ pointer = '', detail }) => `${pointer}: ${detail}`),
    ...(await violations(registry, version)),
  ];
  const base = await activeThere(registry, pack);
  return {
    ...fate,
    outcome: problems.length > 0 ? 'would-be-refused' : 'would-register',
    ...(problems.length > 0 && { problems }),
    ...(base !== undefined && (await compared(base, version))),
  };
}

const NOT_THERE: ReadonlySet<string> = new Set(['version-not-found', 'pack-not-found', 'channel-not-found']);

/** The answer, or undefined where there is no such thing. */
async function ifThere<T>(answer: Promise<{ data: T }>): Promise<T | undefined> {
  try {
    return (await answer).data;
  } catch (error) {
    if (error instanceof RegistryFailure && NOT_THERE.has(error.code)) return undefined;
    throw error;
  }
}

async function versionThere(
  registry: RegistryClient,
  pack: string,
  version: string,
): Promise<Version | 'revoked' | undefined> {
  try {
    const there = await ifThere(
      registry
        .ask((api) => api.GET('/v1/packs/{pack}/versions/{version}', { params: { path: { pack, version } } }))
        .then(having({ version: 'string', status: 'string' })),
    );
    return there?.status === 'revoked' ? 'revoked' : there;
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'content-revoked') return 'revoked';
    throw error;
  }
}

/** The active version of the default channel, with its metadata. */
async function activeThere(registry: RegistryClient, pack: string): Promise<Version | undefined> {
  const active = await ifThere(
    registry
      .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack } } }))
      .then(having({ version: 'string' })),
  );
  const there = active === undefined ? undefined : await versionThere(registry, pack, active.version);
  return there === 'revoked' ? undefined : there;
}

/** What the policy in force at the registry says, which need not be the one in the folder. */
async function violations(registry: RegistryClient, { content }: FoundVersion['version']): Promise<string[]> {
  const policy = await ifThere(
    registry.ask((api) => api.GET('/v1/packs/{pack}/policy', { params: { path: { pack: content.pack } } })),
  );
  if (policy === undefined || policy.version === 0) return []; // 0: the pack has none
  const { violationsOf } = await import('../../../../registry/packs/floor.ts');
  return violationsOf(content, policy).map(violationText);
}

async function compared(
  base: Version,
  { content }: FoundVersion['version'],
): Promise<Pick<Fate, 'comparedWith' | 'changes'>> {
  const { assetDiffs } = await import('../compare.ts');
  return { comparedWith: base.version, changes: await assetDiffs(base, content) };
}

function printFate(
  out: Output,
  { pack, version, digest, outcome, problems = [], comparedWith, changes = [] }: Fate,
): void {
  const SAID = {
    registered: `Registered ${pack} ${version}; it is active nowhere yet. ${digest}`,
    unchanged: `${pack} ${version} is registered already, just so: nothing to do.`,
    'would-register': `${pack} ${version} would be registered. ${digest}`,
    'would-be-refused': `${pack} ${version} would be refused.`,
  };
  out.say(SAID[outcome]);
  for (const problem of problems) out.say(`  ${problem}`);
  if (comparedWith === undefined) return;
  const lines = summaryOf(changes);
  out.say(lines.length === 0 ? `  The prompts are those of ${comparedWith}.` : `  Compared with ${comparedWith}:`);
  for (const line of lines) out.say(`  ${line}`);
}
