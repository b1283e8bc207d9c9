/**
 * Compares two states.
 *
 * Problem: a state read from disk must equal the log's in every member, but members may be in another order, and an undefined one may be
 * missing.
 * Rule: records are compared by their canonical JSON (RFC 8785). The event loop runs after every few records, so that reads stay fast.
 * Example: `['key k7Qm2Xw9Lp3a', 'version 1.1.0 of pack "coach"']`.
 */
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import { EMPTY_SNAPSHOT, type PackState, type State } from '../state/snapshot.ts';
import { canonical } from '../values/canonical.ts';

/** Records compared between two turns of the event loop: about a millisecond of work. */
const SLICE = 100;
/** The most differences that are named. */
const MOST_NAMED = 10;

/** The records of a state, each with a name for people. */
type Records = Iterable<readonly [name: string, record: unknown]>;

/** The names of what differs between two states; empty if they are equal. At most ten are named. */
export async function differencesOf(one: State, other: State): Promise<string[]> {
  const found: string[] = [];
  const all = new Map<string, unknown>();
  let turns = 0;
  const rest = async () => {
    turns += 1;
    if (turns % SLICE === 0) await setImmediate();
  };
  for (const [name, record] of recordsOf(one)) {
    all.set(name, record);
    await rest();
  }
  for (const [name, record] of recordsOf(other)) {
    if (!all.has(name) || !same(all.get(name), record)) found.push(name);
    all.delete(name);
    await rest();
  }
  found.push(...all.keys());
  return found.length <= MOST_NAMED ? found : [...found.slice(0, MOST_NAMED), `${found.length - MOST_NAMED} more`];
}

/** Compares a state with a log that is read from its first event on. */
export class StateProof {
  readonly #state: State;
  readonly #more: () => Promise<readonly string[]>;
  readonly #fold = foldFrom(EMPTY_SNAPSHOT);
  #compared = false;

  /** @param more further differences, in data that is not in the log */
  constructor(state: State, more: () => Promise<readonly string[]> = () => Promise.resolve([])) {
    this.#state = state;
    this.#more = more;
  }

  /** Whether the log has been read up to the state, and holds its revision and hash. */
  get compared(): boolean {
    return this.#compared;
  }

  /** Adds the next event. @returns what is wrong, in words; undefined if nothing is */
  async add(event: Event): Promise<string | undefined> {
    const { revision, hash } = this.#state;
    if (event.revision > revision) return undefined;
    try {
      this.#fold.add(event);
    } catch (error) {
      return `The log contradicts itself: ${messageOf(error)}`;
    }
    if (event.revision < revision || event.hash !== hash) return undefined;
    this.#compared = true;
    const differences = [...(await differencesOf(this.#state, this.#fold.state())), ...(await this.#more())];
    return differences.length === 0
      ? undefined
      : `What is served at revision ${revision} is not what the log says. It differs in: ${differences.join(', ')}.`;
  }
}

function* recordsOf({ registryId, epoch, epochStart, revision, hash, at, packs, keys }: State): Records {
  yield ['the place in the log', { registryId, epoch, epochStart, revision, hash, at }];
  for (const [keyId, record] of keys) yield [`key ${keyId}`, record];
  for (const [pack, state] of packs) yield* packRecordsOf(pack, state);
}

function* packRecordsOf(pack: string, { versions, pointers, policy, plans }: PackState): Records {
  yield [`the policy of pack "${pack}"`, policy];
  for (const record of versions) yield [`version ${record.version} of pack "${pack}"`, record];
  for (const [channel, { everActive, ...pointer }] of pointers)
    yield [`channel ${channel} of pack "${pack}"`, { ...pointer, everActive: [...everActive] }];
  for (const [channel, plan] of plans) yield [`the plan of channel ${channel} of pack "${pack}"`, plan];
}

function same(one: unknown, other: unknown): boolean {
  return one === other || textOf(one) === textOf(other);
}

function textOf(record: unknown): string {
  return record === undefined ? '' : canonical(record);
}
