/**
 * Coach sessions, with or without a registry.
 *
 * Problem: users must be able to start and continue sessions during an outage, and must not change version.
 * Rule: ask the registry first. During an outage, one call per second asks it, and the others do not wait. If it does not respond, a new
 * session starts locally, pinned to the current version, and a known session continues unchanged. A revoked version is replaced by the
 * current one, and the result says so. What the registry rejects (an unknown style, an expired session) is rejected.
 */
import type { components } from './api.ts';
import type { Answer, RegistryClient } from './client.ts';
import { failureOf, RegistryFailure } from './failure.ts';
import type { RequestPermit } from './follower.ts';
import type { SourceState } from './source-state.ts';
import type { KeyRing } from './key-ring.ts';
import { isLocal, digestPrefixOf, readPin, signPin, type LocalPin } from './local-session.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { atLeastHeaders, positionOf } from './position.ts';

/** A session as the registry describes it. */
export interface CoachSession extends Session {
  /** Whether this client answered itself, because the registry did not respond. */
  readonly local: boolean;
}
type Session = components['schemas']['Session'];

export interface SessionsOptions {
  readonly client: RegistryClient;
  readonly state: SourceState;
  readonly pack: string;
  readonly channel: string | undefined;
  readonly keys: KeyRing;
  /** Lifetime of local sessions, in milliseconds. */
  readonly ttl: number;
  /** Permission to ask the registry; undefined during an outage. */
  readonly permit: () => RequestPermit | undefined;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** Sessions and prompts to remember; the least recently used are dropped. */
const MAX_SESSIONS = 10_000;
const MAX_PROMPTS = 100;

/** A session without its prompts, which many sessions share. */
interface KnownSession {
  readonly session: Omit<Session, 'prompt'>;
  readonly styleId: string;
  readonly promptKey: string;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #known = new Map<string, KnownSession>();
  readonly #prompts = new Map<string, { readonly version: string; readonly prompt: Session['prompt'] }>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Versions of the known sessions. */
  get versions(): Iterable<string> {
    return [...this.#prompts.values()].map(({ version }) => version);
  }

  /** Starts a session. @throws RegistryFailure if the registry rejects it; `style-not-supported`; or if no pack is available */
  async start(styleId: string | undefined): Promise<CoachSession> {
    const { channel = this.#options.state.current?.channel } = this.#options;
    const body = { ...(styleId !== undefined && { styleId }), ...(channel !== undefined && { channel }) };
    return (
      (await this.#askForSession(({ ask }, header) =>
        ask((api) => api.POST('/v1/coach/sessions', { body, params: { header } })),
      )) ?? this.#startLocally(styleId)
    );
  }

  /** Reads a session. @throws RegistryFailure if the registry rejects it; `session-not-found` for a local id that is forged or expired */
  async resolve(sessionId: string): Promise<CoachSession> {
    if (isLocal(sessionId)) return this.#resolveLocal(sessionId);
    const answer = await this.#askForSession(({ ask }, header) =>
      ask((api) => api.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId }, header } })),
    );
    return answer ?? this.#continueLocally(sessionId);
  }

  /** The session from the registry; undefined if this client must answer itself. */
  async #askForSession(
    call: (client: RegistryClient, header: ReturnType<typeof atLeastHeaders>) => Promise<Answer<Session>>,
  ): Promise<CoachSession | undefined> {
    const { client, state, pack, onFailure } = this.#options;
    const answer = await this.#ask(async () => {
      const answer = await call(client, atLeastHeaders(state.position));
      if (!isSession(answer.data))
        throw new RegistryFailure(
          'not-understood',
          'The response is not a session. The registry may be incompatible with this client.',
        );
      return answer;
    });
    if (answer === undefined) return undefined;
    const { data: session } = answer;
    if (session.promptPack.pack !== pack) {
      throw new RegistryFailure(
        'not-understood',
        `The registry starts sessions on pack ${session.promptPack.pack}, but this source follows ${pack}. Set DEFAULT_PACK in the registry, or create a source for that pack.`,
      );
    }
    if (state.isRevoked(session.promptPack.version)) {
      onFailure(
        new RegistryFailure(
          'older-than-seen',
          `${pack} ${session.promptPack.version} is revoked, but this instance does not know that yet. The session is answered locally.`,
        ),
      );
      return undefined;
    }
    this.#remember(session);
    return { ...session, local: false };
  }

  /** The registry's response; undefined if it did not respond, or during an outage. @throws RegistryFailure if the registry rejects the request */
  async #ask<T>(call: () => Promise<Answer<T>>): Promise<Answer<T> | undefined> {
    const { client, permit: requestPermit, onFailure } = this.#options;
    const permit = requestPermit();
    if (permit === undefined) return undefined;
    try {
      const answer = await call();
      permit.responded();
      return answer;
    } catch (error) {
      const failure = failureOf(error, client.url);
      const answerLocally = allowsLocalAnswer(failure) || (permit.isProbe && failure.code === 'not-understood'); // another service responded instead
      if (answerLocally && !permit.isProbe) onFailure(failure);
      if (answerLocally) return undefined;
      permit.responded();
      throw failure;
    }
  }

  async #startLocally(styleId: string | undefined): Promise<CoachSession> {
    const { state, keys, ttl } = this.#options;
    const checked = this.#currentPack();
    const { pack, channel, version, digest, revision } = checked;
    if (styleId !== undefined && checked.styles.every(({ id }) => id !== styleId)) {
      throw new RegistryFailure(
        'style-not-supported',
        `${pack} ${version} has no style "${styleId}". Styles: ${checked.styles.map(({ id }) => id).join(', ')}.`,
      );
    }
    const startedAt = Date.now();
    const pin: LocalPin = {
      channel,
      version,
      digestPrefix: digestPrefixOf(digest),
      revision,
      styleId: styleId ?? checked.defaultStyle,
      startedAt,
      expiresAt: startedAt + ttl,
    };
    const sessionId = await signPin(pin, pack, keys.latest());
    state.pin(checked);
    return this.#sessionOf(sessionId, pin, checked);
  }

  async #resolveLocal(sessionId: string): Promise<CoachSession> {
    const { keys, pack } = this.#options;
    const pin = await readPin(sessionId, pack, keys.latest());
    if (pin === undefined)
      throw new RegistryFailure(
        'session-not-found',
        'Session not found: it expired, or its id is forged, truncated, for another pack, or signed with another key.',
      );
    const pinned = await this.#pinnedVersion(pin);
    if (pinned !== undefined) return this.#sessionOf(sessionId, pin, pinned);
    const { version, styleId } = pin;
    return { ...this.#sessionOf(sessionId, pin, this.#currentPack()), movedFrom: { version, styleId } };
  }

  /** The version of a pin; undefined if it is revoked or not available. */
  async #pinnedVersion({
    channel,
    version,
    digestPrefix,
    revision,
    startedAt,
  }: LocalPin): Promise<CheckedPack | undefined> {
    const { client, state, pack, onFailure } = this.#options;
    if (state.isRevoked(version)) return undefined;
    const held = state.findVersion(version);
    if (held !== undefined && digestPrefixOf(held.digest) === digestPrefix) return held;
    try {
      const answer = await this.#ask(() =>
        client.ask((api) =>
          api.GET('/v1/packs/{pack}/versions/{version}', {
            params: { path: { pack, version }, header: atLeastHeaders(state.position) },
          }),
        ),
      );
      if (answer === undefined) return undefined;
      const { data, headers } = answer;
      const checked = await checkPack({ ...data, channel, revision, activatedAt: new Date(startedAt).toISOString() });
      if (data.status === 'revoked') state.revoke(version, positionOf(headers) ?? state.position);
      if (data.status === 'revoked' || digestPrefixOf(checked.digest) !== digestPrefix) return undefined;
      state.pin(checked);
      return checked;
    } catch (error) {
      const failure = failureOf(error, client.url);
      if (failure.code === 'content-revoked') state.revoke(version, state.position);
      onFailure(failure);
      return undefined;
    }
  }

  #sessionOf(
    sessionId: string,
    { startedAt, expiresAt, styleId, channel, revision }: Omit<LocalPin, 'digestPrefix' | 'version'>,
    checked: CheckedPack,
  ): CoachSession {
    const { pack, version, digest, system, styles, defaultStyle } = checked;
    const style = styles.find(({ id }) => id === styleId) ?? styles.find(({ id }) => id === defaultStyle);
    if (style === undefined) throw new RegistryFailure('not-understood', `${pack} ${version} lacks its default style.`);
    const { current } = this.#options.state;
    return {
      sessionId,
      startedAt: new Date(startedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      promptPack: {
        pack,
        channel,
        version,
        digest,
        revision: version === current?.version ? current.revision : revision,
      },
      prompt: { system, style: { ...style } },
      superseded: this.#isSuperseded(version),
      local: true,
    };
  }

  /** Continues one of the registry's sessions during an outage: a known one unchanged, an unknown one on the current version. */
  #continueLocally(sessionId: string): CoachSession {
    const { state, ttl } = this.#options;
    const seen = this.#known.get(sessionId);
    if (seen !== undefined && Date.parse(seen.session.expiresAt) <= Date.now())
      throw new RegistryFailure('session-not-found', 'The session expired.');
    const prompt = seen === undefined ? undefined : this.#prompts.get(seen.promptKey)?.prompt;
    if (seen !== undefined && prompt !== undefined && !state.isRevoked(seen.session.promptPack.version)) {
      return { ...seen.session, prompt, superseded: this.#isSuperseded(seen.session.promptPack.version), local: true };
    }

    const checked = this.#currentPack();
    const startedAt = seen === undefined ? Date.now() : Date.parse(seen.session.startedAt);
    const expiresAt = seen === undefined ? startedAt + ttl : Date.parse(seen.session.expiresAt);
    const { channel, revision, defaultStyle } = checked;
    const session = this.#sessionOf(
      sessionId,
      { channel, revision, styleId: seen?.styleId ?? defaultStyle, startedAt, expiresAt },
      checked,
    );
    const moved =
      seen === undefined
        ? session
        : { ...session, movedFrom: { version: seen.session.promptPack.version, styleId: seen.styleId } };
    this.#remember(moved);
    return moved;
  }

  #isSuperseded(version: string): boolean {
    const { current } = this.#options.state;
    return current !== undefined && current.version !== version;
  }

  #currentPack(): CheckedPack {
    const { state } = this.#options;
    if (state.served === undefined || state.current === undefined) throw state.refusal();
    return state.current;
  }

  #remember({ prompt, ...session }: Session): void {
    const { digest, version } = session.promptPack;
    const styleId = prompt.style.id;
    const promptKey = `${digest} ${styleId}`;
    keep(this.#prompts, promptKey, { version, prompt }, MAX_PROMPTS);
    keep(this.#known, session.sessionId, { session, styleId, promptKey }, MAX_SESSIONS);
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const eldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(eldest);
  }
}

/** Whether the response has the fields of a session that this client uses. */
function isSession({ sessionId, startedAt, expiresAt, promptPack, prompt }: Partial<Session>): boolean {
  const texts = [
    sessionId,
    startedAt,
    expiresAt,
    promptPack?.pack,
    promptPack?.version,
    promptPack?.digest,
    prompt?.system,
    prompt?.style?.id,
  ];
  return (
    texts.every((each: unknown) => typeof each === 'string') &&
    [startedAt, expiresAt].every((each = '') => !Number.isNaN(Date.parse(each)))
  );
}

/** Whether the registry did not decide: it could not be reached, or could not answer now. */
function allowsLocalAnswer({ code, status }: RegistryFailure): boolean {
  const codes = ['unreachable', 'timed-out', 'not-a-registry', 'unauthenticated', 'revision-unknown'];
  return codes.includes(code) || (status !== undefined && (status >= 500 || [401, 408, 429].includes(status)));
}
