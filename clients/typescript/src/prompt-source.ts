/**
 * A source of prompts that cannot be made to fail: whole packs, answered from memory, whatever happens to the network.
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
import { Following, type Connection } from './following.ts';
import { Keeper, type SourceEvents } from './keeper.ts';
import { KeyRing } from './key-ring.ts';
import type { ActivePackDocument } from './pack.ts';
import type { ActivePack, Provenance, Served, StylePrompt, SystemPrompt } from './served.ts';
import { Sessions, type CoachSession } from './sessions.ts';
import { LONGEST } from './timers.ts';

export interface PromptSourceOptions extends RegistryClientOptions {
  readonly pack: string;
  /** The registry's default channel where not given. */
  readonly channel?: string;
  /** Where a copy is kept that outlives the process, e.g. `diskCopy(…)` of `@prompt-registry/client/disk`; none where not given. */
  readonly copy?: PackCopy;
  /** The answer of `getActivePack`, shipped with the program: served where there is neither a registry nor a copy. */
  readonly bundle?: ActivePackDocument;
  /** Milliseconds after which reads throw rather than answer from what was last known to be current so long ago; never where not given. */
  readonly maxStale?: number;
  /** Milliseconds after which what is served counts as stale, and `stale` is emitted; 45,000 where not given: three heartbeats. */
  readonly staleAfter?: number;
  /** Whether the stream is followed; true where not given. Without, and while it is cut, the registry is polled. */
  readonly stream?: boolean;
  /** Milliseconds between two polls, and the longest wait after a failure; default: 10,000. */
  readonly pollInterval?: number;
  /** Milliseconds that a session may run that begins while no registry answers; 24 h where not given. */
  readonly sessionTtl?: number;
  /** Closes the source when it is aborted. */
  readonly signal?: AbortSignal;
  /** For the jitter of waits; `Math.random` where not given. */
  readonly random?: () => number;
}

/** How a source is. */
export interface SourceStatus {
  readonly connection: Connection;
  /** What is served; undefined where nothing can be. */
  readonly serving: Provenance | undefined;
  /** The latest place in the registry's log that was seen. */
  readonly epoch: number;
  readonly revision: number;
  /** What went wrong last; undefined once it is well again. */
  readonly failure: RegistryFailure | undefined;
}

export interface PromptSource {
  /** The system prompt. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  readonly getSystemPrompt: () => SystemPrompt;
  /** The prompt of a style. @throws RegistryFailure `style-not-found`, naming the styles there are; `no-pack`, `too-stale`, `revoked` */
  readonly getStylePrompt: (styleId: string) => StylePrompt;
  /** The whole pack. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  readonly activePack: () => ActivePack;
  /**
   * Resolves once the registry was asked and there is something to serve, wherever it comes from.
   * @throws RegistryFailure why there is nothing to serve yet; the source goes on trying, and `ready()` can be called again
   */
  readonly ready: () => Promise<ActivePack>;
  /** Starts a session: at the registry, or here while that cannot be asked. @throws RegistryFailure */
  readonly startSession: (options?: { readonly styleId?: string }) => Promise<CoachSession>;
  /** Reads a session by its id, wherever it was started. @throws RegistryFailure */
  readonly resolveSession: (sessionId: string) => Promise<CoachSession>;
  /** Listens. @returns what ends it */
  readonly on: <E extends keyof SourceEvents>(event: E, listener: (payload: SourceEvents[E]) => unknown) => () => void;
  readonly status: () => SourceStatus;
  /** Ends the stream and writes the copy a last time; what is served then is served on. */
  readonly close: () => Promise<void>;
}

/** Milliseconds, of each option that says a time. */
const TIMES = ['timeout', 'maxStale', 'staleAfter', 'pollInterval', 'sessionTtl'] as const;
/** Times that have an end: a session's must be a date. */
const LONGEST_SESSION = 365 * 86_400_000;

/**
 * Opens a source, which begins at once with its copy and the registry. It never rejects: what goes wrong is told by `ready()` and `error`.
 * @throws RegistryFailure `not-understood` where an option is of no use: the URL is none, a time is not above zero
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
  const keeper = new Keeper({ pack, channel, copy, bundle, staleAfter, maxStale }, events);
  const closing = new AbortController();
  const onFailure = (failure: RegistryFailure) => events.emit('error', failure);
  const versionsInUse = (): string[] =>
    [...keeper.others, ...sessions.versions].filter((version) => !keeper.isRevoked(version));
  const following = new Following({
    client,
    keeper,
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
    keeper,
    pack,
    channel,
    keys,
    ttl: sessionTtl,
    onFailure,
    turn: () => following.turn(),
  });

  // The copy first: it says what was seen, and is there at once. One that hangs keeps nobody waiting.
  const running = Promise.resolve()
    .then(() => keeper.open())
    .then(() => following.run()); // not before anybody can listen

  let closed: Promise<void> | undefined;
  const end = () => void close();
  const close = () => {
    closing.abort();
    options.signal?.removeEventListener('abort', end);
    return (closed ??= running.then(() => keeper.close()));
  };
  if (options.signal?.aborted === true) end();
  else options.signal?.addEventListener('abort', end);

  const served = (): Served => {
    const { served } = keeper;
    if (served === undefined) throw keeper.refusal();
    return served;
  };

  return {
    getSystemPrompt: () => served().system,
    getStylePrompt: (styleId) => {
      const { styles, activePack } = served();
      const prompt = styles.get(styleId);
      if (prompt !== undefined) return prompt;
      throw new RegistryFailure(
        'style-not-found',
        `${activePack.pack} ${activePack.version} has no style "${styleId}". Styles: ${[...styles.keys()].join(', ')}.`,
      );
    },
    activePack: () => served().activePack,
    ready: async () => {
      const waits = setInterval(() => undefined, LONGEST); // who waits for it keeps the process alive
      try {
        if (following.connection === 'connecting' || keeper.served === undefined) await following.attempted();
      } finally {
        clearInterval(waits);
      }
      if (keeper.served === undefined)
        throw closing.signal.aborted
          ? new RegistryFailure('closed', 'The source is closed, and has nothing to serve.')
          : (following.failure ?? keeper.refusal());
      return keeper.served.activePack;
    },
    startSession: ({ styleId } = {}) => sessions.start(styleId),
    resolveSession: (sessionId) => sessions.resolve(sessionId),
    on: (event, listener) => events.on(event, listener),
    status: () => ({
      connection: following.connection,
      serving: keeper.served && summaryOf(keeper.served.activePack),
      ...keeper.position,
      failure: following.failure,
    }),
    close,
  };
}

function summaryOf({ pack, channel, version, digest, revision, origin, age, stale }: ActivePack): Provenance {
  return { pack, channel, version, digest, revision, origin, age, stale };
}

/** @throws RegistryFailure `not-understood` naming the option that is of no use */
function checkTimes(options: PromptSourceOptions): void {
  for (const name of TIMES) {
    const time = options[name];
    const most = name === 'sessionTtl' ? LONGEST_SESSION : Infinity;
    if (time === undefined || (time > 0 && time <= most)) continue;
    const bound = most === Infinity ? '' : `, at most ${most}`;
    throw new RegistryFailure(
      'not-understood',
      `${name} is ${time}; it is a number of milliseconds above zero${bound}.`,
    );
  }
}
