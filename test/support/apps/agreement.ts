/**
 * Whether several instances agree on the log: all are at the same head; and what is in it.
 *
 * Example: `const { head, took } = await agreed(instances); const events = await auditOf(instances[0])`.
 */
import type { Event, Head } from '../../../registry/log/event.ts';
import { until, type TestInstance } from './instances.ts';

/** How long to wait for a late instance, in milliseconds. */
const LOST = 30_000;

/**
 * Waits until every instance names the same head and knows that it is current.
 * @returns the head, and how many milliseconds that took
 * @throws Error with the last response of each, if they do not agree in time
 */
export async function agreed(
  instances: readonly TestInstance[],
): Promise<{ readonly head: Head; readonly took: number }> {
  const begun = performance.now();
  const head = await until('all instances at the same head, unmarked', LOST, async () => {
    const replies = await Promise.all(instances.map((instance) => instance.ask('/v1/audit/head')));
    const [first] = replies.map(({ body }) => body as unknown as Head);
    const stale = replies.map((reply) => reply.header('registry-stale'));
    if (
      first !== undefined &&
      replies.every(
        ({ status, body }, index) => status === 200 && stale[index] === undefined && body['hash'] === first.hash,
      )
    )
      return { revision: first.revision, hash: first.hash };
    throw new Error(JSON.stringify(replies.map(({ status, text }, index) => ({ status, text, stale: stale[index] }))));
  });
  return { head, took: performance.now() - begun };
}

/** The whole log, page by page. */
export async function auditOf(instance: TestInstance): Promise<Event[]> {
  const all: Event[] = [];
  for (let after: number | null = 0; after !== null;) {
    const { status, body, text } = await instance.ask(`/v1/audit/events?after=${after}&limit=1000`);
    if (status !== 200) throw new Error(`The log could not be read: ${status} ${text}`);
    const page = body as unknown as { events: Event[]; nextAfter: number | null };
    all.push(...page.events);
    after = page.nextAfter;
  }
  return all;
}

/** What the service's own check of the whole log says. */
export async function verificationOf(
  instance: TestInstance,
): Promise<{ readonly valid: boolean; readonly events: number; readonly head: Head }> {
  const { status, body, text } = await instance.ask('/v1/audit/verification');
  if (status !== 200) throw new Error(`The log could not be checked: ${status} ${text}`);
  return body as unknown as Awaited<ReturnType<typeof verificationOf>>;
}
