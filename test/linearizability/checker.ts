/**
 * Judges what clients saw of one channel's pointer while it was being moved: could all of it be true of one pointer, moved and read
 * one operation at a time (SPEC R3–R5)?
 *
 * Problem: for a history of any object this is NP-hard; the search (Wing & Gong, "Testing and verifying concurrent objects", 1993; with
 * memory of where it has been: Lowe, "Testing for linearizability", 2017) tries orders, and never ends on thousands of operations.
 *
 * Rule: here the log has the order of the moves, and the revision of an answer names the state that it shows. Only *when* each move took
 * effect is open. Let move k take effect at T(k); then T(1) ≤ T(2) ≤ …, and
 *
 *   - an answer that shows state k proves that T(k) is not after the answer, and that T(k+1) is not before the request;
 *   - a move that makes state k proves that T(k) is not before the request.
 *
 * So each operation *proves* a state at its return and *denies* one at its invocation, and times T exist if and only if no operation
 * denies a state that another one, which had returned before it was invoked, has proved: for each k the latest lower bound of
 * T(1)…T(k) must not exceed the earliest upper bound of T(k). And a read fits between T(k) and T(k+1) if and only if those four
 * bounds hold in pairs. That is exact, and a sort. An outcome that is unknown proves nothing and denies what it made; which event an
 * unknown one made is a matching, where nobody wrote down the event's id: each event of the run is made by exactly one operation.
 *
 * A door closes behind an answer (SPEC R5): where the registry itself said that it does not know an outcome, and then answered a move that
 * was asked for after that, what was unknown has happened before that move, or it never does.
 *
 * Example: a read that says revision 7 denies 8; it is stale where an answer that said 8 had come before the read was asked.
 *
 * `search` is the general algorithm, for small histories, to hold `check` against. Times that are equal count as concurrent.
 */
import { readLog, type Log, type MoveEvent, type State } from './pointer-log.ts';

export interface Operation {
  /** Who asked; one client asks again only after it has its answer. */
  readonly client: string;
  readonly instance: string;
  readonly kind: 'activate' | 'rollback' | 'start' | 'abort' | 'read';
  /** By one monotonic clock for all clients. A write that is repeated under one Idempotency-Key is one operation, from its first attempt. */
  readonly invokedAt: number;
  /** Of an outcome that is unknown it does not count: it may happen at any time after the invocation, or never. */
  readonly returnedAt: number;
  readonly outcome: 'ok' | 'unknown' | 'refused';
  /** When the registry said that it does not know the outcome; of one that was cut nobody said so. Counts where the event is known. */
  readonly toldAt?: number | undefined;
  readonly arguments: {
    /** To activate, or to roll out. */
    readonly version?: string | undefined;
    /** The id of the rollout to abort. */
    readonly rollout?: number | undefined;
    readonly toVersion?: string | undefined;
    readonly fromVersion?: string | undefined;
    /** What a strong read says that it has seen; a read without one may be old, but not go beyond the log. */
    readonly minRevision?: number | undefined;
  };
  /** The answer of an `ok` operation. */
  readonly result?: Told | undefined;
  /** The event that it made, if known. */
  readonly eventId?: string | undefined;
}

export interface Told {
  /** That of the last event of the channel, or, if `ofPointer`, of the last move of its pointer; 0 without one. */
  readonly revision: number;
  readonly ofPointer?: boolean | undefined;
  readonly version: string | null;
  /** What is rolled out; null if nothing is, undefined if the answer does not say. */
  readonly candidate?: string | null | undefined;
  readonly previousVersion?: string | null | undefined;
  /** The log's, of the answer's snapshot. */
  readonly logRevision?: number | undefined;
  /** False for a move to the version that was already active. */
  readonly changed?: boolean | undefined;
}

export interface History {
  readonly operations: readonly Operation[];
  /** The channel's moves, as the log has them after the run, those from before it included. */
  readonly events: readonly MoveEvent[];
  /** The log's revision when the run began; everything later was made by one of the operations. */
  readonly since?: number;
  /**
   * What a strong read must not be older than: every answer that anybody had before (linearizable; the readers share the highest
   * revision that they saw), or every move that was acknowledged before, and what the reader's own client saw.
   */
  readonly strongReadsKnow?: 'answers' | 'acknowledged moves';
}

/** An operation in the order: one state was there by its return, and another was not there before its invocation. */
interface Mark {
  readonly operation: Operation;
  readonly returnedAt: number;
  readonly proves: number;
  readonly denies: number;
}

/** Whether an unknown outcome was known to be one before a move was asked for, which was then answered: it cannot come behind that. */
const isSettledBy = ({ outcome, toldAt = Infinity, eventId }: Operation, move: Operation) =>
  outcome === 'unknown' &&
  eventId !== undefined &&
  move.kind !== 'read' &&
  move.outcome === 'ok' &&
  move.invokedAt > toldAt;

const isMove = ({ operation: { kind, result } }: Mark) => kind !== 'read' && result?.changed !== false;

/** @returns what cannot be true, a sentence each; empty for a history that is linearizable and that the log bears out */
export function check(history: History): string[] {
  const { operations, since = 0 } = history;
  const log = readLog(history.events);
  const base = log.at(since).index;
  const faults = [...log.faults];
  const marks: Mark[] = [];
  const makers = new Map<number, Operation>();
  const made = (operation: Operation, { index, event }: State) => {
    const other = makers.get(index);
    if (other !== undefined)
      faults.push(`${named(operation)} and ${named(other)} were both told revision ${event.revision}.`);
    makers.set(index, operation);
  };

  for (const operation of operations) {
    const { kind, outcome, eventId, returnedAt, arguments: given } = operation;
    if (outcome === 'ok') {
      const state = stateOrFaultOf(operation, log);
      if (typeof state === 'string') {
        faults.push(`${named(operation)} ${state}.`);
        continue;
      }
      const changed = kind !== 'read' && operation.result?.changed !== false;
      if (changed) made(operation, state);
      const denies = changed
        ? state.index
        : kind === 'read' && given.minRevision === undefined
          ? Infinity
          : state.index + 1;
      marks.push({ operation, returnedAt, proves: state.index, denies });
    } else if (eventId !== undefined && kind !== 'read') {
      const state = log.byId.get(eventId);
      if (state === undefined) continue;
      if (outcome === 'refused')
        faults.push(`${named(operation)} was refused, and happened nevertheless, at revision ${state.event.revision}.`);
      const wrong = mismatch(operation, state);
      if (wrong !== undefined) faults.push(`${named(operation)} ${wrong}.`);
      made(operation, state);
      marks.push({ operation, returnedAt: Infinity, proves: 0, denies: state.index });
      const behind = operations.find(
        (move) =>
          isSettledBy(operation, move) && ((move.result && stateOf(move.result, log))?.index ?? Infinity) < state.index,
      );
      if (behind !== undefined)
        faults.push(
          `${named(operation)} took effect at revision ${state.event.revision}, behind the answer to ${named(behind)}.`,
        );
    }
  }
  return [
    ...faults,
    ...unexplained(history, log, base, makers, marks),
    ...disorder(marks, base, since, history.strongReadsKnow ?? 'answers'),
  ];
}

/** The state that an acknowledged operation shows, or what is wrong with its answer. Ignores time. */
function stateOrFaultOf(operation: Operation, log: Log): State | string {
  const { kind, arguments: given, result, eventId } = operation;
  if (result === undefined) return 'is said to have succeeded, without an answer';
  const { revision, version, previousVersion, logRevision, changed, candidate, ofPointer } = result;
  const state = stateOf(result, log);
  if (kind !== 'read' && changed !== false) {
    if (state === undefined || revision === 0) return 'was acknowledged and is lost: there is no such event';
    const wrong = mismatch(operation, state);
    if (wrong !== undefined) return wrong;
    if (previousVersion !== undefined && previousVersion !== state.event.previousVersion)
      return `tells ${previousVersion} as the version before, which was ${state.event.previousVersion}`;
  } else if (state === undefined) return 'tells a revision at which nothing moved';
  else if (eventId !== undefined) return 'changed nothing and names an event';
  if (version !== state.version) return `tells ${version}, where the log has ${state.version} at that revision`;
  if (candidate !== undefined && (candidate ?? undefined) !== state.candidate)
    return `tells that ${candidate ?? 'nothing'} is rolled out, where the log has ${state.candidate ?? 'nothing'} at that revision`;
  const wanted = kind === 'start' ? undefined : (given.version ?? given.toVersion);
  if (kind !== 'read' && wanted !== undefined && wanted !== version)
    return `says that nothing was to be changed, at ${version}`;

  if (logRevision !== undefined) {
    const inForce = ofPointer === true ? log.at(logRevision).pointerRevision : log.at(logRevision).revision;
    if (kind === 'read' ? inForce !== revision : logRevision < revision)
      return `tells a state that was not in force at log revision ${logRevision}, which it is of; revision ${inForce} was`;
  }
  if (given.minRevision !== undefined && Math.max(revision, logRevision ?? log.upTo(state)) < given.minRevision)
    return `is older than revision ${given.minRevision}, which it was asked for`;
  return state;
}

/**
 * The state that an answer about the pointer is of: the last one, up to the log revision of the answer, with the pointer there. A move that
 * changed nothing was decided while no rollout ran, for it would have ended it. Undefined if nothing moved at its revision.
 */
function stateOfPointer({ revision, logRevision = revision, changed }: Told, log: Log): State | undefined {
  const pointer = log.byRevision.get(revision);
  if (pointer?.pointerRevision !== revision) return undefined;
  let state = log.at(logRevision);
  while (state.index > pointer.index && !(state.pointerRevision === revision && fits(state, changed)))
    state = log.states[state.index - 2] ?? pointer;
  return state;
}

const fits = ({ candidate }: State, changed: boolean | undefined) => changed !== false || candidate === undefined;

const stateOf = (told: Told, log: Log) =>
  told.ofPointer === true ? stateOfPointer(told, log) : log.byRevision.get(told.revision);

/** Why an event cannot be the effect of a move; undefined if it can. */
function mismatch(operation: Operation, state: State): string | undefined {
  return state.event.type.startsWith('rollout-')
    ? mismatchOfRollout(operation, state)
    : mismatchOfMove(operation, state);
}

/** The same for an event of a rollout. */
function mismatchOfRollout(
  { kind, arguments: { version, toVersion, fromVersion, rollout }, eventId }: Operation,
  { event }: State,
): string | undefined {
  const { id, type, revision, by, version: candidate, previousVersion: stable } = event;
  const told = `was told revision ${revision}, which is another's`;
  if (eventId !== undefined && eventId !== id) return `${told}: event ${id}, not ${eventId}`;
  if (type === 'rollout-started')
    return kind === 'start' && version === candidate ? undefined : `${told}: ${type} ${candidate}`;
  const endedBy = { activate: 'activation', rollback: 'rollback', abort: 'abort', start: '', read: '' }[kind];
  if (endedBy !== by) return `${told}: ${type} by ${by}`;
  if (kind === 'abort') return rollout === event.rollout ? undefined : `aborted rollout ${event.rollout}`;
  if ((version ?? toVersion ?? stable) !== stable) return `aborted a rollout next to ${stable} at revision ${revision}`;
  if (fromVersion !== undefined && fromVersion !== stable && fromVersion !== candidate)
    return `aborted a rollout of ${candidate} at revision ${revision}`;
  return undefined;
}

function mismatchOfMove(
  { kind, arguments: { version, toVersion, fromVersion }, eventId }: Operation,
  { event, below, candidateBefore }: State,
): string | undefined {
  const { id, type, revision } = event;
  const told = `was told revision ${revision}, which is another's`;
  if (eventId !== undefined && eventId !== id) return `${told}: event ${id}, not ${eventId}`;
  if (type !== (kind === 'activate' ? 'version-activated' : kind === 'rollback' ? 'version-rolled-back' : ''))
    return `${told}: ${type}`;
  if (kind === 'activate' && version !== event.version) return `${told}: it activated ${event.version}`;
  if (kind === 'rollback' && (toVersion ?? below) !== event.version)
    return `rolled back to ${event.version} at revision ${revision}, not to ${toVersion ?? below ?? 'nothing, as nothing is below'}`;
  if (kind === 'rollback' && toVersion === undefined && candidateBefore !== undefined)
    return `rolled back to ${event.version} at revision ${revision}, although a rollout was to end`;
  if (fromVersion !== undefined && fromVersion !== event.previousVersion && fromVersion !== candidateBefore)
    return `rolled back from ${event.previousVersion} at revision ${revision}`;
  return undefined;
}

/** Events of the run that nobody made: none of the unknown outcomes can stand for them all. */
function unexplained(
  { operations }: History,
  log: Log,
  base: number,
  makers: ReadonlyMap<number, Operation>,
  marks: readonly Mark[],
): string[] {
  const open = log.states.filter(({ index }) => index > base && !makers.has(index));
  const able = operations.filter(
    ({ kind, outcome, eventId }) => kind !== 'read' && outcome === 'unknown' && eventId === undefined,
  );
  // By when each state was there: an answer had shown it or a later one.
  const deadlines = Array<number>(log.states.length + 1).fill(Infinity);
  for (const { proves, returnedAt } of marks) deadlines[proves] = Math.min(deadlines[proves] ?? Infinity, returnedAt);
  for (let index = deadlines.length - 2; index >= 0; index -= 1)
    deadlines[index] = Math.min(deadlines[index] ?? Infinity, deadlines[index + 1] ?? Infinity);

  const could = (state: State) =>
    able.filter(
      (operation) =>
        operation.invokedAt <= (deadlines[state.index] ?? Infinity) && mismatch(operation, state) === undefined,
    );
  const makerOf = new Map<Operation, State>();
  // Kuhn's algorithm: an operation that is assigned already moves to another event if it can.
  const assign = (state: State, tried: Set<Operation>): boolean =>
    could(state).some((operation) => {
      if (tried.has(operation)) return false;
      tried.add(operation);
      const taken = makerOf.get(operation);
      if (taken !== undefined && !assign(taken, tried)) return false;
      makerOf.set(operation, state);
      return true;
    });
  return open
    .filter((state) => !assign(state, new Set()))
    .map((state) => {
      const refused = operations.find(
        (operation) =>
          operation.outcome === 'refused' && operation.kind !== 'read' && mismatch(operation, state) === undefined,
      );
      const { revision, type, version } = state.event;
      return `Revision ${revision} (${type} ${version}) was made by nobody whose outcome allows it${refused === undefined ? '' : `; ${named(refused)} asked for it and was refused`}.`;
    });
}

/** Operations that deny what others, which had returned before they were invoked, have proved. */
function disorder(
  marks: readonly Mark[],
  base: number,
  since: number,
  strongReadsKnow: NonNullable<History['strongReadsKnow']>,
): string[] {
  const faults: string[] = [];
  const returned = [...marks].sort((a, b) => a.returnedAt - b.returnedAt).values();
  let next = returned.next();
  let ofAll: Mark | undefined;
  let ofMoves: Mark | undefined;
  const ofClient = new Map<string, Mark>();
  const higher = (a: Mark | undefined, b: Mark | undefined) =>
    a === undefined || (b !== undefined && b.proves > a.proves) ? b : a;

  for (const mark of [...marks].sort((a, b) => a.operation.invokedAt - b.operation.invokedAt)) {
    const { operation, denies } = mark;
    while (next.done !== true && next.value.returnedAt < operation.invokedAt) {
      const before = next.value;
      ofAll = higher(ofAll, before);
      if (isMove(before)) ofMoves = higher(ofMoves, before);
      ofClient.set(before.operation.client, higher(ofClient.get(before.operation.client), before) ?? before);
      next = returned.next();
    }
    const own = ofClient.get(operation.client);
    let known = operation.kind === 'read' && strongReadsKnow === 'acknowledged moves' ? higher(ofMoves, own) : ofAll;
    if (own !== undefined && own.proves >= denies) known = own; // the plainer reproach
    if (known !== undefined && known.proves >= denies) faults.push(reproach(mark, known));
    else if (base >= denies)
      faults.push(`${named(operation)} is older than revision ${since}, at which the history began.`);
  }
  return faults;
}

function reproach(late: Mark, early: Mark): string {
  const before = `${named(early.operation)}, which had returned before it was invoked`;
  if (isMove(late))
    return isMove(early)
      ? `${named(late.operation)} did not come after ${before}.`
      : `${named(early.operation)} is from the future: ${named(late.operation)} was invoked after it.`;
  if (late.operation.client === early.operation.client)
    return `${named(late.operation)} goes back behind ${before}, of the same client.`;
  return `${named(late.operation)} is stale: it does not know of ${before}.`;
}

/** For messages: `read 12–15 of client a at instance 2 (1.2.0 at revision 9)`. */
function named({
  kind,
  client,
  instance,
  invokedAt,
  returnedAt,
  outcome,
  arguments: given,
  result,
}: Operation): string {
  const asked = [
    given.version,
    given.toVersion !== undefined && `to ${given.toVersion}`,
    given.fromVersion !== undefined && `from ${given.fromVersion}`,
    given.minRevision !== undefined && `at least ${given.minRevision}`,
  ].filter(Boolean);
  const told =
    result === undefined
      ? outcome
      : `${result.version} at revision ${result.revision}${result.changed === false ? ', unchanged' : ''}`;
  return `${[kind, ...asked].join(' ')} ${invokedAt}–${returnedAt} of client ${client} at instance ${instance} (${told})`;
}

/**
 * Whether some order of the operations explains the history, by trying them (Wing & Gong; Lowe's memory of configurations). Exponential:
 * for at most 30 operations. Reads must be strong, and know all answers.
 */
export function search({ operations, events, since = 0 }: History): boolean {
  const log = readLog(events);
  if (log.faults.length > 0) return false;
  if (
    operations.some(
      ({ kind, outcome, eventId }) =>
        kind !== 'read' && outcome === 'refused' && eventId !== undefined && log.byId.has(eventId),
    )
  )
    return false;
  const taking = operations.filter(
    ({ kind, outcome }) => outcome === 'ok' || (outcome === 'unknown' && kind !== 'read'),
  );
  const statesOrFaults = taking.map((operation) =>
    operation.outcome === 'ok' ? stateOrFaultOf(operation, log) : undefined,
  );
  if (statesOrFaults.some((stateOrFault) => typeof stateOrFault === 'string')) return false;
  // The moves that an unknown outcome must come before, as bits.
  const settledBy = taking.map((operation) =>
    taking.reduce((mask, move, bit) => (isSettledBy(operation, move) ? mask | (1 << bit) : mask), 0),
  );
  const happened = ({ outcome, eventId = '' }: Operation) => outcome === 'ok' || log.byId.has(eventId);
  const mustEnd = taking.reduce((mask, operation, bit) => (happened(operation) ? mask | (1 << bit) : mask), 0);
  const seen = new Set<string>();

  /** The state after an operation in a state; undefined if it cannot be next. */
  const step = (bit: number, index: number): number | undefined => {
    const operation = taking[bit];
    const stateOrFault = statesOrFaults[bit];
    if (operation === undefined) return undefined;
    const following = log.states[index];
    if (operation.outcome === 'unknown')
      return following !== undefined && mismatch(operation, following) === undefined ? index + 1 : undefined;
    const from = operation.kind === 'read' || operation.result?.changed === false ? index : index + 1;
    return typeof stateOrFault === 'object' && stateOrFault.index === from ? from : undefined;
  };
  const explore = (done: number, index: number): boolean => {
    if ((done & mustEnd) === mustEnd && index === log.states.length) return true;
    const configuration = `${done} ${index}`;
    if (seen.has(configuration)) return false;
    seen.add(configuration);
    const open = taking.flatMap((operation, bit) => ((done & (1 << bit)) === 0 ? [{ operation, bit }] : []));
    const firstReturn = Math.min(
      ...open.map(({ operation }) => (operation.outcome === 'ok' ? operation.returnedAt : Infinity)),
    );
    return open.some(({ operation, bit }) => {
      const settled = ((settledBy[bit] ?? 0) & done) !== 0;
      const after = operation.invokedAt <= firstReturn && !settled ? step(bit, index) : undefined;
      return after !== undefined && explore(done | (1 << bit), after);
    });
  };
  return explore(0, log.at(since).index);
}
