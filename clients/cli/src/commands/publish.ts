/** `validate`, `publish`: check pack folders and register their versions. */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Command } from 'commander';
import { sizeWarnings } from '../body-size.ts';
import type { Act, Context } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { toCliError, violationText } from '../explain.ts';
import type { FoundFolder, FoundVersion } from '../folders.ts';
import { summaryOf } from '../diff-output.ts';
import { sendOnce } from '../send-change.ts';
import { withFields } from '../fields.ts';
import type { Output } from '../output.ts';

type Version = components['schemas']['Version'];
type Policy = components['schemas']['Policy'];

interface PublishOptions {
  readonly dryRun?: boolean;
}

/** What happened to a version, or would happen. */
interface PublishResult {
  readonly pack: string;
  readonly version: string;
  readonly digest: string;
  readonly outcome: 'registered' | 'unchanged' | 'would-register' | 'would-be-refused';
  /** Why the registry would refuse it. */
  readonly problems?: readonly string[];
  /** The version it is compared with, and the differences. */
  readonly comparedWith?: string;
  readonly changes?: components['schemas']['AssetDiff'][];
}

export function addPublishing(program: Command, act: Act): void {
  program
    .command('validate')
    .description('Check pack folders locally, without a registry')
    .argument('<folder>', 'Folder of a version, of a pack, or of several packs')
    .action(act<object, [string]>(validate));

  program
    .command('publish')
    .description('Register the versions in a folder, without activating them')
    .argument('<folder>', 'Folder of a version, of a pack, or of several packs')
    .option('--dry-run', 'Only check them and compare them with the registry')
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
  const warnings = [...sizeWarnings(found.versions), ...rest.packsWithoutPolicy.map(noPolicy)];
  out.result({ valid, versions, faults: found.faults, ...(warnings.length > 0 && { warnings }) }, () =>
    printFound(out, found),
  );
  for (const warning of warnings) out.warn(warning);
  return valid ? EXIT.ok : EXIT.invalid;
}

function noPolicy(pack: string): string {
  return `${pack}: there is no policy.yaml next to its versions, so only their form was checked.`;
}

/** Loaded on demand: reading folders needs modules that take longer to load than most commands take to run. */
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
      violations.length === 0 ? ['green', 'valid'] : ['red', 'violates the policy'],
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
    throw new CliError(
      `${folder} has ${lines.length === 1 ? 'an error' : `${lines.length} errors`}; nothing was published:${lines.map((line) => `\n  ${line}`).join('')}`,
      { exit: EXIT.invalid, code: 'invalid-folder', members: { faults: lines } },
    );
  }
  const registry = await context.registry();
  const results: PublishResult[] = [];
  for (const version of found.versions) {
    try {
      results.push(dryRun === true ? await preview(registry, version) : await register(context, registry, version));
    } catch (error) {
      throw stoppedAt(context, version, results, error);
    }
  }
  const warnings = [
    ...(dryRun === true ? sizeWarnings(found.versions) : []),
    ...(await policyWarnings(registry, results)),
  ];
  for (const warning of warnings) out.warn(warning);
  out.result({ versions: results, ...(warnings.length > 0 && { warnings }) }, () => {
    for (const result of results) printResult(out, result);
  });
  return results.some(({ outcome }) => outcome === 'would-be-refused') ? EXIT.refused : EXIT.ok;
}

/** Adds the versions that were published before the error. */
function stoppedAt(
  { target }: Context,
  { version: { content } }: FoundVersion,
  before: readonly PublishResult[],
  error: unknown,
): unknown {
  if (!(error instanceof RegistryFailure || error instanceof CliError) || before.length === 0) return error;
  const { message, exit, code, hint, members } = error instanceof CliError ? error : toCliError(error, target);
  const done = before.map(({ pack, version, outcome }) => `\n  ${pack} ${version}: ${outcome}`).join('');
  return new CliError(`${content.pack} ${content.version}: ${message}\nDone before this error:${done}`, {
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
): Promise<PublishResult> {
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
        .then(withFields({ version: 'string', digest: 'string' })),
    `versions ${pack}`,
  );
  const registered = status === 201 || headers.has('idempotency-replayed');
  return { pack, version: content.version, digest: data.digest, outcome: registered ? 'registered' : 'unchanged' };
}

/** What publishing it would do. */
async function preview(registry: RegistryClient, { version }: FoundVersion): Promise<PublishResult> {
  const {
    content: { pack, version: name },
    digest,
  } = version;
  const result = { pack, version: name, digest };
  const registered = await registeredVersion(registry, pack, name);
  if (registered === 'revoked')
    return {
      ...result,
      outcome: 'would-be-refused',
      problems: ['This version is revoked. Publish under a new version.'],
    };
  if (registered !== undefined) {
    const { isSameContent } = await import('../../../../registry/packs/pack.ts');
    const same =
      isSameContent(registered, version) &&
      registered.summary === version.summary &&
      registered.author === version.author;
    return same
      ? { ...result, digest: registered.digest, outcome: 'unchanged' }
      : {
          ...result,
          outcome: 'would-be-refused',
          problems: [
            'This version is already registered with different content, and versions never change. Publish under a new version.',
          ],
          ...(await compared(registered, version)),
        };
  }
  const problems = [
    ...version.invisible.map(({ pointer = '', detail }) => `${pointer}: ${detail}`),
    ...(await violations(registry, version)),
  ];
  const base = await activeVersion(registry, pack);
  return {
    ...result,
    outcome: problems.length > 0 ? 'would-be-refused' : 'would-register',
    ...(problems.length > 0 && { problems }),
    ...(base !== undefined && (await compared(base, version))),
  };
}

const NOT_FOUND: ReadonlySet<string> = new Set(['version-not-found', 'pack-not-found', 'channel-not-found']);

/** The response body; undefined if the version, pack or channel does not exist. */
async function unlessMissing<T>(response: Promise<{ data: T }>): Promise<T | undefined> {
  try {
    return (await response).data;
  } catch (error) {
    if (error instanceof RegistryFailure && NOT_FOUND.has(error.code)) return undefined;
    throw error;
  }
}

async function registeredVersion(
  registry: RegistryClient,
  pack: string,
  version: string,
): Promise<Version | 'revoked' | undefined> {
  try {
    const found = await unlessMissing(
      registry
        .ask((api) => api.GET('/v1/packs/{pack}/versions/{version}', { params: { path: { pack, version } } }))
        .then(withFields({ version: 'string', status: 'string' })),
    );
    return found?.status === 'revoked' ? 'revoked' : found;
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'content-revoked') return 'revoked';
    throw error;
  }
}

/** The active version of the default channel, with its metadata. */
async function activeVersion(registry: RegistryClient, pack: string): Promise<Version | undefined> {
  const active = await unlessMissing(
    registry
      .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack } } }))
      .then(withFields({ version: 'string' })),
  );
  const found = active === undefined ? undefined : await registeredVersion(registry, pack, active.version);
  return found === 'revoked' ? undefined : found;
}

/** The registry's policy for a pack; undefined if it has none. */
async function policyOf(registry: RegistryClient, pack: string): Promise<Policy | undefined> {
  const policy = await unlessMissing(
    registry.ask((api) => api.GET('/v1/packs/{pack}/policy', { params: { path: { pack } } })),
  );
  return policy?.version === 0 ? undefined : policy; // version 0 means "no policy"
}

/** One warning for each pack that has no policy in the registry, even if its folder has one. Best effort: the key may lack `prompts:read`. */
async function policyWarnings(registry: RegistryClient, results: readonly PublishResult[]): Promise<string[]> {
  const packs = [...new Set(results.map(({ pack }) => pack))];
  const warnings = packs.map(async (pack) =>
    (await policyOf(registry, pack)) === undefined
      ? [`${pack}: the registry has no policy for this pack, so it does not check what the prompts say.`]
      : [],
  );
  const settled = await Promise.allSettled(warnings);
  return settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}

/** What violates the registry's policy, which may differ from the one in the folder. */
async function violations(registry: RegistryClient, { content }: FoundVersion['version']): Promise<string[]> {
  const policy = await policyOf(registry, content.pack);
  if (policy === undefined) return [];
  const { violationsOf } = await import('../../../../registry/packs/floor.ts');
  return violationsOf(content, policy).map(violationText);
}

async function compared(
  base: Version,
  { content }: FoundVersion['version'],
): Promise<Pick<PublishResult, 'comparedWith' | 'changes'>> {
  const { assetDiffs } = await import('../compare.ts');
  return { comparedWith: base.version, changes: await assetDiffs(base, content) };
}

function printResult(
  out: Output,
  { pack, version, digest, outcome, problems = [], comparedWith, changes = [] }: PublishResult,
): void {
  const headline = {
    registered: `Registered ${pack} ${version}. It is not active yet. ${digest}`,
    unchanged: `${pack} ${version} is already registered with the same content.`,
    'would-register': `${pack} ${version} would be registered. ${digest}`,
    'would-be-refused': `${pack} ${version} would be refused.`,
  };
  out.say(headline[outcome]);
  for (const problem of problems) out.say(`  ${problem}`);
  if (comparedWith === undefined) return;
  const lines = summaryOf(changes);
  out.say(lines.length === 0 ? `  Same prompts as ${comparedWith}.` : `  Compared with ${comparedWith}:`);
  for (const line of lines) out.say(`  ${line}`);
}
