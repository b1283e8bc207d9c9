/**
 * Keeps up with the registry: reads the pack as a whole, follows the stream, and polls while there is none.
 *
 * Problem: a network fails in many ways, and each of them must end in what is served being served on, and in another try.
 * Rule: one loop. Read (with `If-None-Match`, from the latest place seen or a later one), follow the stream until it is cut, wait, again.
 * Each wait is longer than the one before, jittered, at most `pollInterval`, and at least what `Retry-After` asks for; a stream that is to
 * be left alone for longer than that is polled for meanwhile. A stream that lives, but whose instance does not know any more that it is
 * current, is left. While it waits for a registry that did not answer, one session call a second still asks: the first answer ends the wait.
 */
import { RegistryFailure, failureOf } from './failure.ts';
import { ageOf, atLeast, idOf, isBefore, latest, NOWHERE, positionOf, type Position } from './position.ts';
import { Revocations, type RevocationsOptions } from './revocations.ts';
import { streamEvents, type StreamMessage } from './stream.ts';
import { bounded, deferred, pause } from './timers.ts';

export interface FollowingOptions extends RevocationsOptions {
  readonly channel: string | undefined;
  /** Whether the stream is followed, or only polled. */
  readonly stream: boolean;
  /** Milliseconds between two polls, and the longest wait after a failure. */
  readonly pollInterval: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** How it is connected; `closed` for ever. */
export type Connection = 'connecting' | 'streaming' | 'polling' | 'disconnected' | 'closed';

/**
 * Waits after failures, in milliseconds: up to twice as long each time, anywhere below that ("full jitter"), so that a thousand clients
 * do not come back as one: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
const SHORTEST_WAIT = 50;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
/** Milliseconds between two session calls that ask a registry which did not answer. */
const PROBE_EVERY = 1000;
/** However long a registry, or what stands before it, asks to wait. */
const LONGEST_RETRY_AFTER = 900_000;

/** Leave for a session call to ask the registry. */
export interface Turn {
  /** Whether the registry did not answer when it was last asked, so that another failure is no news. */
  readonly probes: boolean;
  /** To be called when the registry has answered, also with a refusal. */
  readonly answered: () => void;
}

export class Following {
  readonly #options: FollowingOptions;
  #connection: Connection = 'connecting';
  #failures = 0;
  #lastWait = 0;
  /** From when on the stream may be asked for again. */
  #streamFrom = -Infinity;
  #failure: RegistryFailure | undefined;
  /** Up to where every move was heeded: from there the stream goes on, though an answer to another question may have come from further on. */
  #heeded = NOWHERE;
  /** Revoked versions were asked for in vain. */
  #owesSweep = false;
  readonly #revocations: Revocations;
  #attempt = deferred();
  /** Ends the wait after the round that is under way. */
  #wake = new AbortController();
  #probedAt = -Infinity;

  constructor(options: FollowingOptions) {
    this.#options = options;
    this.#revocations = new Revocations(options);
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** What went wrong last; undefined once it is well again. */
  get failure(): RegistryFailure | undefined {
    return this.#failure;
  }

  /** Resolves when the try that is under way, or the next one, has ended well or not. */
  attempted(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Follows until the signal is aborted; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await pause(await this.#round(), signal, this.#wake.signal);
    }
    this.#tried('closed');
  }

  /** Leave for a session call to ask the registry; undefined where the caller would only wait for the same time-out as everybody else. */
  turn(): Turn | undefined {
    if (this.#connection === 'closed') return undefined;
    if (this.#connection !== 'disconnected') return { probes: false, answered: () => undefined };
    const now = performance.now();
    if (now - this.#probedAt < PROBE_EVERY) return undefined;
    this.#probedAt = now;
    return { probes: true, answered: () => this.#reachable() };
  }

  /** A probe was answered. Only probes end a wait, so that a registry which refuses reads but answers sessions is not read from in a loop. */
  #reachable(): void {
    if (this.#connection === 'disconnected') this.#connection = 'connecting';
    this.#wake.abort();
  }

  /** Reads once, and follows the stream until it is cut. @returns how many milliseconds to wait before the next round */
  async #round(): Promise<number> {
    const { stream, pollInterval, random } = this.#options;
    try {
      await this.#read();
    } catch (error) {
      const asked = Math.min(this.#failed(error).retryAfter ?? 0, LONGEST_RETRY_AFTER);
      this.#tried('disconnected');
      return asked + this.#wait(asked < pollInterval ? pollInterval - asked : pollInterval); // a thousand that are sent away together do not come back together
    }
    await this.#sweep();
    this.#tried('polling');
    if (!stream) this.#failures = 0;
    if (!stream || performance.now() < this.#streamFrom) return pollInterval * (1 - 0.2 * random());
    try {
      await this.#follow();
    } catch (error) {
      const { retryAfter = 0 } = this.#failed(error);
      this.#streamFrom = performance.now() + Math.min(retryAfter, LONGEST_RETRY_AFTER);
    }
    this.#connection = 'polling';
    return this.#wait(pollInterval);
  }

  #tried(connection: Connection): void {
    this.#connection = connection;
    const attempt = this.#attempt;
    if (connection !== 'closed') this.#attempt = deferred();
    attempt.resolve();
  }

  #failed(error: unknown): RegistryFailure {
    const { client, signal, onFailure } = this.#options;
    const failure = failureOf(error, client.url);
    if (signal.aborted) return failure;
    this.#failure = failure;
    onFailure(failure);
    return failure;
  }

  #wait(longest: number): number {
    const wait =
      Math.min(longest, LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#failures, 20)) * this.#options.random();
    this.#failures += 1;
    return (this.#lastWait = Math.max(SHORTEST_WAIT, wait));
  }

  /**
   * Reads the pack as a whole, if it is another one than what is held.
   * @param after a place that the answer must have reached
   */
  async #read(after: Position = this.#options.keeper.position): Promise<void> {
    const { client, keeper, pack, channel, signal } = this.#options;
    const { etag } = keeper;
    const header = {
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...atLeast(after),
    };
    const query = channel === undefined ? {} : { channel };
    const { data, status, headers } = await bounded({ signal }, (signal) =>
      client.ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query, header }, signal })),
    );
    const [position, age] = [positionOf(headers), ageOf(headers)];
    if (position === undefined || age === undefined)
      throw new RegistryFailure(
        'not-understood',
        `${client.url} does not say at which revision it is, or how old that is: it is no registry, or something between changes its headers.`,
        { status },
      );
    if (isBefore(position, after))
      throw new RegistryFailure(
        'older-than-seen',
        `The registry answers from revision ${idOf(position)}, though it was asked for ${idOf(after)} or later. What was seen last is served on.`,
        { status },
      );
    if (status === 304) {
      keeper.confirm(position, age);
    } else {
      await keeper.take(data, { position, etag: headers.get('etag') ?? undefined, age });
    }
    this.#heeded = position;
    this.#failure = undefined;
  }

  /** Follows the stream until it is cut, which is a failure. */
  async #follow(): Promise<void> {
    const { client, pack, signal } = this.#options;
    const from = performance.now();
    for await (const message of streamEvents(client, { pack, after: idOf(this.#heeded), signal })) {
      this.#connection = 'streaming';
      if (performance.now() - from >= this.#lastWait) this.#failures = 0; // one that is cut again and again at once is no success
      await this.#heed(message);
    }
  }

  async #heed({ event, data }: StreamMessage): Promise<void> {
    const { client, keeper, channel = keeper.current?.channel, pack } = this.#options;
    const { epoch, revision, staleSeconds = 0, moves = [] } = data;
    const position = { epoch, revision };
    const { movedAt } = keeper;
    if (event === 'resync' || movedAt === undefined) {
      // what was held may have gone, as it is revoked
      await this.#read(latest(position, keeper.position));
      return this.#sweep();
    }
    if (event === 'revision') return; // what is told next is what lies between the last read and there
    const move = data.pack === pack ? moves.find((each) => each.channel === channel) : undefined;
    if (move !== undefined && isBefore(movedAt, position)) {
      if (event === 'version-revoked') await this.#leave(move.previousVersion, position);
      else await this.#read(latest(position, keeper.position));
    }
    if (this.#owesSweep || (event === 'version-revoked' && data.pack === pack))
      await this.#sweep(latest(position, keeper.position));
    this.#heeded = latest(this.#heeded, position);
    if (!isBefore(position, keeper.position)) keeper.confirm(position, 1000 * staleSeconds); // another instance may have answered a read from further on
    if (keeper.freshness.grade !== 'fresh')
      throw new RegistryFailure(
        'store-unavailable',
        `${client.url} has not known for ${staleSeconds} s whether what it serves is current. It is asked anew, as another instance may answer.`,
      );
  }

  /** Leaves a revoked version for its replacement; without, where that cannot be had at once. */
  async #leave(revoked: string | null, position: Position): Promise<void> {
    try {
      await this.#read(latest(position, this.#options.keeper.position));
    } finally {
      if (revoked !== null) this.#options.keeper.revoke(revoked, position);
    }
  }

  /** Nothing else waits for that: a failure is told, and it is asked again after the next read or message. */
  async #sweep(position: Position = this.#options.keeper.position): Promise<void> {
    try {
      await this.#revocations.sweep(position);
      this.#owesSweep = false;
      this.#failure = undefined; // a read that failed is not followed by this
    } catch (error) {
      this.#owesSweep = true;
      this.#failed(error);
    }
  }
}
