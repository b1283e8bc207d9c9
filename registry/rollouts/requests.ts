/** Requests about rollouts, schedules and trials, and the commands that they mean. */
import { randomBytes } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { invalidInput } from '../errors.ts';
import {
  Audience,
  Duration,
  Finish,
  MOST_STEPS,
  SYSTEM_ACTOR,
  Step,
  type InputFault,
  type SessionPolicy,
} from '../model.ts';
import type { Precondition } from '../moves/move-command.ts';
import { checked } from '../packs/faults.ts';
import { checkRequest, pointerOf, type At, type Attribution, type Defaults } from '../requests.ts';
import { LONGEST_WAIT, millisecondsOf } from '../values/durations.ts';
import { unfitTexts } from '../values/unfit-texts.ts';
import { audienceFaults } from './audience-faults.ts';
import { thousandthsOf } from './plan.ts';
import type { CancelScheduleCommand, ScheduleCommand } from './schedule.ts';
import type { StartRolloutCommand } from './starting.ts';
import type { RolloutPrecondition, SteeringCommand } from './steering.ts';
import type { ConfirmCommand } from './trial.ts';

/** The plan of a rollout, as a request gives it. */
const RolloutPlan = Type.Object(
  {
    steps: Type.Array(Step, { minItems: 1, maxItems: MOST_STEPS, description: 'Rising shares.' }),
    bake: Type.Optional({ ...Duration, description: 'How long the rollout stays at its last share before it ends.' }),
    finish: Finish,
    audience: Type.Optional(Audience),
  },
  { additionalProperties: false },
);

export interface StartRolloutRequest extends At, Attribution {
  readonly version: string;
  readonly reason: string;
  readonly steps: readonly Step[];
  readonly bake?: string | undefined;
  readonly finish: Finish;
  readonly audience?: Audience | undefined;
  /** One of the channel's last rollouts: the same users get the candidate again. */
  readonly sameSubjectsAs?: number | undefined;
  /** Start although instances of an older build are live. */
  readonly force?: boolean | undefined;
  readonly precondition?: Precondition | undefined;
}

/** @throws RegistryError `validation-failed` with every fault */
export function startRolloutCommand(
  request: StartRolloutRequest,
  defaults: Defaults,
  olderInstances: readonly string[],
): StartRolloutCommand {
  const { version, reason, pack, channel, actor = SYSTEM_ACTOR, steps, bake, finish, audience } = request;
  checkRequest({ version, reason, pack, channel });
  checkPlan({ steps, bake, finish, audience });
  return {
    type: 'start-rollout',
    ...pointerOf(request, defaults),
    version,
    actor,
    reason,
    steps,
    ...(bake !== undefined && { bake }),
    finish,
    ...(audience !== undefined && { audience }),
    salt: randomBytes(12).toString('base64url'),
    ...(request.sameSubjectsAs !== undefined && { sameSubjectsAs: request.sameSubjectsAs }),
    olderInstances: request.force === true ? [] : olderInstances,
    ...(request.precondition !== undefined && { precondition: request.precondition }),
  };
}

/** @throws RegistryError `validation-failed` with every fault, by parameter */
function checkPlan(given: object): void {
  const plan = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { value, faults } = checked(RolloutPlan, plan);
  const found = value === undefined ? faults : [...unfitTexts(value), ...planFaults(value)];
  if (found.length === 0) return;
  throw invalidInput(
    'The plan of the rollout is not valid.',
    found.map(({ pointer = '', detail }) => ({ parameter: pointer.slice(1).replaceAll('/', '.'), detail })),
  );
}

/** What the schema cannot say about a plan. */
function planFaults({
  steps,
  bake,
  finish,
  audience = {},
}: {
  readonly steps: readonly Step[];
  readonly bake?: string;
  readonly finish: Finish;
  readonly audience?: Audience;
}): InputFault[] {
  const faults = audienceFaults(audience).map((fault) => ({ ...fault, pointer: `/audience${fault.pointer ?? ''}` }));
  for (const [index, { share }] of steps.entries()) {
    const before = steps[index - 1]?.share ?? -1;
    const pointer = `/steps/${index}/share`;
    if (thousandthsOf(share) === undefined) faults.push({ pointer, detail: 'Must have at most three decimals.' });
    else if (share <= before)
      faults.push({ pointer, detail: `Must be above the share of the step before, ${before}.` });
  }
  for (const { pointer, text } of waitsOf(steps, bake))
    if (millisecondsOf(text) > LONGEST_WAIT) faults.push({ pointer, detail: 'Must be at most 90d.' });
  if (finish === 'promote' && bake === undefined && steps.at(-1)?.hold === undefined)
    faults.push({
      pointer: `/steps/${steps.length - 1}`,
      detail:
        'With finish "promote", the last step needs a "hold", or the plan a "bake": otherwise nothing says when to promote.',
    });
  return faults;
}

function waitsOf(steps: readonly Step[], bake: string | undefined): { pointer: string; text: string }[] {
  const holds = steps.map(({ hold }, index) => ({ pointer: `/steps/${index}/hold`, text: hold }));
  return [...holds, { pointer: '/bake', text: bake }].filter(
    (wait): wait is { pointer: string; text: string } => wait.text !== undefined,
  );
}

/** What can be done to a rollout. */
export type RolloutVerb = Exclude<SteeringCommand['type'], 'keep-plan'>;

export interface SteerRequest extends Attribution {
  readonly pack: string;
  readonly rollout: number;
  readonly reason: string;
  /** To advance: percent, at most three decimals; default: the next step. */
  readonly share?: number | undefined;
  /** To promote or abort: what happens to running sessions on the version that is left; default: they keep it. */
  readonly sessions?: SessionPolicy | undefined;
  readonly precondition?: RolloutPrecondition | undefined;
}

/** @throws RegistryError `validation-failed` */
export function steeringCommand(type: RolloutVerb, request: SteerRequest): SteeringCommand {
  const { pack, rollout, reason, share, sessions, actor = SYSTEM_ACTOR, precondition } = request;
  checkRequest({ pack, reason, rollout, share, sessions });
  const common = { pack, rollout, reason, actor, ...(precondition !== undefined && { precondition }) };
  if (type === 'advance-rollout')
    return { type, ...common, ...(share !== undefined && { share: checkedShare(share) }) };
  if (type === 'pause-rollout' || type === 'resume-rollout') return { type, ...common };
  return { type, ...common, ...(sessions !== undefined && { sessions }) };
}

/** @throws RegistryError `validation-failed` */
function checkedShare(share: number): number {
  const found = thousandthsOf(share);
  if (found !== undefined) return found;
  throw invalidInput('The share is not valid.', [{ parameter: 'share', detail: 'Must have at most three decimals.' }]);
}

export interface ScheduleRequest extends At, Attribution {
  readonly version: string;
  /** RFC 3339 with its zone; in the future, at most 90 days ahead. */
  readonly at: string;
  readonly reason: string;
  readonly sessions?: SessionPolicy | undefined;
  readonly precondition?: Precondition | undefined;
}

/** @param now milliseconds since the epoch, by the store's clock @throws RegistryError `validation-failed` */
export function scheduleCommand(request: ScheduleRequest, defaults: Defaults, now: number): ScheduleCommand {
  const { version, at, reason, pack, channel, actor = SYSTEM_ACTOR, sessions, precondition } = request;
  checkRequest({ version, at, reason, pack, channel, sessions });
  const time = Date.parse(at);
  const fault =
    time <= now
      ? `Must be in the future; the registry's clock says ${new Date(now).toISOString()}.`
      : time > now + LONGEST_WAIT
        ? 'Must be at most 90 days ahead.'
        : undefined;
  if (fault !== undefined) throw invalidInput('The time is not valid.', [{ parameter: 'at', detail: fault }]);
  return {
    type: 'schedule-activation',
    ...pointerOf(request, defaults),
    version,
    at: new Date(time).toISOString(),
    ...(sessions !== undefined && { sessions }),
    actor,
    reason,
    ...(precondition !== undefined && { precondition }),
  };
}

export interface CancelScheduleRequest extends Attribution {
  readonly pack: string;
  readonly schedule: string;
  readonly reason: string;
}

/** @throws RegistryError `validation-failed` */
export function cancelScheduleCommand(request: CancelScheduleRequest): CancelScheduleCommand {
  const { pack, schedule, reason, actor = SYSTEM_ACTOR } = request;
  checkRequest({ pack, reason });
  return { type: 'cancel-schedule', pack, schedule, actor, reason };
}

export interface ConfirmRequest extends At, Attribution {
  readonly reason: string;
  readonly precondition?: Precondition | undefined;
}

/** @throws RegistryError `validation-failed` */
export function confirmCommand(request: ConfirmRequest, defaults: Defaults): ConfirmCommand {
  const { reason, pack, channel, actor = SYSTEM_ACTOR, precondition } = request;
  checkRequest({ reason, pack, channel });
  return {
    type: 'confirm-activation',
    ...pointerOf(request, defaults),
    actor,
    reason,
    ...(precondition !== undefined && { precondition }),
  };
}
