/**
 * The registry's stream of events (`GET /v1/events`), one connection of it, as messages that are taken apart.
 *
 * Rule: a stream that brings no message for longer than two heartbeats is cut, whatever its socket says, and so is one whose first does not
 * come at once: something between may hold back what it does not end. It never ends quietly. Who reads it
 * goes on from the last `id` with another one.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { components } from './api.ts';
import type { RegistryClient } from './client.ts';
import { readBody } from './bodies.ts';
import { failureOf, refusalOf, RegistryFailure } from './failure.ts';
import { bounded } from './timers.ts';

/** One message. */
export interface StreamMessage {
  /** The place up to which the reader has everything: sent back as `after` it resumes. */
  readonly id: string;
  /** The type of the event; `revision`, `heartbeat`, `resync` for what is none. */
  readonly event: string;
  readonly data: components['schemas']['StreamMessage'];
}

export interface StreamQuery {
  /** Only what is about this pack. */
  readonly pack?: string | undefined;
  /** Only what moves this channel. */
  readonly channel?: string | undefined;
  /** The `id` of the last message that is there already. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of silence after which the stream is taken to be dead; 35,000 where not given. */
  readonly silence?: number;
}

/** The registry sends a heartbeat every 15 s. */
const SILENCE = 35_000;
/** Characters of one message; the registry's have a few hundred. */
const LONGEST_MESSAGE = 1024 * 1024;

/**
 * Reads the stream until it ends: its end, too, is a failure, since a registry ends none without a reason.
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
      `${client.url} answers the stream with something else: a proxy, another service or a wrong path.`,
      { status: response.status },
    );
  }
  const reader = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .getReader();
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message), maxBufferSize: LONGEST_MESSAGE });
  try {
    let heardAt = performance.now(); // of a message: comments that a proxy sends say nothing of the registry
    let patience = Math.min(client.timeout, silence); // the first one says where the registry is, and is there already
    for (;;) {
      const { value, done } = await bounded({ signal, timeout: heardAt + patience - performance.now() }, () =>
        reader.read(),
      );
      if (done) throw new RegistryFailure('unreachable', `${client.url} ended the stream.`);
      parser.feed(value);
      for (const { id = '', event = 'message', data } of messages.splice(0)) {
        yield { id, event, data: dataOf(data, client) };
        heardAt = performance.now();
        patience = silence;
      }
    }
  } catch (error) {
    throw failureOf(error, client.url);
  } finally {
    reader.cancel().catch(() => undefined); // closes the connection; what was wrong with it is told already
  }
}

/** @throws RegistryFailure `not-understood` where members that are relied on are missing or of other types */
function dataOf(text: string, { url }: RegistryClient): StreamMessage['data'] {
  const data = JSON.parse(text) as Partial<StreamMessage['data']> | null;
  const { epoch = 1, revision, staleSeconds = 0, moves = [] } = data ?? {};
  const known =
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(revision) &&
    Number.isSafeInteger(staleSeconds) &&
    Array.isArray(moves) &&
    moves.every((move: unknown) => typeof move === 'object' && move !== null);
  if (!known)
    throw new RegistryFailure(
      'not-understood',
      `${url} sends messages on its stream that are not those of a registry; it may be of another edition than this client.`,
    );
  return { ...data, epoch } as StreamMessage['data'];
}

/** The body of a refusal, as far as it comes in time and is JSON. */
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
    return undefined; // the status says what there is to say
  }
}
