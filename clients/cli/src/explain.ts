/**
 * Turns a failure of the registry into an exit code and a hint.
 *
 * Rule: a problem body is untrusted, so each member is checked before it is used.
 */
import type { Problem, RegistryFailure } from '@prompt-registry/client';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { objectsOf, textsOf } from './fields.ts';

/** The registry and key that a command uses, for its messages. */
export interface Target {
  readonly url: string;
  /** Where the key came from, e.g. `PROMPT_REGISTRY_KEY`. */
  readonly keySource: string;
  /** Undefined if the key is malformed. */
  readonly keyId?: string | undefined;
}

/** The failure as an error with an exit code and a hint. */
export function toCliError(failure: RegistryFailure, target: Target | undefined): CliError {
  const { code, message, status, problem, retryAfter } = failure;
  const { exit, hint } = meaning(failure, target);
  return new CliError(`${message}${detailLines(problem, message)}`, {
    exit,
    code,
    hint,
    members: {
      ...(status !== undefined && { status }),
      ...(retryAfter !== undefined && { retryAfterSeconds: Math.ceil(retryAfter / 1000) }),
      ...(problem !== undefined && { problem }),
    },
    cause: failure,
  });
}

interface Meaning {
  readonly exit: ExitCode;
  readonly hint?: string;
}

function meaning(failure: RegistryFailure, target: Target | undefined): Meaning {
  const specific = Object.hasOwn(MEANINGS, failure.code) ? MEANINGS[failure.code]?.(failure, target) : undefined;
  if (specific !== undefined) return specific;
  const { status, retryAfter, message } = failure;
  if (status !== 503 && status !== 429) return { exit: EXIT.refused };
  return {
    exit: EXIT.unavailable,
    hint: `${/nothing was changed/iu.test(message) ? '' : 'Nothing was changed. '}Try again ${retryAfter === undefined ? 'in a moment' : `in ${Math.ceil(retryAfter / 1000)} s`}.`,
  };
}

const UNKNOWN_OPERATION =
  'The service does not support this operation. It is older than this command line, or the URL has a wrong path.';

/** Codes that mean more than "refused". */
const MEANINGS: Readonly<Record<string, (failure: RegistryFailure, target: Target | undefined) => Meaning>> = {
  unreachable: ({ cause }) => ({
    exit: EXIT.unavailable,
    hint: lacksTls(cause)
      ? 'Check --url or PROMPT_REGISTRY_URL.'
      : 'Is the service running? Check --url or PROMPT_REGISTRY_URL.',
  }),
  'timed-out': () => ({ exit: EXIT.unavailable, hint: 'Try again, or set a longer --timeout <seconds>.' }),
  'not-a-registry': () => ({
    exit: EXIT.unavailable,
    hint: 'Check --url or PROMPT_REGISTRY_URL, and any proxy in between.',
  }),
  unauthenticated: (_, target) => ({
    exit: EXIT.key,
    hint: `${keyOrigin(target)} It may be mistyped, revoked, expired, or for a registry other than ${target?.url ?? 'this one'}.`,
  }),
  forbidden: ({ problem }, target) => ({
    exit: EXIT.key,
    hint: `${keyOrigin(target)} Use a key with ${missingScopes(problem)}; "prompt-registry keys create" makes one.`,
  }),
  'not-found': () => ({ exit: EXIT.refused, hint: UNKNOWN_OPERATION }),
  'method-not-allowed': () => ({ exit: EXIT.refused, hint: UNKNOWN_OPERATION }),
  'not-understood': () => ({
    exit: EXIT.refused,
    hint: 'The service and this command line may be incompatible versions.',
  }),
  'outcome-unknown': ({ problem }) => ({
    exit: EXIT.unavailable,
    hint: `The change may or may not have been made. Check before you retry: prompt-registry ${checkCommandFor(problem?.eventId)}`,
  }),
};

/** Whether the server does not speak TLS on an https URL. */
function lacksTls(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    ((cause as NodeJS.ErrnoException).code === 'ERR_SSL_WRONG_VERSION_NUMBER' || lacksTls(cause.cause))
  );
}

function keyOrigin(target: Target | undefined): string {
  return `The key comes from ${target?.keySource ?? 'an unknown source'}.`;
}

/** The scopes that the operation requires. */
export function missingScopes(problem: Problem | undefined): string {
  return textsOf(problem?.requiredScopes).join(', ') || 'the required scope';
}

/** The command that looks up an event. An id of another form is left out: people copy this line into a shell. */
function checkCommandFor(eventId: unknown): string {
  return typeof eventId === 'string' && /^[\w-]{1,64}$/u.test(eventId) ? `audit log --id ${eventId}` : 'status';
}

/** The problem's errors and violations that the message does not contain, a line each. */
function detailLines(problem: Problem | undefined, message: string): string {
  const more = objectsOf(problem?.errors).filter(
    ({ detail }) => typeof detail !== 'string' || !message.includes(detail),
  );
  const faults = more.map(
    ({ pointer, parameter, detail }) => `${textOr(pointer, textOr(parameter, '/'))}: ${textOr(detail, 'invalid')}`,
  );
  const violations = objectsOf(problem?.violations).map(violationText);
  return [...faults, ...violations].map((line) => `\n  ${line}`).join('');
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** A policy violation in one line. */
export function violationText({
  rule,
  id,
  asset,
  detail,
}: {
  readonly rule?: unknown;
  readonly id?: unknown;
  readonly asset?: unknown;
  readonly detail?: unknown;
}): string {
  return `${textOr(rule, 'rule')}${typeof id === 'string' ? ` ${id}` : ''}${typeof asset === 'string' ? ` in ${asset}` : ''}: ${textOr(detail, 'violated')}`;
}
