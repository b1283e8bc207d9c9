/**
 * Reads a channel from the registry.
 *
 * Problem: a registry of an older build has no `getChannel`, and behind a balancer one instance may be older than another. The default
 * channel has no path.
 * Rule: read `getChannel`; where the path is unknown, read `getActivePack`, which knows no rollout. An older registry is asked for the
 * channel again after a minute; if a newer instance is known to be there, with every message and poll, until it answers. Without a configured
 * channel, `getActivePack` says at the beginning of each round which one is the default.
 */
import type { Answer, RegistryClient } from './client.ts';
import { failureOf, RegistryFailure } from './failure.ts';
import { ageOf, atLeastHeaders, idOf, isBefore, latest, positionOf, type Position } from './position.ts';
import type { Operation, Reading } from './reading.ts';
import type { SourceState } from './source-state.ts';
import { bounded } from './timers.ts';

export interface ChannelReaderOptions {
  readonly client: RegistryClient;
  readonly state: SourceState;
  readonly pack: string;
  readonly channel: string | undefined;
  readonly signal: AbortSignal;
}

/** Milliseconds after which an older registry is asked for `getChannel` again. */
const OLDER_FOR = 60_000;

export class ChannelReader {
  readonly #options: ChannelReaderOptions;
  #olderSince = -Infinity;
  /** Whether any instance has answered `getChannel`. */
  #isKnownThere = false;
  #needsChannel = false;

  constructor(options: ChannelReaderOptions) {
    this.#options = options;
  }

  /** Whether the last response was from an older instance, although a newer one knows the rollouts. */
  get needsChannel(): boolean {
    return this.#needsChannel;
  }

  /** The next read must ask for the channel, because a message named a rollout. */
  needChannel(): void {
    this.#needsChannel = true;
  }

  /**
   * @param after the minimum position of the response
   * @param isFirst whether a round begins, so that the default channel may have changed
   * @throws RegistryFailure
   */
  async read(after: Position, isFirst: boolean): Promise<Reading> {
    const { state, channel } = this.#options;
    const known = channel ?? (isFirst ? undefined : state.current?.channel);
    const active = known === undefined ? await this.#ask('active', channel, after) : undefined;
    const name = known ?? channelIn(active) ?? state.current?.channel;
    const isWorthAsking = this.#needsChannel || performance.now() - this.#olderSince > OLDER_FOR;
    if (name !== undefined && isWorthAsking) {
      const whole = await this.#readChannel(name, latest(after, active?.position ?? after));
      if (whole !== undefined)
        return { ...whole, etags: { ...(isOfSamePack(active, whole) && active?.etags), ...whole.etags } };
    }
    return active ?? this.#ask('active', channel, after);
  }

  /** Undefined if the instance is older. */
  async #readChannel(name: string, after: Position): Promise<Reading | undefined> {
    try {
      const reading = await this.#ask('channel', name, after);
      this.#isKnownThere = true;
      this.#olderSince = -Infinity;
      this.#needsChannel = false;
      return reading;
    } catch (error) {
      if (!isFromOlderInstance(error)) throw error;
      this.#olderSince = performance.now();
      this.#needsChannel ||= this.#isKnownThere || this.#options.state.channel?.rollout !== undefined;
      return undefined;
    }
  }

  async #ask(operation: Operation, channel: string | undefined, after: Position): Promise<Reading> {
    const { client, state, pack, signal } = this.#options;
    const etag = state.etags[operation];
    const header = { ...(etag !== undefined && { 'if-none-match': etag }), ...atLeastHeaders(after) };
    const { data, status, headers } = await bounded<Answer<unknown>>({ signal }, (signal) =>
      operation === 'channel'
        ? client.ask((api) =>
            api.GET('/v1/packs/{pack}/channels/{channel}', {
              params: { path: { pack, channel: channel ?? '' }, header },
              signal,
            }),
          )
        : client.ask((api) =>
            api.GET('/v1/packs/{pack}/active', {
              params: { path: { pack }, query: channel === undefined ? {} : { channel }, header },
              signal,
            }),
          ),
    );
    const [position, age] = [positionOf(headers), ageOf(headers)];
    if (position === undefined || age === undefined)
      throw new RegistryFailure(
        'not-understood',
        `${client.url} does not send valid revision headers. It is not a registry, or a proxy changes its headers.`,
        { status },
      );
    if (isBefore(position, after))
      throw new RegistryFailure(
        'older-than-seen',
        `The registry responded from revision ${idOf(position)}, although ${idOf(after)} or later was requested. The newer pack stays in use.`,
        { status },
      );
    const [document, answered] = [status === 304 ? undefined : data, headers.get('etag') ?? undefined];
    return {
      operation,
      document,
      position,
      age,
      etags: { [operation]: answered ?? (status === 304 ? etag : undefined) },
    };
  }
}

/** The channel that an active pack is of. */
function channelIn(reading: Reading | undefined): string | undefined {
  const { channel } = (reading?.document ?? {}) as { readonly channel?: unknown };
  return typeof channel === 'string' ? channel : undefined;
}

/** Whether an active pack is the stable arm of a channel, so that both ETags are of what the channel shows. */
function isOfSamePack(active: Reading | undefined, whole: Reading): boolean {
  const { revision } = (active?.document ?? {}) as { readonly revision?: unknown };
  const { stable } = (whole.document ?? {}) as { readonly stable?: { readonly revision?: unknown } };
  return revision !== undefined && revision === stable?.revision;
}

/** Whether the path of `getChannel` is unknown, to the registry or to a gateway before it. */
function isFromOlderInstance(error: unknown): boolean {
  const { status, code } = failureOf(error, '');
  return status === 404 && code !== 'pack-not-found' && code !== 'channel-not-found';
}
