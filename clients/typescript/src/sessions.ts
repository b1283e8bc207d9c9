/**
 * Coach sessions, with and without a registry.
 *
 * Problem: a user who begins or goes on with a session must be answered while the registry is away, and must not change version.
 * Rule: the registry is asked first. While it is known to be away, one call a second asks it, and the others do not wait. Where it cannot be asked, a session begins here, pinned to the version at
 * hand, and one that was seen here goes on as it was. A version that is revoked is left for the version at hand, and the answer says so.
 * What the registry refuses (a style that there is not, a session that expired) is refused.
 */
import type { components } from './api.ts';
import type { Answer, RegistryClient } from './client.ts';
import { failureOf, RegistryFailure } from './failure.ts';
import type { Turn } from './following.ts';
import type { Keeper } from './keeper.ts';
import type { KeyRing } from './key-ring.ts';
import { isLocal, markOf, readPin, signPin, type LocalPin } from './local-session.ts';
import { checkPack, type CheckedPack } from './pack.ts';
import { atLeast, positionOf } from './position.ts';

/** A session, as the registry describes it, and whether it was answered here. */
export interface CoachSession extends Session {
  /** Whether the answer was made by this client, since no registry could be asked. */
  readonly local: boolean;
}
type Session = components['schemas']['Session'];

export interface SessionsOptions {
  readonly client: RegistryClient;
  readonly keeper: Keeper;
  readonly pack: string;
  readonly channel: string | undefined;
  readonly keys: KeyRing;
  /** Milliseconds that a session may run that begins here. */
  readonly ttl: number;
  /** Leave to ask the registry; undefined while it is known to be away. */
  readonly turn: () => Turn | undefined;
  readonly onFailure: (failure: RegistryFailure) => void;
}

/** Sessions that are remembered, and prompts of versions that are not held; those seen longest ago go first. */
const MOST_SEEN = 10_000;
const MOST_PROMPTS = 100;

/** A session without its texts: these are the same for thousands. */
interface Seen {
  readonly session: Omit<Session, 'prompt'>;
  readonly styleId: string;
  readonly promptKey: string;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #prompts = new Map<string, { readonly version: string; readonly prompt: Session['prompt'] }>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Versions that sessions seen here run on. */
  get versions(): Iterable<string> {
    return [...this.#prompts.values()].map(({ version }) => version);
  }

  /** @throws RegistryFailure what the registry refuses; `style-not-supported`; where there is nothing at hand, why */
  async start(styleId: string | undefined): Promise<CoachSession> {
    const { channel = this.#options.keeper.current?.channel } = this.#options;
    const body = { ...(styleId !== undefined && { styleId }), ...(channel !== undefined && { channel }) };
    return (
      (await this.#asked(({ ask }, header) =>
        ask((api) => api.POST('/v1/coach/sessions', { body, params: { header } })),
      )) ?? this.#startHere(styleId)
    );
  }

  /** @throws RegistryFailure what the registry refuses; `session-not-found` for an id of this client's that is forged or expired */
  async resolve(sessionId: string): Promise<CoachSession> {
    if (isLocal(sessionId)) return this.#resolveLocal(sessionId);
    const answer = await this.#asked(({ ask }, header) =>
      ask((api) => api.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId }, header } })),
    );
    return answer ?? this.#goOn(sessionId);
  }

  /** The registry's answer; undefined where it gives none, and this client must answer by itself. */
  async #asked(
    call: (client: RegistryClient, header: ReturnType<typeof atLeast>) => Promise<Answer<Session>>,
  ): Promise<CoachSession | undefined> {
    const { client, keeper, pack, onFailure } = this.#options;
    const answer = await this.#ask(async () => {
      const answer = await call(client, atLeast(keeper.position));
      if (!isSession(answer.data))
        throw new RegistryFailure(
          'not-understood',
          'What came is no session; the registry may be of another edition than this client.',
        );
      return answer;
    });
    if (answer === undefined) return undefined;
    const { data: session } = answer;
    if (session.promptPack.pack !== pack) {
      throw new RegistryFailure(
        'not-understood',
        `Sessions of this registry are of pack ${session.promptPack.pack}; this source is of ${pack}. Set DEFAULT_PACK there, or make a source of that pack.`,
      );
    }
    if (keeper.isRevoked(session.promptPack.version)) {
      onFailure(
        new RegistryFailure(
          'older-than-seen',
          `${pack} ${session.promptPack.version} is revoked, and the registry has not heard of it where a session was asked for. It is answered here.`,
        ),
      );
      return undefined;
    }
    this.#remember(session);
    return { ...session, local: false };
  }

  /** What the registry answers; undefined where nobody could, or nobody is to wait for that. @throws RegistryFailure what it refuses */
  async #ask<T>(call: () => Promise<Answer<T>>): Promise<Answer<T> | undefined> {
    const { client, turn: turnToAsk, onFailure } = this.#options;
    const turn = turnToAsk();
    if (turn === undefined) return undefined;
    try {
      const answer = await call();
      turn.answered();
      return answer;
    } catch (error) {
      const failure = failureOf(error, client.url);
      const nobody = canBeAnsweredHere(failure) || (turn.probes && failure.code === 'not-understood'); // another service is there in its place
      if (nobody && !turn.probes) onFailure(failure);
      if (nobody) return undefined;
      turn.answered();
      throw failure;
    }
  }

  async #startHere(styleId: string | undefined): Promise<CoachSession> {
    const { keeper, keys, ttl } = this.#options;
    const checked = this.#atHand();
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
      mark: markOf(digest),
      revision,
      styleId: styleId ?? checked.defaultStyle,
      startedAt,
      expiresAt: startedAt + ttl,
    };
    const sessionId = await signPin(pin, pack, keys.latest());
    keeper.pin(checked);
    return this.#sessionOf(sessionId, pin, checked);
  }

  async #resolveLocal(sessionId: string): Promise<CoachSession> {
    const { keys, pack } = this.#options;
    const pin = await readPin(sessionId, pack, keys.latest());
    if (pin === undefined)
      throw new RegistryFailure(
        'session-not-found',
        'There is no such session: its id is forged, cut, of another pack, or signed with another key, or it expired.',
      );
    const pinned = await this.#pinnedVersion(pin);
    if (pinned !== undefined) return this.#sessionOf(sessionId, pin, pinned);
    const { version, styleId } = pin;
    return { ...this.#sessionOf(sessionId, pin, this.#atHand()), movedFrom: { version, styleId } };
  }

  /** The version of a pin; undefined where it is revoked or cannot be had. */
  async #pinnedVersion({ channel, version, mark, revision, startedAt }: LocalPin): Promise<CheckedPack | undefined> {
    const { client, keeper, pack, onFailure } = this.#options;
    if (keeper.isRevoked(version)) return undefined;
    const held = keeper.versionAtHand(version);
    if (held !== undefined && markOf(held.digest) === mark) return held;
    try {
      const answer = await this.#ask(() =>
        client.ask((api) =>
          api.GET('/v1/packs/{pack}/versions/{version}', {
            params: { path: { pack, version }, header: atLeast(keeper.position) },
          }),
        ),
      );
      if (answer === undefined) return undefined;
      const { data, headers } = answer;
      const checked = await checkPack({ ...data, channel, revision, activatedAt: new Date(startedAt).toISOString() });
      if (data.status === 'revoked') keeper.revoke(version, positionOf(headers) ?? keeper.position);
      if (data.status === 'revoked' || markOf(checked.digest) !== mark) return undefined;
      keeper.pin(checked);
      return checked;
    } catch (error) {
      const failure = failureOf(error, client.url);
      if (failure.code === 'content-revoked') keeper.revoke(version, keeper.position);
      onFailure(failure);
      return undefined;
    }
  }

  #sessionOf(
    sessionId: string,
    { startedAt, expiresAt, styleId, channel, revision }: Omit<LocalPin, 'mark' | 'version'>,
    checked: CheckedPack,
  ): CoachSession {
    const { pack, version, digest, system, styles, defaultStyle } = checked;
    const style = styles.find(({ id }) => id === styleId) ?? styles.find(({ id }) => id === defaultStyle);
    if (style === undefined) throw new RegistryFailure('not-understood', `${pack} ${version} lacks its default style.`);
    const { current } = this.#options.keeper;
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

  /** A session of the registry's while that is away: as it was seen; one that was not is pinned to the version at hand. */
  #goOn(sessionId: string): CoachSession {
    const { keeper, ttl } = this.#options;
    const seen = this.#seen.get(sessionId);
    if (seen !== undefined && Date.parse(seen.session.expiresAt) <= Date.now())
      throw new RegistryFailure('session-not-found', 'The session expired.');
    const prompt = seen === undefined ? undefined : this.#prompts.get(seen.promptKey)?.prompt;
    if (seen !== undefined && prompt !== undefined && !keeper.isRevoked(seen.session.promptPack.version)) {
      return { ...seen.session, prompt, superseded: this.#isSuperseded(seen.session.promptPack.version), local: true };
    }

    const checked = this.#atHand();
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
    const { current } = this.#options.keeper;
    return current !== undefined && current.version !== version;
  }

  #atHand(): CheckedPack {
    const { keeper } = this.#options;
    if (keeper.served === undefined || keeper.current === undefined) throw keeper.refusal();
    return keeper.current;
  }

  #remember({ prompt, ...session }: Session): void {
    const { digest, version } = session.promptPack;
    const styleId = prompt.style.id;
    const promptKey = `${digest} ${styleId}`;
    keep(this.#prompts, promptKey, { version, prompt }, MOST_PROMPTS);
    keep(this.#seen, session.sessionId, { session, styleId, promptKey }, MOST_SEEN);
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

/** Whether what came is a session, as far as that is relied on. */
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

/** Whether nobody said no: the registry could not be asked, or could not answer now. */
function canBeAnsweredHere({ code, status }: RegistryFailure): boolean {
  const nobody = ['unreachable', 'timed-out', 'not-a-registry', 'unauthenticated', 'revision-unknown'];
  return nobody.includes(code) || (status !== undefined && (status >= 500 || [401, 408, 429].includes(status)));
}
