/**
 * Reads response bodies.
 *
 * Problem: a body that never ends, or is far too large, must not block the caller, fill the memory or hold a connection. An abort does not
 * always reach the body (see `bounded`).
 * Rule: read the whole body, up to a limit; on an abort, cancel it, which closes the connection.
 */

/** Bytes. The registry's largest response, a page of the audit log, has a few million. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Reads a whole body. Cancels it when the signal is aborted or the body is too long.
 * @throws the error that interrupted it
 */
export async function readBody(response: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
  const cancel = () => void reader?.cancel().catch(() => undefined); // the read reports the error
  signal.addEventListener('abort', cancel);
  try {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (;;) {
      const { value, done = true } = (await reader?.read()) ?? {};
      if (done || value === undefined) break;
      length += value.length;
      if (length > MAX_BYTES) throw new Error(`the response is larger than ${MAX_BYTES / 2 ** 20} MB`);
      chunks.push(value);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  } catch (error) {
    cancel();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
