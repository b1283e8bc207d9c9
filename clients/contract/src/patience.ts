/** Retries after 429, and after 503 `overloaded`, as `Retry-After` says. Neither is a deviation, and neither had an effect. */
import { setTimeout as pause } from 'node:timers/promises';
import { jsonOf, type RawAnswer } from './raw-answer.ts';

/** The most retries, and the most seconds to wait before each. */
const PATIENCE = { times: 5, seconds: 60 };

export interface PatienceOptions<T> {
  /** Milliseconds to wait before the next attempt; undefined to accept the response. Default: `Retry-After`. */
  readonly waitOf?: (answer: T) => number | undefined;
  /** Aborts waiting. */
  readonly signal?: () => AbortSignal;
}

/** @returns the first response that does not ask for a retry, or the last one @throws what `ask` throws */
export async function patiently<T extends RawAnswer>(
  ask: () => Promise<T>,
  { waitOf = waitAskedFor, signal }: PatienceOptions<T> = {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    const wait = waitOf(answer);
    if (wait === undefined || tries > PATIENCE.times) return answer;
    const waited = await pause(wait, true, signal && { signal: signal() }).catch(() => false);
    if (!waited) return answer;
  }
}

/** Milliseconds to wait before a retry; undefined if the response does not ask for one, gives no time, or a time that is too long. */
export function waitAskedFor({ status, headers, text }: RawAnswer): number | undefined {
  const later =
    status === 429 || (status === 503 && (jsonOf(text) as { code?: unknown } | undefined)?.code === 'overloaded');
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return later && seconds >= 0 && seconds <= PATIENCE.seconds ? seconds * 1000 : undefined;
}
