/**
 * Exactly once (SPEC R6): a request repeated with its Idempotency-Key has one effect and the same answer.
 *
 * Problem: the answer to a write can be lost on its way, and whoever asked cannot know whether to ask again.
 * Rule: key and fingerprint stand in the event itself, so they are durable with its effect and survive restarts; the log is asked
 * for them, under the writer's lock, before anything is decided. Unique per API key, for ever. Refusals and requests that change
 * nothing leave no event, so they are decided anew.
 * Example: a second rollback with the same key gives the first one's answer; it does not go two back.
 */
import { RegistryError } from '../errors.ts';
import type { Event, Idempotency } from '../log/event.ts';
import type { Actor } from '../model.ts';
import type { Store } from '../log/store.ts';
import type { Decision, Proposal } from '../log/proposal.ts';
import { canonical, sha256 } from '../values/canonical.ts';

/** What makes two requests the same: method, path and canonical body. @throws TypeError for a body without a JSON form */
export function fingerprintOf(method: string, path: string, body: unknown): string {
  return sha256(canonical([method, path, body ?? null]));
}

/** A request that may be a repeat. `first` decides it, unless it is one; `replay` then has the first event. */
export interface Replayable {
  /** @throws RegistryError `idempotency-mismatch`, `store-unavailable`, and what the decision refuses with */
  first(decision: () => Decision | Promise<Decision>): Promise<Proposal>;
  replay(): Event | undefined;
}

export function replayable(store: Store, actor: Actor, idempotency: Idempotency | undefined): Replayable {
  let found: Event | undefined;
  return {
    replay: () => found,
    async first(decision) {
      if (idempotency === undefined) return decision();
      found = await store.repeated(actor.keyId, idempotency.key);
      if (found === undefined) {
        const { events, contents } = await decision();
        return {
          events: events.map((event) => ({ ...event, data: { ...event.data, idempotency } }) as typeof event),
          contents,
        };
      }
      if (found.data.idempotency?.fingerprint !== idempotency.fingerprint) {
        throw new RegistryError(
          'idempotency-mismatch',
          `This Idempotency-Key came with another request before (revision ${found.revision}, ${found.type}). Use a new key for a new request.`,
          {
            revision: found.revision,
          },
        );
      }
      return { events: [], contents: [], seen: found.revision }; // SPEC R3: of an event whose outcome was unknown, this is the first answer
    },
  };
}
