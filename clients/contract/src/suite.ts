/**
 * The suite: checks for each operation of `openapi.yaml`, in the order of the document.
 *
 * Rule: an operation without a check is a failure, so the suite grows with the document.
 * Example: `for (const group of suite.groups) await group.run(report); await suite.close()`.
 */
import { activationListChecks } from './checks/activation-list.ts';
import { activationChecks } from './checks/activations.ts';
import { activePackChecks } from './checks/active-pack.ts';
import { armChecks } from './checks/arms.ts';
import { auditChecks } from './checks/audit.ts';
import { channelChecks } from './checks/channels.ts';
import { channelStateChecks } from './checks/channel-state.ts';
import { coachChecks } from './checks/coach.ts';
import { diffChecks } from './checks/diffs.ts';
import { dueChecks } from './checks/due.ts';
import { eventChecks } from './checks/events.ts';
import { generalChecks } from './checks/general.ts';
import { keyChecks } from './checks/keys.ts';
import { packChecks } from './checks/packs.ts';
import { promptChecks } from './checks/prompts.ts';
import { publishingChecks } from './checks/publishing.ts';
import { replayChecks } from './checks/replays.ts';
import { revocationChecks } from './checks/revocations.ts';
import { rollbackChecks } from './checks/rollbacks.ts';
import { rolloutEventChecks } from './checks/rollout-events.ts';
import { rolloutEndChecks } from './checks/rollout-ends.ts';
import { rolloutListChecks } from './checks/rollout-lists.ts';
import { rolloutChecks } from './checks/rollouts.ts';
import { scheduleChecks } from './checks/schedule.ts';
import { sessionPolicyChecks } from './checks/session-policies.ts';
import { DOCUMENT, serviceChecks } from './checks/service.ts';
import { steeringChecks } from './checks/steering.ts';
import { versionChecks } from './checks/versions.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Judge } from './document.ts';
import { runCheck, type Check, type Report } from './kit.ts';
import { World, type WorldOptions } from './world.ts';

const OWN: readonly Check[] = [
  ...packChecks,
  ...publishingChecks,
  ...versionChecks,
  ...diffChecks,
  ...revocationChecks,
  ...activePackChecks,
  ...activationListChecks,
  ...activationChecks,
  ...rollbackChecks,
  ...promptChecks,
  ...coachChecks,
  ...auditChecks,
  ...eventChecks,
  ...keyChecks,
  ...serviceChecks,
  ...rolloutChecks,
  ...rolloutListChecks,
  ...steeringChecks,
  ...channelStateChecks,
  ...rolloutEndChecks,
  ...scheduleChecks,
  ...rolloutEventChecks,
  ...armChecks,
  ...channelChecks,
  ...dueChecks,
];

/** The checks of one operation. */
export interface Group {
  readonly operation: string;
  /** Runs them one after the other, and reports each result. */
  run(report: Report): Promise<void>;
}

export interface Suite {
  readonly groups: readonly Group[];
  /** Sends nothing more: the running check fails, and later ones do not run. */
  stop(): Promise<void>;
  /** Revokes the keys of this run. @returns a message for each key that could not be revoked */
  close(): Promise<string[]>;
}

export interface SuiteOptions extends ConnectionOptions, Omit<WorldOptions, 'operations'> {
  /** Operations to check. Default: all. */
  readonly only?: readonly string[];
}

/** The names allowed in `only`: the operations of the document, and the document itself. */
export function namesIn(judge: Judge): string[] {
  return [...judge.operations.keys(), DOCUMENT];
}

/** @param judge has the document to check against */
export function openSuite({ url, key, timeout, only = [], ...options }: SuiteOptions, judge: Judge): Suite {
  const operations = namesIn(judge).filter((name) => only.length === 0 || only.includes(name));
  const world = new World(judge, new Connection(judge, { url, key, timeout }), { ...options, operations });
  const groupOf = (name: string): Group => ({ operation: name, run: (report) => runAll(world, report, name) });
  return { groups: operations.map(groupOf), stop: () => world.asker.stop(), close: () => world.close() };
}

async function runAll(world: World, report: Report, name: string): Promise<void> {
  const { judge, connection } = world.asker;
  const operation = judge.operations.get(name);
  const all = world.mayMoveDefaultPack ? [...OWN, ...sessionPolicyChecks] : OWN;
  const own = all.filter((check) => check.operation === name);
  if (own.length === 0) report.fail(`${name}: this suite has no check for this operation of the document`, {});
  // The head of the log is read first, so that everything the suite writes comes after it.
  if (connection.seen === 0) await world.headAtStart().catch(() => undefined);
  for (const check of [
    ...own,
    ...(operation === undefined ? [] : [...generalChecks(operation, judge), ...replayChecks(operation)]),
  ]) {
    if (!world.asker.over) await runCheck(world, report, check);
  }
}
