/**
 * One connection to the registry's event stream (`GET /v1/events`), as parsed messages.
 *
 * Rule: a stream without a message for longer than two heartbeats is closed, whatever its socket says. The first message must arrive within
 * the request timeout: a proxy may buffer the stream. It always ends with an error. To resume, open another one with the last `id`.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { components } from './api.ts';
import type { RegistryClient } from './client.ts';
import { readBody } from './read-body.ts';
import { failureOf, refusalOf, RegistryFailure } from './failure.ts';
import { bounded } from './timers.ts';

/** One message. */
export interface StreamMessage {
  /** The position of this message; pass it as `after` to resume. */
  readonly id: string;
  /** The event type, or `revision`, `heartbeat` or `resync`. */
  readonly event: string;
  readonly data: components['schemas']['StreamMessage'];
}

export interface StreamQuery {
  /** Only events of this pack. */
  readonly pack?: string | undefined;
  /** Only moves of this channel. */
  readonly channel?: string | undefined;
  /** The `id` of the last message received; the stream resumes after it. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a message after which the stream counts as dead. Default: 35,000. */
  readonly silence?: number;
}

/** Milliseconds; the registry sends a heartbeat every 15 s. */
const SILENCE = 35_000;
/** Characters per message; the registry's have a few hundred. */
const MAX_MESSAGE = 1024 * 1024;

/**
 * Reads the stream until it ends. The end is always a failure, because a registry does not end streams without a reason.
 * @throws RegistryFailure
 */
export async function* streamEvents(
  client: RegistryClient,
  { pack, channel, after, signal, silence = SILENCE }: StreamQuery = {},
): AsyncGenerator<StreamMessage, never> {
  const query = new URLSearchParams({ ...(pack !== undefined && { pack }), ...(channel !== undefined && { channel }) });
  const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) };
  const response = await client.send(`/v1/events${query.size === 0 ? '' : `?${query.toString()}`}`, {
    headers,
    signal,
  });
  if (!response.ok) throw refusalOf(response, await problemIn(response, client, signal), client.url);
  if (response.body === null || !/^text\/event-stream\b/iu.test(response.headers.get('content-type') ?? '')) {
    await response.body?.cancel();
    throw new RegistryFailure(
      'not-a-registry',
      `${client.url} did not open an event stream: check for a proxy, another service or a wrong path.`,
      { status: response.status },
    );
  }
  const reader = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .getReader();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message), maxBufferSize: MAX_MESSAGE });
  try {
    let heardAt = performance.now(); // of a message; comments may come from a proxy
    let limit = Math.min(client.timeout, silence); // the registry sends the first message immediately
    for (;;) {
      const { value, done } = await bounded({ signal, timeout: heardAt + limit - performance.now() }, () =>
        reader.read(),
      );
      if (done) throw new RegistryFailure('unreachable', `${client.url} closed the stream.`);
      parser.feed(value);
      for (const { id = '', event = 'message', data } of messages.splice(0)) {
        yield { id, event, data: dataOf(data, client) };
        heardAt = performance.now();
        limit = silence;
      }
    }
  } catch (error) {
    throw failureOf(error, client.url);
  } finally {
    reader.cancel().catch(() => undefined); // closes the connection; its error is already known
  }
}

/** @throws RegistryFailure `not-understood` if required fields are missing or have wrong types */
function dataOf(text: string, { url }: RegistryClient): StreamMessage['data'] {
  const data = JSON.parse(text) as Partial<StreamMessage['data']> | null;
  const { epoch = 1, revision, staleSeconds = 0, moves = [] } = data ?? {};
  const valid =
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(revision) &&
    Number.isSafeInteger(staleSeconds) &&
    Array.isArray(moves) &&
    moves.every((move: unknown) => typeof move === 'object' && move !== null);
  if (!valid)
    throw new RegistryFailure(
      'not-understood',
      `${url} sent an invalid stream message. The registry may be incompatible with this client.`,
    );
  return { ...data, epoch } as StreamMessage['data'];
}

/** The JSON body of an error response; undefined if it is invalid or too slow. */
async function problemIn(
  response: Response,
  { timeout }: RegistryClient,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return JSON.parse(
      new TextDecoder().decode(await bounded({ signal, timeout }, (own) => readBody(response, own))),
    ) as unknown;
  } catch {
    return undefined; // the status must do
  }
}
