/**
 * What a channel serves: the stable version, and while a rollout runs the candidate and the rule that decides who gets it.
 *
 * Problem: both arms and the rule change together, so they must be read, checked, saved and replaced together.
 * Rule: a channel comes whole from one response of `getChannel`. Both packs are checked like any pack. A rule that this client does not
 * understand is reported, and everybody gets the stable version. From an older registry, a channel is its active pack.
 */
import { assigning } from '../../../registry/assignment/assign.ts';
import { isOperator, type AudienceRule } from '../../../registry/assignment/audience.ts';
import type { SessionSteps } from '../../../registry/sessions/walk.ts';
import type { components } from './api.ts';
import { messageOf, RegistryFailure } from './failure.ts';
import { checkPack, freeze, type ActivePackDocument, type CheckedPack } from './pack.ts';

/** The response of `getChannel`. */
export type ChannelDocument = components['schemas']['ChannelState'];

/** A rollout that is under way. */
export interface Rollout {
  /** The revision at which it started. */
  readonly id: number;
  readonly state: 'running' | 'paused' | 'baking';
  /** Percent of the audience that gets the candidate. */
  readonly share: number;
  readonly salt: string;
  readonly audience?: AudienceRule;
  readonly candidate: CheckedPack;
}

/** A checked channel; deeply frozen, and can be stored as JSON. */
export interface CheckedChannel extends SessionSteps {
  /** The event that last changed any part of it. */
  readonly revision: number;
  readonly stable: CheckedPack;
  /** Undefined if no rollout is under way, or if its rule is not understood. */
  readonly rollout?: Rollout | undefined;
}

/** The versions that a channel serves, the stable one first. */
export function armsOf(channel: CheckedChannel | undefined): readonly CheckedPack[] {
  if (channel === undefined) return [];
  return channel.rollout === undefined ? [channel.stable] : [channel.stable, channel.rollout.candidate];
}

/** The rule of a rollout, as it decides. Shares are compared as thousandths of a percent, which are integers. */
export function ruleOf({ salt, share, audience }: Rollout) {
  return assigning({ salt, share: Math.round(share * 1000), audience });
}

/**
 * Checks a response of `getChannel`, or what was saved of it.
 * @param onFailure reports a rule that this client does not understand
 * @throws RegistryFailure `not-understood`, `digest-mismatch`
 */
export async function checkChannel(
  given: unknown,
  onFailure: (failure: RegistryFailure) => void,
): Promise<CheckedChannel> {
  if (!isChannelDocument(given))
    throw new RegistryFailure(
      'not-understood',
      'This is not a complete channel: fields are missing or have wrong types. The registry may be incompatible with this client.',
    );
  const stable = await checkPack(given.stable);
  const { revision, sessionMoves = [], droppedUpTo } = given;
  return Object.freeze({
    revision,
    stable,
    rollout: given.rollout && (await checkRollout(given.rollout, stable, onFailure)),
    ...freeze(structuredClone({ sessionMoves, ...(droppedUpTo !== undefined && { droppedUpTo }) })),
  });
}

/** The channel of an active pack, from a registry without rollouts. */
export function channelOf(stable: CheckedPack): CheckedChannel {
  return Object.freeze({ revision: stable.revision, stable, sessionMoves: Object.freeze([]) });
}

type RolloutDocument = NonNullable<ChannelDocument['rollout']>;

async function checkRollout(
  { id, state, share, salt, audience, hash, candidate: given }: Omit<RolloutDocument, 'hash'> & { hash?: string },
  stable: CheckedPack,
  onFailure: (failure: RegistryFailure) => void,
): Promise<Rollout | undefined> {
  const candidate = await checkPack(given);
  const { pack, channel } = stable;
  if (candidate.pack !== pack || candidate.channel !== channel)
    throw new RegistryFailure(
      'not-understood',
      `The rollout of ${pack} ${channel} has a candidate of ${candidate.pack} ${candidate.channel}.`,
    );
  const rule = structuredClone({ id, state, share, salt, ...(audience !== undefined && { audience }) });
  try {
    if (hash !== 'v1' && hash !== undefined) throw new Error(`the hash "${hash}" is unknown`);
    const unknown = audience?.conditions?.find(({ operator }) => !isOperator(operator));
    if (unknown !== undefined) throw new Error(`the operator "${unknown.operator}" is unknown`);
    ruleOf({ ...rule, candidate });
    return freeze({ ...rule, candidate });
  } catch (error) {
    const why = `${messageOf(error)}. Everybody gets the stable version, ${stable.version}; update this client`;
    onFailure(
      new RegistryFailure('not-understood', `Rollout ${id} of ${pack} ${channel} is not understood: ${why}.`, {
        cause: error,
      }),
    );
    return undefined;
  }
}

function isChannelDocument(given: unknown): given is ChannelDocument {
  if (!isObject(given)) return false;
  const { revision, rollout, sessionMoves = [], droppedUpTo = { epoch: 1, revision: 0 } } = given;
  return (
    Number.isSafeInteger(revision) &&
    (rollout === undefined || isRollout(rollout)) &&
    Array.isArray(sessionMoves) &&
    sessionMoves.every((each) => isPosition(each) && [each['from'], each['to'], each['reason']].every(isText)) &&
    isPosition(droppedUpTo)
  );
}

function isRollout(given: unknown): boolean {
  if (!isObject(given)) return false;
  const { id, share, salt, state, audience = {} } = given;
  return (
    Number.isSafeInteger(id) &&
    typeof share === 'number' &&
    share >= 0 &&
    share <= 100 &&
    [salt, state].every(isText) &&
    isAudience(audience)
  );
}

function isAudience(given: unknown): boolean {
  if (!isObject(given)) return false;
  const { conditions = [], subjects = [] } = given;
  return (
    isTexts(subjects) &&
    Array.isArray(conditions) &&
    conditions.every(
      (each) => isObject(each) && [each['attribute'], each['operator']].every(isText) && isTexts(each['values']),
    )
  );
}

function isPosition(given: unknown): given is Record<string, unknown> {
  return isObject(given) && Number.isSafeInteger(given['epoch']) && Number.isSafeInteger(given['revision']);
}

function isTexts(given: unknown): boolean {
  return Array.isArray(given) && given.every(isText);
}

function isText(given: unknown): boolean {
  return typeof given === 'string';
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null;
}

/** A pack that is shipped with the program: a response of `getActivePack` or of `getChannel`. */
export type Bundle = ActivePackDocument | ChannelDocument;

/** @throws RegistryFailure `not-understood`, `digest-mismatch` */
export async function checkBundle(
  bundle: Bundle,
  onFailure: (failure: RegistryFailure) => void,
): Promise<CheckedChannel> {
  return 'stable' in bundle ? checkChannel(bundle, onFailure) : channelOf(await checkPack(bundle));
}
