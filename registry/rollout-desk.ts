/**
 * What callers see of rollouts, schedules and trials: `registry.rollouts`.
 *
 * Example: `await registry.rollouts.start({ version: '2.0.0', steps: [{ share: 1, hold: '10m' }, { share: 50, hold: '1h' }], finish: 'promote', reason })`.
 */
import { editionOf } from './instance/editions.ts';
import type { Instance } from './instance/instance.ts';
import type { Event } from './log/event.ts';
import { NO_AUDITOR } from './moves/preview.ts';
import { pointerOf, type At, type Attribution, type Defaults } from './requests.ts';
import { scheduledActivationOf } from './rollouts/apply.ts';
import { overdueBy } from './rollouts/due.ts';
import { rolloutFrom, rolloutsIn, type RolloutPage, type RolloutQuery } from './rollouts/history.ts';
import {
  cancelScheduleCommand,
  confirmCommand,
  scheduleCommand,
  startRolloutCommand,
  steeringCommand,
  type CancelScheduleRequest,
  type ConfirmRequest,
  type RolloutVerb,
  type ScheduleRequest,
  type StartRolloutRequest,
  type SteerRequest,
} from './rollouts/requests.ts';
import { rolloutIf, rolloutPreviewOf, type RolloutPreview } from './rollouts/preview.ts';
import { resolveStart } from './rollouts/starting.ts';
import { decideSteering, rolloutIn } from './rollouts/steering.ts';
import type { Rollout, ScheduledActivation } from './state/plans.ts';
import { packIn, planIn, versionIn, viewIn, type Snapshot } from './state/snapshot.ts';
import type { Command } from './transitions.ts';

/** The answer to a command. */
interface Answered {
  /** The snapshot that the command led to, or was decided on. */
  readonly snapshot: Snapshot;
  readonly changed: boolean;
  /** Whether it is the answer to an earlier request with the same Idempotency-Key (SPEC R6). */
  readonly replayed: boolean;
}

export interface RolloutAnswer extends Answered {
  readonly rollout: Rollout;
}

/** The answer to a command that always makes an event. */
export interface EventAnswer extends Omit<Answered, 'changed'> {
  /** Of the event. */
  readonly revision: number;
  readonly version: string;
}

export interface ScheduleAnswer extends Answered {
  readonly scheduled: ScheduledActivation;
}

export class RolloutDesk {
  readonly #instance: Instance;
  readonly #defaults: Defaults;

  constructor(instance: Instance, defaults: Defaults) {
    this.#instance = instance;
    this.#defaults = defaults;
  }

  /**
   * Starts a rollout of a channel.
   * @throws RegistryError `validation-failed`, what `decideStartRollout` refuses with, `idempotency-mismatch`, `store-busy`,
   *   `store-unavailable`, `outcome-unknown`
   */
  async start(request: StartRolloutRequest): Promise<RolloutAnswer> {
    const command = startRolloutCommand(request, this.#defaults, this.#instance.olderInstances);
    const { event, snapshot, replayed } = await this.#execute(command, request);
    if (event === undefined) throw new Error('A rollout was started, but there is no event.');
    return this.#answer({ pack: command.pack, rollout: event.revision }, event, { snapshot, changed: true, replayed });
  }

  /**
   * Changes a rollout: takes the next step or sets a share, pauses or resumes its plan, gives the candidate to everybody, or takes it back.
   * What holds already changes nothing.
   * @throws RegistryError as `start`, `rollout-not-found`, `rollout-ended`; for a promotion `version-revoked`, `policy-violated`
   */
  async steer(verb: RolloutVerb, request: SteerRequest): Promise<RolloutAnswer> {
    const command = steeringCommand(verb, request);
    const { event, snapshot, replayed } = await this.#execute(command, request);
    return this.#answer(command, event, { snapshot, changed: event !== undefined, replayed });
  }

  /** What a start would do, without doing it. @throws RegistryError as `start`, except what `problems` and `olderInstances` say */
  async previewStart(request: StartRolloutRequest, { mayAudit } = NO_AUDITOR): Promise<RolloutPreview> {
    const { executor, olderInstances } = this.#instance;
    const command = startRolloutCommand(request, this.#defaults, []);
    const { decided, snapshot } = await executor.preview((base, rules) => ({
      ...resolveStart(base, command, rules),
      now: rules.now,
    }));
    const rollout = rolloutIf(undefined, decided.draft, snapshot, decided.now);
    return this.#preview(rollout, mayAudit, olderInstances, snapshot);
  }

  /** What a change would do, without doing it. @throws RegistryError as the change itself */
  async previewSteering(verb: RolloutVerb, request: SteerRequest, { mayAudit } = NO_AUDITOR): Promise<RolloutPreview> {
    const command = steeringCommand(verb, request);
    const { decided, snapshot } = await this.#instance.executor.preview((base, rules) => {
      const [draft] = decideSteering(base, command, rules).events;
      const rollout = rolloutIn(base, command);
      return draft === undefined ? rollout : rolloutIf(rollout, draft, base, rules.now);
    });
    return this.#preview(decided, mayAudit, this.#instance.olderInstances, snapshot);
  }

  /** A rollout, also an old one. @throws RegistryError `pack-not-found`, `rollout-not-found`, `store-unavailable` */
  async get(pack: string, id: number, snapshot = this.#current): Promise<Rollout> {
    return rolloutFrom(this.#instance.store, snapshot, pack, id);
  }

  /** A page of rollouts, the newest first. @throws RegistryError `pack-not-found`, `store-unavailable` */
  async list(pack: string, query: RolloutQuery, snapshot = this.#current): Promise<RolloutPage> {
    return rolloutsIn(this.#instance.store, snapshot, pack, query);
  }

  /** Activates a version at a time. @throws RegistryError as `start`, but those about rollouts; `schedule-full` */
  async schedule(request: ScheduleRequest): Promise<ScheduleAnswer> {
    const command = scheduleCommand(request, this.#defaults, this.#instance.clock.now());
    const { event, snapshot, replayed } = await this.#execute(command, request);
    if (event === undefined) throw new Error('An activation was scheduled, but there is no event.');
    return { scheduled: scheduledBy(event), snapshot, changed: true, replayed };
  }

  /** Cancels a scheduled activation. @throws RegistryError as `start`, `schedule-not-found` */
  async cancel(request: CancelScheduleRequest): Promise<EventAnswer> {
    const { event, snapshot, replayed } = await this.#execute(cancelScheduleCommand(request), request);
    return { ...ofEvent(event), snapshot, replayed };
  }

  /**
   * The pending activations of a channel, the earliest first. It may have some before its first version is active.
   * @throws RegistryError `pack-not-found`, `channel-not-found`
   */
  scheduled(at: At, snapshot = this.#current): readonly ScheduledActivation[] {
    const { pack, channel } = pointerOf(at, this.#defaults);
    const plan = planIn(snapshot, { pack, channel });
    if (plan === undefined) viewIn(snapshot, pack, channel);
    return plan?.schedule ?? [];
  }

  /** For how many seconds the oldest of what is due by time has been due, by the store's clock; 0 if nothing is (SPEC R15). */
  get overdueSeconds(): number {
    return overdueBy(this.#current, this.#instance.clock.now()) / 1000;
  }

  /** Keeps the version that is on trial. @throws RegistryError as `start`, `no-trial` */
  async confirm(request: ConfirmRequest): Promise<EventAnswer> {
    const { event, snapshot, replayed } = await this.#execute(confirmCommand(request, this.#defaults), request);
    return { ...ofEvent(event), snapshot, replayed };
  }

  async #preview(
    rollout: Rollout,
    mayAudit: boolean,
    olderInstances: readonly string[],
    snapshot: Snapshot,
  ): Promise<RolloutPreview> {
    const { contents } = this.#instance;
    const state = packIn(snapshot, rollout.pack);
    const edition = (version: string) => editionOf(versionIn(state, version), snapshot, contents);
    const [stable, candidate] = [await edition(rollout.stableVersion), await edition(rollout.version)];
    return rolloutPreviewOf(rollout, { stable, candidate, mayAudit }, olderInstances, snapshot);
  }

  get #current(): Snapshot {
    return this.#instance.current.served;
  }

  #execute(command: Command, attribution: Attribution) {
    return this.#instance.executor.execute(command, attribution);
  }

  /** A repeat gets the rollout as its event left it (SPEC R6), whatever has happened since. */
  async #answer(
    which: { readonly pack: string; readonly rollout: number },
    event: Event | undefined,
    answered: Answered,
  ): Promise<RolloutAnswer> {
    const { snapshot, replayed } = answered;
    const rollout = replayed
      ? await rolloutFrom(this.#instance.store, snapshot, which.pack, which.rollout, event?.revision)
      : rolloutIn(snapshot, which);
    return { rollout, ...answered };
  }
}

/** A scheduled activation as its event made it. @throws TypeError for another event */
function scheduledBy(event: Event): ScheduledActivation {
  if (event.type !== 'activation-scheduled')
    throw new TypeError(`Event ${event.id} (${event.type}) scheduled nothing.`);
  return scheduledActivationOf(event);
}

function ofEvent(event: Event | undefined): Pick<EventAnswer, 'revision' | 'version'> {
  if (event === undefined) throw new TypeError('The command made no event.');
  return { revision: event.revision, version: event.version ?? '' };
}
