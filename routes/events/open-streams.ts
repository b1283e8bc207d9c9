/**
 * Opens streams so that each takes little memory.
 *
 * Problem: an instance can have ten thousand streams that are open for days. What a request leaves behind counts that often: the
 * framework's request and reply, a closure for each listener, the pieces that the header was put together from.
 * Rule: an open stream keeps its response, its watcher, and nothing else.
 * Example: `streams.open(response, { 'content-type': 'text/event-stream' }, { keyId })`.
 */
import type { ServerResponse } from 'node:http';
import type { Watch, Watcher, Watchers } from '../../registry/index.ts';
import { ResponseSink } from './response-sink.ts';

export class OpenStreams {
  readonly #watchers: Watchers;
  readonly #open = new Map<ServerResponse, Watcher>();
  /** One listener for all responses. */
  readonly #onClose: (this: ServerResponse) => void;

  constructor(watchers: Watchers) {
    this.#watchers = watchers;
    const leave = (response: ServerResponse) => this.#leave(response);
    this.#onClose = function () {
      leave(this);
    };
  }

  /** Sends the header and the first message, and everything after that until the stream ends. @param response of a hijacked reply */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, watch: Watch): void {
    forgetRequest(response);
    const { socket } = response;
    socket?.cork();
    response.writeHead(200, headers).flushHeaders(); // as a separate text, so that its pieces can be collected
    this.#open.set(response, this.#watchers.add(watch, new ResponseSink(response)));
    socket?.uncork(); // header and first message are one packet
    response.on('close', this.#onClose);
    if (response.destroyed) this.#leave(response); // the client left while its position was being reached
  }

  #leave(response: ServerResponse): void {
    const watcher = this.#open.get(response);
    this.#open.delete(response);
    if (watcher !== undefined) this.#watchers.leave(watcher);
  }
}

/**
 * Removes the listeners of the framework, which keep its request and reply: it listens for `error`, and with the same function for `finish`.
 * They would only run the `onResponse` hooks, and a stream was counted when it was opened.
 */
function forgetRequest(response: ServerResponse): void {
  for (const listener of response.listeners('error') as (() => void)[]) {
    response.off('error', listener);
    response.off('finish', listener);
  }
  response.on('error', ignore);
}

/** A client that disconnects is not an error. */
const ignore = () => undefined;
