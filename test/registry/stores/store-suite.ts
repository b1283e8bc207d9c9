/**
 * What every store must do: the port's promises, one test each, run over each engine on a real database.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Test } from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import type { Event, EventType } from '../../../registry/log/event.ts';
import {
  MOST_MISSED,
  type Batch,
  type EventQuery,
  type Lease,
  type LeaseClaim,
  type Store,
} from '../../../registry/log/store.ts';
import {
  activation,
  batchAfter,
  contentOf,
  drafts,
  EMPTY,
  firstBroken,
  headOf,
  readLog,
} from '../../support/stores/events.ts';

const ALL: EventQuery = { order: 'ascending', limit: 1000 };
const UNAVAILABLE = { name: 'RegistryError', code: 'store-unavailable' };

const key = (keyId: string, createdAt: string, secret = 'c2VjcmV0') => ({ keyId, secret, createdAt });

/**
 * @param open returns an empty store; the suite closes it.
 * @param options.hints whether it is notified of the appends of others; not through a pooler in transaction mode
 */
export function storeSuite(
  t: Test,
  name: string,
  open: (t: Test) => Promise<Store>,
  { hints: hears = true } = {},
): void {
  const test = (title: string, run: (t: Test, store: Store) => Promise<void>) =>
    t.test(`${name}: ${title}`, async (t) => {
      const store = await open(t);
      t.teardown(() => store.close());
      await run(t, store);
    });

  test('an empty log', async (t, store) => {
    t.equal(store.kind, name);
    t.equal(await store.head(), undefined);
    t.same(await store.events(ALL), []);
    t.same(await store.sessionKeys(), []);
    t.equal(await store.content(contentOf('1.0.0').digest), undefined);
  });

  test('gives back what was appended, of every type, in both orders', async (t, store) => {
    const batch = batchAfter(EMPTY, drafts());
    t.equal(await store.append(batch, 0), 'done');
    t.strictSame(await store.events(ALL), batch.events);
    t.strictSame(await store.events({ order: 'descending', limit: 1000 }), [...batch.events].reverse());
    t.strictSame(await store.head(), headOf(batch));
    t.equal(firstBroken(await readLog(store, 0, 2)), undefined);
  });

  test('it returns a frozen copy', async (t, store) => {
    const events = structuredClone(batchAfter(EMPTY, [activation()]).events) as unknown as { reason: string }[];
    const content = structuredClone(contentOf('1.0.0'));
    const batch = { events, contents: [content], sessionKeys: [] } as unknown as Batch;
    await store.append(batch, 0);
    const kept = structuredClone(batch);
    events[0]!.reason = 'changed by who appended it';
    (content.content as { system: string }).system = 'changed by who appended it';

    const [event] = await store.events(ALL);
    t.strictSame(event, kept.events[0]);
    t.ok(Object.isFrozen(event));
    const stored = await store.content(content.digest);
    t.strictSame(stored, kept.contents[0]?.content);
    t.ok(
      Object.isFrozen(stored) &&
        Object.isFrozen(stored?.styles) &&
        Object.isFrozen(stored?.styles[0]) &&
        Object.isFrozen(stored?.compatibility.models[0]),
    );
  });

  test('an append behind another head is a conflict and writes nothing', async (t, store) => {
    const first = batchAfter(EMPTY, drafts());
    const rest = { contents: [contentOf('9.0.0')], sessionKeys: [key('late', '2026-01-01')] };
    t.equal(
      await store.append(batchAfter({ revision: 3, hash: '0'.repeat(64) }, [activation()], rest), 3),
      'conflict',
      'ahead of an empty log',
    );
    await store.append(first, 0);
    t.strictSame(
      await store.append(batchAfter(EMPTY, [activation()], rest), 0),
      { missed: first.events },
      'behind the log',
    );
    t.equal(
      await store.append(batchAfter({ ...headOf(first), revision: 99 }, [activation()], rest), 99),
      'conflict',
      'ahead of the log',
    );
    t.equal(
      await store.append(
        batchAfter({ ...headOf(first), hash: 'f'.repeat(64) }, [activation()], rest),
        headOf(first).revision,
      ),
      'conflict',
      'of another log',
    );
    t.strictSame(await store.append(first, 0), { missed: first.events }, 'the same batch again');
    t.strictSame(await store.events(ALL), first.events);
    t.equal(await store.content(contentOf('9.0.0').digest), undefined);
    t.same(await store.sessionKeys(), []);
  });

  test('of appends that race, one is done and the others conflict', async (t, store) => {
    let head = EMPTY;
    for (let round = 0; round < 10; round += 1) {
      const batches = Array.from({ length: 20 }, (_, index) =>
        batchAfter(head, Array<ReturnType<typeof activation>>((index % 3) + 1).fill(activation())),
      );
      const outcomes = await Promise.all(batches.map((batch) => store.append(batch, head.revision)));
      t.same(
        outcomes.filter((outcome) => outcome === 'done'),
        ['done'],
      );
      const winner = batches[outcomes.indexOf('done')]!;
      t.strictSame(
        outcomes.filter((outcome) => outcome !== 'done'),
        Array(19).fill({ missed: winner.events }),
        'and the others get the events of the winner',
      );
      head = headOf(winner);
      t.strictSame(await store.head(), head);
    }
    t.equal(firstBroken(await readLog(store)), undefined);
  });

  test('a conflict gives back all that was missed, up to a limit', async (t, store) => {
    const all = batchAfter(EMPTY, Array<ReturnType<typeof activation>>(MOST_MISSED + 1).fill(activation()));
    await store.append(all, 0);
    const behind = (revision: number) =>
      store.append(batchAfter({ revision, hash: 'f'.repeat(64) }, [activation()]), revision);
    t.strictSame(await behind(1), { missed: all.events.slice(1) }, 'as many as there may be');
    t.equal(await behind(0), 'conflict', 'one more');
    t.equal(await behind(MOST_MISSED + 1), 'conflict', 'nothing was missed: it is another log');
    const last = await behind(MOST_MISSED);
    t.strictSame(last, { missed: all.events.slice(-1) });
    t.ok(typeof last === 'object' && last.missed.every((event) => Object.isFrozen(event)));
  });

  test('a fence that was raised ends what was sent before it, and only that', async (t, store) => {
    const apart = store.kind !== 'sqlite'; // whose appends cannot arrive late
    const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 };
    t.equal(await store.fence(), 0);
    const late = batchAfter(EMPTY, [activation()]);
    const raised = await store.raiseFence(EMPTY);
    t.equal(raised, apart ? 1 : 0, 'also on an empty log');
    t.equal(await store.fence(), raised);
    t.equal((await store.renew(claim)).fence, raised, 'a renewal returns it');
    if (apart) t.equal(await store.append(late, 0), 'conflict', 'sent before, arrived after');
    t.equal(await store.head(), undefined);
    const first = { ...batchAfter(EMPTY, drafts()), fence: await store.fence() };
    t.equal(await store.append(first, 0), 'done');
    t.equal(await store.fence(), raised, 'an event raises nothing');

    for (const elsewhere of [EMPTY, { ...headOf(first), revision: 99 }, { ...headOf(first), hash: 'f'.repeat(64) }])
      t.equal(await store.raiseFence(elsewhere), 'conflict');
    t.equal(await store.fence(), raised, 'nor does a fence for another position');
    t.type(await store.raiseFence(headOf(first)), 'number');
    const behind = batchAfter(headOf(first), [activation()]);
    if (apart)
      for (const fence of [0, 1, 3])
        t.equal(await store.append({ ...behind, fence }, headOf(first).revision), 'conflict', `fence ${fence}`);
    t.equal(await store.append({ ...behind, fence: await store.fence() }, headOf(first).revision), 'done');
    t.equal(firstBroken(await readLog(store)), undefined);
  });

  test('an append and a fence that race: the append is in the log before the fence, or never', async (t, store) => {
    let head = EMPTY;
    for (let round = 0; round < 20; round += 1) {
      const batch = { ...batchAfter(head, [activation()]), fence: await store.fence() };
      const order: (() => Promise<unknown>)[] = [
        () => store.append(batch, head.revision),
        () => store.raiseFence(head),
      ];
      const [appended, raised] = (
        round % 2 === 0
          ? await Promise.all(order.map((call) => call()))
          : (await Promise.all(order.reverse().map((call) => call()))).reverse()
      ) as [string, unknown];
      if (appended === 'done') head = headOf(batch);
      if (store.kind !== 'sqlite')
        t.strictSame([appended, typeof raised], appended === 'done' ? ['done', 'string'] : ['conflict', 'number']);
      t.strictSame(await store.head(), head.revision === 0 ? undefined : head);
    }
  });

  test('a batch is written whole or not at all', async (t, store) => {
    const first = batchAfter(EMPTY, [activation()], { ids: ['taken'] });
    await store.append(first, 0);
    const rest = { contents: [contentOf('2.0.0')], sessionKeys: [key('k', '2026-01-01')] };
    for (const ids of [
      ['fresh', 'taken'],
      ['twice', 'twice'],
    ]) {
      const clash = batchAfter(headOf(first), [activation(), activation()], { ...rest, ids });
      await t.rejects(store.append(clash, 1), UNAVAILABLE);
    }
    t.strictSame(await store.events(ALL), first.events);
    t.equal(await store.content(contentOf('2.0.0').digest), undefined);
    t.same(await store.sessionKeys(), []);
    t.equal(
      await store.append(
        batchAfter(headOf(first), [activation(), activation()], { ...rest, ids: ['fresh', 'twice'] }),
        1,
      ),
      'done',
      'and it goes on',
    );
  });

  test('a batch that would break the log is refused as a fault of the caller', async (t, store) => {
    const batch = batchAfter(EMPTY, drafts());
    const [one, two, three] = batch.events;
    const broken = (events: readonly (Event | undefined)[]) => ({ ...batch, events: events as readonly Event[] });
    await t.rejects(store.append(broken([]), 0), TypeError, 'empty');
    await t.rejects(store.append(broken([one, three]), 0), TypeError, 'with a gap');
    await t.rejects(store.append(broken([two, one]), 1), TypeError, 'out of order');
    await t.rejects(store.append(batch, 1), TypeError, 'not directly behind what is expected');
    await t.rejects(
      store.append(broken([one, { ...two!, previousHash: 'f'.repeat(64) }]), 0),
      TypeError,
      'not chained',
    );
    t.equal(await store.head(), undefined);
    t.equal(await store.append(batch, 0), 'done');
  });

  test('contents and session keys that are there are left as they are', async (t, store) => {
    const first = batchAfter(EMPTY, [activation()], {
      contents: [contentOf('1.0.0', 'The first.')],
      sessionKeys: [key('b', '2026-02-01', 'first')],
    });
    await store.append(first, 0);
    const again = batchAfter(headOf(first), [activation()], {
      contents: [contentOf('1.0.0', 'The second.'), contentOf('1.1.0')],
      sessionKeys: [key('b', '2026-09-01', 'second'), key('c', '2026-03-01'), key('a', '2026-01-01')],
    });
    t.equal(await store.append(again, 1), 'done');
    t.strictSame(await store.content(contentOf('1.0.0').digest), contentOf('1.0.0', 'The first.').content);
    t.strictSame(await store.content(contentOf('1.1.0').digest), contentOf('1.1.0').content);
    t.strictSame(
      await store.sessionKeys(),
      [key('a', '2026-01-01'), key('b', '2026-02-01', 'first'), key('c', '2026-03-01')],
      'the newest last',
    );
  });

  test('every query gives what a plain filter of the whole log gives', async (t, store) => {
    const random = (max: number, index: number, salt: number) => (index * 7919 + salt * 104_729) % max;
    const list = Array.from({ length: 200 }, (_, index) => {
      const draft = drafts()[random(5, index, 1)]!;
      const actor = { keyId: `key-${random(4, index, 4)}`, label: 'somebody' };
      if (draft.type === 'registry-created') return { ...draft, actor };
      return {
        ...draft,
        actor,
        pack: `pack-${random(3, index, 2)}`,
        ...(draft.channel === undefined ? {} : { channel: `channel-${random(4, index, 3)}` }),
      };
    });
    // Several events have the same time, in one batch and in two, and there are times between two.
    const events: Event[] = [];
    for (
      let [index, at] = [0, Date.parse('2026-01-31T09:00:00.000Z')];
      index < list.length;
      index += 5, at += [0, 1, 2, 5000][random(4, index, 5)]!
    ) {
      const batch = batchAfter(events.at(-1), list.slice(index, index + 5), { at });
      await store.append(batch, events.length);
      events.push(...batch.events);
    }

    const moment = fc
      .integer({ min: 0, max: 199 })
      .chain((index) =>
        fc.constantFrom(-1, 0, 1).map((offset) => new Date(Date.parse(events[index]!.at) + offset).toISOString()),
      );
    const revision = fc.integer({ min: -1, max: 202 });
    const types = [
      'registry-created',
      'version-published',
      'version-activated',
      'version-rolled-back',
      'made-by-a-newer-build',
      'unknown',
    ];
    const page = {
      order: fc.constantFrom('ascending' as const, 'descending' as const),
      limit: fc.integer({ min: 1, max: 210 }),
    };
    const period = { after: revision, before: revision, from: moment, to: moment };
    const subject = {
      types: fc.array(fc.constantFrom(...(types as EventType[])), { maxLength: 4 }),
      pack: fc.constantFrom('pack-0', 'pack-1', 'pack-2', 'pack-9', "' OR 1=1 --"),
      channel: fc.constantFrom('channel-0', 'channel-3', 'channel-9'),
      actor: fc.constantFrom('key-0', 'key-3', 'key-9'),
      id: fc.constantFrom(events[0]!.id, events[99]!.id, 'unknown'),
    };
    // All conditions at once leave little to find; a period alone leaves much.
    for (const conditions of [period, subject, { ...period, ...subject }] as Record<string, fc.Arbitrary<unknown>>[]) {
      const query = fc.record(
        { ...page, ...conditions },
        { requiredKeys: ['order', 'limit'] },
      ) as fc.Arbitrary<EventQuery>;
      const sameAsFiltered = fc.asyncProperty(query, async (query) =>
        isDeepStrictEqual(await store.events(query), filtered(events, query)),
      );
      await t.resolves(fc.assert(sameAsFiltered, { numRuns: 500 })); // a failure's message holds the seed
    }
  });

  test('a large batch', async (t, store) => {
    const batch = batchAfter(EMPTY, Array<ReturnType<typeof activation>>(20_000).fill(activation()));
    t.equal(await store.append(batch, 0), 'done');
    t.strictSame(await store.head(), headOf(batch));
    t.equal((await readLog(store, 0, 7000)).length, 20_000);
    t.strictSame(await store.events({ after: 19_998, order: 'ascending', limit: 10 }), batch.events.slice(-2));
  });

  test('a lease is made, renewed and given back', async (t, store) => {
    const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 7 };
    const about = ({ lastSeenAt, ...lease }: Lease) => {
      t.match(lastSeenAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      return lease;
    };
    const own = async (given: LeaseClaim) =>
      (await store.renew(given)).leases.filter(({ id }) => id === given.id).map(about);
    await store.renew(claim);
    await store.renew({ ...claim, id: 'b', pinnedVersion: 'coach@1.0.0' });
    await own({ ...claim, appliedRevision: 9 });
    const { leases } = await store.renew({ ...claim, id: 'c' });
    const byId = new Map(leases.map((lease) => [lease.id, about(lease)]));
    t.strictSame(byId.get('a'), { ...claim, appliedRevision: 9, counter: 2 });
    t.strictSame(byId.get('b'), { ...claim, id: 'b', pinnedVersion: 'coach@1.0.0', counter: 1 });

    await store.release('a', 1);
    await store.release('b', 1);
    await store.release('unknown');
    t.same(
      (await store.renew({ ...claim, id: 'c' })).leases.map(({ id }) => id).toSorted(),
      ['a', 'c'],
      'a is no longer at the counter that was given',
    );
    await store.release('a');
    await store.release('c');
    t.same(await own(claim), [{ ...claim, counter: 1 }], 'one that comes back begins again');
  });

  test('a renewal says how far the log is', async (t, store) => {
    const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 };
    t.equal((await store.renew(claim)).head, undefined);
    const batch = batchAfter(EMPTY, drafts());
    await store.append(batch, 0);
    t.strictSame((await store.renew(claim)).head, headOf(batch));
  });

  test('a watcher is woken by an append until it stops watching', async (t, store) => {
    const heard: (number | undefined)[] = [];
    const { hint, wake } = hints();
    const silent = store.watch(() => t.fail('it no longer watches'));
    silent();
    silent();
    const stop = store.watch((revision) => {
      heard.push(revision);
      wake();
    });
    t.teardown(stop);
    t.ok(stop);
    if (store.kind === 'sqlite' || !hears) return; // it cannot notify anyone
    const first = batchAfter(EMPTY, drafts());
    await store.append(first, 0);
    await hint(() => heard.length > 0);
    const second = batchAfter(headOf(first), [activation()]);
    await store.append(second, headOf(first).revision);
    await hint(() => heard.includes(headOf(second).revision));
    t.ok(heard.every((revision) => revision === undefined || revision <= headOf(second).revision));
  });

  test('a closed store refuses every call, and closing again is fine', async (t, store) => {
    await store.close();
    await store.close();
    const calls: Record<string, () => Promise<unknown>> = {
      head: () => store.head(),
      append: () => store.append(batchAfter(EMPTY, [activation()]), 0),
      events: () => store.events(ALL),
      content: () => store.content(contentOf('1.0.0').digest),
      sessionKeys: () => store.sessionKeys(),
      repeated: () => store.repeated('operator-1', 'k'),
      fence: () => store.fence(),
      raiseFence: () => store.raiseFence(EMPTY),
      renew: () => store.renew({ id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 }),
    };
    for (const [name, call] of Object.entries(calls)) await t.rejects(call(), UNAVAILABLE, name);
    await store.head().catch((error: unknown) => t.ok(error instanceof RegistryError));
  });
}

function filtered(
  events: readonly Event[],
  { after, before, types, pack, channel, actor, id, from, to, order, limit }: EventQuery,
): Event[] {
  const all = events.filter(
    (event) =>
      (after === undefined || event.revision > after) &&
      (before === undefined || event.revision < before) &&
      (types?.includes(event.type) ?? true) &&
      (pack === undefined || event.pack === pack) &&
      (channel === undefined || event.channel === channel) &&
      (actor === undefined || event.actor.keyId === actor) &&
      (id === undefined || event.id === id) &&
      (from === undefined || event.at >= from) &&
      (to === undefined || event.at <= to),
  );
  return (order === 'ascending' ? all : all.reverse()).slice(0, limit);
}

/** Waits for a condition that a call makes true. */
function hints(): { hint: (there: () => boolean) => Promise<void>; wake: () => void } {
  let wake = () => undefined as void;
  return {
    wake: () => wake(),
    hint: async (there) => {
      while (!there()) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}
