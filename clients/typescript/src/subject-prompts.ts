/**
 * The prompts of one subject.
 *
 * Problem: a rollout gives some users another version, and a caller must not have to ask the network for it.
 * Rule: the rule of the rollout decides here, synchronously, by the code that the registry runs (SPEC R13). A decision is kept until the
 * channel changes. Subject and attributes do not leave the process, except to start a session at the registry.
 * Example: `const { text, version } = prompts.for({ subject: 'user-4711' }).getStylePrompt('supportive')`.
 */
import { RegistryFailure } from './failure.ts';
import {
  armFor,
  servedBy,
  type ActivePack,
  type Assignment,
  type ServedArm,
  type ServedChannel,
  type StylePrompt,
  type SystemPrompt,
} from './served-pack.ts';
import type { CoachSession, Sessions } from './sessions.ts';
import type { SourceState } from './source-state.ts';
import type { CheckedFor } from './subject.ts';

export class SubjectPrompts {
  readonly #state: SourceState;
  readonly #sessions: Sessions;
  readonly #for: CheckedFor;
  #decidedFor: ServedChannel | undefined;
  #arm: ServedArm | undefined;

  /** Sources make them. */
  constructor(state: SourceState, sessions: Sessions, whom: CheckedFor) {
    this.#state = state;
    this.#sessions = sessions;
    this.#for = whom;
  }

  /** The arm of the rollout that the subject gets; undefined if no rollout is under way. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  get assignment(): Assignment | undefined {
    return this.#served().assignment;
  }

  /** The system prompt. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  getSystemPrompt(): SystemPrompt {
    return this.#served().system;
  }

  /** The prompt of a style. @throws RegistryFailure `style-not-found`, listing the available styles; `no-pack`, `too-stale`, `revoked` */
  getStylePrompt(styleId: string): StylePrompt {
    return styleIn(this.#served(), styleId);
  }

  /** The whole pack. @throws RegistryFailure `no-pack`, `too-stale`, `revoked` */
  activePack(): ActivePack {
    return this.#served().activePack;
  }

  /**
   * Starts a session: at the registry, which is sent the subject and its attributes to decide, or locally if it does not respond.
   * @throws RegistryFailure
   */
  async startSession({ styleId }: { readonly styleId?: string } = {}): Promise<CoachSession> {
    return this.#sessions.start(styleId, this.#for);
  }

  /** Reads a session by its id. @throws RegistryFailure */
  async resolveSession(sessionId: string): Promise<CoachSession> {
    return this.#sessions.resolve(sessionId);
  }

  #served(): ServedArm {
    const served = servedBy(this.#state);
    if (this.#arm === undefined || this.#decidedFor !== served) {
      this.#arm = armFor(served, this.#for);
      this.#decidedFor = served;
    }
    return this.#arm;
  }
}

/** @throws RegistryFailure `style-not-found`, listing the available styles */
export function styleIn({ styles, activePack }: ServedArm, styleId: string): StylePrompt {
  const prompt = styles.get(styleId);
  if (prompt !== undefined) return prompt;
  throw new RegistryFailure(
    'style-not-found',
    `${activePack.pack} ${activePack.version} has no style "${styleId}". Styles: ${[...styles.keys()].join(', ')}.`,
  );
}
