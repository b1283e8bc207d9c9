/**
 * What watchers are told: one message an event, made once for all of them.
 *
 * Rule: a message says what changed and where, and nothing that a reader of prompts may not see: no texts, no reasons, no actors, of
 * keys only that there was something. Where this instance does not know that it is current, a message says so at the time it is
 * given (SPEC R10).
 */
import { movesOf } from '../log/moves.ts';
import type { Move } from '../log/data/moves.ts';
import type { Event } from '../log/event.ts';
import type { Position } from '../state/snapshot.ts';

/** What a message says; what stands in for no event has neither type nor moves nor time. */
export interface StreamMessage extends Position {
  readonly type?: string;
  readonly pack?: string;
  readonly moves?: readonly Move[];
  readonly at?: string;
  /** Seconds since the instance last knew that it was current. */
  readonly staleSeconds?: number;
}

/** A message that stands for no event: where a stream stands, that it must be read anew, that it is alive. */
export type ControlKind = 'revision' | 'resync' | 'heartbeat';

/**
 * Puts a message into bytes, under the name of its kind: the type of its event, or of control.
 * @param upTo the place up to which a watcher has everything once it has this
 */
export type Encode = (kind: string, upTo: Position, message: StreamMessage) => Buffer;

/** What a watcher wants to hear of: all, or what is about a pack, or moves a channel. */
export interface Filter {
  readonly pack?: string | undefined;
  readonly channel?: string | undefined;
}

/** The messages of events that lie directly behind a place in this epoch. */
export function messagesOf(events: readonly Event[], before: number): StreamMessage[] {
  let epoch = before;
  return events.map((event) => {
    const { revision, type, pack, at } = event;
    if (event.type === 'registry-restored') ({ epoch } = event.data);
    const moves = movesOf(event).map(({ channel, version, previousVersion, digest }) => ({
      channel,
      version,
      previousVersion,
      digest,
    }));
    return { epoch, revision, type, ...(pack !== undefined && { pack }), moves, at };
  });
}

function concerns({ pack, channel }: Filter, message: StreamMessage): boolean {
  return (
    (pack === undefined || message.pack === pack) &&
    (channel === undefined || message.moves?.some((move) => move.channel === channel) === true)
  );
}

interface Encoded {
  readonly stale: number | undefined;
  readonly bytes: Buffer;
}

/** Makes the bytes of a message at the first watcher that is given it; all others are given the same. */
export class EncodedMessages {
  readonly #encode: Encode;
  readonly #made = new WeakMap<StreamMessage, Encoded>();
  readonly #lastControl = new Map<ControlKind, Encoded & Position>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  /** Those of the messages that pass the filter; undefined where none does. */
  messages(messages: readonly StreamMessage[], filter: Filter, stale: number | undefined): Buffer | undefined {
    const [only, ...others] = messages.filter((message) => concerns(filter, message));
    if (only === undefined) return undefined;
    const first = this.#bytes(only, stale);
    return others.length === 0
      ? first
      : Buffer.concat([first, ...others.map((message) => this.#bytes(message, stale))]);
  }

  /** @param current the place that the message tells of, where it is another than the one up to which the watcher has everything */
  control(kind: ControlKind, { epoch, revision }: Position, stale: number | undefined, current?: Position): Buffer {
    const last = this.#lastControl.get(kind);
    if (current === undefined && last?.revision === revision && last.epoch === epoch && last.stale === stale)
      return last.bytes;
    const upTo = { epoch, revision };
    const bytes = this.#encode(kind, upTo, marked(current ?? upTo, stale));
    if (current === undefined) this.#lastControl.set(kind, { ...upTo, stale, bytes });
    return bytes;
  }

  #bytes(message: StreamMessage, stale: number | undefined): Buffer {
    const made = this.#made.get(message);
    if (made !== undefined && made.stale === stale) return made.bytes;
    const bytes = this.#encode(message.type ?? '', message, marked(message, stale));
    this.#made.set(message, { stale, bytes });
    return bytes;
  }
}

function marked(message: StreamMessage, stale: number | undefined): StreamMessage {
  return stale === undefined ? message : { ...message, staleSeconds: stale };
}
