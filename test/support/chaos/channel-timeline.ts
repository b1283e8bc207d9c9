/**
 * What a channel served at each revision of a log: its pointer, and the rollout that ran.
 *
 * Example: `timelinesOf(events).get('production')?.at(17)` is the state from the last event up to revision 17 that changed the channel.
 */
import { assigning, type Assign } from '../../../registry/assignment/assign.ts';
import type { Audience, Event } from '../../../registry/index.ts';

export interface Rolled {
  /** The revision that started it. */
  readonly id: number;
  readonly version: string;
  readonly salt: string;
  readonly audience: Audience | undefined;
  readonly assign: Assign;
}

export interface ChannelState {
  readonly revision: number;
  readonly pointer: { readonly revision: number; readonly version: string } | undefined;
  readonly rollout: Rolled | undefined;
}

export class Timeline {
  readonly #states: ChannelState[] = [];
  /** The version that began to be served at a revision: to everybody, or to an arm. */
  readonly begun = new Map<number, string>();

  /** The state at a revision; undefined before the first event of the channel. */
  at(revision: number): ChannelState | undefined {
    let [low, high] = [0, this.#states.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#states[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#states[low - 1];
  }

  add(event: Event): void {
    const { revision, version = '' } = event;
    const { pointer, rollout } = this.#states.at(-1) ?? { pointer: undefined, rollout: undefined };
    const next = (members: Partial<ChannelState>) => this.#states.push({ revision, pointer, rollout, ...members });
    switch (event.type) {
      case 'version-activated':
      case 'version-rolled-back':
        this.begun.set(revision, version);
        next({ pointer: { revision, version }, rollout: undefined });
        break;
      case 'rollout-started': {
        const { salt, audience, share } = event.data;
        this.begun.set(revision, version);
        next({ rollout: { id: revision, version, salt, audience, assign: assigning({ salt, audience, share }) } });
        break;
      }
      case 'rollout-advanced':
      case 'rollout-paused':
        if (rollout !== undefined)
          next({ rollout: { ...rollout, assign: assigning({ ...rollout, share: event.data.share }) } });
        break;
      case 'rollout-aborted':
        next({ rollout: undefined });
        break;
      default:
    }
  }
}

/** By channel. @param events of one pack, in order of revision, without revocations */
export function timelinesOf(events: readonly Event[]): ReadonlyMap<string, Timeline> {
  const timelines = new Map<string, Timeline>();
  for (const event of events) {
    if (event.channel === undefined) continue;
    const timeline = timelines.get(event.channel) ?? new Timeline();
    timeline.add(event);
    timelines.set(event.channel, timeline);
  }
  return timelines;
}
