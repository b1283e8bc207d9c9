/**
 * Sends a change so that it takes effect once, whatever the network does.
 *
 * Problem: a lost response says nothing about the change. Repeating it by hand may apply it twice, and a second rollback goes two versions
 * back.
 * Rule: each change carries an Idempotency-Key and is retried once if its response is lost. If the retry fails too, the error says that the
 * outcome is unknown, unless nothing was sent or another service responded.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure } from '@prompt-registry/client';
import type { Context } from './context.ts';
import { CliError } from './exit.ts';
import { toCliError } from './explain.ts';

/** Failures that do not tell whether the change was made. */
const LOST: ReadonlySet<string> = new Set(['outcome-unknown', 'unreachable', 'timed-out', 'not-a-registry']);
/** Milliseconds. */
const MAX_RETRY_DELAY = 5000;

/**
 * Sends a change. Retries once, with the same Idempotency-Key, if there is no response.
 * @param checkCommand the command that shows whether the change was made
 */
export async function sendOnce<T>(
  context: Context,
  send: (idempotencyKey: string) => Promise<T>,
  checkCommand = 'status',
): Promise<T> {
  context.sending = true;
  context.checkCommand = checkCommand;
  try {
    const answer = await sendTwice(context, send);
    context.changed = true;
    return answer;
  } finally {
    context.sending = false;
  }
}

async function sendTwice<T>(context: Context, send: (idempotencyKey: string) => Promise<T>): Promise<T> {
  const key = `cli-${randomUUID()}`;
  try {
    return await send(key);
  } catch (first) {
    if (!(first instanceof RegistryFailure) || !LOST.has(first.code) || isFromAnotherService(first)) throw first;
    context.out.note(`${first.message} Retrying; the change cannot be applied twice.`);
    await delay(Math.min(first.retryAfter ?? 250, MAX_RETRY_DELAY));
    try {
      return await send(key);
    } catch (again) {
      throw afterRetry(context, first, again);
    }
  }
}

/** The error to report after both attempts failed. The second one counts only if it decides about the change itself. */
function afterRetry(context: Context, first: RegistryFailure, again: unknown): unknown {
  if (!(again instanceof RegistryFailure)) return again;
  const { status = 0 } = again;
  if (neverSent(first)) {
    if (neverSent(again)) return withOutcome(context, again, 'Nothing was sent, so nothing was changed.');
    if (isFromAnotherService(again) || !LOST.has(again.code)) return again;
  } else if (!LOST.has(again.code) && status < 500 && status !== 429) return again;
  return withOutcome(context, again);
}

/** @param unchanged why nothing can have changed; omitted if something may have changed */
function withOutcome(context: Context, failure: RegistryFailure, unchanged?: string): CliError {
  const { exit, code, message, hint, members } = toCliError(failure, context.target);
  const unknownOutcome =
    code === 'outcome-unknown'
      ? hint
      : `The change may or may not have been made. Check before you retry: prompt-registry ${context.checkCommand}`;
  return new CliError(message, {
    exit,
    code,
    hint: unchanged === undefined ? unknownOutcome : `${unchanged} ${hint ?? ''}`,
    members,
    cause: failure,
  });
}

/** Whether another service responded. A proxy's 5xx does not count: the registry behind it may have made the change. */
function isFromAnotherService({ code, status }: RegistryFailure): boolean {
  return code === 'not-a-registry' && status !== undefined && status < 500 && status !== 408;
}

/** Whether it failed before a connection was made, so nothing was sent. */
function neverSent({ cause }: RegistryFailure): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    // Node tries each address of a host and collects the errors.
    if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isBeforeConnection);
    if (isBeforeConnection(error)) return true;
  }
  return false;
}

/** Codes of a failed TLS handshake, which comes before the request. */
const HANDSHAKE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|ERR_SSL_WRONG_VERSION_NUMBER$)/u;

function isBeforeConnection(error: unknown): boolean {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  return (
    syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT' || HANDSHAKE.test(code)
  );
}
