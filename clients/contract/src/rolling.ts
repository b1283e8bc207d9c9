/**
 * Rollouts, trials and schedules of the pack of this run, as the checks need them.
 *
 * Rule: each check starts from a channel where nothing else happens: activating another version ends whatever runs there.
 * Example: `const rollout = await rollOut(world, { steps: [{ share: 10 }] })` leaves 1.0.0 as the stable version and 2.0.0 as the candidate.
 */
import type { Activation } from './answers.ts';
import type { Answer } from './asker.ts';
import type { Request } from './connection.ts';
import { perWorld, type World } from './world.ts';
import type { ChannelState, Rollout, ScheduledActivation } from './rollout-answers.ts';

/** Their texts and styles differ: only STABLE has `direct`, only CANDIDATE has `socratic`. */
export const STABLE = '1.0.0';
export const CANDIDATE = '2.0.0';

const DAY = 86_400_000;

export function reasonIn({ runId }: World): { readonly reason: string } {
  return { reason: `Contract check ${runId}` };
}

/** A plan that waits for somebody at each step. */
export function planIn(world: World, members: object = {}): object {
  const steps = [{ share: 10 }, { share: 50 }];
  return { version: CANDIDATE, ...world.chosenChannel, ...reasonIn(world), steps, finish: 'wait', ...members };
}

/** Makes STABLE active in a channel where no rollout and no trial runs, and starts a rollout of CANDIDATE. */
export async function rollOut(world: World, members: object = {}): Promise<Rollout> {
  await world.activate(STABLE);
  const { body } = await world.asker.ask<Rollout>(
    'startRollout',
    { path: world.path(), body: planIn(world, members) },
    201,
  );
  return body;
}

/** The path of a rollout. */
export function pathTo(world: World, { id }: Pick<Rollout, 'id'>): Record<string, string> {
  return world.path({ rollout: String(id) });
}

/** A request of a verb about a rollout. */
export function verbOn(world: World, rollout: Pick<Rollout, 'id'>, members: object = {}): Request {
  return { path: pathTo(world, rollout), body: { ...reasonIn(world), ...members } };
}

/** The rollout as `getRollout` shows it. */
export function rolloutNow(world: World, rollout: Pick<Rollout, 'id'>): Promise<Answer<Rollout>> {
  return world.asker.ask<Rollout>('getRollout', { path: pathTo(world, rollout) }, 200);
}

/** The channel of this run as `getChannel` shows it. */
export async function channelNow(world: World, headers: Readonly<Record<string, string>> = {}) {
  return world.asker.ask<ChannelState>('getChannel', { path: await channelPath(world), headers }, 200);
}

export async function channelPath(world: World): Promise<Record<string, string>> {
  return world.path({ channel: (await world.activePack()).body.channel });
}

/** Puts CANDIDATE on trial, above STABLE. */
export async function beginTrial(world: World, revertAfter = '1h'): Promise<Activation> {
  await world.activate(STABLE);
  const body = { ...world.activationBody(CANDIDATE), revertAfter };
  return (await world.asker.ask<Activation>('activateVersion', { path: world.path(), body }, 201)).body;
}

/** An activation at a time that does not come during this run. */
export function scheduleBody(world: World, members: object = {}): object {
  return { ...world.activationBody(CANDIDATE), at: new Date(Date.now() + DAY).toISOString(), ...members };
}

export async function schedule(world: World, members: object = {}): Promise<ScheduledActivation> {
  await world.ensureActive();
  const request = { path: world.path(), body: scheduleBody(world, members) };
  return (await world.asker.ask<ScheduledActivation>('scheduleActivation', request, 201)).body;
}

/** Cancels an activation, so that nothing of this run is pending when it ends. */
export async function cancel(world: World, { id }: Pick<ScheduledActivation, 'id'>): Promise<void> {
  await world.asker.ask('cancelScheduledActivation', { path: world.path({ id }), body: reasonIn(world) }, 200);
}

/** Makes STABLE active in a second channel. @returns its name; undefined if the server has one channel only */
export async function stableElsewhere(world: World): Promise<string | undefined> {
  const channel = await world.otherChannel();
  if (channel === undefined) return undefined;
  const body = { ...world.activationBody(STABLE), channel };
  await world.asker.ask('activateVersion', { path: world.path(), body }, 200, 201);
  return channel;
}

/** The rollout in requests that must be refused. */
export const rolloutToRefuse = perWorld((world) => rollOut(world));
/** The scheduled activation in requests that must be refused; it is cancelled already. */
export const scheduleToRefuse = perWorld(async (world) => {
  const scheduled = await schedule(world);
  await cancel(world, scheduled);
  return scheduled;
});

/** Whether a wait that began at one time ends at another; the event that begins it may be dated a moment later than the wait. */
export function isWaitOf(milliseconds: number, from: string, to: string | undefined): boolean {
  const late = milliseconds - (Date.parse(to ?? '') - Date.parse(from));
  return late >= 0 && late < 10_000;
}
