/**
 * The common steps of all moves, such as `activate`, `rollback` and the commands of rollouts: show the move, ask, send it, report it.
 *
 * Problem: somebody else may move the channel between the preview and the move.
 * Rule: what was shown is what is done. A move names the revision that was shown, so the registry refuses it if the channel has moved since.
 * The API has no such condition for a revocation and for the first activation in a channel: these are previewed again right before they
 * are sent. Afterwards the result is compared with the preview.
 */
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Context, RegistryOptions } from './context.ts';
import { defined } from './defined.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { violationText } from './explain.ts';
import { confirm, reasonFor } from './questions.ts';
import { sendOnce } from './send-change.ts';
import { withFields } from './fields.ts';
import type { SessionPolicy } from './arguments.ts';

type Schemas = components['schemas'];

/** The channel to move. */
export interface ChannelRef {
  readonly pack: string;
  readonly channel: string | undefined;
}

/** One channel's move. */
export interface Step {
  readonly channel?: string | undefined;
  readonly version: string;
  readonly previousVersion: string | null;
}

/** Headers that make the registry refuse a move if the channel has moved since the preview. */
export interface Guard {
  readonly 'if-match'?: string;
  readonly 'registry-epoch'?: number;
}

/** Options of every move. */
export interface MoveOptions {
  readonly sessions?: SessionPolicy;
  readonly pack?: string;
  readonly channel?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: number;
}

/** Why a move would be refused: a violation of the policy, or the like. */
export type Reason = Parameters<typeof violationText>[0];

/** A move. `Plan` is the result of its dry run, `Done` the result of the move. */
export interface Move<Plan extends object, Done extends object> {
  readonly channelRef: ChannelRef;
  /** Whether the registry itself refuses the move if the channel has moved since. */
  readonly guarded: boolean;
  /** Previews the move. */
  readonly dryRun: () => Promise<Plan>;
  readonly send: (reason: string, idempotencyKey: string, shown: Plan) => Promise<Done>;
  /** The question, without the registry and without a question mark. */
  readonly question: (shown: Plan) => string;
  /** The plan as lines of text. */
  readonly lines: (plan: Plan) => readonly string[];
  /** Why it would be refused. */
  readonly problems: (plan: Plan) => readonly Reason[];
  /** What the plan would change, a line each; empty if nothing would change. */
  readonly plannedChanges: (plan: Plan) => readonly string[];
  /** What was changed, in the same words. */
  readonly actualChanges: (done: Done) => readonly string[];
  /** The result as lines of text. */
  readonly summary: (done: Done) => readonly string[];
}

/** Shows a move, asks for confirmation, sends it and reports it. */
export async function makeMove<Plan extends object, Done extends object>(
  context: Context,
  { dryRun, yes, reason: given }: MoveOptions,
  move: Move<Plan, Done>,
): Promise<ExitCode> {
  const { out } = context;
  const shown = await move.dryRun();
  const [lines, problems] = [move.lines(shown), move.problems(shown)];
  if (dryRun === true) {
    out.result(shown, () => out.say(lines.join('\n')));
    return problems.length === 0 ? EXIT.ok : EXIT.refused;
  }
  const asks = yes !== true;
  if (asks || !out.json) out.aside(lines.join('\n'));
  if (asks && problems.length > 0) throw wouldBeRefused(move.channelRef, problems);
  // Nothing to confirm if nothing would change. If that is no longer true, the guard refuses the move.
  const idle = move.guarded && move.plannedChanges(shown).length === 0;
  const reason = idle ? (given ?? NOTHING_TO_CHANGE) : await reasonFor(context, given);
  if (!idle) await confirm(context, `${move.question(shown)}${atRegistry(context)}?`, yes);
  if (asks && !move.guarded) await requireUnchanged(move, shown);
  const done = await sendOnce(context, (key) => move.send(reason, key, shown));
  out.result(done, () => {
    out.say(move.summary(done).join('\n'));
    printInstances(context, done);
  });
  if (!isSame(move.plannedChanges(shown), move.actualChanges(done))) {
    out.aside(
      `The result differs from the preview: somebody else moved ${move.channelRef.pack} in the meantime. What was done:\n${move.actualChanges(done).join('\n') || '  no channel moved'}`,
    );
  }
  return EXIT.ok;
}

/** A reason that is never stored, because nothing changes. */
const NOTHING_TO_CHANGE = 'Nothing to change';

/** Names the registry in a question. */
function atRegistry({ target }: Context): string {
  return target === undefined ? '' : ` at ${target.url}`;
}

function wouldBeRefused({ pack }: ChannelRef, problems: readonly Reason[]): CliError {
  return new CliError(
    `This change of ${pack} would be refused:${problems.map((problem) => `\n  ${violationText(problem)}`).join('')}`,
    { exit: EXIT.refused, code: 'would-be-refused', members: { problems } },
  );
}

/** Stops a move that the API cannot guard if its preview has changed. */
async function requireUnchanged<Plan extends object>(
  {
    dryRun,
    plannedChanges,
    lines,
    problems,
    channelRef,
  }: Pick<Move<Plan, never>, 'dryRun' | 'plannedChanges' | 'lines' | 'problems' | 'channelRef'>,
  shown: Plan,
): Promise<void> {
  const now = await dryRun();
  if (isSame(plannedChanges(shown), plannedChanges(now)) && problems(now).length === 0) return;
  throw conflict(channelRef, {
    code: 'revision-conflict',
    now: `It would now do this:\n${lines(now).join('\n')}`,
    members: { shown, now },
  });
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  const [a, b] = [some.toSorted(), others.toSorted()];
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

/** One line for each channel that moves. */
export function stepLines(steps: readonly Step[]): string[] {
  return steps.map(
    ({ channel, version, previousVersion }) =>
      `  ${channel === undefined ? '' : `${channel}: `}${previousVersion ?? 'nothing'} -> ${version}`,
  );
}

/** What is active in a channel, and the headers that guard a move of it. Undefined if nothing is active yet. */
export async function currentOf(
  registry: RegistryClient,
  { pack, channel }: ChannelRef,
): Promise<{ readonly active: Schemas['ActivePack']; readonly guard: Guard } | undefined> {
  try {
    const { data, headers } = await registry
      .ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query: defined({ channel }) } }))
      .then(withFields({ version: 'string', revision: 'number' }));
    const epoch = headers.get('registry-epoch');
    // Not the ETag: an instance that serves a pinned version sends one that the log does not know.
    return {
      active: data,
      guard: { 'if-match': `"${data.revision}"`, ...(epoch !== null && { 'registry-epoch': Number(epoch) }) },
    };
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'channel-not-found') return undefined;
    throw error;
  }
}

/** Sends a guarded move. If somebody else has moved the channel, the error says where it is now. */
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
        : `\nIt is now at ${now.active.version}: revision ${now.active.revision}, by ${now.active.activatedBy?.label}, "${now.active.reason}".`;
    const members = {
      ...(error.problem !== undefined && { problem: error.problem }),
      ...(now !== undefined && { now: { version: now.active.version, revision: now.active.revision } }),
    };
    throw conflict(channelRef, { code: error.code, now: `${error.message}${by}`, members, cause: error });
  }
}

function conflict(
  { pack }: ChannelRef,
  {
    code,
    now,
    members,
    cause,
  }: { code: string; now: string; members: Readonly<Record<string, unknown>>; cause?: unknown },
): CliError {
  return new CliError(`Somebody else moved ${pack} in the meantime; nothing was changed. ${now}`, {
    exit: EXIT.refused,
    code,
    hint: 'Check its current state, then decide again.',
    members,
    cause,
  });
}

/** The headers of a move. @param wait seconds to wait for all instances */
export function moveHeaders(idempotencyKey: string, wait: number | undefined, guard: Guard = {}) {
  return { 'idempotency-key': idempotencyKey, ...(wait !== undefined && { prefer: `wait=${wait}` }), ...guard };
}

/** The request timeout of a move that waits for all instances: longer than its own limit. */
export function timeoutFor(wait: number | undefined): RegistryOptions {
  return wait === undefined ? {} : { atLeast: (wait + 10) * 1000 };
}

/** Reports which instances have applied a change. */
function printInstances({ out }: Context, { instances }: { readonly instances?: Schemas['InstancesReached'] }): void {
  if (instances === undefined) return;
  const { applied, pending, pinned, expired } = instances;
  out.say(`Applied by ${applied.length === 1 ? 'one instance' : `${applied.length} instances`}.`);
  if (pending.length > 0)
    out.warn(`Not yet applied by ${pending.join(', ')}. Check again with: prompt-registry status`);
  if (pinned.length > 0) out.warn(`Pinned to another version: ${pinned.join(', ')}.`);
  if (expired.length > 0) out.warn(`No sign of life from ${expired.join(', ')}.`);
}
