/**
 * Tampering with the log in the database file (BARS B12; SPEC R11): every edit, removal, reordering and insertion of events, and every edit of
 * a content, is found and located. A log with its tail cut off, or with its whole chain rewritten, is valid in itself: only a head that was
 * kept elsewhere shows it.
 *
 * To repeat a run: TEST_SEED=… node test/fault/tampering.test.ts
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { verifyLog, type Verification } from '../../registry/proof/verify.ts';
import { hashOf, type Event, type Head } from '../../registry/log/event.ts';
import { fingerprintOf } from '../../registry/writing/idempotency.ts';
import { Registry } from '../../registry/registry.ts';
import type { Store } from '../../registry/log/store.ts';
import { attachSqliteStore, openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { Attacker, FALSIFICATIONS } from '../support/stores/attacker.ts';
import { newSeed, randomFrom, readLog } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';
import { until } from '../support/process/until.ts';
import { optionsOf } from '../support/apps/registries.ts';

const { edits, tails } = {
  short: { edits: 100, tails: 10 },
  faults: { edits: 1000, tails: 100 },
  soak: { edits: 5000, tails: 500 },
}[process.env['TEST_LENGTH'] ?? 'short'] ?? { edits: 100, tails: 10 };
const seed = newSeed();
const random = randomFrom(seed);

const folder = newFolder(t);
const original = join(folder, 'registry.db');
const copy = join(folder, 'copy.db');

/** A log with events of every type. */
const events = await (async (): Promise<Event[]> => {
  const store = await openSqliteStore({ file: original });
  const shipped = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'onboarding@1.0.0');
  const clock = { time: Date.now(), now: () => clock.time, newId: () => crypto.randomUUID() };
  const policies = [floorUnder('coach', 1, '1.1.0')];
  const registry = await Registry.open(optionsOf({ store, shipped, policies, clock }));
  const actor = { keyId: 'operator1', label: 'Operator on call' };
  for (let turn = 0; turn < 6; turn += 1) {
    const attribution = { actor, idempotency: { key: `turn-${turn}`, fingerprint: fingerprintOf('POST', '/', turn) } };
    await registry.publish({
      pack: 'coach',
      document: documentOf('coach', `3.0.${turn}`, { summary: `Edition “${turn}” 🌱` }),
    });
    await registry.activate({ version: `3.0.${turn}`, reason: `Turn ${turn}`, ...attribution });
    await registry.activate({ version: '1.0.0', channel: 'staging', reason: 'Down', actor });
    await registry.rollback({ reason: 'Too blunt', actor });
    if (turn % 2 === 0)
      await registry.revoke({
        pack: 'coach',
        version: `3.0.${turn}`,
        replacement: '2.0.0',
        reason: 'Leaves out the crisis wording',
        actor,
      });
    const { record } = await registry.createKey({ label: `Key ${turn}`, scopes: ['prompts:read'], actor });
    await registry.revokeKey({ keyId: record.keyId, reason: 'Left the team', actor });
  }
  await rollOut(registry, clock);
  const log = await readLog(store);
  await registry.close();
  return log;
})();

/** Rollouts, schedules and trials: each kind of their events at least once. */
async function rollOut(registry: Registry, clock: { time: number }): Promise<void> {
  const reason = 'Step by step';
  const steps = [{ share: 10 }, { share: 50 }];
  const { rollout } = await registry.rollouts.start({
    version: '1.0.0',
    steps,
    finish: 'wait',
    audience: { conditions: [{ attribute: 'country', operator: 'in', values: ['de'] }], subjects: ['tester'] },
    reason,
  });
  for (const verb of ['advance-rollout', 'pause-rollout', 'resume-rollout', 'abort-rollout'] as const)
    await registry.rollouts.steer(verb, { pack: 'coach', rollout: rollout.id, reason });

  await registry.activate({ version: '1.0.0', revertAfter: '1h', reason });
  await registry.rollouts.confirm({ reason });
  const at = (minutes: number) => new Date(clock.time + minutes * 60_000).toISOString();
  const { scheduled } = await registry.rollouts.schedule({ version: '2.0.0', at: at(60), reason });
  await registry.rollouts.cancel({ pack: 'coach', schedule: scheduled.id, reason });

  // Both are due in a minute: one is skipped, because the channel has moved; the other finds nothing to go back to.
  await registry.rollouts.schedule({ version: '3.0.1', at: at(1), reason });
  await registry.activate({ version: '2.0.0', reason });
  await registry.publish({ pack: 'onboarding', document: documentOf('onboarding', '2.0.0') });
  await registry.activate({ pack: 'onboarding', version: '2.0.0', revertAfter: '1m', reason });
  await registry.revoke({ pack: 'onboarding', version: '1.0.0', replacement: '2.0.0', reason });
  const { revision } = registry.current;
  clock.time += 60_000;
  await until(() => registry.current.revision === revision + 2);
}

const last = events.length;
const headAt = (revision: number): Head => ({ revision, hash: events[revision - 1]!.hash });

/** Verifies the copy as the tool on the host does. @param planted wraps the store */
async function verified(
  kept: readonly Head[] = [],
  planted: (store: Store) => Store = (store) => store,
): Promise<Verification> {
  const store = await attachSqliteStore({ file: copy });
  try {
    return await verifyLog(planted(store), kept);
  } finally {
    await store.close();
  }
}

/** Does something to a fresh copy. */
function attack<T>(deed: (attacker: Attacker) => T): T {
  copyFileSync(original, copy);
  const attacker = new Attacker(copy, random);
  try {
    return deed(attacker);
  } finally {
    attacker.close();
  }
}

/** Tampers with a fresh copy; tries again if the database itself refuses (an id that is missing or duplicate). */
function falsify(name: string): number {
  for (;;) {
    try {
      const broken = attack(FALSIFICATIONS[name]!);
      if (broken !== undefined) return broken;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('constraint failed')) throw error;
    }
  }
}

t.test('an untouched copy is whole, with and without kept heads', async (t) => {
  attack(() => undefined);
  t.ok(last > 40 && new Set(events.map(({ type }) => type)).size === 18, `${last} events, of every type`);
  t.strictSame(await verified(), { valid: true, events: last, head: headAt(last) });
  t.strictSame(await verified([headAt(1), headAt(last), headAt(17)]), {
    valid: true,
    events: last,
    head: headAt(last),
  });
});

t.test(`${edits} edits, removals, reorderings and insertions, TEST_SEED=${seed}`, async (t) => {
  const names = Object.keys(FALSIFICATIONS);
  const missed: string[] = [];
  for (let edit = 0; edit < edits; edit += 1) {
    const name = names[edit % names.length]!;
    const broken = falsify(name);
    const { valid, firstBroken, head } = await verified();
    if (valid || firstBroken?.revision !== broken || head.revision >= broken)
      missed.push(`${edit}: ${name} at ${broken}: ${valid ? 'not found' : `found at ${firstBroken?.revision}`}`);
  }
  t.same(missed, [], `of ${names.length} kinds`);
});

t.test(`control: a verification that trusts the hashes in the file, TEST_SEED=${seed}`, async (t) => {
  /** Links every event to the one read before. */
  const trusting = (store: Store): Store => {
    let before: Event | undefined;
    const relinked = (event: Event): Event => {
      const linked = { ...event, previousHash: before?.hash ?? event.previousHash } as Event;
      before = { ...linked, hash: hashOf(linked) };
      return before;
    };
    return Object.assign(Object.create(store) as Store, {
      events: async (query: Parameters<Store['events']>[0]) =>
        (await store.events({ ...query, exact: false })).map(relinked),
      content: (digest: string) => store.content(digest),
    });
  };
  let missed = 0;
  for (let edit = 0; edit < 20; edit += 1) {
    falsify('an event is edited');
    if ((await verified([], trusting)).valid) missed += 1;
  }
  t.ok(missed > 10, `${missed} of 20 are missed`);
});

t.test(`${tails} truncated logs, TEST_SEED=${seed}`, async (t) => {
  const wrong: string[] = [];
  for (let tail = 0; tail < tails; tail += 1) {
    const cut = attack((attacker) => {
      const revision = attacker.pick(1, last - 1);
      attacker.cutTail(revision);
      return revision;
    });
    const alone = await verified([headAt(cut)]);
    if (!alone.valid || alone.events !== cut) wrong.push(`cut behind ${cut}: not whole in itself`);
    for (const kept of [headAt(last), headAt(cut + 1)]) {
      const { valid, firstBroken } = await verified([headAt(1), kept]);
      if (valid || firstBroken?.revision !== cut + 1 || !firstBroken.detail.includes('the tail was cut off'))
        wrong.push(`cut behind ${cut}: not found with ${kept.revision}`);
    }
  }
  t.same(wrong, []);
});

t.test(`${tails} completely rewritten chains, TEST_SEED=${seed}`, async (t) => {
  const wrong: string[] = [];
  for (let chain = 0; chain < tails; chain += 1) {
    const from = attack((attacker) => {
      if (chain % 2 === 1) return attacker.rewriteContent();
      const revision = attacker.pick(1, last);
      attacker.write(revision, { ...attacker.event(revision), reason: 'What never happened' });
      attacker.rewrite(revision);
      return revision;
    });
    const alone = await verified(from > 1 ? [headAt(from - 1)] : []);
    if (!alone.valid || alone.events !== last || alone.head.hash === headAt(last).hash)
      wrong.push(`rewritten from ${from}: not whole in itself`);
    const kept = headAt(from + Math.floor(random() * (last - from + 1)));
    for (const heads of [[headAt(last)], [kept], [alone.head, headAt(last)]]) {
      const { valid, firstBroken } = await verified(heads);
      if (
        valid ||
        firstBroken?.detail.includes('the chain was rewritten') !== true ||
        !heads.some(({ revision }) => revision === firstBroken?.revision)
      )
        wrong.push(`rewritten from ${from}: not found with ${heads.map(({ revision }) => revision).join()}`);
    }
  }
  t.same(wrong, []);
});

t.test('an event that is not even JSON is located, after what is broken before it', async (t) => {
  const damage = (revision: number) => {
    const bytes = readFileSync(copy);
    const start = `{"revision":${revision},`;
    // Splitting a page can leave an unused copy behind.
    for (let offset = bytes.indexOf(start); offset >= 0; offset = bytes.indexOf(start, offset))
      bytes[offset] = '['.charCodeAt(0);
    writeFileSync(copy, bytes);
  };
  for (const revision of [1, 2, 30, last]) {
    attack(() => undefined);
    damage(revision);
    t.match(await verified(), {
      valid: false,
      events: revision - 1,
      head: { revision: revision - 1 },
      firstBroken: { revision, detail: new RegExp(`Revision ${revision} in .* is damaged`) },
    });
  }
  damage(5);
  t.match(await verified(), { firstBroken: { revision: 5 } }, 'of two the first');
  attack((attacker) => attacker.write(20, { ...attacker.event(20), reason: 'Edited' }));
  damage(30);
  t.match(await verified(), { firstBroken: { revision: 20, detail: /does not have its hash/ } });
  attack((attacker) => attacker.remove(29));
  damage(30);
  t.match(await verified(), { valid: false, head: { revision: 28 } }, 'the one behind a gap');
});

t.test('a running service notices changes to its file, also to its own tail', async (t) => {
  copyFileSync(original, copy);
  const store = await openSqliteStore({ file: copy });
  const registry = await Registry.open(optionsOf({ store, shipped: [] }));
  t.teardown(() => registry.close());
  const attacker = new Attacker(copy, random);
  t.teardown(() => attacker.close());
  t.match(await registry.verify(), { valid: true, events: registry.current.revision });
  const body = attacker.body(20);
  attacker.write(20, { ...attacker.event(20), reason: 'Edited' });
  t.match(await registry.verify(), { valid: false, firstBroken: { revision: 20 } });
  attacker.write(20, body);
  t.match(await registry.verify(), { valid: true }, 'and put back');
  attacker.cutTail(last - 3);
  t.match(await registry.verify(), {
    valid: false,
    events: last - 3,
    firstBroken: { revision: last - 2, detail: /the tail was cut off/ },
  });
});
