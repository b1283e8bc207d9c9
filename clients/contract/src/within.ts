/** An end for what is waited for. */

/**
 * Waits for something, but only so long, whether it heeds its signal or not.
 *
 * Problem: Node's fetch holds the signal of a request weakly: after a garbage collection its abort reaches nobody
 * (https://github.com/nodejs/undici/issues/3644). The signal closes the connection where it is heard; nothing rests on it.
 * @param run is given a signal that is aborted when the time is over
 * @throws DOMException `TimeoutError` after so many milliseconds
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
