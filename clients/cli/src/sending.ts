/**
 * A change has one effect, whatever the network does.
 *
 * Problem: an answer that is lost says nothing about the change; a second try by hand may make it twice, and a rollback made twice goes
 * two versions back.
 * Rule: each change carries an Idempotency-Key and is sent once more where its answer is lost. Where none comes then either it is said
 * that it may have been made; but only where it may: not where no connection was there, nor where something else answered.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure } from '@prompt-registry/client';
import type { Context } from './context.ts';
import { Complaint } from './exit.ts';
import { complaintOf } from './explain.ts';

/** Failures by which nobody learns what became of the change. */
const LOST: ReadonlySet<string> = new Set(['outcome-unknown', 'unreachable', 'timed-out', 'not-a-registry']);
/** Milliseconds that a second try waits at most. */
const LONGEST_PAUSE = 5000;

/**
 * Sends a change, and once more, with the same Idempotency-Key, where no answer came.
 * @param look the command that shows what became of it
 */
export async function sendOnce<T>(
  context: Context,
  send: (idempotencyKey: string) => Promise<T>,
  look = 'status',
): Promise<T> {
  context.sending = true;
  context.look = look;
  try {
    const answer = await tryTwice(context, send);
    context.changed = true;
    return answer;
  } finally {
    context.sending = false;
  }
}

async function tryTwice<T>(context: Context, send: (idempotencyKey: string) => Promise<T>): Promise<T> {
  const key = `cli-${randomUUID()}`;
  try {
    return await send(key);
  } catch (first) {
    if (!(first instanceof RegistryFailure) || !LOST.has(first.code) || isOfAnother(first)) throw first;
    context.out.note(`${first.message} It is sent once more; that has one effect only.`);
    await delay(Math.min(first.retryAfter ?? 250, LONGEST_PAUSE));
    try {
      return await send(key);
    } catch (again) {
      throw afterTwo(context, first, again);
    }
  }
}

/** What is known after a second try: only a verdict on the change itself says more than the first. */
function afterTwo(context: Context, first: RegistryFailure, again: unknown): unknown {
  if (!(again instanceof RegistryFailure)) return again;
  const { status = 0 } = again;
  if (neverSent(first)) {
    if (neverSent(again)) return told(context, again, 'Nothing was sent, so nothing was changed.');
    if (isOfAnother(again) || !LOST.has(again.code)) return again;
  } else if (!LOST.has(again.code) && status < 500 && status !== 429) return again;
  return told(context, again);
}

/** @param nothing why nothing can have been changed; not given where something may have been */
function told(context: Context, failure: RegistryFailure, nothing?: string): Complaint {
  const { exit, code, message, hint, members } = complaintOf(failure, context.where);
  const doubt =
    code === 'outcome-unknown'
      ? hint
      : `The change may have been made or not. Look before you repeat it: prompt-registry ${context.look}`;
  return new Complaint(message, {
    exit,
    code,
    hint: nothing === undefined ? doubt : `${nothing} ${hint ?? ''}`,
    members,
    cause: failure,
  });
}

/** Whether the answer shows that it was not the registry that was asked; a 5xx of a proxy may hide one that has made the change. */
function isOfAnother({ code, status }: RegistryFailure): boolean {
  return code === 'not-a-registry' && status !== undefined && status < 500 && status !== 408;
}

/** Whether it failed before there was a connection, and so before anything was sent. */
function neverSent({ cause }: RegistryFailure): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    // Each address of a host is tried; the errors of all of them are in one.
    if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isBeforeConnection);
    if (isBeforeConnection(error)) return true;
  }
  return false;
}

/** Codes of a TLS handshake that fails, which is before the request. */
const HANDSHAKE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|ERR_SSL_WRONG_VERSION_NUMBER$)/u;

function isBeforeConnection(error: unknown): boolean {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  return (
    syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT' || HANDSHAKE.test(code)
  );
}
