/** Timers that do not keep a Node process alive. In browsers, `setTimeout` returns a number. */

export type Timer = ReturnType<typeof setTimeout>;

/** Calls a function once after a delay. */
export function later(milliseconds: number, call: () => void): Timer {
  const timer: unknown = setTimeout(call, Math.min(milliseconds, MAX_TIMER));
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
  /** Cancels the task when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the task fails with a `TimeoutError`. */
  readonly timeout?: number | undefined;
}

/**
 * Runs a task that must end when its signal is aborted or its time is up, even if it ignores both.
 *
 * Problem: fetch leaves listeners on the signal of a request, thousands per day if that signal lives as long as the source. It also holds
 * the signal weakly: after a garbage collection an abort reaches nobody (https://github.com/nodejs/undici/issues/3644).
 * Rule: the task gets its own signal, which closes its connection, and is not awaited once that signal is aborted.
 */
export async function bounded<T>({ signal, timeout }: Bounds, run: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) =>
    own.signal.addEventListener('abort', () => reject(own.signal.reason as Error)),
  );
  const giveUp = () => own.abort(signal?.reason);
  const timer =
    timeout === undefined
      ? undefined
      : later(timeout, () => own.abort(new DOMException('No response in time.', 'TimeoutError')));
  signal?.addEventListener('abort', giveUp);
  try {
    if (signal?.aborted === true) throw signal.reason;
    return await Promise.race([aborted, run(own.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

/** The limit of a timer, in milliseconds. */
export const MAX_TIMER = 2 ** 31 - 1;

/** A promise and its resolve function. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
