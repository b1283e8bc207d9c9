/**
 * Starting a rollout: whether a version may become the candidate of a channel (SPEC R7, R13).
 *
 * Rule: checks run in the order pack, channel, `If-Match`, version, what already happens in the channel, the floor, other instances. Nothing is half
 * started: the event holds the whole plan.
 */
import { RegistryError } from '../errors.ts';
import type { EventDraft } from '../log/event.ts';
import type { Decision } from '../log/proposal.ts';
import type { Actor, Audience, Finish, Step } from '../model.ts';
import { channelOf, registeredVersion } from '../moves/moving.ts';
import { requireActivatable } from '../moves/revocation.ts';
import { planIn, type Snapshot } from '../state/snapshot.ts';
import type { ChannelPlan } from '../state/plans.ts';
import type { Pointer, VersionRecord } from '../state/records.ts';
import { atStep } from './plan.ts';
import type { Precondition, Rules } from '../moves/move-command.ts';

export interface StartRolloutCommand {
  readonly type: 'start-rollout';
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly actor: Actor;
  readonly reason: string;
  /** At least one; rising shares with at most three decimals. */
  readonly steps: readonly Step[];
  readonly bake?: string;
  readonly finish: Finish;
  /** Without faults. */
  readonly audience?: Audience;
  /** Used unless `sameSubjectsAs` names a rollout whose salt is used again. */
  readonly salt: string;
  readonly sameSubjectsAs?: number;
  /** Live instances of a build that does not know rollouts; empty with `force`. */
  readonly olderInstances: readonly string[];
  readonly precondition?: Precondition;
}

/**
 * @throws RegistryError `pack-not-found`, `channel-not-found`, `revision-conflict`, `unknown-version`, `version-revoked`, `policy-violated`,
 *   `rollout-running`, `trial-running`, `already-active`, `rollout-not-found`, `older-instances`
 */
export function decideStartRollout(snapshot: Snapshot, command: StartRolloutCommand, rules: Rules): Decision {
  const { record, draft } = resolveStart(snapshot, command, rules);
  requireActivatable(record);
  if (command.olderInstances.length > 0) throw olderThanRollouts(command.olderInstances);
  return { events: [draft], contents: [] };
}

/**
 * The event of a start, even if the candidate may not be active, or older instances are live.
 * @throws RegistryError as `decideStartRollout`, except `version-revoked`, `policy-violated`, `older-instances`
 */
export function resolveStart(
  snapshot: Snapshot,
  command: StartRolloutCommand,
  rules: Rules,
): { readonly record: VersionRecord; readonly pointer: Pointer; readonly draft: EventDraft } {
  const { pack, channel, version, actor, reason, steps, bake, finish, audience } = command;
  const { state, pointer } = channelOf(snapshot, command, rules);
  if (pointer === undefined)
    throw new RegistryError(
      'channel-not-found',
      `Channel "${channel}" of pack "${pack}" has no active version, so there is no stable arm. Activate a version first.`,
      { knownChannels: [...state.pointers.keys()].sort() },
    );
  const record = registeredVersion(state, version);
  const plan = planIn(snapshot, command);
  requireFree(pointer, plan, version);
  const salt = saltOf(command, plan);
  const data = {
    digest: record.digest,
    stable: { version: pointer.version, digest: pointer.digest },
    steps,
    ...(bake !== undefined && { bake }),
    finish,
    ...(audience !== undefined && { audience }),
    salt,
    hash: 'v1' as const,
    ...atStep({ steps, bake }, 0, rules.now),
  };
  return { record, pointer, draft: { type: 'rollout-started', actor, reason, pack, channel, version, data } };
}

function requireFree(
  { pack, channel, version: active }: Pointer,
  plan: ChannelPlan | undefined,
  version: string,
): void {
  const where = `channel "${channel}" of pack "${pack}"`;
  if (plan?.rollout !== undefined) {
    const { id, version: candidate, state } = plan.rollout;
    throw new RegistryError(
      'rollout-running',
      `Rollout ${id} of ${candidate} is ${state} in ${where}. Promote or abort it first.`,
      { rollout: id },
    );
  }
  if (plan?.trial !== undefined) {
    const { version: onTrial, revertAt } = plan.trial;
    throw new RegistryError(
      'trial-running',
      `Version ${onTrial} is on trial in ${where} until ${revertAt}. Confirm it, or roll back, before a rollout.`,
      { revertAt },
    );
  }
  if (active === version)
    throw new RegistryError('already-active', `Version ${version} is active in ${where} already, for everybody.`, {
      activeVersion: active,
    });
}

/** @throws RegistryError `rollout-not-found` */
function saltOf({ salt, sameSubjectsAs, pack, channel }: StartRolloutCommand, plan: ChannelPlan | undefined): string {
  if (sameSubjectsAs === undefined) return salt;
  const earlier = plan?.ended.find(({ id }) => id === sameSubjectsAs);
  if (earlier !== undefined) return earlier.salt;
  throw new RegistryError(
    'rollout-not-found',
    `"sameSubjectsAs" names rollout ${sameSubjectsAs}, which is not among the last rollouts of channel "${channel}" of pack "${pack}".`,
  );
}

function olderThanRollouts(instances: readonly string[]): RegistryError {
  return new RegistryError(
    'older-instances',
    `${instances.length} live instances run a build that does not know rollouts, so they would serve the stable version to everybody: ${instances.join(', ')}. Upgrade them, or start with "force".`,
    { instances },
  );
}
