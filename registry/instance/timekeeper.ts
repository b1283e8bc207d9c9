/**
 * The timekeeper: does what is due by time (SPEC R15).
 *
 * Problem: a step of a rollout must be taken once, although several instances run and any of them may die at any moment.
 * Rule: after each renewal of the lease, and when the next wait is over, every instance asks what is due by the store's clock, and sends it
 * like anybody's command. The log lets one instance win; the others decide again and find nothing due. While the clock is in doubt nothing is
 * done. What fails is tried again after the next renewal.
 * Example: of three instances, A is killed while it takes a step. B and C try the same step a second later, and one of them succeeds.
 */
import { messageOf } from '../errors.ts';
import type { StoreClock } from '../log/store-clock.ts';
import type { Logger } from '../machine/logger.ts';
import { due, dueIn, type DueCommand } from '../rollouts/due.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Executor } from '../writing/executor.ts';

/** A wait that ends later is looked at after the next renewal of the lease. In milliseconds. */
const SOON = 2000;

export interface TimekeeperOptions {
  readonly executor: Pick<Executor, 'execute'>;
  readonly clock: Pick<StoreClock, 'now' | 'doubt'>;
  readonly current: { readonly applied: Snapshot };
  readonly logger: Logger;
}

export class Timekeeper {
  readonly #options: TimekeeperOptions;
  #round: Promise<unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #doubt: string | undefined;
  #closed = false;

  constructor(options: TimekeeperOptions) {
    this.#options = options;
  }

  /** Why nothing that is due is done; undefined if it is done. */
  get doubt(): string | undefined {
    return this.#doubt;
  }

  /** Begins to do what is due, unless the last round is still under way. Never rejects, and nobody needs to wait for it. */
  look(): void {
    const { current, clock } = this.#options;
    clearTimeout(this.#timer);
    this.#noteDoubt();
    if (this.#closed || this.#doubt !== undefined || this.#round !== undefined) return;
    const commands = due(current.applied, clock.now());
    if (commands.length === 0) return this.#lookLater();
    // Together, so that they become one batch of the writer; it keeps their order.
    this.#round = Promise.all(commands.map((command) => this.#do(command))).then(() => {
      this.#round = undefined;
      this.#lookLater();
    });
  }

  /** Waits for the round under way; no other one begins. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Looks again at the end of the next wait. What has failed is due already, so it is left to the next renewal. */
  #lookLater(): void {
    const { current, clock } = this.#options;
    const wait = dueIn(current.applied, clock.now());
    if (wait <= SOON && !this.#closed) this.#timer = setTimeout(() => this.look(), wait).unref();
  }

  async #do(command: DueCommand): Promise<void> {
    const { executor, logger } = this.#options;
    try {
      const { event } = await executor.execute(command, {}, { closes: false });
      if (event === undefined) return;
      const fields = { type: event.type, pack: event.pack, channel: event.channel, revision: event.revision };
      if (event.type === 'trial-stayed') logger.error(fields, event.reason);
      else logger.info(fields, 'What was due is done.');
    } catch (error) {
      logger.warn(
        { command: command.type, pack: command.pack, reason: messageOf(error) },
        'What is due could not be done. It will be tried again.',
      );
    }
  }

  #noteDoubt(): void {
    const { clock, current, logger } = this.#options;
    const doubt = clock.doubt(current.applied.at);
    if (doubt !== undefined && this.#doubt === undefined)
      logger.error({ reason: doubt }, 'The clock is in doubt, so steps, schedules and trials wait.');
    if (doubt === undefined && this.#doubt !== undefined) logger.info({}, 'The clock is trusted again.');
    this.#doubt = doubt;
  }
}
