/**
 * The judge of histories is itself judged: it lets every history pass that a correct pointer can make, finds each bug that is planted in
 * one, and agrees with the general search on any small history. Seeds are printed on failure; `TEST_SEED` repeats one.
 */
import fc from 'fast-check';
import t from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { check, search, type History, type Operation, type Told } from './checker.ts';
import type { MoveEvent } from './pointer-log.ts';

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '2.1.0'];
const seed = newSeed();

interface Size {
  readonly clients: number;
  /** For each client. */
  readonly operations: number;
  /** Share of reads. */
  readonly reads?: number;
}

type Draft = { -readonly [K in keyof Operation]: Operation[K] };
interface Drafts extends History {
  readonly operations: Draft[];
  readonly events: MoveEvent[];
}

/** A pointer that is moved one operation at a time, in a log that holds other events as well. */
class Pointer {
  readonly events: MoveEvent[] = [];
  readonly #random: () => number;
  #stack: string[] = [];
  #log = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  perform({ kind, arguments: { version, toVersion } }: Operation): Told | undefined {
    if (this.#random() < 0.3) this.#log += 1; // another channel's
    const current = this.#stack.at(-1) ?? null;
    const below = this.#stack.findLast((name) => name !== current);
    const target = kind === 'activate' ? version : (toVersion ?? below);
    if (kind === 'read') return this.#told(current);
    if (target === undefined || (toVersion !== undefined && !this.events.some((event) => event.version === toVersion)))
      return undefined; // refused
    if (target === current) return { ...this.#told(current), changed: false };
    const stackIndex = this.#stack.lastIndexOf(target);
    this.#stack =
      kind === 'rollback' && stackIndex !== -1 ? this.#stack.slice(0, stackIndex + 1) : [...this.#stack, target];
    this.#log += 1;
    this.events.push({
      revision: this.#log,
      id: `event-${this.#log}`,
      type: kind === 'activate' ? 'version-activated' : 'version-rolled-back',
      version: target,
      previousVersion: current,
    });
    return { ...this.#told(target), previousVersion: current, changed: true };
  }

  #told(version: string | null): Told {
    return { revision: this.events.at(-1)?.revision ?? 0, version, logRevision: this.#log };
  }
}

/** A history as a correct registry makes it: each operation takes effect at one moment between its invocation and its return. */
function simulate(random: () => number, { clients, operations, reads = 0.5 }: Size): Drafts {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const planned: { at: number; operation: Draft; happens: boolean }[] = [];
  for (let client = 0; client < clients; client += 1) {
    let now = random() * 10;
    for (let count = 0; count < operations; count += 1) {
      const invokedAt = now + random() * 3;
      const returnedAt = invokedAt + random() * 20;
      now = returnedAt;
      const kind = random() < reads ? 'read' : random() < 0.7 ? 'activate' : 'rollback';
      const wanted =
        kind === 'activate'
          ? { version: pick(VERSIONS) }
          : kind === 'rollback' && random() < 0.3
            ? { toVersion: pick(VERSIONS) }
            : {};
      const outcome = random() < 0.08 ? 'unknown' : random() < 0.04 ? 'refused' : 'ok';
      const operation: Draft = {
        client: `c${client}`,
        instance: `i${Math.floor(random() * 3)}`,
        kind,
        invokedAt,
        returnedAt: outcome === 'unknown' ? Infinity : returnedAt,
        outcome,
        arguments: wanted,
      };
      if (outcome === 'unknown' && random() < 0.5) operation.toldAt = returnedAt;
      const late = outcome === 'unknown' ? 3 : 1;
      planned.push({
        at: invokedAt + random() * late * (returnedAt - invokedAt),
        operation,
        happens: outcome === 'ok' || (outcome === 'unknown' && random() < 0.5),
      });
    }
  }

  const pointer = new Pointer(random);
  let door = -Infinity;
  for (const { operation, happens } of planned.sort((a, b) => a.at - b.at)) {
    if (!happens || (operation.toldAt ?? Infinity) < door) continue;
    const events = pointer.events.length;
    const told = pointer.perform(operation);
    if (operation.outcome === 'ok' && told === undefined) operation.outcome = 'refused';
    else if (operation.outcome === 'ok') operation.result = told;
    // Whatever was called unknown before this was asked for is settled by now.
    if (operation.outcome === 'ok' && operation.kind !== 'read') door = Math.max(door, operation.invokedAt);
    if (pointer.events.length > events && (operation.toldAt !== undefined || random() < 0.5))
      operation.eventId = pointer.events.at(-1)!.id;
  }
  const list = planned.map(({ operation }) => operation).sort((a, b) => a.invokedAt - b.invokedAt);
  for (const read of list)
    if (read.kind === 'read') read.arguments = { minRevision: highestBefore(list, read.invokedAt) };
  return { operations: list, events: pointer.events };
}

/** The highest revision that anybody had been told of. */
function highestBefore(operations: readonly Operation[], time: number): number {
  return operations.reduce(
    (highest, { outcome, returnedAt, result }) =>
      outcome === 'ok' && returnedAt < time ? Math.max(highest, result?.revision ?? 0) : highest,
    0,
  );
}

t.test(`a history that a correct pointer makes is let pass (TEST_SEED=${seed})`, async (t) => {
  const random = randomFrom(seed);
  for (let run = 0; run < 50; run += 1) {
    const history = simulate(random, { clients: 1 + (run % 8), operations: 40 });
    t.same(check(history), [], `history ${run}`);
    t.same(check({ ...history, strongReadsKnow: 'acknowledged moves' }), [], 'nor is it less than the weaker promise');
  }
});

t.test(`5,000 operations are judged at once, also where many outcomes are unknown (TEST_SEED=${seed})`, async (t) => {
  const history = simulate(randomFrom(seed), { clients: 10, operations: 500, reads: 0.4 });
  for (const operation of history.operations) delete operation.eventId;
  const begun = performance.now();
  t.same(check(history), []);
  const took = performance.now() - begun;
  t.ok(history.operations.filter(({ outcome }) => outcome === 'unknown').length > 200);
  t.comment(`${history.operations.length} operations, ${history.events.length} moves: ${Math.round(took)} ms`);
});

t.test(
  `the check agrees with the general search on small histories, right and wrong (TEST_SEED=${seed})`,
  async (t) => {
    const change = fc.record({
      what: fc.constantFrom(
        'invoked',
        'returned',
        'exchanged',
        'told',
        'unknown',
        'called unknown',
        'unnamed',
        'cut',
        'refused',
      ),
      operation: fc.nat(20),
      by: fc.integer({ min: -30, max: 30 }),
    });
    const verdicts = { right: 0, wrong: 0 };
    const property = fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(change, { maxLength: 3 }),
      (number, clients, changes) => {
        const { operations, events } = simulate(randomFrom(number), { clients, operations: 3, reads: 0.4 });
        for (const { what, operation: index, by } of changes) {
          const operation = operations[index % operations.length]!;
          const other = operations[Math.abs(by) % operations.length]!;
          if (what === 'invoked') operation.invokedAt = Math.min(operation.returnedAt, operation.invokedAt + by);
          else if (what === 'returned') operation.returnedAt = Math.max(operation.invokedAt, operation.returnedAt + by);
          else if (what === 'exchanged') [operation.result, other.result] = [other.result, operation.result];
          else if (what === 'told' && operation.result !== undefined)
            operation.result = told(events, Math.abs(by) % (events.length + 1), operation.result);
          else if (what === 'unknown')
            Object.assign(operation, { outcome: 'unknown', returnedAt: Infinity, result: undefined });
          else if (what === 'called unknown' && operation.kind !== 'read' && operation.result?.changed === true) {
            const id = events.find(({ revision }) => revision === operation.result?.revision)?.id;
            Object.assign(operation, {
              outcome: 'unknown',
              toldAt: operation.invokedAt + Math.abs(by),
              eventId: id,
              returnedAt: Infinity,
              result: undefined,
            });
          } else if (what === 'unnamed') delete operation.eventId;
          else if (what === 'refused' && operation.kind !== 'read')
            Object.assign(operation, { outcome: 'refused', result: undefined });
          else if (what === 'cut') events.pop();
        }
        for (const operation of operations) if (operation.kind === 'read') operation.arguments = { minRevision: 0 };
        const faults = check({ operations, events });
        verdicts[faults.length === 0 ? 'right' : 'wrong'] += 1;
        if (search({ operations, events }) !== (faults.length === 0))
          throw new Error(`the search says ${faults.length > 0}, the check: ${faults.join(' ') || 'nothing'}`);
      },
    );
    fc.assert(property, { seed, numRuns: 3000 });
    t.comment(JSON.stringify(verdicts));
    t.ok(verdicts.right > 300 && verdicts.wrong > 300, 'both verdicts are held against each other');
  },
);

/** An answer that tells of another state, as one of that time would. */
function told(events: readonly MoveEvent[], index: number, { changed }: Told): Told {
  const { revision, version, previousVersion } = events[index - 1] ?? {
    revision: 0,
    version: null,
    previousVersion: null,
  };
  return { revision, version, ...(changed !== undefined && { changed }), ...(changed === true && { previousVersion }) };
}

const isOk = (kind: Operation['kind'], changed?: boolean) => (operation: Operation) =>
  operation.outcome === 'ok' && operation.kind === kind && operation.result?.changed === changed;

/** Plants a bug; undefined where the history has no place for it. @returns what the judge must say */
type Bug = (history: Drafts, pick: <T>(list: readonly T[]) => T | undefined) => RegExp | undefined;

const acknowledgedBefore = ({ operations }: Drafts, { invokedAt, client }: Operation) =>
  operations.filter(
    (other) => other.client !== client && isOk('activate', true)(other) && other.returnedAt < invokedAt,
  );
const indexOf = ({ events }: Drafts, { result }: Operation) =>
  1 + events.findIndex(({ revision }) => revision === result?.revision);

const BUGS: Readonly<Record<string, Bug>> = {
  'a stale read': (history, pick) => {
    const read = pick(
      history.operations.filter(
        (operation) => isOk('read')(operation) && acknowledgedBefore(history, operation).length > 0,
      ),
    );
    const early = read && pick(acknowledgedBefore(history, read));
    if (read?.result === undefined || early === undefined) return undefined;
    read.result = told(history.events, indexOf(history, early) - 1, read.result);
    read.arguments = { minRevision: 0 };
    return /^read .* (is stale: it does not know of|goes back behind) /u;
  },
  'a strong read that is older than it was asked for': (history, pick) => {
    const read = pick(
      history.operations.filter((operation) => isOk('read')(operation) && (operation.arguments.minRevision ?? 0) > 0),
    );
    if (read?.result === undefined) return undefined;
    const { revision } = history.events.find((event) => event.revision >= read.arguments.minRevision!)!;
    read.result = told(
      history.events,
      history.events.findIndex((event) => event.revision === revision),
      read.result,
    );
    read.result = { ...read.result, logRevision: revision - 1 };
    return /^read .* is older than revision \d+, which it was asked for\.$/u;
  },
  'a lost write': (history, pick) => {
    const move = pick(history.operations.filter(isOk('activate', true)));
    if (move === undefined) return undefined;
    history.events.splice(indexOf(history, move) - 1, 1);
    return /^activate .* was acknowledged and is lost: there is no such event\.$/u;
  },
  'a duplicated revision in the log': ({ events }, pick) => {
    const event = pick(events);
    if (event === undefined) return undefined;
    events.push({ ...event, id: 'another' });
    return /is in the log twice\.$/u;
  },
  'two moves that were told the same revision': ({ operations }, pick) => {
    const move = pick(operations.filter(isOk('activate', true)));
    if (move === undefined) return undefined;
    operations.push({ ...move, client: 'another' });
    return /were both told revision \d+\.$/u;
  },
  'a read from the future': (history, pick) => {
    const move = pick(
      history.operations.filter((operation) => isOk('activate', true)(operation) && operation.invokedAt > 10),
    );
    const read =
      move &&
      pick(history.operations.filter((operation) => isOk('read')(operation) && operation.returnedAt < move.invokedAt));
    if (move === undefined || read?.result === undefined) return undefined;
    read.result = told(history.events, indexOf(history, move), read.result);
    return /^read .* is from the future: .* was invoked after it\.$/u;
  },
  'a read that goes back for one client': (history, pick) => {
    const early = pick(
      history.operations.filter((operation) => isOk('read')(operation) && indexOf(history, operation) > 1),
    );
    const late =
      early &&
      pick(
        history.operations.filter(
          (operation) =>
            isOk('read')(operation) && operation.client === early.client && operation.invokedAt > early.returnedAt,
        ),
      );
    if (early === undefined || late?.result === undefined) return undefined;
    late.result = told(history.events, indexOf(history, early) - 1, late.result);
    late.arguments = { minRevision: 0 };
    return /^read .* goes back behind .*, of the same client\.$/u;
  },
  "a move that was acknowledged with another's revision": ({ operations, events }, pick) => {
    const move = pick(operations.filter(isOk('activate', true)));
    const other = move && pick(events.filter(({ version }) => version !== move.result?.version));
    if (move?.result === undefined || other === undefined) return undefined;
    move.result = { ...move.result, revision: other.revision, logRevision: other.revision };
    return /^activate .* was told revision \d+, which is another's/u;
  },
  'moves in another order than they were made in': (history, pick) => {
    const late = pick(
      history.operations.filter(
        (operation) => isOk('activate', true)(operation) && acknowledgedBefore(history, operation).length > 0,
      ),
    );
    const early = late && pick(acknowledgedBefore(history, late));
    if (late === undefined || early === undefined) return undefined;
    [late.invokedAt, late.returnedAt, early.invokedAt, early.returnedAt] = [
      early.invokedAt,
      early.returnedAt,
      late.invokedAt,
      late.returnedAt,
    ];
    return / did not come after | is from the future| is stale| goes back behind /u; // whichever the judge meets first, of these two or of one between
  },
  'a rollback that goes forward': ({ operations, events }, pick) => {
    const rollback = pick(
      operations.filter(
        (operation) => isOk('rollback', true)(operation) && operation.arguments.toVersion === undefined,
      ),
    );
    const index = events.findIndex(({ revision }) => revision === rollback?.result?.revision);
    if (rollback?.result === undefined || index === -1) return undefined;
    events[index] = { ...events[index]!, version: '9.0.0' };
    rollback.result = { ...rollback.result, version: '9.0.0' };
    return /^Revision \d+ \(version-rolled-back 9\.0\.0\) goes forward: that version was never active\.$/u;
  },
  'a refused move that happened nevertheless': ({ operations }, pick) => {
    const move = pick(operations.filter(isOk('activate', true)));
    if (move === undefined) return undefined;
    // Whoever has an unknown outcome and no id could have made it.
    for (let index = operations.length - 1; index >= 0; index -= 1)
      if (operations[index]!.outcome === 'unknown' && operations[index]!.eventId === undefined)
        operations.splice(index, 1);
    move.outcome = 'refused';
    delete move.result;
    return move.eventId === undefined
      ? /was made by nobody whose outcome allows it; activate .* asked for it and was refused\.$/u
      : /^activate .* was refused, and happened nevertheless, at revision \d+\.$/u;
  },
  'a no-op that tells a state that was not in force in its time': (history, pick) => {
    const noOp = pick(
      history.operations.filter(
        (operation) => isOk('activate', false)(operation) && acknowledgedBefore(history, operation).length > 0,
      ),
    );
    const early = noOp && pick(acknowledgedBefore(history, noOp));
    if (noOp?.result === undefined || early === undefined) return undefined;
    noOp.result = told(history.events, indexOf(history, early) - 1, noOp.result);
    if (noOp.result.version === null) return undefined;
    noOp.arguments = { version: noOp.result.version };
    return /^activate .* unchanged\) (is stale: it does not know of|goes back behind) /u;
  },
  'a no-op that tells a revision at which nothing moved': ({ operations }, pick) => {
    const noOp = pick(operations.filter(isOk('activate', false)));
    if (noOp?.result === undefined) return undefined;
    noOp.result = { ...noOp.result, revision: 1_000_000, logRevision: 1_000_000 };
    return /^activate .* tells a revision at which nothing moved\.$/u;
  },
  'a read that is mixed of two states': ({ operations }, pick) => {
    const read = pick(operations.filter(isOk('read')));
    if (read?.result === undefined) return undefined;
    read.result = { ...read.result, version: '9.0.0' };
    return /^read .* tells 9\.0\.0, where the log has .* at that revision\.$/u;
  },
  'a write of unknown outcome that lands behind an answer': (history, pick) => {
    const late = pick(
      history.operations.filter(
        (operation) => isOk('activate', true)(operation) && acknowledgedBefore(history, operation).length > 0,
      ),
    );
    const early = late && pick(acknowledgedBefore(history, late));
    if (late?.result === undefined || early === undefined) return undefined;
    Object.assign(late, {
      eventId: history.events[indexOf(history, late) - 1]?.id,
      outcome: 'unknown',
      invokedAt: early.invokedAt - 2,
      toldAt: early.invokedAt - 1,
      returnedAt: Infinity,
      result: undefined,
    });
    return /^activate .* \(unknown\) took effect at revision \d+, behind the answer to (activate|rollback) /u;
  },
  'an event that nobody asked for': ({ events }) => {
    const last = events.at(-1);
    if (last === undefined) return undefined;
    events.push({
      revision: last.revision + 1,
      id: 'foreign',
      type: 'version-activated',
      version: '9.0.0',
      previousVersion: last.version,
    });
    return /^Revision \d+ \(version-activated 9\.0\.0\) was made by nobody whose outcome allows it\.$/u;
  },
};

for (const [title, plant] of Object.entries(BUGS)) {
  t.test(`${title} is found (TEST_SEED=${seed})`, async (t) => {
    const random = randomFrom(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    let planted = 0;
    for (let run = 0; run < 100 && planted < 25; run += 1) {
      const history = simulate(random, { clients: 4, operations: 30 });
      const expected = plant(history, pick);
      if (expected === undefined) continue;
      planted += 1;
      const faults = check(history);
      if (!faults.some((fault) => expected.test(fault)))
        t.fail(`not found in run ${run}: ${faults.join(' ') || 'nothing was found'}`);
    }
    t.equal(planted, 25);
  });
}

/** Operations told shortly: `[client, from, to, kind, arguments, result]`. */
function operation(
  client: string,
  invokedAt: number,
  returnedAt: number,
  kind: Operation['kind'],
  given: Operation['arguments'],
  result?: Told,
): Operation {
  return {
    client,
    instance: 'i',
    kind,
    invokedAt,
    returnedAt,
    outcome: result === undefined ? 'unknown' : 'ok',
    arguments: given,
    result,
  };
}
const move = (
  revision: number,
  version: string,
  previousVersion: string | null,
  type: MoveEvent['type'] = 'version-activated',
): MoveEvent => ({ revision, id: `event-${revision}`, type, version, previousVersion });
const TWO = [move(5, 'a', null), move(8, 'b', 'a')];
const strong = { minRevision: 0 };
const A = { revision: 5, version: 'a' };
const B = { revision: 8, version: 'b' };

t.test('the judge tells what may be from what may not, where it is a hair', async (t) => {
  const made = operation('w', 10, 20, 'activate', { version: 'b' }, { ...B, changed: true });
  const late = (invokedAt: number, toldAt: number): Operation => ({
    ...operation('w', invokedAt, Infinity, 'activate', { version: 'b' }),
    toldAt,
    eventId: 'event-8',
  });
  const noOp = (at: number, state: typeof A) =>
    operation('n', at, at + 1, 'activate', { version: state.version }, { ...state, changed: false });
  const cases: [string, readonly Operation[], boolean, Partial<History>?][] = [
    [
      'old and new while the move runs',
      [made, operation('r', 11, 12, 'read', strong, A), operation('r', 13, 14, 'read', strong, B)],
      true,
    ],
    [
      'new and then old while the move runs',
      [made, operation('r', 11, 12, 'read', strong, B), operation('s', 13, 14, 'read', strong, A)],
      false,
    ],
    [
      'the same, of readers that know acknowledged moves only',
      [made, operation('r', 11, 12, 'read', strong, B), operation('s', 13, 14, 'read', strong, A)],
      true,
      { strongReadsKnow: 'acknowledged moves' },
    ],
    [
      'the same, of one client',
      [made, operation('r', 11, 12, 'read', strong, B), operation('r', 13, 14, 'read', strong, A)],
      false,
      { strongReadsKnow: 'acknowledged moves' },
    ],
    [
      'old after the move, for those as well',
      [made, operation('s', 21, 22, 'read', strong, A)],
      false,
      { strongReadsKnow: 'acknowledged moves' },
    ],
    ['old after the move, of a read that is not strong', [made, operation('s', 21, 22, 'read', {}, A)], true],
    ['new before the move, of a read that is not strong', [made, operation('s', 1, 9, 'read', {}, B)], false],
    [
      'a question at the very time of an answer is concurrent with it',
      [made, operation('r', 20, 22, 'read', strong, A)],
      true,
    ],
    [
      'a state from before the run',
      [made, operation('r', 1, 2, 'read', strong, { revision: 0, version: null })],
      false,
    ],
    [
      'an unknown outcome that happened',
      [
        operation('w', 10, Infinity, 'activate', { version: 'b' }),
        operation('r', 30, 31, 'read', strong, A),
        operation('r', 32, 33, 'read', strong, B),
      ],
      true,
    ],
    [
      'an unknown outcome that was seen before it was asked',
      [operation('w', 10, Infinity, 'activate', { version: 'b' }), operation('r', 1, 2, 'read', strong, B)],
      false,
    ],
    ['an unknown outcome of something else', [operation('w', 10, Infinity, 'activate', { version: 'c' })], false],
    ['an unknown outcome that did not happen', [made, operation('x', 1, Infinity, 'activate', { version: 'c' })], true],
    [
      'an outcome that was called unknown, and happened before the next answer',
      [late(10, 20), operation('r', 30, 31, 'read', strong, A), noOp(32, B)],
      true,
    ],
    ['one that happened behind it', [late(10, 20), noOp(30, A)], false],
    ['one that happened behind an answer that was asked for before', [late(10, 20), noOp(19, A)], true],
    ['one that was cut, and happened behind an answer', [{ ...late(10, 20), toldAt: undefined }, noOp(30, A)], true],
    [
      'two unknown outcomes, of which the one that could be either must be the second',
      [operation('w', 10, Infinity, 'rollback', {}), operation('x', 10, Infinity, 'rollback', { toVersion: 'b' })],
      true,
      {
        events: [
          ...TWO,
          move(9, 'c', 'b'),
          move(10, 'b', 'c', 'version-rolled-back'),
          move(11, 'a', 'b', 'version-rolled-back'),
        ],
        since: 9,
      },
    ],
    [
      'two unknown outcomes for one event',
      [
        operation('w', 10, Infinity, 'activate', { version: 'b' }),
        operation('x', 10, Infinity, 'activate', { version: 'b' }),
      ],
      true,
    ],
  ];
  for (const [title, operations, fine, rest] of cases) {
    const history: History = { operations, events: TWO, since: 5, ...rest };
    const faults = check(history);
    t.equal(faults.length === 0, fine, `${title}: ${faults.join(' ')}`);
    if (
      rest === undefined &&
      operations.every(({ kind, arguments: given }) => kind !== 'read' || given.minRevision !== undefined)
    )
      t.equal(search(history), fine, `${title}, by the search`);
  }
  t.same(
    check({ operations: [made, operation('s', 21, 22, 'read', strong, A)], events: TWO, since: 5 }),
    [
      'read at least 0 21–22 of client s at instance i (a at revision 5) is stale: it does not know of activate b 10–20 of client w at instance i (b at revision 8), which had returned before it was invoked.',
    ],
    'in words',
  );
});

t.test('rollbacks go down the stack, and each move from the version before it', async (t) => {
  const back = (revision: number, version: string, previousVersion: string) =>
    move(revision, version, previousVersion, 'version-rolled-back');
  const cases: [string, readonly MoveEvent[], RegExp | undefined][] = [
    [
      'down and down',
      [move(1, 'a', null), move(2, 'b', 'a'), move(3, 'c', 'b'), back(4, 'b', 'c'), back(5, 'a', 'b')],
      undefined,
    ],
    [
      'forward again',
      [move(1, 'a', null), move(2, 'b', 'a'), back(3, 'a', 'b'), back(4, 'b', 'a')],
      /rolled back to b at revision 4, not to nothing/u,
    ],
    [
      'past one',
      [move(1, 'a', null), move(2, 'b', 'a'), move(3, 'c', 'b'), back(4, 'a', 'c')],
      /rolled back to a at revision 4, not to b/u,
    ],
    ['to what is there', [move(1, 'a', null), move(2, 'a', 'a')], /moves the channel to where it is/u],
    ['from elsewhere', [move(1, 'a', null), move(2, 'b', 'c')], /names c as the version before; a was/u],
    ['one id twice', [move(1, 'a', null), { ...move(2, 'b', 'a'), id: 'event-1' }], /has the id of revision 1/u],
  ];
  for (const [title, events, expected] of cases) {
    const operations = events.map(({ revision, version, previousVersion, type }, at) =>
      operation(
        'w',
        10 * at,
        10 * at + 5,
        type === 'version-activated' ? 'activate' : 'rollback',
        type === 'version-activated' ? { version } : {},
        { revision, version, previousVersion, changed: true },
      ),
    );
    const faults = check({ operations, events });
    if (expected === undefined) t.same(faults, [], title);
    else t.match(faults.join(' '), expected, title);
  }
});
