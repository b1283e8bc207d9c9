/**
 * Sends each change to all watchers, up to ten thousand at once.
 *
 * Problem: each change must reach each watcher once and in order, even a watcher that reconnects. Sending to ten thousand must not
 * delay a read, and one slow watcher must not cost the others anything.
 * Rule (SPEC R3): a watcher has no queue, only a cursor: the position up to which it has everything. Later messages come from a ring of
 * the latest ones; if the ring does not reach back that far, they come from the log, page by page. Sending is cut into slices over turns
 * of the event loop. A watcher that leaves too many bytes unread is disconnected; it can resume.
 * Example: `add({ after: { epoch: 1, revision: 7 } }, sink)` writes 8, 9 and everything later to the sink, without a gap.
 */
import { messageOf, RegistryError } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { messagesOf, EncodedMessages, type Encode, type Filter, type StreamMessage } from './messages.ts';
import { reaches, type Position } from '../state/position.ts';

/** What is watched: a `Registry`, for example. */
export interface Watched {
  readonly current: Snapshot;
  /** Seconds since it last knew that it was current; undefined while it does. */
  readonly staleSeconds: number | undefined;
  /** The clock for the expiry of keys: milliseconds since the epoch. */
  now(): number;
  /** Calls with events in order, once they are visible; with no events if the whole history was replaced. */
  onChange(listener: (events: readonly Event[], snapshot: Snapshot) => void): () => void;
  /** @throws RegistryError `revision-not-reached`; `revision-unknown` if the log ends before it */
  reach(position: Position): Promise<void>;
  /** A page of the log, oldest first, up to the snapshot. @throws RegistryError `store-unavailable` */
  events(query: { readonly after: number; readonly limit: number }, snapshot: Snapshot): Promise<readonly Event[]>;
}

/** Why a watcher was ended. */
export type EndReason = 'closing' | 'too-slow' | 'not-allowed';

/** Where messages for a watcher are written. */
export interface Sink {
  /** Bytes that the reader has not read yet. */
  readonly waiting: number;
  write(bytes: Buffer): void;
  /** Calls `go` once the reader has read everything; at once if nothing waits, never if the reader disconnects. */
  onceDrained(go: () => void): void;
  /** Nothing is written after this. */
  end(reason: EndReason): void;
}

export interface Watch extends Filter {
  /** The key of the watcher. `mayWatch` checks it again at each heartbeat. */
  readonly keyId: string;
  /** When the key expires, in milliseconds since the epoch: the watcher is ended then. Default: never. */
  readonly until?: number | undefined;
  /** The position up to which the watcher has everything. Default: the head, so that it receives only new changes. */
  readonly after?: Position | undefined;
}

export interface WatchersOptions {
  readonly encode: Encode;
  /** Whether a key may still watch. */
  readonly mayWatch: (snapshot: Snapshot, keyId: string) => boolean;
  /** Milliseconds between two heartbeats. */
  readonly heartbeat?: number;
  /** How many of the latest messages are kept, so that a watcher that reconnects needs no read of the log. */
  readonly ring?: number;
  /** Bytes that may wait for one watcher before it is disconnected. */
  readonly mostWaiting?: number;
  readonly logger?: Logger;
}

/** The handle of a watcher, for its caller. */
export interface Watcher {
  readonly pack: string | undefined;
  readonly channel: string | undefined;
  readonly keyId: string;
  readonly sink: Sink;
}

interface Entry extends Watcher {
  readonly until: number;
  /** Everything up to here was sent. */
  epoch: number;
  revision: number;
  /** The history that the position is in, counted by `#history`. */
  history: number;
  /** The last heartbeat that was sent. */
  beats: number;
  /** Gets nothing for now: a page of the log is being read for it, or it must first read what was written. */
  paused: boolean;
}

/** Writes in one turn of the event loop: a millisecond or two. */
const SLICE = 100;
/** The most messages in one write to a watcher that is behind; it must read them before it gets more. */
const BURST = 100;
/** Pages of the log that are read at the same time. */
const READS = 4;
/** Milliseconds to wait after the log could not be read. */
const PAUSE = 1000;
/** The longest that a timer can wait, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

export class Watchers {
  readonly #watched: Watched;
  readonly #options: Required<WatchersOptions>;
  readonly #watchers = new Set<Entry>();
  readonly #encoded: EncodedMessages;
  readonly #stopListening: () => void;
  readonly #heart: NodeJS.Timeout;
  /** Without a gap, from the message after `#floor` to the one at `#head`. */
  #ring: StreamMessage[] = [];
  #floor: number;
  #head: Position;
  #history = 0;
  #beats = 0;
  /** Grows whenever there is something to send. A round that began before it last grew is followed by another. */
  #work = 0;
  #round: { readonly work: number; readonly left: Iterator<Entry> } | undefined;
  #reads = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Fires when the first of the keys expires. */
  #expiry: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  #closed = false;

  constructor(watched: Watched, options: WatchersOptions) {
    this.#watched = watched;
    this.#options = { heartbeat: 15_000, ring: 1000, mostWaiting: 256 * 1024, logger: SILENT, ...options };
    this.#encoded = new EncodedMessages(options.encode);
    this.#head = positionOf(watched.current);
    this.#floor = this.#head.revision;
    this.#stopListening = watched.onChange((events, snapshot) => this.#record(events, snapshot));
    this.#heart = setInterval(() => {
      this.#beats += 1;
      this.#wake();
    }, this.#options.heartbeat).unref();
  }

  /** How many watchers there are. */
  get size(): number {
    return this.#watchers.size;
  }

  /**
   * Catches up to a position. Call it before `add` with `after`.
   * @throws RegistryError `revision-not-reached` if the position cannot be reached now
   */
  async reach(position: Position): Promise<void> {
    if (reaches(this.#head, position)) return;
    try {
      await this.#watched.reach(position);
    } catch (error) {
      // This log never had the position: `add` answers it with a resync.
      if (!(error instanceof RegistryError) || error.code !== 'revision-unknown') throw error;
    }
  }

  /** Adds a watcher. Its first message is its position, or a resync if `after` is of another history or above the head. */
  add({ pack, channel, keyId, until = Infinity, after = this.#head }: Watch, sink: Sink): Watcher {
    const known = after.epoch === this.#head.epoch && after.revision <= this.#head.revision;
    const { epoch, revision } = known ? after : this.#head;
    const entry: Entry = {
      pack,
      channel,
      keyId,
      until,
      sink,
      epoch,
      revision,
      history: this.#history,
      beats: this.#beats,
      paused: false,
    };
    this.#watchers.add(entry);
    this.#write(
      entry,
      this.#encoded.control(known ? 'revision' : 'resync', entry, this.#watched.staleSeconds, this.#head),
    );
    this.#endAt(until);
    if (this.#closed) this.#end(entry, 'closing');
    else if (revision < this.#head.revision) this.#wake();
    return entry;
  }

  /** Forgets a watcher that has disconnected. */
  leave(watcher: Watcher): void {
    this.#watchers.delete(watcher as Entry);
  }

  /** Ends all watchers at once. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    clearInterval(this.#heart);
    clearTimeout(this.#pause);
    clearTimeout(this.#expiry?.timer);
    for (const entry of this.#watchers) this.#end(entry, 'closing');
  }

  #record(events: readonly Event[], snapshot: Snapshot): void {
    const next = events[0]?.revision ?? snapshot.revision + 1;
    const replaced = events.length === 0 || next <= this.#head.revision;
    if (replaced) this.#history += 1;
    if (replaced || next > this.#head.revision + 1) {
      this.#ring = [];
      this.#floor = next - 1;
    }
    for (const message of messagesOf(events, this.#head.epoch)) this.#ring.push(message);
    const beyond = this.#ring.length - this.#options.ring;
    if (beyond > 0) {
      this.#ring.splice(0, beyond);
      this.#floor += beyond;
    }
    this.#head = positionOf(snapshot);
    if (replaced || events.some(({ type }) => type === 'key-revoked')) {
      for (const entry of this.#watchers)
        if (!this.#options.mayWatch(snapshot, entry.keyId)) this.#end(entry, 'not-allowed');
    }
    this.#wake();
  }

  /** Starts a round: from the next turn of the event loop, all watchers get what they lack. */
  #wake(): void {
    this.#work += 1;
    if (this.#round !== undefined || this.#closed) return;
    this.#round = { work: this.#work, left: this.#watchers.values() };
    setImmediate(() => this.#turn());
  }

  /** One slice. A watcher that is added meanwhile joins the end of the same round. */
  #turn(): void {
    const stale = this.#watched.staleSeconds;
    for (let left = SLICE; left > 0;) {
      const next = this.#round?.left.next();
      if (next?.done === false) {
        left -= this.#give(next.value, stale);
      } else if (this.#closed || this.#round?.work === this.#work) {
        this.#round = undefined;
        return;
      } else {
        this.#round = { work: this.#work, left: this.#watchers.values() };
      }
    }
    setImmediate(() => this.#turn());
  }

  /** Sends a watcher what it lacks. @returns how many writes that cost */
  #give(entry: Entry, stale: number | undefined): number {
    const due = entry.beats !== this.#beats;
    let writes = 0;
    if (entry.history !== this.#history) {
      Object.assign(entry, this.#head, { history: this.#history });
      this.#write(entry, this.#encoded.control('resync', entry, stale));
      writes += 1;
    } else if (!entry.paused && entry.revision < this.#floor) {
      writes += this.#readFor(entry);
    } else if (!entry.paused && entry.revision < this.#head.revision) {
      const from = entry.revision - this.#floor;
      writes += this.#pass(entry, this.#ring.slice(from, from + BURST), stale);
    }
    if (!due) return writes;
    entry.beats = this.#beats;
    if (!this.#options.mayWatch(this.#watched.current, entry.keyId)) this.#end(entry, 'not-allowed');
    else this.#write(entry, this.#encoded.control('heartbeat', entry, stale));
    return writes + 1;
  }

  /** Sends the messages that follow the cursor of a watcher. If more wait, it is paused until it has read these. */
  #pass(entry: Entry, messages: readonly StreamMessage[], stale: number | undefined): number {
    const last = messages.at(-1);
    if (last === undefined) return 0;
    const bytes = this.#encoded.messages(messages, entry, stale);
    entry.epoch = last.epoch;
    entry.revision = last.revision;
    if (bytes !== undefined) this.#write(entry, bytes);
    if (entry.revision < this.#head.revision && this.#watchers.has(entry)) {
      entry.paused = true;
      entry.sink.onceDrained(() => {
        entry.paused = false;
        this.#wake();
      });
    }
    return Math.ceil(messages.length / 8); // a burst costs as much as one message each to several watchers
  }

  /** Reads a page of the log for a watcher that is further behind than the ring reaches. */
  #readFor(entry: Entry): number {
    if (this.#reads >= READS || this.#pause !== undefined) return 0; // the end of a read or of the pause starts another round
    this.#reads += 1;
    entry.paused = true;
    const history = this.#history;
    this.#watched
      .events({ after: entry.revision, limit: BURST }, this.#watched.current)
      .then((events) => {
        entry.paused = false;
        if (history !== this.#history) return; // the page is of the previous history
        if (events[0]?.revision !== entry.revision + 1)
          throw new Error(`The log does not continue after revision ${entry.revision}.`);
        this.#pass(entry, messagesOf(events, entry.epoch), this.#watched.staleSeconds);
      })
      .catch((error: unknown) => {
        entry.paused = false;
        this.#options.logger.warn(
          { reason: messageOf(error) },
          'A stream resumes from a revision that is no longer in memory, but the log could not be read. It will be retried.',
        );
        this.#pause ??= setTimeout(() => {
          this.#pause = undefined;
          this.#wake();
        }, PAUSE).unref();
      })
      .finally(() => {
        this.#reads -= 1;
        this.#wake();
      });
    return BURST;
  }

  /** Ends watchers when their keys expire, even if there is nothing to send then. */
  #endAt(until: number): void {
    if (until === Infinity || this.#closed || (this.#expiry !== undefined && this.#expiry.at <= until)) return;
    clearTimeout(this.#expiry?.timer);
    const timer = setTimeout(
      () => {
        this.#expiry = undefined;
        const now = this.#watched.now();
        let next = Infinity;
        for (const entry of this.#watchers) {
          if (entry.until <= now) this.#end(entry, 'not-allowed');
          else if (entry.until < next) next = entry.until;
        }
        this.#endAt(next);
      },
      Math.min(Math.max(1, until - this.#watched.now()), LONGEST_TIMER),
    );
    this.#expiry = { at: until, timer: timer.unref() };
  }

  #write(entry: Entry, bytes: Buffer): void {
    if (!this.#watchers.has(entry)) return;
    if (entry.until <= this.#watched.now())
      this.#end(entry, 'not-allowed'); // SPEC R12
    else if (entry.sink.waiting > this.#options.mostWaiting) this.#end(entry, 'too-slow');
    else entry.sink.write(bytes);
  }

  #end(entry: Entry, reason: EndReason): void {
    if (this.#watchers.delete(entry)) entry.sink.end(reason);
  }
}

function positionOf({ epoch, revision }: Position): Position {
  return { epoch, revision };
}
