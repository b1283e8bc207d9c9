/**
 * The suite: for each operation of `openapi.yaml` what the document says of it, in the order of the document.
 *
 * Rule: an operation of the document without a check of its own is a failure, so that the suite grows with the document.
 * Example: `for (const group of suite.groups) await group.run(report); await suite.close()`.
 */
import { activationChecks } from './checks/activations.ts';
import { auditChecks } from './checks/audit.ts';
import { channelChecks } from './checks/channels.ts';
import { coachChecks } from './checks/coach.ts';
import { eventChecks } from './checks/events.ts';
import { generalChecks } from './checks/general.ts';
import { keyChecks } from './checks/keys.ts';
import { packChecks } from './checks/packs.ts';
import { promptChecks } from './checks/prompts.ts';
import { replayChecks } from './checks/replays.ts';
import { DOCUMENT, serviceChecks } from './checks/service.ts';
import { versionChecks } from './checks/versions.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Judge } from './document.ts';
import { runCheck, type Check, type Report } from './kit.ts';
import { World, type WorldOptions } from './world.ts';

const OWN: readonly Check[] = [
  ...packChecks,
  ...versionChecks,
  ...activationChecks,
  ...promptChecks,
  ...coachChecks,
  ...auditChecks,
  ...eventChecks,
  ...keyChecks,
  ...serviceChecks,
  ...channelChecks,
];

/** The checks of one operation. */
export interface Group {
  readonly operation: string;
  /** Runs them all, one after the other; whatever fails is told to the report. */
  run(report: Report): Promise<void>;
}

export interface Suite {
  readonly groups: readonly Group[];
  /** Asks no more: the check under way fails, and those behind it are not run. */
  stop(): Promise<void>;
  /** Revokes the keys that were made. @returns what could not be undone, in words */
  close(): Promise<string[]>;
}

export interface SuiteOptions extends ConnectionOptions, WorldOptions {
  /** Operations to check; all where it is empty. */
  readonly only?: readonly string[];
}

/** What can be named in `only`: the operations of the document, and the document itself. */
export function namesIn(judge: Judge): string[] {
  return [...judge.operations.keys(), DOCUMENT];
}

/** @param judge what the server is held to */
export function openSuite({ url, key, timeout, pack, channel, only = [] }: SuiteOptions, judge: Judge): Suite {
  const world = new World(judge, new Connection(judge, { url, key, timeout }), { pack, channel });
  const names = namesIn(judge).filter((name) => only.length === 0 || only.includes(name));
  const groupOf = (name: string): Group => ({ operation: name, run: (report) => runAll(world, report, name) });
  return { groups: names.map(groupOf), stop: () => world.asker.stop(), close: () => world.close() };
}

async function runAll(world: World, report: Report, name: string): Promise<void> {
  const { judge, connection } = world.asker;
  const operation = judge.operations.get(name);
  const own = OWN.filter((check) => check.operation === name);
  if (own.length === 0)
    report.fail(`${name}: the document has this operation, but this suite has no check of its own for it`, {});
  // Its head is there first, so that whatever is written is behind it.
  if (connection.seen === 0) await world.begun().catch(() => undefined);
  for (const check of [
    ...own,
    ...(operation === undefined ? [] : [...generalChecks(operation, judge), ...replayChecks(operation)]),
  ]) {
    if (!world.asker.over) await runCheck(world, report, check);
  }
}
