/**
 * Asks again where the server says to come later: 429, or that it is overloaded, with a `Retry-After`. Neither is a deviation, and nothing
 * was done.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { jsonOf, type RawAnswer } from './raw-answer.ts';

/** How often it is asked again, and for how many seconds at most it waits each time. */
const PATIENCE = { times: 5, seconds: 60 };

export interface PatienceOptions<T> {
  /** Milliseconds to wait before it is asked again; undefined to take the answer as it is. Default: what `Retry-After` says. */
  readonly waitOf?: (answer: T) => number | undefined;
  /** Ends waiting. */
  readonly haste?: () => AbortSignal;
}

/** Gives the first answer that does not ask to come later, or the last one. @throws what `ask` throws */
export async function patiently<T extends RawAnswer>(
  ask: () => Promise<T>,
  { waitOf = waitAskedFor, haste }: PatienceOptions<T> = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    const wait = waitOf(answer);
    if (wait === undefined || tries > PATIENCE.times) return answer;
    const waited = await pause(wait, true, haste && { signal: haste() }).catch(() => false);
    if (!waited) return answer;
  }
}

/** Milliseconds that the answer asks to wait; undefined where it does not ask, does not say for how long, or for too long. */
export function waitAskedFor({ status, headers, text }: RawAnswer): number | undefined {
  const later =
    status === 429 || (status === 503 && (jsonOf(text) as { code?: unknown } | undefined)?.code === 'overloaded');
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return later && seconds >= 0 && seconds <= PATIENCE.seconds ? seconds * 1000 : undefined;
}
