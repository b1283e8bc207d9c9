/** The sessions of the registry that a source has seen, so that they continue during an outage. */
import type { components } from './api.ts';
import type { RegistryFailure } from './failure.ts';

type Session = components['schemas']['Session'];

/** Sessions and prompts to remember; the least recently used are dropped. */
const MAX_SESSIONS = 10_000;
const MAX_PROMPTS = 100;

/** A session without its prompts, which many sessions share. */
export interface KnownSession {
  readonly session: Omit<Session, 'prompt'>;
  /** The epoch of its revision. */
  readonly epoch: number;
  readonly styleId: string;
  readonly promptKey: string;
}

export class KnownSessions {
  readonly #sessions = new Map<string, KnownSession>();
  readonly #prompts = new Map<string, { readonly version: string; readonly prompt: Session['prompt'] }>();
  readonly #ended = new Map<string, RegistryFailure>();

  /** Versions of the known sessions. */
  get versions(): Iterable<string> {
    return [...this.#prompts.values()].map(({ version }) => version);
  }

  get(sessionId: string): KnownSession | undefined {
    return this.#sessions.get(sessionId);
  }

  promptOf({ promptKey }: KnownSession): Session['prompt'] | undefined {
    return this.#prompts.get(promptKey)?.prompt;
  }

  /** Why the registry ended a session; undefined if it is not known to have ended. */
  endOf(sessionId: string): RegistryFailure | undefined {
    return this.#ended.get(sessionId);
  }

  remember({ prompt, ...session }: Session, epoch: number): void {
    const { digest, version } = session.promptPack;
    const styleId = prompt.style.id;
    const promptKey = `${digest} ${styleId}`;
    keep(this.#prompts, promptKey, { version, prompt }, MAX_PROMPTS);
    keep(this.#sessions, session.sessionId, { session, epoch, styleId, promptKey }, MAX_SESSIONS);
  }

  end(sessionId: string, reason: RegistryFailure): void {
    this.#sessions.delete(sessionId);
    keep(this.#ended, sessionId, reason, MAX_SESSIONS);
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
