/**
 * Carries commands out: each is decided once (SPEC R6), made durable and visible (R3), and answered with its event.
 *
 * Problem: a command that was sent twice must not act twice, and a preview must say what the command itself would say.
 * Rule: every command, whatever its resource, takes the same way: `decide` on the newest snapshot, in the writer's turn. A preview takes
 * the same decision without the append.
 * Example: `execute({ type: 'activate', … })` gives the event `version-activated`, or no event if the version is active already.
 */
import { RegistryError } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { Store } from '../log/store.ts';
import type { Clock } from '../machine/clock.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import type { Rules } from '../moves/move-command.ts';
import { checkRequest, type Attribution } from '../requests.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { decide, type Command } from '../transitions.ts';
import { NOTHING } from '../log/proposal.ts';
import { decideOnce } from './idempotency.ts';
import type { Writer } from './writer.ts';

export interface ExecutorOptions {
  readonly writer: Writer;
  readonly store: Pick<Store, 'repeated'>;
  /** Previews are decided on `served` first. */
  readonly current: { readonly served: Snapshot };
  readonly channels: Rules['channels'];
  /** Previews are decided by it; what is written is decided by the writer's. */
  readonly clock: Pick<Clock, 'now'>;
}

/** What became of a command. */
export interface Executed {
  /** The event that the command made, now or when it was first sent; undefined if there was nothing to change. */
  readonly event: Event | undefined;
  /** The snapshot that the event led to, or that the answer was decided on. */
  readonly snapshot: Snapshot;
  /** Whether an earlier request with the same Idempotency-Key made the event. */
  readonly replayed: boolean;
}

export class Executor {
  readonly #options: ExecutorOptions;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /**
   * Decides a command and makes its event durable, then visible.
   *
   * @param command or what makes it on a snapshot, if it depends on what is registered
   * @param options.closes false if nobody acts on an answer without an event; default: true
   * @throws RegistryError `validation-failed` for an actor without a key id or a label, what `decide` refuses with, `idempotency-mismatch`,
   *   `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async execute(
    command: Command | ((base: Snapshot) => Promise<Command>),
    { actor = SYSTEM_ACTOR, idempotency }: Attribution,
    { closes = true }: { readonly closes?: boolean } = {},
  ): Promise<Executed> {
    checkRequest({ actor });
    const { writer, store, channels } = this.#options;
    const decisionOn = (made: Command) => (state: Snapshot, _: unknown, now: number) =>
      decide(state, made, { channels, now });
    const prepare = async (base: Snapshot) => decisionOn(typeof command === 'function' ? await command(base) : command);
    const { events, snapshot, replayOf } = await writer.commit(
      (base) =>
        idempotency === undefined ? prepare(base) : decideOnce(store, actor, idempotency, () => prepare(base)),
      { closes },
    );
    return { event: replayOf ?? events[0], snapshot, replayed: replayOf !== undefined };
  }

  /**
   * Takes a decision without making it. A refusal is checked against the log first, as that of a command is: another instance may be
   * ahead of this one (SPEC R5).
   * @throws RegistryError what the decision refuses with; `store-unavailable`, `store-busy`
   */
  async preview<T>(decision: (base: Snapshot, rules: Rules) => T): Promise<{ decided: T; snapshot: Snapshot }> {
    const { writer, current, channels, clock } = this.#options;
    const base = current.served;
    const rules = { channels, now: clock.now() };
    try {
      return { decided: decision(base, rules), snapshot: base };
    } catch (refusal) {
      if (!(refusal instanceof RegistryError)) throw refusal;
    }
    const { snapshot } = await writer.commit(() => (newest, _, now) => {
      decision(newest, { channels, now });
      return NOTHING;
    });
    return { decided: decision(snapshot, rules), snapshot };
  }
}
