/**
 * The judge of histories is tested itself: it accepts every history that a correct pointer can make, finds each planted bug, and agrees with
 * the general search on small histories. Failures print the seed; `TEST_SEED` repeats a run.
 */
import fc from 'fast-check';
import t from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { check, search, type History, type Operation, type Told } from './checker.ts';
import { BUGS } from './planted-bugs.ts';
import type { MoveEvent } from './pointer-log.ts';
import { simulate, told } from './simulated.ts';

const seed = newSeed();

t.test(`a history of a correct pointer is accepted (TEST_SEED=${seed})`, async (t) => {
  const random = randomFrom(seed);
  for (let run = 0; run < 50; run += 1) {
    const history = simulate(random, { clients: 1 + (run % 8), operations: 40 });
    t.same(check(history), [], `history ${run}`);
    t.same(
      check({ ...history, strongReadsKnow: 'acknowledged moves' }),
      [],
      'it is also accepted under the weaker promise',
    );
  }
});

t.test(`5,000 operations are judged at once, even with many unknown outcomes (TEST_SEED=${seed})`, async (t) => {
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
    t.ok(verdicts.right > 300 && verdicts.wrong > 300, 'both verdicts were compared');
  },
);

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

/** An operation in short form. */
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

t.test('the judge decides close cases correctly', async (t) => {
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

t.test('at most one rollout runs, and a rollback ends it instead of moving the pointer', async (t) => {
  const begun = (revision: number, candidate: string, stable: string): MoveEvent => ({
    ...move(revision, candidate, stable, 'rollout-started'),
    rollout: revision,
  });
  const ended = (revision: number, by: 'abort' | 'rollback', rollout: number): MoveEvent => ({
    ...move(revision, 'b', 'a', 'rollout-aborted'),
    by,
    rollout,
  });
  const first = (version: string) =>
    operation('w', 0, 5, 'activate', { version }, { revision: 1, version, changed: true });
  const asked = (at: number, kind: Operation['kind'], given: Operation['arguments'], revision: number, version = 'a') =>
    operation('w', at, at + 5, kind, given, { revision, version, changed: true });
  const start = asked(10, 'start', { version: 'b' }, 2);
  const read = (revision: number, candidate: string | null) =>
    operation('r', 30, 31, 'read', strong, { revision, version: 'a', candidate });
  const ONE = [move(1, 'a', null), begun(2, 'b', 'a')];
  const cases: [string, readonly MoveEvent[], readonly Operation[], RegExp | undefined][] = [
    ['a rollback ends it', [...ONE, ended(3, 'rollback', 2)], [start, asked(20, 'rollback', {}, 3)], undefined],
    ['a read shows it', ONE, [start, read(2, 'b')], undefined],
    ['a read does not show it', ONE, [start, read(2, null)], /tells that nothing is rolled out, where the log has b/u],
    ['a read from before', ONE, [start, read(1, null)], /is stale: it does not know of start b/u],
    ['its end is lost', ONE, [start, asked(20, 'abort', { rollout: 2 }, 3)], /was acknowledged and is lost/u],
    [
      'the end of another one',
      [...ONE, ended(3, 'abort', 2)],
      [start, asked(20, 'abort', { rollout: 9 }, 3)],
      /aborted rollout 2/u,
    ],
    [
      'two at once',
      [...ONE, begun(3, 'c', 'a')],
      [start, asked(20, 'start', { version: 'c' }, 3)],
      /begins while b is rolled out/u,
    ],
    [
      'an end without a beginning',
      [move(1, 'a', null), ended(3, 'rollback', 2)],
      [asked(20, 'rollback', {}, 3)],
      /ends what does not run/u,
    ],
    [
      'a rollback that moves the pointer below',
      [move(1, 'z', null), move(2, 'a', 'z'), begun(3, 'b', 'a'), move(4, 'z', 'a', 'version-rolled-back')],
      [
        asked(6, 'activate', { version: 'a' }, 2),
        asked(12, 'start', { version: 'b' }, 3),
        asked(20, 'rollback', {}, 4, 'z'),
      ],
      /although a rollout was to end/u,
    ],
  ];
  for (const [title, events, operations, expected] of cases) {
    const history = { operations: [first(events[0]?.version ?? ''), ...operations], events };
    const faults = check(history);
    if (expected === undefined) t.same(faults, [], title);
    else t.match(faults.join(' '), expected, title);
    t.equal(search(history), expected === undefined, `${title}, by the search`);
  }
});
