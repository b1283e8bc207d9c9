/**
 * Exactly once (SPEC R6): a request repeated with its Idempotency-Key has one effect and the same answer.
 *
 * Problem: the answer to a write can get lost, and the caller cannot know whether it is safe to ask again.
 * Rule: the key and the fingerprint are part of the event, so they are as durable as its effect and survive restarts. The writer looks them
 * up in the log, under its lock, before it decides anything. A key is unique per API key and never expires. Refusals and requests that
 * change nothing leave no event, so a repeat of one is decided again.
 * Example: a second rollback with the same key gets the first one's answer; it does not go back twice.
 */
import { RegistryError } from '../errors.ts';
import type { Event, Idempotency } from '../log/event.ts';
import type { Actor } from '../model.ts';
import type { Store } from '../log/store.ts';
import type { Decision, Proposal } from '../log/proposal.ts';
import { canonical, sha256 } from '../values/canonical.ts';

/** What makes two requests the same: method, path and canonical body. @throws TypeError if the body has no JSON form */
export function fingerprintOf(method: string, path: string, body: unknown): string {
  return sha256(canonical([method, path, body ?? null]));
}

/**
 * Decides a request, unless it repeats an earlier one: then the proposal names the event of the first.
 * @throws RegistryError `idempotency-mismatch`, `store-unavailable`, and the refusal of the decision
 */
export async function decideOnce(
  store: Pick<Store, 'repeated'>,
  actor: Actor,
  idempotency: Idempotency | undefined,
  decide: () => Decision | Promise<Decision>,
): Promise<Proposal> {
  if (idempotency === undefined) return decide();
  const first = await store.repeated(actor.keyId, idempotency.key);
  if (first === undefined) {
    const { events, contents } = await decide();
    const keyed = events.map((event) => ({ ...event, data: { ...event.data, idempotency } }) as typeof event);
    return { events: keyed, contents };
  }
  requireSameRequest(first, idempotency);
  return { events: [], contents: [], replayOf: first };
}

function requireSameRequest({ revision, type, data }: Event, { fingerprint }: Idempotency): void {
  if (data.idempotency?.fingerprint === fingerprint) return;
  throw new RegistryError(
    'idempotency-mismatch',
    `This Idempotency-Key was used for another request before (revision ${revision}, ${type}). Use a new key for a new request.`,
    { revision },
  );
}
