/**
 * Coach sessions, with or without a registry.
 *
 * Problem: users must be able to start and continue sessions during an outage, and must not change version.
 * Rule: ask the registry first. During an outage, one call per second asks it, and the others do not wait. If it does not respond, a new
 * session starts locally, pinned to the version that its subject gets, and a known session continues. A session follows the moves of its
 * channel that said so (SPEC R16), and one that ended is not answered. A revoked version is replaced by the current one, and the result says
 * so. What the registry rejects (an unknown style, an expired session) is rejected.
 */
import { walk, type Place } from '../../../registry/sessions/walk.ts';
import type { components } from './api.ts';
import { armsOf } from './channel.ts';
import type { Answer, RegistryClient } from './client.ts';
import { failureOf, RegistryFailure } from './failure.ts';
import type { RequestPermit } from './follower.ts';
import type { SourceState } from './source-state.ts';
import type { KeyRing } from './key-ring.ts';
import { KnownSessions, type KnownSession } from './known-sessions.ts';
import { isLocal, digestPrefixOf, readPin, signPin, type LocalPin } from './local-session.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { atLeastHeaders, positionOf } from './position.ts';
import { armFor, servedBy, type ServedArm } from './served-pack.ts';
import type { CheckedFor } from './subject.ts';

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

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #known = new KnownSessions();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Versions of the known sessions. */
  get versions(): Iterable<string> {
    return this.#known.versions;
  }

  /**
   * Starts a session. The registry is told whom it is for only while a rollout decides.
   * @throws RegistryFailure if the registry rejects it; `style-not-supported`; or if no pack is available
   */
  async start(styleId: string | undefined, whom?: CheckedFor): Promise<CoachSession> {
    const decides = whom !== undefined && this.#options.state.channel?.rollout !== undefined;
    const started = await this.#startThere(styleId, decides ? whom : undefined);
    // A rollout that is not known here yet: a session is nothing but its id, so another one takes its place.
    const isUndecided = started?.assignment !== undefined && !decides && whom !== undefined;
    return (isUndecided ? await this.#startThere(styleId, whom) : started) ?? this.#startLocally(styleId, whom);
  }

  /** Reads a session. @throws RegistryFailure if the registry rejects it; `session-ended`; `session-not-found` for a local id that is forged or expired */
  async resolve(sessionId: string): Promise<CoachSession> {
    if (isLocal(sessionId)) return this.#resolveLocal(sessionId);
    try {
      const answer = await this.#askForSession(({ ask }, header) =>
        ask((api) => api.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId }, header } })),
      );
      return answer ?? (await this.#continueLocally(sessionId));
    } catch (error) {
      if (error instanceof RegistryFailure && error.code === 'session-ended') this.#known.end(sessionId, error);
      throw error;
    }
  }

  async #startThere(styleId: string | undefined, whom: CheckedFor | undefined): Promise<CoachSession | undefined> {
    const { channel = this.#options.state.current?.channel } = this.#options;
    const body = { ...(styleId !== undefined && { styleId }), ...(channel !== undefined && { channel }), ...whom };
    try {
      return await this.#askForSession(({ ask }, header) =>
        ask((api) => api.POST('/v1/coach/sessions', { body, params: { header } })),
      );
    } catch (error) {
      // The subject is valid, so this is an older instance, which knows none and cannot decide.
      if (whom !== undefined && error instanceof RegistryFailure && error.code === 'validation-failed')
        return undefined;
      throw error;
    }
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
    this.#known.remember(session, state.position.epoch);
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

  async #startLocally(styleId: string | undefined, whom: CheckedFor | undefined): Promise<CoachSession> {
    const { state, keys, ttl } = this.#options;
    const { checked, assignment } = armFor(servedBy(state), whom);
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
      epoch: state.epoch,
      assignment,
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
    const place = this.#walked(pin, pin.channel);
    const { version, styleId } = pin;
    const found = await this.#versionAt(
      place.version === version ? pin : { ...pin, ...place, digestPrefix: undefined },
    );
    const session = this.#sessionOf(sessionId, pin, found ?? this.#stable().checked);
    return found?.version === version ? session : { ...session, movedFrom: { version, styleId } };
  }

  /** Where moves have sent a session, as far as this client knows them. @throws RegistryFailure `session-ended` */
  #walked(start: Place, channel: string): Place {
    const { state } = this.#options;
    const { channel: known, current } = state;
    if (known === undefined || current?.channel !== channel) return start;
    const { version, revision } = current;
    const end = walk(start, known, { version, revision, epoch: state.epoch });
    if ('place' in end) return end.place;
    const { endedBy } = end;
    throw new RegistryFailure(
      'session-ended',
      `The session was ended at revision ${endedBy.revision}: ${endedBy.reason}. Start a new session.`,
    );
  }

  /** A session's version; undefined if it is revoked or not available. @param at.digestPrefix undefined if any digest is right */
  async #versionAt({
    channel,
    version,
    digestPrefix,
    revision,
    startedAt,
  }: Pick<LocalPin, 'channel' | 'version' | 'revision' | 'startedAt'> & {
    readonly digestPrefix: string | undefined;
  }): Promise<CheckedPack | undefined> {
    const { client, state, pack, onFailure } = this.#options;
    if (state.isRevoked(version)) return undefined;
    const held = state.findVersion(version);
    const fits = ({ digest }: CheckedPack) => digestPrefix === undefined || digestPrefixOf(digest) === digestPrefix;
    if (held !== undefined && fits(held)) return held;
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
      if (data.status === 'revoked' || !fits(checked)) return undefined;
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
    {
      startedAt,
      expiresAt,
      styleId,
      channel,
      revision,
      assignment,
    }: Omit<LocalPin, 'digestPrefix' | 'version' | 'epoch'>,
    checked: CheckedPack,
  ): CoachSession {
    const { pack, version, digest, system, styles, defaultStyle } = checked;
    const style = styles.find(({ id }) => id === styleId) ?? styles.find(({ id }) => id === defaultStyle);
    if (style === undefined) throw new RegistryFailure('not-understood', `${pack} ${version} lacks its default style.`);
    const isServed = armsOf(this.#options.state.channel).find((each) => each.version === version);
    return {
      sessionId,
      startedAt: new Date(startedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      promptPack: {
        pack,
        channel,
        version,
        digest,
        revision: isServed?.revision ?? revision,
      },
      prompt: { system, style: { ...style } },
      superseded: isServed === undefined,
      ...(assignment !== undefined && { assignment }),
      local: true,
    };
  }

  /** Continues one of the registry's sessions during an outage: a known one unless a move concerned it, an unknown one on the stable version. */
  async #continueLocally(sessionId: string): Promise<CoachSession> {
    const { state, ttl } = this.#options;
    const ended = this.#known.endOf(sessionId);
    if (ended !== undefined) throw ended;
    const seen = this.#known.get(sessionId);
    if (seen !== undefined && Date.parse(seen.session.expiresAt) <= Date.now())
      throw new RegistryFailure('session-not-found', 'The session expired.');
    if (seen !== undefined) return this.#continueKnown(sessionId, seen);
    const { checked } = this.#stable();
    const { channel, revision, defaultStyle } = checked;
    const startedAt = Date.now();
    const pin = { channel, revision, styleId: defaultStyle, startedAt, expiresAt: startedAt + ttl };
    const session = this.#sessionOf(sessionId, pin, checked);
    this.#known.remember(session, state.epoch);
    return session;
  }

  /** @throws RegistryFailure `session-ended` */
  #continueKnown(sessionId: string, seen: KnownSession): CoachSession {
    const { state } = this.#options;
    const { session, epoch, styleId } = seen;
    const { channel, version, revision } = session.promptPack;
    const place = this.#walked({ version, epoch, revision }, channel);
    const prompt = this.#known.promptOf(seen);
    if (place.version === version && prompt !== undefined && !state.isRevoked(version)) {
      const isServed = armsOf(state.channel).some((each) => each.version === version);
      return { ...session, prompt, superseded: !isServed, local: true };
    }
    const times = { startedAt: Date.parse(session.startedAt), expiresAt: Date.parse(session.expiresAt) };
    const held = state.isRevoked(place.version) ? undefined : state.findVersion(place.version);
    const checked = held ?? this.#stable().checked;
    const pin = { channel, revision: checked.revision, styleId, assignment: session.assignment, ...times };
    const moved = { ...this.#sessionOf(sessionId, pin, checked), movedFrom: session.movedFrom ?? { version, styleId } };
    this.#known.remember(moved, state.epoch);
    return moved;
  }

  #stable(): ServedArm {
    return servedBy(this.#options.state).stable;
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
