/** `activate`, `rollback`, `revoke`: moves of a channel, each shown before it is made. */
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { EXIT } from '../exit.ts';
import { currentOf, guarded, moveHeaders, previewLines, refuseProblems, sendOnce, tellInstances, timeoutFor, type Activation, type Place, type Preview } from '../changes.ts';
import { confirm, demandAnswers, reasonFor } from '../prompt.ts';
import { waitSeconds } from '../values.ts';

interface MoveOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: number;
}

interface RollbackOptions extends MoveOptions {
  readonly to?: string;
}

interface RevokeOptions extends MoveOptions {
  readonly replacement?: string;
}

interface Headers {
  readonly 'idempotency-key'?: string;
  readonly prefer?: string;
  readonly 'if-match'?: string;
}

/** A reason that a dry run is sent with; it is kept nowhere. */
const LOOKING = 'Dry run';

export function addMoves(program: Command, act: Act): void {
  move(program.command('activate').description('point a channel at a version').argument('<version>', 'the version'))
    .option('--channel <name>', 'the channel; the default channel where none is named')
    .action(act<MoveOptions, [string]>(activate));

  move(program.command('rollback').description('point a channel at the version that was active before'))
    .option('--channel <name>', 'the channel; the default channel where none is named')
    .option('--to <version>', 'back to this version, which was active there before')
    .action(act<RollbackOptions>(rollback));

  move(program.command('revoke').description('take a version out of service for good').argument('<version>', 'the version'))
    .option('--replacement <version>', 'what stands in for it, in channels and in sessions')
    .action(act<RevokeOptions, [string]>(revoke));
}

/** What all moves take. */
function move(command: Command): Command {
  return command
    .option('--pack <name>', 'the pack')
    .option('--reason <text>', 'why; asked for where it is not given')
    .option('-y, --yes', 'do it without showing it first and asking')
    .option('--dry-run', 'only say what would happen')
    .option('--wait <seconds>', 'until every instance has it, 30 at most', waitSeconds);
}

async function activate(context: Context, options: MoveOptions, version: string) {
  const { dryRun, yes, wait } = options;
  if (dryRun !== true) demandAnswers(context, options);
  const registry = await context.registry(timeoutFor(wait));
  const place = await placeOf(context, options);
  const { pack } = place;
  const etag = (await currentOf(registry, place))?.etag;
  const send = (body: { reason: string; dryRun?: boolean }, headers: Headers) =>
    guarded(registry, place, () =>
      registry.ask((api) => api.POST('/v1/packs/{pack}/activations', { params: { path: { pack }, header: headers }, body: { version, ...defined({ channel: place.channel }), ...body } })),
    );

  if (dryRun === true || yes !== true) {
    const { data } = await send({ reason: LOOKING, dryRun: true }, defined({ 'if-match': etag }));
    if ('wouldActivate' in data) {
      if (dryRun === true) return showPreview(context, place, data);
      context.out.aside(previewLines(place, data).join('\n'));
      refuseProblems(data);
    }
  }
  const reason = await reasonFor(context, options.reason);
  await confirm(context, `Activate ${version} of ${pack}?`, yes);
  const { data } = await sendOnce(context, (key) => send({ reason }, moveHeaders(key, { wait, etag })));
  return tellMove(context, data);
}

async function rollback(context: Context, options: RollbackOptions) {
  const { dryRun, yes, wait, to } = options;
  if (dryRun !== true) demandAnswers(context, options);
  const registry = await context.registry(timeoutFor(wait));
  const place = await placeOf(context, options);
  const { pack } = place;
  const etag = (await currentOf(registry, place))?.etag;
  const target = defined({ channel: place.channel, toVersion: to });
  const send = (body: { reason: string; dryRun?: boolean; fromVersion?: string }, headers: Headers) =>
    guarded(registry, place, () => registry.ask((api) => api.POST('/v1/packs/{pack}/rollback', { params: { path: { pack }, header: headers }, body: { ...target, ...body } })));

  const { data: preview } = await send({ reason: LOOKING, dryRun: true }, defined({ 'if-match': etag }));
  if (!('wouldActivate' in preview)) return tellMove(context, preview);
  if (dryRun === true) return showPreview(context, place, preview);
  if (yes !== true) context.out.aside(previewLines(place, preview).join('\n'));
  refuseProblems(preview);
  const reason = await reasonFor(context, options.reason);
  await confirm(context, `Roll ${pack} back to ${preview.wouldActivate}?`, yes);
  // What was shown is what is done: where the channel has moved meanwhile, it is refused.
  const shown = preview.previousVersion === null ? {} : { fromVersion: preview.previousVersion };
  const { data } = await sendOnce(context, (key) => send({ reason, ...shown }, moveHeaders(key, { wait, etag })));
  return tellMove(context, data);
}

async function revoke(context: Context, options: RevokeOptions, version: string) {
  const { dryRun, yes, wait, replacement } = options;
  if (dryRun !== true) demandAnswers(context, options);
  const registry = await context.registry(timeoutFor(wait));
  const { pack } = await placeOf(context, options);
  const send = (body: { reason: string; dryRun?: boolean }, headers: Headers) =>
    registry.ask((api) => api.POST('/v1/packs/{pack}/versions/{version}/revoke', { params: { path: { pack, version }, header: headers }, body: { ...defined({ replacement }), ...body } }));

  if (dryRun === true || yes !== true) {
    const { data } = await send({ reason: LOOKING, dryRun: true }, {});
    const lines = [`${pack} ${version} would never be served again${replacement === undefined ? '' : `; ${replacement} stands in for it`}.`, ...moveLines(data.moves)];
    if (data.moves.length === 0) lines.push('  No channel points at it.');
    if (dryRun === true) {
      context.out.answer(data, () => context.out.say(lines.join('\n')));
      return EXIT.ok;
    }
    context.out.aside(lines.join('\n'));
  }
  const reason = await reasonFor(context, options.reason);
  await confirm(context, `Revoke ${version} of ${pack} for good?`, yes);
  const { data } = await sendOnce(context, (key) => send({ reason }, moveHeaders(key, { wait })));
  context.out.answer(data, () => {
    context.out.say([`Revoked ${pack} ${version}; revision ${data.revision}.`, ...moveLines(data.moves)].join('\n'));
    tellInstances(context, data.instances);
  });
  return EXIT.ok;
}

async function placeOf(context: Context, { pack, channel }: MoveOptions): Promise<Place> {
  return { pack: await context.pack(pack), channel };
}

function moveLines(moves: readonly { readonly channel: string; readonly version: string; readonly previousVersion: string | null }[]): string[] {
  return moves.map(({ channel, version, previousVersion }) => `  ${channel}: ${previousVersion} -> ${version}`);
}

function showPreview(context: Context, place: Place, preview: Preview) {
  context.out.answer(preview, () => context.out.say(previewLines(place, preview).join('\n')));
  return preview.problems.length === 0 ? EXIT.ok : EXIT.refused;
}

const DONE = { activation: 'Activated', rollback: 'Rolled back to', revocation: 'Moved to' };

function tellMove(context: Context, data: Activation | Preview) {
  if ('wouldActivate' in data) return EXIT.ok;
  const { pack, version, channel, kind, changed, previousVersion, revision, instances } = data;
  context.out.answer(data, () => {
    context.out.say(changed ? `${DONE[kind]} ${pack} ${version} in ${channel}${previousVersion === null ? '' : `; it was ${previousVersion}`}. Revision ${revision}.` : `${pack} ${version} is active in ${channel} already, since revision ${revision}; nothing was changed.`);
    tellInstances(context, instances);
  });
  return EXIT.ok;
}
