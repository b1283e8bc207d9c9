/**
 * The snapshots in force, kept in one place.
 *
 * Problem: the writer, the readers and the follower must never disagree about which snapshot is in force.
 * Rule (SPEC R2, R3): one cell holds them. The instance owns the cell and alone changes it; everybody else reads.
 * Example: after `show(next)` every read answers from `next`. A reader that took the snapshot before keeps its own.
 */
import type { Snapshot } from './snapshot.ts';
import type { ChannelView } from './views.ts';

export class Current {
  readonly #pack: string;
  readonly #channel: string;
  #applied: Snapshot;
  #served: Snapshot;
  #defaultView: ChannelView | undefined;

  /**
   * @param snapshot in force until the first `show`
   * @param defaults the pack and the channel that a read means if it names none
   */
  constructor(snapshot: Snapshot, defaults: { readonly pack: string; readonly channel: string }) {
    this.#pack = defaults.pack;
    this.#channel = defaults.channel;
    this.#applied = this.#served = snapshot;
  }

  /** What the log says, as far as this instance has applied it. Commands are decided on it. */
  get applied(): Snapshot {
    return this.#applied;
  }

  /** What reads answer from: `applied`, unless this instance serves a forced version. */
  get served(): Snapshot {
    return this.#served;
  }

  /** The default channel's view in `served`, kept ready because most reads in process want it; undefined before the first `show`. */
  get defaultView(): ChannelView | undefined {
    return this.#defaultView;
  }

  /** The next snapshot is applied, but reads still answer from the one before. */
  apply(next: Snapshot): void {
    this.#applied = next;
  }

  /** The atomic flip: from here on every read answers from `served`. Nothing waits between the assignments, so nobody sees half of it. */
  show(applied: Snapshot, served: Snapshot): void {
    this.#defaultView = served.views.get(this.#pack)?.get(this.#channel);
    this.#applied = applied;
    this.#served = served;
  }
}
