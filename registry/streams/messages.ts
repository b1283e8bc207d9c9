/**
 * What watchers receive: one message for each event, encoded once for all of them.
 *
 * Rule: a message says what changed and where. It holds nothing that a reader of prompts may not see: no texts, no reasons, no actors, and
 * of keys only that something changed. If this instance does not know that it is current, messages say so when they are sent
 * (SPEC R10).
 */
import { movesOf } from '../log/moves.ts';
import type { Move } from '../log/data/moves.ts';
import type { Event, EventType } from '../log/event.ts';
import type { Position } from '../state/position.ts';

/** The content of a message. A control message has no type, moves or time. */
export interface StreamMessage extends Position {
  readonly type?: string;
  readonly pack?: string;
  /** The channel that the event is about, if it is about one. */
  readonly channel?: string;
  readonly moves?: readonly Move[];
  readonly at?: string;
  /** Seconds since the instance last knew that it was current. */
  readonly staleSeconds?: number;
}

/** A message without an event: the position of a stream, that the client must read everything again, or that the stream is alive. */
export type ControlKind = 'revision' | 'resync' | 'heartbeat';

/**
 * Encodes a message under the name of its kind: the type of its event, or its control kind.
 * @param upTo the position up to which a watcher has everything once it has this message
 */
export type Encode = (kind: string, upTo: Position, message: StreamMessage) => Buffer;

/** Which changes a watcher receives: all, or those of one pack, or those that may change what one channel serves. */
export interface Filter {
  readonly pack?: string | undefined;
  readonly channel?: string | undefined;
}

/** The messages of events that directly follow a position in this epoch. */
export function messagesOf(events: readonly Event[], before: number): StreamMessage[] {
  let epoch = before;
  return events.map((event) => {
    const { revision, type, pack, channel, at } = event;
    if (event.type === 'registry-restored') ({ epoch } = event.data);
    const moves = movesOf(event).map(({ channel, version, previousVersion, digest }) => ({
      channel,
      version,
      previousVersion,
      digest,
    }));
    return {
      epoch,
      revision,
      type,
      ...(pack !== undefined && { pack }),
      ...(channel !== undefined && { channel }),
      moves,
      at,
    };
  });
}

function concerns({ pack, channel }: Filter, message: StreamMessage): boolean {
  if (pack !== undefined && message.pack !== pack) return false;
  if (channel === undefined || message.channel === channel) return true;
  return WITHOUT_CHANNEL.has(message.type ?? '') || message.moves?.some((move) => move.channel === channel) === true;
}

/** The types of events that may end a rollout in any channel of their pack. */
const WITHOUT_CHANNEL: ReadonlySet<string> = new Set<EventType>(['version-revoked', 'policy-changed']);

interface Encoded {
  readonly stale: number | undefined;
  readonly bytes: Buffer;
}

/** Encodes a message for the first watcher that receives it; all others receive the same bytes. */
export class EncodedMessages {
  readonly #encode: Encode;
  readonly #made = new WeakMap<StreamMessage, Encoded>();
  readonly #lastControl = new Map<ControlKind, Encoded & Position>();

  constructor(encode: Encode) {
    this.#encode = encode;
  }

  /** The messages that pass the filter; undefined if none does. */
  messages(messages: readonly StreamMessage[], filter: Filter, stale: number | undefined): Buffer | undefined {
    const [only, ...others] = messages.filter((message) => concerns(filter, message));
    if (only === undefined) return undefined;
    const first = this.#bytes(only, stale);
    return others.length === 0
      ? first
      : Buffer.concat([first, ...others.map((message) => this.#bytes(message, stale))]);
  }

  /** @param current the position that the message shows; default: the one up to which the watcher has everything */
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
