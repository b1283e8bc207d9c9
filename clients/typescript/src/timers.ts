/** Timers that keep no process alive, where the runtime knows such (Node); in a browser a number comes back. */

export type Timer = ReturnType<typeof setTimeout>;

/** Calls once, after so many milliseconds. */
export function later(milliseconds: number, call: () => void): Timer {
  const timer: unknown = setTimeout(call, Math.min(milliseconds, LONGEST));
  if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref();
  return timer as Timer;
}

/** Waits; ends early, without an error, when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = later(milliseconds, end);
    signal.addEventListener('abort', end);
  });
}

/**
 * Runs something that can be given up by a signal which lives longer. It is given a signal of its own: requests leave listeners on theirs,
 * thousands of them in a day.
 */
export async function givenUpBy<T>(signal: AbortSignal, run: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const giveUp = () => own.abort(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  try {
    return await run(own.signal);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** What a timer can count to. */
const LONGEST = 2 ** 31 - 1;

/** A promise, and what resolves it. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
