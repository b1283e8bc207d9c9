/**
 * Watchers: everybody who wants to hear of each change, ten thousand of them at once.
 *
 * Problem: each change must reach each watcher once and in order, also one that was away for a while; telling ten thousand must not
 * keep a read waiting, and one that does not listen must cost the others nothing.
 * Rule (SPEC R3): a watcher has a cursor, the place up to which it was given everything, and no queue. What lies behind the cursor comes
 * from a ring of the latest messages, or page by page from the log where the ring does not reach back. Telling goes in slices over
 * turns of the event loop; who leaves too much untaken is cut off, and resumes.
 * Example: `add({ after: { epoch: 1, revision: 7 } }, sink)` gives the sink 8, 9 and each one after, whatever happened meanwhile.
 */
import { messageOf, RegistryError } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { SILENT, type Logger } from '../machine/logger.ts';
import { reaches, type Position, type Snapshot } from '../state/snapshot.ts';
import { messagesOf, EncodedMessages, type Encode, type Filter, type StreamMessage } from './messages.ts';

/** What is watched; a `Registry` is one. */
export interface Watched {
  readonly current: Snapshot;
  /** Seconds since it last knew that it was current; undefined while it does. */
  readonly staleSeconds: number | undefined;
  /** What the ends of keys go by: milliseconds since the epoch. */
  now(): number;
  /** Events in order, once they are visible; none at all where the whole history was replaced. */
  onChange(listener: (events: readonly Event[], snapshot: Snapshot) => void): () => void;
  /** @throws RegistryError `revision-not-reached`; `revision-unknown` where the log ends before */
  reach(position: Position): Promise<void>;
  /** A page of the log, the oldest first, up to the snapshot. @throws RegistryError `store-unavailable` */
  events(query: { readonly after: number; readonly limit: number }, snapshot: Snapshot): Promise<readonly Event[]>;
}

/** Why a watcher is ended. */
export type EndReason = 'closing' | 'too-slow' | 'not-allowed';

/** Where a watcher takes what it is given. */
export interface Sink {
  /** How many bytes wait to be taken by the reader. */
  readonly waiting: number;
  write(bytes: Buffer): void;
  /** Calls once the reader has taken what waits; at once where nothing does. Never, where it goes away instead. */
  onceDrained(go: () => void): void;
  /** Nothing comes after it. */
  end(reason: EndReason): void;
}

export interface Watch extends Filter {
  /** Whose watcher it is: asked for now and then, with `mayWatch`. */
  readonly keyId: string;
  /** When the key expires, in milliseconds since the epoch: from then on the watcher is given nothing. Never, where not given. */
  readonly until?: number | undefined;
  /** The place up to which the watcher has everything; it hears of what comes from now on where it names none. */
  readonly after?: Position | undefined;
}

export interface WatchersOptions {
  readonly encode: Encode;
  /** Whether a key still may watch. */
  readonly mayWatch: (snapshot: Snapshot, keyId: string) => boolean;
  /** Between two heartbeats, in milliseconds. */
  readonly heartbeat?: number;
  /** Latest messages that are kept, so that who comes back needs no log. */
  readonly ring?: number;
  /** Bytes that may wait for one watcher before it is cut off. */
  readonly mostWaiting?: number;
  readonly logger?: Logger;
}

/** A watcher, as a handle to whoever added it. */
export interface Watcher {
  readonly pack: string | undefined;
  readonly channel: string | undefined;
  readonly keyId: string;
  readonly sink: Sink;
}

interface Entry extends Watcher {
  readonly until: number;
  /** Everything up to here was given. */
  epoch: number;
  revision: number;
  /** Which of the histories, counted by `#history`, the place is in. */
  history: number;
  /** The last heartbeat it was given. */
  beats: number;
  /** Nothing more for now: a page of the log is being read for it, or it must take first what it was given. */
  paused: boolean;
}

/** Writes in one turn of the event loop: a millisecond or two. */
const SLICE = 100;
/** The most messages that one write gives to a watcher that is behind; then it must take them first. */
const BURST = 100;
/** Pages of the log that are read at once. */
const READS = 4;
/** After the log could not be read, in milliseconds. */
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
  /** Without a gap, from the one behind `#floor` to the one at `#head`. */
  #ring: StreamMessage[] = [];
  #floor: number;
  #head: Position;
  #history = 0;
  #beats = 0;
  /** Grows with everything that there is to tell; a round that began before it last grew is followed by another. */
  #work = 0;
  #round: { readonly work: number; readonly left: Iterator<Entry> } | undefined;
  #reads = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Set for when the first of the keys expires. */
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

  /** How many there are. */
  get size(): number {
    return this.#watchers.size;
  }

  /**
   * Catches up until there is something to resume from: to be called before `add`, where a place is named.
   * @throws RegistryError `revision-not-reached` where the place cannot be reached now
   */
  async reach(position: Position): Promise<void> {
    if (reaches(this.#head, position)) return;
    try {
      await this.#watched.reach(position);
    } catch (error) {
      // It never was in this log: `add` says so by a resync.
      if (!(error instanceof RegistryError) || error.code !== 'revision-unknown') throw error;
    }
  }

  /** Adds a watcher, and tells it first where it stands. A place of another history, or behind the head, is answered by a resync. */
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

  /** Forgets a watcher that went away by itself. */
  leave(watcher: Watcher): void {
    this.#watchers.delete(watcher as Entry);
  }

  /** Ends all of them, now. */
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

  /** Has everybody told what there is to tell, from the next turn of the event loop on. */
  #wake(): void {
    this.#work += 1;
    if (this.#round !== undefined || this.#closed) return;
    this.#round = { work: this.#work, left: this.#watchers.values() };
    setImmediate(() => this.#turn());
  }

  /** One slice. Whoever comes in meanwhile is in the same round, at its end. */
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

  /** Gives a watcher what it does not have yet. @returns the writes that took */
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

  /** Gives a watcher messages that lie directly behind its cursor, and holds it where more wait and it has not taken these. */
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
    return Math.ceil(messages.length / 8); // a burst takes as long as several watchers that are given one each
  }

  /** Reads on in the log for a watcher that the ring does not reach back to. */
  #readFor(entry: Entry): number {
    if (this.#reads >= READS || this.#pause !== undefined) return 0; // whoever ends a read or the pause starts another round
    this.#reads += 1;
    entry.paused = true;
    const history = this.#history;
    this.#watched
      .events({ after: entry.revision, limit: BURST }, this.#watched.current)
      .then((events) => {
        entry.paused = false;
        if (history !== this.#history) return; // what was read is of the history before
        if (events[0]?.revision !== entry.revision + 1)
          throw new Error(`The log does not go on behind revision ${entry.revision}.`);
        this.#pass(entry, messagesOf(events, entry.epoch), this.#watched.staleSeconds);
      })
      .catch((error: unknown) => {
        entry.paused = false;
        this.#options.logger.warn(
          { reason: messageOf(error) },
          'The log could not be read for a stream that goes on from further back than memory does; it waits.',
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

  /** Has watchers ended when their keys expire, also those that are told nothing at that moment. */
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
