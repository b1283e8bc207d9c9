/**
 * Lost COMMIT responses: however often a client repeats an unanswered request, effects = events = keys (BARS B4; SPEC R6).
 *
 * Clients create keys, roll back and publish on registries over SQLite. Each request has its own Idempotency-Key, and the store's responses are
 * lost in every possible way. The clients repeat a request until they know its outcome. The control is a service that loses the key. To repeat a
 * run: TEST_SEED=… node test/fault/lost-answers.test.ts
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fingerprintOf } from '../../registry/writing/idempotency.ts';
import { Registry } from '../../registry/registry.ts';
import type { Attribution } from '../../registry/requests.ts';
import { RegistryError } from '../../registry/errors.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { firstBroken, newSeed, randomFrom, readLog } from '../support/stores/events.ts';
import { FailingStore, type Fault } from '../support/stores/failing-store.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { optionsOf } from '../support/apps/registries.ts';

/** BARS B4, divided among the lanes. */
const losses = { short: 36, faults: 204, soak: 1008 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 36;
/** COMMITs that succeed and whose response is lost. */
const LOST: Fault = 'lost-answer';
/** Concurrent registries: a write with an unknown outcome takes two seconds and is mostly idle. */
const LANES = 12;

const seed = newSeed();

/**
 * What the store does with the appends of one request, in turn; later ones succeed.
 * - the answer is lost once, and the writer finds out on its own
 * - it is lost and the store stays away, so that the client gets `outcome-unknown`
 * - the store goes away before the append, or refuses it at first
 */
const SCENES: Readonly<Record<string, { readonly faults: readonly Fault[]; readonly away: boolean }>> = {
  'lost once': { faults: [LOST], away: false },
  'lost twice': { faults: [LOST, 'unknown'], away: false },
  'lost, then away': { faults: [LOST], away: true },
  'away before it came': { faults: ['unknown'], away: true },
  'not there at first': { faults: ['rejects'], away: false },
};
const NAMES = Object.keys(SCENES);

interface Lane {
  readonly registry: Registry;
  readonly log: () => ReturnType<typeof readLog>;
  /** The store makes of the coming appends what the scene says, until `wellAgain`. */
  play(scene: string): void;
  wellAgain(): void;
  /** COMMITs that succeeded without a response. */
  lost(): number;
}

async function openLane(t: Test, file: string): Promise<Lane> {
  const sqlite = await openSqliteStore({ file });
  t.teardown(() => sqlite.close());
  let faults: Fault[] = [];
  let away = false;
  let lost = 0;
  const store = new FailingStore(sqlite, ({ method }) => {
    if (method !== 'append') return undefined;
    const fault = faults.shift() ?? (away ? 'unknown' : undefined);
    if (fault === LOST) lost += 1;
    return fault;
  });
  // A stack deep enough for every rollback.
  const registry = await Registry.open(
    optionsOf({ store, channels: ['production'], shipped: shippedOf('coach@1.0.0', 'coach@2.0.0') }),
  );
  t.teardown(() => registry.close());
  for (let turn = 0; turn < 20 + (3 * losses) / LANES; turn += 1)
    await registry.activate({ version: turn % 2 === 0 ? '1.0.0' : '2.0.0', reason: 'Down' });
  return {
    registry,
    log: () => readLog(sqlite),
    play: (scene) => {
      const { faults: planned = [], away: stays = false } = SCENES[scene] ?? {};
      [faults, away] = [[...planned], stays];
    },
    wellAgain: () => ([faults, away] = [[], false]),
    lost: () => lost,
  };
}

type Ask = (registry: Registry, request: number, attribution: Attribution) => Promise<number>;

/** Requests that have a second effect if they are executed twice. Each returns the revision of its acknowledgement. */
const ASKS: readonly Ask[] = [
  async (registry, _request, attribution) =>
    (await registry.rollback({ reason: 'Too blunt', ...attribution })).revision,
  async (registry, request, attribution) => {
    const { record } = await registry.createKey({
      label: `Key of ${request}`,
      scopes: ['prompts:read'],
      ...attribution,
    });
    return (
      (await registry.events({ limit: 1000, types: ['key-created'] })).find(
        ({ data }) => 'keyId' in data && data.keyId === record.keyId,
      )?.revision ?? 0
    );
  },
  async (registry, request, attribution) => {
    const { record } = await registry.publish({
      pack: 'coach',
      document: documentOf('coach', `3.0.${request}`),
      ...attribution,
    });
    return (
      (await registry.events({ limit: 1000, types: ['version-published'] })).find(
        ({ version }) => version === record.version,
      )?.revision ?? 0
    );
  },
];

/** Repeats a request until its outcome is known. @returns its revision, and how often it was sent */
async function persist(lane: Lane, ask: () => Promise<number>): Promise<{ revision: number; sent: number }> {
  for (let sent = 1; ; sent += 1) {
    try {
      return { revision: await ask(), sent };
    } catch (error) {
      if (!(error instanceof RegistryError) || !['outcome-unknown', 'store-unavailable'].includes(error.code))
        throw error;
      lane.wellAgain();
    }
  }
}

/** Sends requests in a lane until enough responses were lost. @param attributionOf what the service sees of a request's key */
async function run(lane: Lane, random: () => number, wanted: number, attributionOf: (key: string) => Attribution) {
  const acknowledged = new Map<string, number>();
  let sent = 0;
  const before = (await lane.log()).length;
  for (let request = 1; lane.lost() < wanted; request += 1) {
    const ask = ASKS[Math.floor(random() * ASKS.length)]!;
    const key = `request-${request}`;
    lane.play(NAMES[Math.floor(random() * NAMES.length)] ?? '');
    const done = await persist(lane, () => ask(lane.registry, request, attributionOf(key)));
    lane.wellAgain();
    acknowledged.set(key, done.revision);
    sent += done.sent;
  }
  const log = await lane.log();
  return { acknowledged, sent, log, events: log.slice(before) };
}

t.test(`${losses} lost answers, TEST_SEED=${seed}`, async (t) => {
  const folder = newFolder(t);
  const tally = { lost: 0, sent: 0, keys: 0, events: 0 };
  const lanes = Array.from({ length: LANES }, async (_, index) => {
    const lane = await openLane(t, join(folder, `${index}.db`));
    const actor = { keyId: `client-${index}`, label: 'A client' };
    const { acknowledged, sent, log, events } = await run(lane, randomFrom(seed + index), losses / LANES, (key) => ({
      actor,
      idempotency: { key, fingerprint: fingerprintOf('POST', key, null) },
    }));
    const byKey = new Map(events.map(({ revision, data }) => [data.idempotency?.key, revision]));
    t.strictSame(byKey, acknowledged, 'each key has the event that its client got');
    t.equal(events.length, acknowledged.size, 'and there are no other events');
    t.equal(firstBroken(log), undefined);
    tally.lost += lane.lost();
    tally.sent += sent;
    tally.keys += acknowledged.size;
    tally.events += events.length;
  });
  await Promise.all(lanes);
  t.equal(tally.events, tally.keys);
  t.ok(tally.lost >= losses && tally.keys >= losses && tally.sent > tally.keys, JSON.stringify(tally));
});

t.test(`control: a service that loses the key does it twice, TEST_SEED=${seed}`, async (t) => {
  const lane = await openLane(t, join(newFolder(t), 'registry.db'));
  lane.play('lost, then away');
  const attribution = { actor: { keyId: 'client', label: 'A client' } };
  const before = (await lane.log()).length;
  const { sent } = await persist(lane, () => ASKS[1]!(lane.registry, 1, attribution));
  t.equal(sent, 2);
  t.equal((await lane.log()).length, before + 2, 'two keys for one request');
});
