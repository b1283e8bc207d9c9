/**
 * What a failure of the registry means to whoever typed the command: an exit code, and what to do.
 *
 * Rule: a problem body comes from whatever answered, so each member is looked at before it is used.
 */
import type { Problem, RegistryFailure } from '@prompt-registry/client';
import { Complaint, EXIT, type ExitCode } from './exit.ts';
import { objectsOf, textsOf } from './shape.ts';

/** Where a command went, for its messages. */
export interface Whereabouts {
  readonly url: string;
  /** Where the key came from, e.g. `PROMPT_REGISTRY_KEY`. */
  readonly keySource: string;
  /** Which key it is; undefined where it has not the form of one. */
  readonly keyId?: string | undefined;
}

/** The registry's failure as a complaint with a hint. */
export function complaintOf(failure: RegistryFailure, where: Whereabouts | undefined): Complaint {
  const { code, message, status, problem, retryAfter } = failure;
  const { exit, hint } = meaning(failure, where);
  return new Complaint(`${message}${particulars(problem, message)}`, {
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

function meaning(failure: RegistryFailure, where: Whereabouts | undefined): Meaning {
  const known = Object.hasOwn(MEANINGS, failure.code) ? MEANINGS[failure.code]?.(failure, where) : undefined;
  if (known !== undefined) return known;
  const { status, retryAfter, message } = failure;
  if (status !== 503 && status !== 429) return { exit: EXIT.refused };
  return {
    exit: EXIT.unavailable,
    hint: `${/nothing was changed/iu.test(message) ? '' : 'Nothing was changed. '}Try again ${retryAfter === undefined ? 'in a moment' : `in ${Math.ceil(retryAfter / 1000)} s`}.`,
  };
}

const OTHER_AGE =
  'The service does not know this operation: it is older than this command line, or the URL has a wrong path.';

/** Codes that mean more than "the registry refused it". */
const MEANINGS: Readonly<Record<string, (failure: RegistryFailure, where: Whereabouts | undefined) => Meaning>> = {
  unreachable: ({ cause }) => ({
    exit: EXIT.unavailable,
    hint: speaksPlain(cause)
      ? '--url or PROMPT_REGISTRY_URL says where it is.'
      : 'Is the service running there? --url or PROMPT_REGISTRY_URL says where it is.',
  }),
  'timed-out': () => ({ exit: EXIT.unavailable, hint: 'Try again, or wait longer with --timeout <seconds>.' }),
  'not-a-registry': () => ({
    exit: EXIT.unavailable,
    hint: 'Check --url or PROMPT_REGISTRY_URL; where a proxy stands in between, check what it does.',
  }),
  unauthenticated: (_, where) => ({
    exit: EXIT.key,
    hint: `${fromWhere(where)} It may be mistyped, revoked, expired, or of another registry than ${where?.url ?? 'this one'}.`,
  }),
  forbidden: ({ problem }, where) => ({
    exit: EXIT.key,
    hint: `${fromWhere(where)} Use one that has ${lackingScopes(problem)}, or have one made: prompt-registry keys create.`,
  }),
  'not-found': () => ({ exit: EXIT.refused, hint: OTHER_AGE }),
  'method-not-allowed': () => ({ exit: EXIT.refused, hint: OTHER_AGE }),
  'not-understood': () => ({
    exit: EXIT.refused,
    hint: 'The service and this command line may be of different age; use the ones that belong together.',
  }),
  'outcome-unknown': ({ problem }) => ({
    exit: EXIT.unavailable,
    hint: `The change may have been made or not. Look before you repeat it: prompt-registry ${lookFor(problem?.eventId)}`,
  }),
};

/** Whether what answered to https was no TLS. */
function speaksPlain(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    ((cause as NodeJS.ErrnoException).code === 'ERR_SSL_WRONG_VERSION_NUMBER' || speaksPlain(cause.cause))
  );
}

function fromWhere(where: Whereabouts | undefined): string {
  return `The key is from ${where?.keySource ?? 'an unknown place'}.`;
}

/** Which scopes would have been needed. */
export function lackingScopes(problem: Problem | undefined): string {
  return textsOf(problem?.requiredScopes).join(', ') || 'the scope';
}

/** How to look for an event; what is no id goes into no command line that somebody may copy. */
function lookFor(eventId: unknown): string {
  return typeof eventId === 'string' && /^[\w-]{1,64}$/u.test(eventId) ? `audit log --id ${eventId}` : 'status';
}

/** What the problem lists besides what it says, a line each. */
function particulars(problem: Problem | undefined, said: string): string {
  const unsaid = objectsOf(problem?.errors).filter(
    ({ detail }) => typeof detail !== 'string' || !said.includes(detail),
  );
  const faults = unsaid.map(
    ({ pointer, parameter, detail }) => `${textOr(pointer, textOr(parameter, '/'))}: ${textOr(detail, 'not right')}`,
  );
  const violations = objectsOf(problem?.violations).map(violationText);
  return [...faults, ...violations].map((line) => `\n  ${line}`).join('');
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/** A broken rule in one line. */
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
  return `${textOr(rule, 'a rule')}${typeof id === 'string' ? ` ${id}` : ''}${typeof asset === 'string' ? ` in ${asset}` : ''}: ${textOr(detail, 'not kept')}`;
}
