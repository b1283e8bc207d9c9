/**
 * What all changes share: what is there before, one effect whatever the network does, and who else has been at it.
 *
 * Problem: an answer that is lost says nothing about the change; a second try by hand may make it twice, and a rollback made twice goes
 * two versions back.
 * Rule: each change carries an Idempotency-Key, so that it can be sent again; and it names what was shown, so that it is refused where
 * somebody else has moved the channel meanwhile.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure, type components, type RegistryClient } from '@prompt-registry/client';
import type { Context, RegistryOptions } from './context.ts';
import { defined } from './defined.ts';
import { Complaint, EXIT } from './exit.ts';
import { complaintOf, violationText } from './explain.ts';
import { summaryOf } from './hunks.ts';

export type Activation = components['schemas']['Activation'];
export type Preview = components['schemas']['Preview'];
type Instances = components['schemas']['InstancesReached'];

/** The channel that a move is about. */
export interface Place {
  readonly pack: string;
  readonly channel: string | undefined;
}

/** Failures that leave open whether the change was made. */
const LOST: ReadonlySet<string> = new Set(['outcome-unknown', 'unreachable', 'timed-out', 'not-a-registry']);
/** Milliseconds that a second try waits at most. */
const LONGEST_PAUSE = 5000;

/** Sends a change, and once more, with the same Idempotency-Key, where no answer came. */
export async function sendOnce<T>(context: Context, send: (idempotencyKey: string) => Promise<T>): Promise<T> {
  const key = `cli-${randomUUID()}`;
  context.sending = true;
  try {
    return await send(key);
  } catch (error) {
    if (!isLost(error)) throw error;
    context.out.note(`${error.message} It is sent once more; that has one effect only.`);
    await delay(Math.min(error.retryAfter ?? 250, LONGEST_PAUSE));
    return await send(key).catch((again: unknown) => {
      throw isLost(again) ? lostTwice(context, again) : again;
    });
  } finally {
    context.sending = false;
  }
}

function isLost(error: unknown): error is RegistryFailure {
  return error instanceof RegistryFailure && LOST.has(error.code);
}

function lostTwice(context: Context, failure: RegistryFailure): Complaint {
  const { exit, code, message, hint, members } = complaintOf(failure, context.where);
  const look = 'The change may have been made or not. Look before you repeat it: prompt-registry status';
  return new Complaint(message, { exit, code, hint: code === 'outcome-unknown' ? hint : look, members, cause: failure });
}

/** Where a channel is, and the ETag to guard a move with; undefined where nothing is active in it yet. */
export async function currentOf(registry: RegistryClient, { pack, channel }: Place): Promise<{ etag: string | undefined; active: components['schemas']['ActivePack'] } | undefined> {
  try {
    const { data, headers } = await registry.ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query: defined({ channel }) } }));
    return { etag: headers.get('etag') ?? undefined, active: data };
  } catch (error) {
    if (error instanceof RegistryFailure && error.code === 'channel-not-found') return undefined;
    throw error;
  }
}

/** Makes a move, and says where the channel is by now where somebody else has moved it. */
export async function guarded<T>(registry: RegistryClient, place: Place, move: () => Promise<T>): Promise<T> {
  try {
    return await move();
  } catch (error) {
    if (!(error instanceof RegistryFailure) || (error.code !== 'revision-conflict' && error.code !== 'not-active')) throw error;
    const now = await currentOf(registry, place).catch(() => undefined);
    const by = now === undefined ? '' : `\nIt is at ${now.active.version} now: revision ${now.active.revision}, by ${now.active.activatedBy.label}, "${now.active.reason}".`;
    throw new Complaint(`Somebody else has moved ${place.pack} meanwhile; nothing was changed by this. ${error.message}${by}`, {
      exit: EXIT.refused,
      code: error.code,
      hint: 'Look at it as it is now, then decide again.',
      members: { ...(error.problem !== undefined && { problem: error.problem }), ...(now !== undefined && { now: { version: now.active.version, revision: now.active.revision } }) },
      cause: error,
    });
  }
}

/** What a move would do, in lines. */
export function previewLines({ pack, channel }: Place, preview: Preview): string[] {
  const { wouldActivate, previousVersion, diff, problems } = preview;
  const lines = [`${pack}${channel === undefined ? '' : ` in ${channel}`}: ${previousVersion ?? 'nothing'} -> ${wouldActivate}`, ...summaryOf(diff)];
  if (previousVersion === wouldActivate) lines.push('  It is active already; nothing would be changed.');
  else if (previousVersion !== null) lines.push(`  All of it: prompt-registry diff ${previousVersion} ${wouldActivate} --pack ${pack}`);
  for (const problem of problems) lines.push(`  would be refused: ${violationText(problem)}`);
  return lines;
}

/** Ends a move that the dry run says would be refused. */
export function refuseProblems({ wouldActivate, problems }: Preview): void {
  if (problems.length === 0) return;
  throw new Complaint(`Version ${wouldActivate} cannot be activated:${problems.map((problem) => `\n  ${violationText(problem)}`).join('')}`, { exit: EXIT.refused, code: 'would-be-refused', members: { problems } });
}

/** What the headers of a change are. @param wait seconds to wait for all instances */
export function moveHeaders(idempotencyKey: string, { wait, etag }: { readonly wait?: number | undefined; readonly etag?: string | undefined }) {
  return { 'idempotency-key': idempotencyKey, ...(wait !== undefined && { prefer: `wait=${wait}` }), ...(etag !== undefined && { 'if-match': etag }) };
}

/** How long a change may take that waits for all instances: it is not cut off before its own limit. */
export function timeoutFor(wait: number | undefined): RegistryOptions {
  return wait === undefined ? {} : { atLeast: (wait + 10) * 1000 };
}

/** Says which instances have a change that was waited for. */
export function tellInstances({ out }: Context, instances: Instances | undefined): void {
  if (instances === undefined) return;
  const { applied, pending, pinned, expired } = instances;
  out.say(`Applied by ${applied.length === 1 ? 'one instance' : `${applied.length} instances`}.`);
  if (pending.length > 0) out.warn(`Made, but not applied yet by ${pending.join(', ')}; look again with: prompt-registry status`);
  if (pinned.length > 0) out.warn(`Pinned to a version of their own: ${pinned.join(', ')}.`);
  if (expired.length > 0) out.warn(`Not heard of lately: ${expired.join(', ')}.`);
}
