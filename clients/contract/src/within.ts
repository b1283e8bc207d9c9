/**
 * Runs something with a timeout, even if it ignores its signal.
 *
 * Problem: Node's fetch holds the signal of a request weakly: after a garbage collection, aborting it may have no effect
 * (https://github.com/nodejs/undici/issues/3644). So the signal only closes the connection; the timer decides.
 * @param run gets a signal that is aborted at the timeout
 * @throws DOMException `TimeoutError` after `milliseconds`
 */
export async function within<T>(milliseconds: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    own.abort(new DOMException('No answer in time.', 'TimeoutError'));
    reject(own.signal.reason as Error);
  }, milliseconds);
  try {
    return await Promise.race([over, run(own.signal)]);
  } finally {
    clearTimeout(timer);
  }
}
