/** The response at the other end of a stream. */
import type { ServerResponse } from 'node:http';
import type { EndReason, Sink } from '../../registry/index.ts';

/** It keeps only the response, not the request: an instance can have ten thousand of them. */
export class ResponseSink implements Sink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get waiting(): number {
    return this.#response.writableLength;
  }

  write(bytes: Buffer): void {
    this.#response.write(bytes);
  }

  onceDrained(go: () => void): void {
    if (this.#response.writableNeedDrain) this.#response.once('drain', go);
    else go();
  }

  end(_reason: EndReason): void {
    // A reader that does not read would keep the connection open for what is still buffered.
    if (this.#response.writableLength > 0) this.#response.destroy();
    else this.#response.end();
  }
}
