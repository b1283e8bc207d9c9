/**
 * Keeps up with the registry: reads the pack as a whole, follows the stream, and polls while there is none.
 *
 * Problem: a network fails in many ways, and each of them must end in what is served being served on, and in another try.
 * Rule: one loop. Read (with `If-None-Match`, from the latest place seen or a later one), follow the stream until it is cut, wait, again.
 * Each wait is longer than the one before, jittered, and at least what `Retry-After` asks for.
 */
import { RegistryFailure, failureOf } from './failure.ts';
import type { RegistryClient } from './client.ts';
import type { Keeper } from './keeper.ts';
import { idOf, isBefore, NOWHERE, placeOf, type Place } from './place.ts';
import { streamEvents, type StreamMessage } from './stream.ts';
import { bounded, deferred, pause } from './timers.ts';

export interface FollowingOptions {
  readonly client: RegistryClient;
  readonly keeper: Keeper;
  readonly pack: string;
  readonly channel: string | undefined;
  /** Whether the stream is followed, or only polled. */
  readonly stream: boolean;
  /** Milliseconds between two polls, and the longest wait for a stream that does not come back. */
  readonly pollInterval: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onFailure: (failure: RegistryFailure) => void;
  readonly signal: AbortSignal;
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
/** However long a registry, or what stands before it, asks to wait. */
const LONGEST_RETRY_AFTER = 900_000;

export class Following {
  readonly #options: FollowingOptions;
  #connection: Connection = 'connecting';
  #failures = 0;
  #failure: RegistryFailure | undefined;
  /** Where the log was when it was last looked for revocations of what is held beside the current version. */
  #sweptAt = '';
  #attempt = deferred();

  constructor(options: FollowingOptions) {
    this.#options = options;
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
    const { signal, stream, pollInterval } = this.#options;
    while (!signal.aborted) {
      let longest = LONGEST_WAIT;
      try {
        await this.#read();
        this.#tried('polling');
        if (stream) {
          longest = pollInterval;
          await this.#follow();
        }
        this.#failures = 0;
        await pause(pollInterval * (0.8 + 0.4 * this.#options.random()), signal);
      } catch (error) {
        if (signal.aborted) break;
        const failure = failureOf(error, this.#options.client.url);
        this.#failure = failure;
        this.#options.onFailure(failure);
        if (longest === LONGEST_WAIT) this.#tried('disconnected');
        else this.#connection = 'polling';
        await pause(this.#wait(longest, failure), signal);
      }
    }
    this.#tried('closed');
  }

  #tried(connection: Connection): void {
    this.#connection = connection;
    const attempt = this.#attempt;
    if (connection !== 'closed') this.#attempt = deferred();
    attempt.resolve();
  }

  #wait(longest: number, { retryAfter = 0 }: RegistryFailure): number {
    const wait = Math.min(longest, FIRST_WAIT * 2 ** Math.min(this.#failures, 20)) * this.#options.random();
    this.#failures += 1;
    return Math.max(SHORTEST_WAIT, wait, Math.min(retryAfter, LONGEST_RETRY_AFTER));
  }

  /**
   * Reads the pack as a whole, if it is another one than what is held.
   * @param after a place that the answer must have reached
   */
  async #read(after: Place = this.#options.keeper.place): Promise<void> {
    const { client, keeper, pack, channel, signal } = this.#options;
    const { etag } = keeper;
    const header = {
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(after.revision > 0 && { 'registry-min-revision': after.revision, 'registry-epoch': after.epoch }),
    };
    const query = channel === undefined ? {} : { channel };
    const { data, status, headers } = await bounded({ signal }, (signal) => client.ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack }, query, header }, signal })));
    const place = placeOf(headers);
    if (place === undefined) throw new RegistryFailure('not-understood', `${client.url} does not say at which revision it is: it is no registry, or something between drops its headers.`, { status });
    const age = 1000 * Number(headers.get('registry-stale') ?? 0);
    if (status === 304) {
      keeper.confirm(place, age);
    } else {
      await keeper.take(data, { place, etag: headers.get('etag') ?? undefined, age });
    }
    this.#failure = undefined;
    if (this.#sweptAt !== idOf(place)) await this.#sweep();
  }

  /** Follows the stream until it is cut, which is a failure. */
  async #follow(): Promise<void> {
    const { client, keeper, pack, signal } = this.#options;
    for await (const message of streamEvents(client, { pack, after: idOf(keeper.place), signal })) {
      this.#connection = 'streaming';
      this.#failures = 0;
      await this.#heed(message);
    }
  }

  async #heed({ event, data }: StreamMessage): Promise<void> {
    const { keeper, channel = keeper.current?.channel, pack } = this.#options;
    const { epoch, revision, staleSeconds = 0 } = data;
    const place = { epoch, revision };
    if (event === 'revision') return; // what is told next is what lies between the last read and there
    if (event === 'resync') return this.#read(place);
    const move = data.pack === pack ? data.moves?.find((each) => each.channel === channel) : undefined;
    if (move !== undefined && isBefore(keeper.movedAt ?? NOWHERE, place)) {
      if (event === 'version-revoked' && move.previousVersion !== null) await this.#leave(move.previousVersion, place);
      else await this.#read(place);
    }
    if (event === 'version-revoked') await this.#sweep();
    if (!isBefore(place, keeper.place)) keeper.confirm(place, 1000 * staleSeconds); // another instance may have answered a read from further on
  }

  /** Leaves a revoked version for its replacement; without, where that cannot be had at once. */
  async #leave(revoked: string, place: Place): Promise<void> {
    const { keeper } = this.#options;
    try {
      await this.#read(place);
    } finally {
      if (keeper.current?.version === revoked && isBefore(keeper.movedAt ?? NOWHERE, place)) keeper.revoke(revoked);
    }
  }

  /** Asks of each version that is held beside the current one whether it is revoked: what was held while nothing was heard may be. */
  async #sweep(): Promise<void> {
    const { client, keeper, pack, signal } = this.#options;
    const place = idOf(keeper.place);
    for (const version of keeper.others) {
      try {
        const { data } = await bounded({ signal }, (signal) => client.ask((api) => api.GET('/v1/packs/{pack}/versions/{version}', { params: { path: { pack, version } }, signal })));
        if (data.status === 'revoked') keeper.revoke(version);
      } catch (error) {
        const { code } = failureOf(error, client.url);
        if (code === 'content-revoked') keeper.revoke(version);
        else if (code !== 'version-not-found') throw error;
      }
    }
    this.#sweptAt = place;
  }
}
