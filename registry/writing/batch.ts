/**
 * Many writes, one batch: each is decided on the state that the earlier ones lead to.
 *
 * Problem: writes that are appended together must be answered as if they had been appended one after the other.
 * Rule: they are decided in order of arrival. Each keeps its own events, snapshot and answer; the refusal of one changes nothing for
 * the others. The decisions are pure; what they need from the store is read before, for all of them at once. A write that waits for such a
 * read holds up those behind it, but never those that are decided already.
 * Example: `a` activates 1.1.0, `b` repeats it, `c` rolls back. One batch of two events; `b` is answered "nothing to change".
 */
import { RegistryError } from '../errors.ts';
import { foldFrom } from '../events.ts';
import type { Contents } from '../local/contents.ts';
import { charactersOf } from '../local/contents.ts';
import { seal, type Event } from '../log/event.ts';
import type { Proposal } from '../log/proposal.ts';
import type { SessionKey, StoredContent } from '../log/store.ts';
import type { Clock } from '../machine/clock.ts';
import type { PackContent } from '../model.ts';
import type { Fold } from '../state/fold.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Committed, Decide, Write } from './write.ts';

/** The most events and characters of contents in a batch of several writes. */
const MOST_EVENTS = 100;
const MOST_CHARACTERS = 1_000_000;
/** How long decided writes wait for those behind them, in milliseconds. */
const GRACE = 100;

/** The answer to a write. */
export interface Answer extends Committed {
  readonly write: Write;
  readonly refusal?: RegistryError;
  /** Whether it depends on an event of the batch, its own included. */
  readonly rests: boolean;
}

/** What was decided, in order. */
export interface Decided {
  /** Of the writes that are in the batch. The others are to be decided again. */
  readonly answers: readonly Answer[];
  readonly events: readonly Event[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys: readonly SessionKey[];
  /** The state that all of it leads to. */
  readonly snapshot: Snapshot;
  /** A write repeats one whose event is not applied here yet (SPEC R3): the log must be read, and all decided again. */
  readonly behind: boolean;
}

/** What decisions need besides the state. */
export interface Means {
  readonly contents: Contents;
  /** `known` is awaited before the first decision. */
  readonly clock: Clock & { known?(): Promise<void> | undefined };
}

/** One more answer, with what it adds to the batch; or the failure that the write gets instead. */
type Step =
  | {
      readonly answer: Answer;
      readonly contents: readonly StoredContent[];
      readonly sessionKeys: readonly SessionKey[];
    }
  | { readonly failure: unknown };

/**
 * Decides writes in order. Those that fail before anything is sent, and repeats of events that are applied here, are answered at once.
 * @param base what is applied
 */
export async function decideInOrder(base: Snapshot, writes: readonly Write[], means: Means): Promise<Decided> {
  const prepared = writes.map(async ({ prepare }) => prepare(base)); // begun together, and after the base was read
  for (const each of prepared) each.catch(() => undefined);
  const answers: Answer[] = [];
  const events: Event[] = [];
  const contents: StoredContent[] = [];
  const sessionKeys: SessionKey[] = [];
  let snapshot = base;
  let room = MOST_CHARACTERS;
  let behind = false;
  const grace = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => grace.resolve(undefined), GRACE);

  for (const [index, write] of writes.entries()) {
    const step = decideNext(write, prepared[index], { state: snapshot, made: events }, means);
    const decided = await Promise.race([step, answers.length > 0 ? grace.promise : write.over]);
    if (write.isAnswered) continue; // its deadline has passed
    if (decided === undefined) break; // those before it do not wait longer
    if ('failure' in decided) {
      write.refuse(decided.failure);
      continue;
    }
    const { answer } = decided;
    const { replayOf } = answer;
    if (replayOf !== undefined && !events.includes(replayOf)) {
      behind = replayOf.revision > base.revision;
      if (behind) break;
      write.give({ events: [], snapshot: base, replayOf });
      continue;
    }
    room -= decided.contents.reduce((sum, { content }) => sum + charactersOf(content), 0);
    if (events.length > 0 && (room < 0 || events.length + answer.events.length > MOST_EVENTS)) break;
    answers.push(answer);
    events.push(...answer.events);
    contents.push(...decided.contents);
    sessionKeys.push(...decided.sessionKeys);
    snapshot = answer.snapshot;
  }
  clearTimeout(timer);
  return { answers, events, contents, sessionKeys, snapshot, behind };
}

/** Changes nothing: the step of a write that is decided again later may end late. */
async function decideNext(
  write: Write,
  prepared: Promise<Decide> | undefined,
  { state, made }: { readonly state: Snapshot; readonly made: readonly Event[] },
  means: Means,
): Promise<Step> {
  const rests = made.length > 0;
  try {
    const decide = await prepared;
    await means.clock.known?.(); // decisions go by it, and so do the times of their events
    if (decide === undefined) throw new TypeError('A write was not prepared.');
    // One time for the decision and its events: a wait that begins with an event lasts from the time that the event states.
    const now = Math.max(means.clock.now(), Date.parse(state.at) || 0);
    const proposal = decide(state, made, now);
    const { replayOf, contents, sessionKeys = [] } = proposal;
    if (proposal.events.length === 0)
      return { answer: { write, events: [], snapshot: state, replayOf, rests }, contents: [], sessionKeys: [] };
    const { events, snapshot } = await follow(state, proposal, now, means);
    return { answer: { write, events, snapshot, rests: true }, contents, sessionKeys };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code === 'store-unavailable') return { failure: error };
    return { answer: { write, events: [], snapshot: state, refusal: error, rests }, contents: [], sessionKeys: [] };
  }
}

/** The events of a proposal, and the state after them. SPEC R3: all that can fail comes before the append. */
async function follow(
  state: Snapshot,
  proposal: Proposal,
  now: number,
  { contents, clock }: Means,
): Promise<{ readonly events: readonly Event[]; readonly snapshot: Snapshot }> {
  const events = seal(proposal.events, state, {
    now: () => now,
    newId: () => clock.newId(),
    notBefore: state.at,
  });
  for (const { digest, content } of proposal.contents) contents.remember(digest, content);
  const fold = foldFrom(state);
  for (const event of events) fold.add(event);
  return { events, snapshot: fold.freeze(await activeContents(fold, proposal.contents, contents)) };
}

/** The contents of the versions that pointers moved to. @throws RegistryError `store-unavailable` */
export async function activeContents(
  fold: Fold,
  added: readonly StoredContent[],
  contents: Contents,
): Promise<Map<string, PackContent>> {
  const known = new Map(added.map(({ digest, content }) => [digest, content]));
  const missing = [...fold.neededDigests()].filter((digest) => !known.has(digest));
  for (const [digest, content] of await contents.all(missing)) known.set(digest, content);
  return known;
}
