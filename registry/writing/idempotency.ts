/**
 * Exactly once (SPEC R6): a request repeated with its Idempotency-Key has one effect and the same answer.
 *
 * Problem: the answer to a write can get lost, and the caller cannot know whether it is safe to ask again.
 * Rule: the key and the fingerprint are part of the event, so they are as durable as its effect and survive restarts. They are looked up in
 * the log before anything is decided, and then among the earlier events of the same batch. A key is unique per API key and never expires.
 * Refusals and requests that change nothing leave no event, so a repeat of one is decided again.
 * Example: a second rollback with the same key gets the first one's answer; it does not go back twice.
 */
import { RegistryError } from '../errors.ts';
import type { Event, Idempotency } from '../log/event.ts';
import type { Actor } from '../model.ts';
import type { Store } from '../log/store.ts';
import { NOTHING, type Decision } from '../log/proposal.ts';
import { canonical, sha256 } from '../values/canonical.ts';
import type { Decide } from './write.ts';

/** What makes two requests the same: method, path and canonical body. @throws TypeError if the body has no JSON form */
export function fingerprintOf(method: string, path: string, body: unknown): string {
  return sha256(canonical([method, path, body ?? null]));
}

/** The decision of a command, which takes the same as any other. */
type DecideCommand = (...given: Parameters<Decide>) => Decision;

/**
 * Decides a request, unless it repeats an earlier one: then the proposal names the event of the first. The first may be in the log, or in
 * the batch that this request is decided in.
 *
 * @param prepare makes the decision; not called for a repeat that is found in the log
 * @throws RegistryError `store-unavailable`; the decision throws `idempotency-mismatch` and its own refusal
 */
export async function decideOnce(
  store: Pick<Store, 'repeated'>,
  { keyId }: Actor,
  idempotency: Idempotency,
  prepare: () => Promise<DecideCommand> | DecideCommand,
): Promise<Decide> {
  const logged = await store.repeated(keyId, idempotency.key);
  const decide = logged === undefined ? await prepare() : () => NOTHING;
  return (state, made, now) => {
    const first =
      logged ?? made.find(({ actor, data }) => actor.keyId === keyId && data.idempotency?.key === idempotency.key);
    if (first !== undefined) {
      requireSameRequest(first, idempotency);
      return { ...NOTHING, replayOf: first };
    }
    const { events, contents } = decide(state, made, now);
    const keyed = events.map((event) => ({ ...event, data: { ...event.data, idempotency } }) as typeof event);
    return { events: keyed, contents };
  };
}

function requireSameRequest({ revision, type, data }: Event, { fingerprint }: Idempotency): void {
  if (data.idempotency?.fingerprint === fingerprint) return;
  throw new RegistryError(
    'idempotency-mismatch',
    `This Idempotency-Key was used for another request before (revision ${revision}, ${type}). Use a new key for a new request.`,
    { revision },
  );
}
