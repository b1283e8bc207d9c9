/**
 * The log of one channel, read as what it must be: each move from the version that was in force, rollbacks down the stack, at most one
 * rollout at a time.
 *
 * Rule: an activation pushes, a rollback pops down to what it rolls back to. A rollout leaves the stack as it is; any move ends it. It restates the rule of the registry's fold in its own
 * words, so that the one does not excuse the other.
 * Example: after `activate 1, activate 2, rollback` nothing lies below 1, and a further rollback has nowhere to go.
 */

export interface MoveEvent {
  readonly revision: number;
  readonly id: string;
  readonly type: 'version-activated' | 'version-rolled-back' | 'rollout-started' | 'rollout-aborted';
  /** The version that the channel moved to; of a rollout the candidate. */
  readonly version: string;
  /** Of a rollout the stable version. */
  readonly previousVersion: string | null;
  /** What aborted a rollout, and which. */
  readonly by?: 'abort' | 'rollback' | 'activation';
  readonly rollout?: number;
}

/** The pointer after a move. */
export interface State {
  /** 1 after the first move. */
  readonly index: number;
  readonly revision: number;
  readonly version: string | null;
  /** The revision of the last move of the pointer. */
  readonly pointerRevision: number;
  /** The version of the rollout that runs. */
  readonly candidate: string | undefined;
  /** That of the state before. */
  readonly candidateBefore: string | undefined;
  readonly event: MoveEvent;
  /** Where a rollback that names no version leads from the state before. */
  readonly below: string | undefined;
}

export interface Log {
  /** What the log says that cannot be, a sentence each. */
  readonly faults: readonly string[];
  /** In order; the state before the first move is none of them. */
  readonly states: readonly State[];
  /** Has the state before the first move under 0. */
  readonly byRevision: ReadonlyMap<number, State>;
  readonly byId: ReadonlyMap<string, State>;
  /** The state in force at a revision of the log. */
  at(logRevision: number): State;
  /** The last revision of the log at which a state was surely in force still. */
  upTo(state: State): number;
}

/** How far down a rollback can walk. */
const DEPTH = 1000;

const BEFORE: State = {
  index: 0,
  revision: 0,
  version: null,
  pointerRevision: 0,
  candidate: undefined,
  candidateBefore: undefined,
  event: { revision: 0, id: '', type: 'version-activated', version: '', previousVersion: null },
  below: undefined,
};

/** @param events of one channel, in any order */
export function readLog(events: readonly MoveEvent[]): Log {
  const faults: string[] = [];
  const states: State[] = [];
  const byRevision = new Map([[0, BEFORE]]);
  const byId = new Map<string, State>();
  const everActive = new Set<string>();
  const stack: string[] = [];
  for (const event of [...events].sort((a, b) => a.revision - b.revision)) {
    const { revision, id, type, version, previousVersion } = event;
    const say = (what: string) => faults.push(`Revision ${revision} (${type} ${version}) ${what}.`);
    if (byRevision.has(revision)) {
      say('is in the log twice');
      continue;
    }
    if (byId.has(id)) say(`has the id of revision ${byId.get(id)?.revision}`);
    const current = stack.at(-1) ?? null;
    if (previousVersion !== current) say(`names ${previousVersion} as the version before; ${current} was`);
    const below = stack.findLast((name) => name !== current);
    const { candidate: candidateBefore, pointerRevision } = states.at(-1) ?? BEFORE;
    const isMove = type === 'version-activated' || type === 'version-rolled-back';
    if (isMove && version === current) say('moves the channel to where it is');
    if (type === 'rollout-started' && candidateBefore !== undefined)
      say(`begins while ${candidateBefore} is rolled out`);
    if (type === 'rollout-aborted' && candidateBefore !== version) say('ends what does not run');
    if (type === 'version-rolled-back') {
      if (!everActive.has(version)) say('goes forward: that version was never active');
      const stackIndex = stack.lastIndexOf(version, stack.length - 2);
      if (stackIndex >= 0 && stack.length > 1) stack.length = stackIndex + 1;
      else stack.push(version);
    } else if (isMove) stack.push(version);
    if (stack.length > DEPTH) stack.shift();
    if (isMove) everActive.add(version);
    const state: State = {
      index: states.length + 1,
      revision,
      version: isMove ? version : current,
      pointerRevision: isMove ? revision : pointerRevision,
      candidate: type === 'rollout-started' ? version : undefined,
      candidateBefore,
      event,
      below,
    };
    states.push(state);
    byRevision.set(revision, state);
    byId.set(id, state);
  }
  const at = (logRevision: number): State => {
    let low = 0;
    let high = states.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((states[middle] ?? BEFORE).revision <= logRevision) low = middle + 1;
      else high = middle;
    }
    return states[low - 1] ?? BEFORE;
  };
  return { faults, states, byRevision, byId, at, upTo: ({ index }) => (states[index]?.revision ?? Infinity) - 1 };
}
