/** Timers that keep no process alive, where the runtime knows such (Node); in a browser a number comes back. */

export type Timer = ReturnType<typeof setTimeout>;

/** Calls once, after so many milliseconds. */
export function later(milliseconds: number, call: () => void): Timer {
  const timer: unknown = setTimeout(call, Math.min(milliseconds, LONGEST));
  if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref();
  return timer as Timer;
}

/** Waits; ends early, without an error, when one of the signals is aborted. */
export function pause(milliseconds: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some(({ aborted }) => aborted)) return resolve();
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = later(milliseconds, end);
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}

export interface Bounds {
  /** Gives it up when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it is given up, with a `TimeoutError`. */
  readonly timeout?: number | undefined;
}

/**
 * Runs something that must end: at the latest when its signal is aborted or its time is over, whether it heeds that or not.
 *
 * Problem: fetch leaves listeners on the signal of a request, thousands in a day on one that lives as long as the source; and it holds
 * that signal weakly, so that after a garbage collection an abort reaches nobody (https://github.com/nodejs/undici/issues/3644).
 * Rule: it is given a signal of its own, which closes its connection where it is heard, and is not waited for once that is aborted.
 */
export async function bounded<T>({ signal, timeout }: Bounds, run: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const over = new Promise<never>((_resolve, reject) =>
    own.signal.addEventListener('abort', () => reject(own.signal.reason as Error)),
  );
  const giveUp = () => own.abort(signal?.reason);
  const timer =
    timeout === undefined
      ? undefined
      : later(timeout, () => own.abort(new DOMException('No answer in time.', 'TimeoutError')));
  signal?.addEventListener('abort', giveUp);
  try {
    if (signal?.aborted === true) throw signal.reason;
    return await Promise.race([over, run(own.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

/** What a timer can count to, in milliseconds. */
export const LONGEST = 2 ** 31 - 1;

/** A promise, and what resolves it. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
