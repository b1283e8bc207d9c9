/**
 * What the moves of a channel share: it is shown, asked for, and made; and what was shown is what is done.
 *
 * Problem: between the look at a channel and the move somebody else may have moved it.
 * Rule: a move names the revision that was shown, so that the registry refuses it where that is no longer in force. What the API cannot
 * guard (a revocation, the first activation in a channel) is looked at once more right before it is sent; and what was done is compared
 * with what was shown.
 */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Context, RegistryOptions } from './context.ts';
import { defined } from './defined.ts';
import { Complaint, EXIT, type ExitCode } from './exit.ts';
import { violationText } from './explain.ts';
import { confirm, reasonFor } from './prompt.ts';
import { sendOnce } from './sending.ts';
import { having } from './shape.ts';

type Schemas = components['schemas'];

/** The channel that a move is about. */
export interface ChannelRef {
  readonly pack: string;
  readonly channel: string | undefined;
}

/** How one channel moves. */
export interface Step {
  readonly channel?: string | undefined;
  readonly version: string;
  readonly previousVersion: string | null;
}

/** How a move is sent so that it is refused where the channel is no longer as it was shown. */
export interface Guard {
  readonly 'if-match'?: string;
  readonly 'registry-epoch'?: number;
}

/** What all moves are told on the command line. */
export interface MoveOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: number;
}

/** A move: `Plan` is what a dry run answers, `Done` what the move does. */
export interface Move<Plan extends object, Done extends { readonly instances?: Schemas['InstancesReached'] }> {
  readonly channelRef: ChannelRef;
  readonly registry: RegistryClient;
  /** Whether the registry itself refuses it where the channel has moved. */
  readonly guarded: boolean;
  /** What would happen now. */
  readonly dryRun: () => Promise<Plan>;
  readonly send: (reason: string, idempotencyKey: string, shown: Plan) => Promise<Done>;
  /** What is asked, without where and without a question mark. */
  readonly question: (shown: Plan) => string;
  /** The plan in lines. */
  readonly lines: (plan: Plan) => readonly string[];
  readonly problems: (plan: Plan) => readonly Schemas['Violation'][];
  readonly planned: (plan: Plan) => readonly Step[];
  readonly made: (done: Done) => readonly Step[];
  /** What was done, in lines. */
  readonly told: (done: Done) => readonly string[];
}

/** Shows a move, asks for it, makes it, and says what it did. */
export async function makeMove<Plan extends object, Done extends { readonly instances?: Schemas['InstancesReached'] }>(
  context: Context,
  { dryRun, yes, reason: given }: MoveOptions,
  move: Move<Plan, Done>,
): Promise<ExitCode> {
  const { out } = context;
  const shown = await move.dryRun();
  const [lines, problems] = [move.lines(shown), move.problems(shown)];
  if (dryRun === true) {
    out.answer(shown, () => out.say(lines.join('\n')));
    return problems.length === 0 ? EXIT.ok : EXIT.refused;
  }
  const asks = yes !== true;
  if (asks || !out.json) out.aside(lines.join('\n'));
  if (asks && problems.length > 0) throw wouldBeRefused(move.channelRef, problems);
  // Where it would change nothing there is nothing to ask; should it be otherwise by then, the guard refuses it.
  const idle = move.guarded && move.planned(shown).length === 0;
  const reason = idle ? (given ?? NOTHING_TO_CHANGE) : await reasonFor(context, given);
  if (!idle) await confirm(context, `${move.question(shown)}${whereOf(context)}?`, yes);
  if (asks && !move.guarded) await demandSame(move, shown);
  const done = await sendOnce(context, (key) => move.send(reason, key, shown));
  out.answer(done, () => {
    out.say(move.told(done).join('\n'));
    tellInstances(context, done.instances);
  });
  if (!isSame(move.planned(shown), move.made(done))) {
    out.aside(
      `This is not what was shown: somebody else has moved ${move.channelRef.pack} meanwhile. What was done:\n${stepLines(move.made(done)).join('\n') || '  no channel was moved'}`,
    );
  }
  return EXIT.ok;
}

/** A reason that is kept nowhere: nothing is changed. */
const NOTHING_TO_CHANGE = 'Nothing to change';

/** Which of all registries a question is about. */
function whereOf({ where }: Context): string {
  return where === undefined ? '' : ` at ${where.url}`;
}

function wouldBeRefused({ pack }: ChannelRef, problems: readonly Schemas['Violation'][]): Complaint {
  return new Complaint(
    `${pack} cannot be moved there:${problems.map((problem) => `\n  ${violationText(problem)}`).join('')}`,
    { exit: EXIT.refused, code: 'would-be-refused', members: { problems } },
  );
}

/** Ends a move that the API cannot guard, where it would do something else by now. */
async function demandSame<Plan extends object>(
  {
    dryRun,
    planned,
    lines,
    problems,
    channelRef,
  }: Pick<Move<Plan, never>, 'dryRun' | 'planned' | 'lines' | 'problems' | 'channelRef'>,
  shown: Plan,
): Promise<void> {
  const now = await dryRun();
  if (isSame(planned(shown), planned(now)) && problems(now).length === 0) return;
  throw movedMeanwhile(channelRef, {
    code: 'revision-conflict',
    now: `By now it would do this:\n${lines(now).join('\n')}`,
    members: { shown, now },
  });
}

function isSame(some: readonly Step[], others: readonly Step[]): boolean {
  const [a, b] = [stepLines(some).sort(), stepLines(others).sort()];
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

/** How channels move, a line each. */
export function stepLines(steps: readonly Step[]): string[] {
  return steps.map(
    ({ channel, version, previousVersion }) =>
      `  ${channel === undefined ? '' : `${channel}: `}${previousVersion ?? 'nothing'} -> ${version}`,
  );
}

/** Where a channel is, and what guards a move of it; undefined where nothing is active in it yet. */
export async function currentOf(
  registry: RegistryClient,
  { pack, channel }: ChannelRef,
): Promise<{ readonly active: Schemas['ActivePack']; readonly guard: Guard } | undefined> {
  try {
    const { data, headers } = await registry
      .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query: defined({ channel }) } }))
      .then(having({ version: 'string', revision: 'number' }));
    const epoch = headers.get('registry-epoch');
    // Not the ETag: an instance that serves a pinned version answers with one that the log does not know.
    return {
      active: data,
      guard: { 'if-match': `"${data.revision}"`, ...(epoch !== null && { 'registry-epoch': Number(epoch) }) },
    };
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'channel-not-found') return undefined;
    throw error;
  }
}

/** Makes a guarded move, and says where the channel is by now where somebody else has moved it. */
export async function guarded<T>(registry: RegistryClient, channelRef: ChannelRef, move: () => Promise<T>): Promise<T> {
  try {
    return await move();
  } catch (error) {
    if (!(error instanceof RegistryFailure) || (error.code !== 'revision-conflict' && error.code !== 'not-active'))
      throw error;
    const now = await currentOf(registry, channelRef).catch(() => undefined);
    const by =
      now === undefined
        ? ''
        : `\nIt is at ${now.active.version} now: revision ${now.active.revision}, by ${now.active.activatedBy?.label}, "${now.active.reason}".`;
    const members = {
      ...(error.problem !== undefined && { problem: error.problem }),
      ...(now !== undefined && { now: { version: now.active.version, revision: now.active.revision } }),
    };
    throw movedMeanwhile(channelRef, { code: error.code, now: `${error.message}${by}`, members, cause: error });
  }
}

function movedMeanwhile(
  { pack }: ChannelRef,
  {
    code,
    now,
    members,
    cause,
  }: { code: string; now: string; members: Readonly<Record<string, unknown>>; cause?: unknown },
): Complaint {
  return new Complaint(`Somebody else has moved ${pack} meanwhile; nothing was changed by this. ${now}`, {
    exit: EXIT.refused,
    code,
    hint: 'Look at it as it is now, then decide again.',
    members,
    cause,
  });
}

/** What the headers of a change are. @param wait seconds to wait for all instances */
export function moveHeaders(idempotencyKey: string, wait: number | undefined, guard: Guard = {}) {
  return { 'idempotency-key': idempotencyKey, ...(wait !== undefined && { prefer: `wait=${wait}` }), ...guard };
}

/** How long a change may take that waits for all instances: it is not cut off before its own limit. */
export function timeoutFor(wait: number | undefined): RegistryOptions {
  return wait === undefined ? {} : { atLeast: (wait + 10) * 1000 };
}

/** Says which instances have a change that was waited for. */
function tellInstances({ out }: Context, instances: Schemas['InstancesReached'] | undefined): void {
  if (instances === undefined) return;
  const { applied, pending, pinned, expired } = instances;
  out.say(`Applied by ${applied.length === 1 ? 'one instance' : `${applied.length} instances`}.`);
  if (pending.length > 0)
    out.warn(`Made, but not applied yet by ${pending.join(', ')}; look again with: prompt-registry status`);
  if (pinned.length > 0) out.warn(`Pinned to a version of their own: ${pinned.join(', ')}.`);
  if (expired.length > 0) out.warn(`Not heard of lately: ${expired.join(', ')}.`);
}
