/**
 * Random writes in batches, against a model that makes one write at a time (SPEC R3, R5, R6).
 *
 * Writes of two actors arrive in waves, some under an Idempotency-Key that repeats. Appends conflict with another instance's moves and
 * fences, or their outcome is unknown at first; look-ups are slow. Then every answer must be the one that the model gives: in order of
 * arrival, with moves of the other instance in between, where the log has them. A failure prints its seed and the shortest failing history.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import { apply } from '../../../registry/events.ts';
import type { Event } from '../../../registry/log/event.ts';
import { Instance } from '../../../registry/instance/instance.ts';
import type { PackContent } from '../../../registry/model.ts';
import { Registry } from '../../../registry/registry.ts';
import type { Snapshot } from '../../../registry/state/snapshot.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import type { Actor } from '../../../registry/model.ts';
import { decide, type Command } from '../../../registry/transitions.ts';
import type { Executed } from '../../../registry/writing/executor.ts';
import { optionsOf } from '../../support/apps/registries.ts';
import { shippedOf, versionOf } from '../../support/packs/pack-documents.ts';
import { readLog } from '../../support/stores/events.ts';
import { FailingStore, type Fault } from '../../support/stores/failing-store.ts';

const RUNS: Record<string, number> = { short: 40, faults: 400, soak: 1500 };
const numRuns = RUNS[process.env['TEST_LENGTH'] ?? 'short'] ?? 40;
/** Runs at the same time: most of a run is waiting for the next attempt after an unknown outcome. */
const AT_ONCE = 4;

const CHANNELS = ['production', 'staging'];
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '3.0.0'];
const rules = { now: Date.UTC(2026, 0, 31), channels: CHANNELS };
const contents = new Map<string, PackContent>();
for (const version of VERSIONS) {
  const { digest, content } = versionOf('coach', version);
  contents.set(digest, content);
}

/** A write: what is asked, by whom, under which key. */
interface Asked {
  readonly command: Extract<Command, { readonly actor: Actor }>;
  readonly key: string | undefined;
}
type Answer = Executed | RegistryError;
/** What becomes of an append: a fault, a move of the other instance just before it, or nothing special. */
type Happening = Fault | 'other' | undefined;

interface History {
  /** Writes that arrive together, and how many turns of the event loop later the next ones do. */
  readonly waves: readonly { readonly writes: readonly Asked[]; readonly turns: number }[];
  readonly appends: readonly Happening[];
  /** How many turns of the event loop each look-up takes. */
  readonly lookUps: readonly number[];
  /** The versions that the other instance activates. */
  readonly others: readonly string[];
  readonly deaf: boolean;
}

const version = fc.constantFrom(...VERSIONS);
const place = fc.record({ pack: fc.constant('coach'), channel: fc.constantFrom(...CHANNELS) });
const command = fc
  .oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('activate'), version }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('rollback') }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('rollback'), fromVersion: version }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('revoke'), version, replacement: version }) },
    { weight: 1, arbitrary: version.map((name) => ({ type: 'publish', version: versionOf('coach', name) })) },
  )
  .chain((part) =>
    fc.tuple(place, fc.constantFrom('a', 'b')).map(
      ([at, keyId]) =>
        ({
          ...(part.type === 'publish' ? {} : at),
          ...part,
          actor: { keyId, label: keyId },
          reason: 'Why not',
        }) as Asked['command'],
    ),
  );
const asked: fc.Arbitrary<Asked> = fc.record({
  command,
  key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined, freq: 2 }),
});
const history: fc.Arbitrary<History> = fc.record({
  waves: fc.array(fc.record({ writes: fc.array(asked, { maxLength: 6 }), turns: fc.nat(3) }), {
    minLength: 1,
    maxLength: 5,
  }),
  appends: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 3, arbitrary: fc.constant('other' as const) },
      { weight: 2, arbitrary: fc.constantFrom('conflict' as const, 'lost-answer' as const, 'unknown' as const) },
    ),
    { maxLength: 6 },
  ),
  lookUps: fc.array(fc.nat(4), { maxLength: 8 }),
  others: fc.array(version, { minLength: 3, maxLength: 3 }),
  deaf: fc.boolean(),
});

/** What a write is told if it runs out of time. */
const LATE: ReadonlySet<string> = new Set(['store-unavailable', 'store-busy', 'outcome-unknown']);

const nameOf = ({ command: { actor }, key }: Asked) => `${actor.keyId} ${key}`;
const fingerprintOf = ({ command: { actor: _, ...rest } }: Asked) => JSON.stringify(rest);

/** Has the history happen. @returns every write with its answer, and the log after the start */
async function carryOut({ waves, appends, lookUps, others, deaf }: History) {
  const real = new MemoryStore();
  let [append, lookUp, move] = [0, 0, 0];
  const opened: { other?: Registry } = {};
  const store = new FailingStore(real, async ({ method }) => {
    const { other } = opened;
    if (other === undefined) return undefined;
    if (method === 'repeated')
      for (let left = lookUps[lookUp++] ?? 0; left > 0; left -= 1) await new Promise(setImmediate);
    if (method !== 'append') return undefined;
    const happening = appends[append++];
    if (happening !== 'other') return happening;
    await other.activate({ version: others[move++ % others.length]!, reason: 'By the other' }).catch(refused);
    return undefined;
  });
  store.deaf = deaf;
  const options = { channels: CHANNELS, shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0') };
  const instance = await Instance.open(optionsOf({ store, ...options }));
  const started = instance.current.applied;
  const heard: Event[] = [];
  instance.onChange((events) => heard.push(...events));
  const other = (opened.other = await Registry.open(optionsOf({ store: new FailingStore(real), ...options })));

  const answers: Promise<{ write: Asked; answer: Answer }>[] = [];
  for (const { writes, turns } of waves) {
    for (const write of writes) {
      const { actor } = write.command;
      const idempotency = write.key === undefined ? undefined : { key: write.key, fingerprint: fingerprintOf(write) };
      const answer = instance.executor.execute(write.command, { actor, idempotency }).catch(refused);
      answers.push(answer.then((told) => ({ write, answer: told })));
    }
    for (let left = turns; left > 0; left -= 1) await new Promise(setImmediate);
  }
  const told = await Promise.all(answers);
  const log = await readLog(real, started.revision);
  await instance.catchUp();
  assert.deepEqual(heard, log, 'every event is announced once, in order');
  await Promise.all([instance.close(), other.close()]);
  return { started, log, told };
}

function refused(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  throw error;
}

/** One write at a time, on the log as it came about. */
class Model {
  state: Snapshot;
  readonly #log: readonly Event[];
  readonly #first = new Map<string, { readonly write: Asked; readonly event: Event }>();

  constructor(started: Snapshot, log: readonly Event[]) {
    this.state = started;
    this.#log = log;
  }

  check({ write, answer }: { readonly write: Asked; readonly answer: Answer }): void {
    if (answer instanceof RegistryError && LATE.has(answer.code)) return this.#late(write, answer);
    const name = nameOf(write);
    const first = write.key === undefined ? undefined : this.#first.get(name);
    if (first !== undefined) {
      const isSame = fingerprintOf(first.write) === fingerprintOf(write);
      if (isSame) assert.deepEqual(answer, { ...answer, event: first.event, replayed: true });
      else assert.equal(answer instanceof RegistryError && answer.code, 'idempotency-mismatch');
      return;
    }
    // What the other instance did may lie before this write, or after it: the first place where the answer fits.
    while (!this.#fits(write, answer)) this.#passOther(write, answer);
    if (answer instanceof RegistryError || answer.event === undefined) return;
    this.#pass();
    assert.equal(answer.snapshot.hash, this.state.hash, 'the snapshot is the one that its own event led to');
    this.#first.set(name, { write, event: answer.event });
  }

  /** On a slow machine the time of a write may be up. Then it made nothing, or, if its outcome is unknown, its event may be in the log. */
  #late(write: Asked, { members: { eventId } }: RegistryError): void {
    const event = this.#log.find(({ id, revision }) => id === eventId && revision > this.state.revision);
    if (event === undefined) return;
    while (this.#next !== event) this.#passOther(write);
    this.#pass();
    this.#first.set(nameOf(write), { write, event });
  }

  /** The events that are left are of the other instance. */
  end(): void {
    while (this.#next !== undefined) this.#passOther();
  }

  get #next(): Event | undefined {
    return this.#log.find(({ revision }) => revision === this.state.revision + 1);
  }

  #fits({ command }: Asked, answer: Answer): boolean {
    let drafts;
    try {
      drafts = decide(this.state, command, rules).events;
    } catch (refusal) {
      return (
        answer instanceof RegistryError &&
        refused(refusal).code === answer.code &&
        refused(refusal).message === answer.message
      );
    }
    if (answer instanceof RegistryError || answer.replayed) return false;
    const [draft] = drafts;
    if (draft === undefined) return answer.event === undefined && answer.snapshot.hash === this.state.hash;
    const { type, data, reason } = answer.event ?? {};
    return (
      answer.event?.hash === this.#next?.hash &&
      type === draft.type &&
      reason === draft.reason &&
      JSON.stringify({ ...draft.data, idempotency: data?.idempotency }) ===
        JSON.stringify({ ...data, idempotency: data?.idempotency })
    );
  }

  #pass(): void {
    this.state = apply(this.state, this.#next!, contents);
  }

  #passOther(...why: unknown[]): void {
    assert.equal(
      this.#next?.reason,
      'By the other',
      `no place for ${JSON.stringify(why)} in ${JSON.stringify(this.#log)}`,
    );
    this.#pass();
  }
}

t.test(`${AT_ONCE} times ${numRuns} histories are answered as one write at a time`, async (t) => {
  const property = fc.asyncProperty(history, async (random) => {
    const { started, log, told } = await carryOut(random);
    const model = new Model(started, log);
    for (const each of told) model.check(each);
    model.end();
  });
  const runs = Array.from({ length: AT_ONCE }, () => fc.assert(property, { numRuns })); // a failure's message holds the seed
  await t.resolves(Promise.all(runs));
});
