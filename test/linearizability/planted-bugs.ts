/** Bugs of a pointer, planted in a correct history, and the message of the judge for each. */
import type { Operation } from './checker.ts';
import { told, type Drafts } from './simulated.ts';

const isOk = (kind: Operation['kind'], changed?: boolean) => (operation: Operation) =>
  operation.outcome === 'ok' && operation.kind === kind && operation.result?.changed === changed;

/** Plants a bug. @returns what the judge must say; undefined if this history has no place for the bug */
type Bug = (history: Drafts, pick: <T>(list: readonly T[]) => T | undefined) => RegExp | undefined;

const acknowledgedBefore = ({ operations }: Drafts, { invokedAt, client }: Operation) =>
  operations.filter(
    (other) => other.client !== client && isOk('activate', true)(other) && other.returnedAt < invokedAt,
  );
const indexOf = ({ events }: Drafts, { result }: Operation) =>
  1 + events.findIndex(({ revision }) => revision === result?.revision);

export const BUGS: Readonly<Record<string, Bug>> = {
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
    return / did not come after | is from the future| is stale| goes back behind /u; // the judge reports whichever of them it finds first
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
    // A write with an unknown outcome and no event id could have made it.
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
