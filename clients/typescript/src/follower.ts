/**
 * Follows the registry: reads the whole channel, follows the event stream, and polls while there is no stream.
 *
 * Problem: networks fail in many ways. Whatever happens, the current pack must stay available and the follower must retry.
 * Rule: one loop: read (with `If-None-Match`, at the latest position seen or later), follow the stream until it breaks, wait, repeat.
 * Each wait is longer than the one before, with jitter, at most `pollInterval`, and at least `Retry-After`. If the stream asks for a longer
 * wait than that, the follower polls in the meantime. It leaves a stream whose instance is out of sync. While the registry does not respond,
 * one session call per second still tries it, and the first response ends the wait.
 */
import { ChannelReader } from './channel-reader.ts';
import { RegistryFailure, failureOf } from './failure.ts';
import { idOf, isBefore, latest, START_POSITION, type Position } from './position.ts';
import { Revocations, type RevocationsOptions } from './revocations.ts';
import { streamEvents, type StreamMessage } from './stream.ts';
import { deferred, pause } from './timers.ts';

export interface FollowerOptions extends RevocationsOptions {
  readonly channel: string | undefined;
  /** Whether to follow the stream; otherwise only poll. */
  readonly stream: boolean;
  /** Milliseconds between polls, and the longest wait after a failure. */
  readonly pollInterval: number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** State of the connection; `closed` is final. */
export type Connection = 'connecting' | 'streaming' | 'polling' | 'disconnected' | 'closed';

/**
 * Waits after failures, in milliseconds. The upper limit doubles each time, and the wait is anywhere below it ("full jitter"), so that many
 * clients do not reconnect at once: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
const MIN_WAIT = 50;
const FIRST_WAIT = 1000;
const MAX_WAIT = 30_000;
/** Milliseconds between session calls that try a registry which does not respond. */
const PROBE_INTERVAL = 1000;
/** Upper limit of `Retry-After`, in milliseconds. */
const MAX_RETRY_AFTER = 900_000;

/** Permission for a session call to send a request. */
export interface RequestPermit {
  /** Whether the registry did not respond before, so another failure need not be reported. */
  readonly isProbe: boolean;
  /** Must be called when the registry responds, even with an error. */
  readonly responded: () => void;
}

export class Follower {
  readonly #options: FollowerOptions;
  #connection: Connection = 'connecting';
  #failures = 0;
  #lastWait = 0;
  /** The earliest time for the next stream. */
  #nextStreamAt = -Infinity;
  #failure: RegistryFailure | undefined;
  /** All moves up to here were processed. The stream resumes here, even if another response was from a later position. */
  #processed = START_POSITION;
  /** The last request for revoked versions failed. */
  #sweepPending = false;
  readonly #reader: ChannelReader;
  readonly #revocations: Revocations;
  #attempt = deferred();
  /** Ends the current wait. */
  #wake = new AbortController();
  #probedAt = -Infinity;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#reader = new ChannelReader(options);
    this.#revocations = new Revocations(options);
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** The last failure; undefined after a success. */
  get failure(): RegistryFailure | undefined {
    return this.#failure;
  }

  /** Resolves when the current or next attempt ends, whether it succeeds or fails. */
  attempted(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Runs until the signal is aborted. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await pause(await this.#round(), signal, this.#wake.signal);
    }
    this.#endAttempt('closed');
  }

  /** Permission for a session call to send a request; undefined if it would probably just run into a timeout. */
  permit(): RequestPermit | undefined {
    if (this.#connection === 'closed') return undefined;
    if (this.#connection !== 'disconnected') return { isProbe: false, responded: () => undefined };
    const now = performance.now();
    if (now - this.#probedAt < PROBE_INTERVAL) return undefined;
    this.#probedAt = now;
    return { isProbe: true, responded: () => this.#probeSucceeded() };
  }

  /** A probe got a response. Only probes end a wait: otherwise a registry that rejects reads but serves sessions would be read in a tight loop. */
  #probeSucceeded(): void {
    if (this.#connection === 'disconnected') this.#connection = 'connecting';
    this.#wake.abort();
  }

  /** Reads once, then follows the stream until it breaks. @returns milliseconds to wait before the next round */
  async #round(): Promise<number> {
    const { stream, pollInterval, random } = this.#options;
    try {
      await this.#read(this.#options.state.position, true);
    } catch (error) {
      const asked = Math.min(this.#failed(error).retryAfter ?? 0, MAX_RETRY_AFTER);
      this.#endAttempt('disconnected');
      return asked + this.#wait(asked < pollInterval ? pollInterval - asked : pollInterval); // jitter, so that clients that were told to wait do not all return at once
    }
    await this.#sweep();
    this.#endAttempt('polling');
    if (!stream) this.#failures = 0;
    if (!stream || performance.now() < this.#nextStreamAt) return pollInterval * (1 - 0.2 * random());
    try {
      await this.#follow();
    } catch (error) {
      const { retryAfter = 0 } = this.#failed(error);
      this.#nextStreamAt = performance.now() + Math.min(retryAfter, MAX_RETRY_AFTER);
    }
    this.#connection = 'polling';
    return this.#wait(pollInterval);
  }

  #endAttempt(connection: Connection): void {
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
    const wait = Math.min(longest, MAX_WAIT, FIRST_WAIT * 2 ** Math.min(this.#failures, 20)) * this.#options.random();
    this.#failures += 1;
    return (this.#lastWait = Math.max(MIN_WAIT, wait));
  }

  /**
   * Reads the whole channel, if it has changed.
   * @param after the minimum position of the response
   * @param isFirst whether a round begins
   */
  async #read(after: Position, isFirst = false): Promise<void> {
    const reading = await this.#reader.read(after, isFirst);
    await this.#options.state.accept(reading);
    this.#processed = reading.position;
    this.#failure = undefined;
  }

  /** Follows the stream until it breaks, which is a failure. */
  async #follow(): Promise<void> {
    const { client, pack, signal } = this.#options;
    const from = performance.now();
    for await (const message of streamEvents(client, { pack, after: idOf(this.#processed), signal })) {
      this.#connection = 'streaming';
      if (performance.now() - from >= this.#lastWait) this.#failures = 0; // a stream that keeps breaking immediately is not a success
      await this.#process(message);
    }
  }

  async #process(message: StreamMessage): Promise<void> {
    const { client, state, pack } = this.#options;
    const { event, data } = message;
    const { epoch, revision, staleSeconds = 0 } = data;
    const position = { epoch, revision };
    if (event === 'resync' || state.changedAt === undefined) {
      // without a current pack: it may have been revoked
      await this.#read(latest(position, state.position));
      return this.#sweep();
    }
    if (event === 'revision') return; // the events between the last read and this revision follow
    if (this.#concerns(message) && isBefore(state.changedAt, position)) await this.#readChange(message, position);
    else if (this.#reader.needsChannel) await this.#read(latest(position, state.position));
    if (this.#sweepPending || (event === 'version-revoked' && data.pack === pack)) await this.#dropRevoked(position);
    this.#processed = latest(this.#processed, position);
    if (!isBefore(position, state.position)) state.confirm(position, 1000 * staleSeconds); // a read from another instance may already be further
    if (state.freshness.grade !== 'fresh')
      throw new RegistryFailure(
        'store-unavailable',
        `${client.url} has been out of sync for ${staleSeconds} s. Reconnecting, to reach another instance.`,
      );
  }

  /**
   * Whether an event may have changed the channel. An event that names no channel may: a policy or a revocation can end a rollout, and an
   * older instance does not say whose rollout it is.
   */
  #concerns({ event, data }: StreamMessage): boolean {
    const { state, pack, channel = state.current?.channel } = this.#options;
    const { moves = [], channel: named } = data;
    if (data.pack !== pack || event === 'heartbeat') return false;
    if (named === channel || moves.some((each) => each.channel === channel)) return true;
    return named === undefined && (state.channel?.rollout !== undefined || event.startsWith('rollout-'));
  }

  /** Reads what an event changed. What it ended is no longer served, even if what follows cannot be read. */
  async #readChange({ event, data }: StreamMessage, position: Position): Promise<void> {
    const { state, channel = state.current?.channel } = this.#options;
    if (event.startsWith('rollout-')) this.#reader.needChannel();
    try {
      await this.#read(latest(position, state.position));
    } finally {
      const revoked = data.moves?.find((each) => each.channel === channel)?.previousVersion ?? null;
      if (event === 'version-revoked' && revoked !== null) state.revoke(revoked, position);
      if (event === 'rollout-aborted' && this.#reader.needsChannel) state.endRollout(position); // nobody could say what serves now
    }
  }

  /** Drops revoked versions, and reads the channel, because a revocation may have ended sessions on a version that is not active. */
  async #dropRevoked(position: Position): Promise<void> {
    const { state } = this.#options;
    await this.#sweep(latest(position, state.position));
    if (this.#sweepPending || state.changedAt === undefined || !isBefore(state.changedAt, position)) return;
    await this.#read(latest(position, state.position));
  }

  /** Drops revoked versions. A failure is reported and retried after the next read or message. */
  async #sweep(position: Position = this.#options.state.position): Promise<void> {
    try {
      await this.#revocations.sweep(position);
      this.#sweepPending = false;
      this.#failure = undefined; // this never runs after a failed read
    } catch (error) {
      this.#sweepPending = true;
      this.#failed(error);
    }
  }
}
