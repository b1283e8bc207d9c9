/**
 * Bodies of answers, read by a reader of our own.
 *
 * Problem: a body that never ends, or is larger than anything a registry sends, must hold neither the caller nor memory nor a connection;
 * and an abort does not always reach the body (see `bounded`).
 * Rule: it is read whole, up to a limit; whoever gives it up cancels it, which closes its connection.
 */

/** Bytes of the longest answer that is read; a registry's longest, a page of its audit, has a few million. */
const LONGEST = 64 * 2 ** 20;

/**
 * Reads a body whole. It is cancelled when the signal is aborted, and where it is too long.
 * @throws whatever cut it
 */
export async function readBody(response: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
  const cancel = () => void reader?.cancel().catch(() => undefined); // its failure is that of the read
  signal.addEventListener('abort', cancel);
  try {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (;;) {
      const { value, done = true } = (await reader?.read()) ?? {};
      if (done || value === undefined) break;
      length += value.length;
      if (length > LONGEST) throw new Error(`the answer is longer than ${LONGEST / 2 ** 20} MB`);
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
