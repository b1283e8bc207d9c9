/**
 * A source of prompts that answers from memory with whole packs, whatever happens to the network.
 *
 * Example:
 *
 *     const prompts = createPromptSource({ url, key, pack: 'coach', copy: diskCopy({ folder: '/var/lib/coach' }) });
 *     await prompts.ready();
 *     const { text, version, revision } = prompts.getStylePrompt('supportive');
 */
import { createRegistryClient, type RegistryClientOptions } from './client.ts';
import type { PackCopy } from './copy.ts';
import { Emitter } from './emitter.ts';
import { RegistryFailure } from './failure.ts';
import { Follower, type Connection } from './follower.ts';
import type { Bundle } from './channel.ts';
import { KeyRing } from './key-ring.ts';
import { servedBy, type ActivePack, type Provenance, type StylePrompt, type SystemPrompt } from './served-pack.ts';
import { Sessions, type CoachSession } from './sessions.ts';
import { summaryOf, type RolloutSummary, type SourceEvents } from './source-events.ts';
import { SourceState } from './source-state.ts';
import { styleIn, SubjectPrompts } from './subject-prompts.ts';
import { checkedFor, type For } from './subject.ts';
import { MAX_TIMER } from './timers.ts';

export interface PromptSourceOptions extends RegistryClientOptions {
  readonly pack: string;
  /** Default: the registry's default channel. */
  readonly channel?: string;
  /** Storage for a local copy that outlives the process, e.g. `diskCopy(…)` of `@prompt-registry/client/disk`. Default: none. */
  readonly copy?: PackCopy;
  /** A response of `getActivePack` or `getChannel`, shipped with the program. Served if neither the registry nor the copy is available. */
  readonly bundle?: Bundle;
  /** Milliseconds without confirmation after which reads throw `too-stale`. Default: never. */
  readonly maxStale?: number;
  /** Milliseconds without confirmation after which `stale` is emitted. Default: 45,000, three heartbeats. */
  readonly staleAfter?: number;
  /** Whether to follow the event stream; without it, and while it is broken, the source polls. Default: true. */
  readonly stream?: boolean;
  /** Milliseconds between polls, and the longest wait after a failure. Default: 10,000. */
  readonly pollInterval?: number;
  /** Lifetime in milliseconds of sessions that start while the registry does not respond. Default: 24 hours. */
  readonly sessionTtl?: number;
  /** Closes the source when aborted. */
  readonly signal?: AbortSignal;
  /** Random numbers for the jitter of waits. Default: `Math.random`. */
  readonly random?: () => number;
}

/** The state of a source. */
export interface SourceStatus {
  readonly connection: Connection;
  /** What is served; undefined if nothing can be. */
  readonly serving: Provenance | undefined;
  /** The rollout under way in the channel. */
  readonly rollout: RolloutSummary | undefined;
  /** The latest position in the registry's log that was seen. */
  readonly epoch: number;
  readonly revision: number;
  /** The last failure; undefined after a success. */
  readonly failure: RegistryFailure | undefined;
}

export interface PromptSource {
  /** The system prompt. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  readonly getSystemPrompt: () => SystemPrompt;
  /** The prompt of a style. @throws RegistryFailure `style-not-found`, listing the available styles; `no-pack`, `too-stale`, `revoked` */
  readonly getStylePrompt: (styleId: string) => StylePrompt;
  /** The whole pack. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  readonly activePack: () => ActivePack;
  /**
   * Resolves when the first attempt to reach the registry has ended and there is a pack to serve, from any source.
   * @throws RegistryFailure if there is no pack yet; the source keeps trying, and `ready()` can be called again
   */
  readonly ready: () => Promise<ActivePack>;
  /**
   * The prompts of a subject. While a rollout is under way, the subject gets one of two versions, decided here and synchronously; every
   * process and the registry decide alike. The other reads of a source, without a subject, are those of the stable version.
   * @throws RegistryFailure `not-understood` if subject or attributes are invalid
   */
  readonly for: (whom: For) => SubjectPrompts;
  /** Starts a session: at the registry, or locally if it does not respond. @throws RegistryFailure */
  readonly startSession: (options?: { readonly styleId?: string }) => Promise<CoachSession>;
  /** Reads a session by its id, whether it started at the registry or locally. @throws RegistryFailure */
  readonly resolveSession: (sessionId: string) => Promise<CoachSession>;
  /** Adds a listener. @returns a function that removes it */
  readonly on: <E extends keyof SourceEvents>(event: E, listener: (payload: SourceEvents[E]) => unknown) => () => void;
  readonly status: () => SourceStatus;
  /** Ends the stream and writes the copy a last time. Reads still work afterwards. */
  readonly close: () => Promise<void>;
}

/** Options in milliseconds. */
const TIMES = ['timeout', 'maxStale', 'staleAfter', 'pollInterval', 'sessionTtl'] as const;
/** Limited, because the end of a session must be a valid date. */
const MAX_SESSION_TTL = 365 * 86_400_000;

/**
 * Opens a source, which immediately reads its copy and the registry. Failures are reported by `ready()` and by `error` events.
 * @throws RegistryFailure `not-understood` if an option is invalid, e.g. the URL or a time
 */
export function createPromptSource(options: PromptSourceOptions): PromptSource {
  const {
    pack,
    channel,
    copy,
    bundle,
    maxStale = Infinity,
    staleAfter = 45_000,
    stream = true,
    pollInterval = 10_000,
    sessionTtl = 86_400_000,
    random = Math.random,
  } = options;
  checkTimes(options);
  const keys = new KeyRing(options.key);
  const client = createRegistryClient({ ...options, key: () => keys.read() });
  const events = new Emitter<SourceEvents>();
  const state = new SourceState({ pack, channel, copy, bundle, staleAfter, maxStale }, events);
  const closing = new AbortController();
  const onFailure = (failure: RegistryFailure) => events.emit('error', failure);
  const versionsInUse = (): string[] =>
    [...state.otherVersions, ...sessions.versions].filter((version) => !state.isRevoked(version));
  const follower = new Follower({
    client,
    state,
    pack,
    channel,
    stream,
    pollInterval,
    random,
    versionsInUse,
    onFailure,
    signal: closing.signal,
  });
  const sessions: Sessions = new Sessions({
    client,
    state,
    pack,
    channel,
    keys,
    ttl: sessionTtl,
    onFailure,
    permit: () => follower.permit(),
  });

  // The copy first: it is available at once and knows the latest position. `open` does not wait long for it.
  const running = Promise.resolve()
    .then(() => state.open())
    .then(() => follower.run()); // asynchronous, so listeners can be added first

  let closed: Promise<void> | undefined;
  const end = () => void close();
  const close = () => {
    closing.abort();
    options.signal?.removeEventListener('abort', end);
    return (closed ??= running.then(() => state.close()));
  };
  if (options.signal?.aborted === true) end();
  else options.signal?.addEventListener('abort', end);

  const stable = () => servedBy(state).stable;

  return {
    getSystemPrompt: () => stable().system,
    getStylePrompt: (styleId) => styleIn(stable(), styleId),
    activePack: () => stable().activePack,
    for: (whom) => new SubjectPrompts(state, sessions, checkedFor(whom)),
    ready: async () => {
      const waits = setInterval(() => undefined, MAX_TIMER); // keeps the process alive during the wait
      try {
        if (follower.connection === 'connecting' || state.served === undefined) await follower.attempted();
      } finally {
        clearInterval(waits);
      }
      if (state.served === undefined)
        throw closing.signal.aborted
          ? new RegistryFailure('closed', 'The source is closed and has no pack to serve.')
          : (follower.failure ?? state.refusal());
      return state.served.stable.activePack;
    },
    startSession: ({ styleId } = {}) => sessions.start(styleId),
    resolveSession: (sessionId) => sessions.resolve(sessionId),
    on: (event, listener) => events.on(event, listener),
    status: () => ({
      connection: follower.connection,
      serving: state.served && originOf(state.served.stable.activePack),
      rollout: summaryOf(state.channel?.rollout),
      ...state.position,
      failure: follower.failure,
    }),
    close,
  };
}

function originOf({ pack, channel, version, digest, revision, origin, age, stale }: ActivePack): Provenance {
  return { pack, channel, version, digest, revision, origin, age, stale };
}

/** @throws RegistryFailure `not-understood`, naming the invalid option */
function checkTimes(options: PromptSourceOptions): void {
  for (const name of TIMES) {
    const time = options[name];
    const most = name === 'sessionTtl' ? MAX_SESSION_TTL : Infinity;
    if (time === undefined || (time > 0 && time <= most)) continue;
    const bound = most === Infinity ? '' : `, at most ${most}`;
    throw new RegistryFailure(
      'not-understood',
      `${name} is ${time}, but must be a number of milliseconds above zero${bound}.`,
    );
  }
}
