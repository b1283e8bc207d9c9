/**
 * Instances as their leases show them (registry/following/instances.ts): which have applied a move, which are waited for, and which no longer are.
 *
 * What the store showed is given by the tests, and so is the monotonic clock where a test lets minutes pass.
 */
import t, { type Test } from 'tap';
import { GONE_AFTER, Instances } from '../../../registry/following/instances.ts';
import type { Lease } from '../../../registry/log/store.ts';

const lease = (id: string, members: Partial<Lease> = {}): Lease => ({
  id,
  startedAt: '2026-01-31T09:30:00.000Z',
  epoch: 1,
  appliedRevision: 1,
  counter: 1,
  lastSeenAt: '2026-01-31T09:31:00.000Z',
  ...members,
});
const PLACE = { epoch: 1, revision: 5 };
const EVER = new AbortController().signal;
const now = () => performance.now();

/** A monotonic clock that stands until the test moves it. */
function clockOf(t: Test): { at: number } {
  const clock = { at: 1000 };
  t.intercept(performance, 'now', { value: () => clock.at });
  return clock;
}

/** What a wait has come to by now: its outcome, or nothing yet. */
async function outcome<T>(wait: Promise<T>): Promise<T | undefined> {
  return Promise.race([wait, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
}

t.test('only what the store showed after the wait began counts', async (t) => {
  const instances = new Instances('me');
  const before = now();
  instances.observe([lease('me'), lease('other', { appliedRevision: 9 })], before);
  const wait = instances.settled(PLACE, EVER);
  t.equal(await outcome(wait), undefined, 'earlier knowledge is not enough');
  instances.observe([lease('me'), lease('other', { appliedRevision: 9 })], before);
  t.equal(await outcome(wait), undefined, 'nor is the answer to an earlier read');
  instances.observe([lease('me', { counter: 2 }), lease('other', { appliedRevision: 9, counter: 2 })], now());
  t.strictSame(await outcome(wait), { applied: ['me', 'other'], pending: [], pinned: [], expired: [] });
});

t.test('an instance that has not applied it is waited for, even if it joins meanwhile', async (t) => {
  const instances = new Instances('me');
  const wait = instances.settled(PLACE, EVER);
  instances.observe([lease('me'), lease('late', { appliedRevision: 4 })], now());
  t.equal(await outcome(wait), undefined);
  instances.observe(
    [lease('me'), lease('late', { appliedRevision: 5, counter: 2 }), lease('new', { appliedRevision: 2 })],
    now(),
  );
  t.equal(await outcome(wait), undefined);
  instances.observe([lease('me'), lease('late', { appliedRevision: 5, counter: 3 })], now());
  t.strictSame(
    await outcome(wait),
    { applied: ['me', 'late'], pending: [], pinned: [], expired: [] },
    'one that gave its lease back is not waited for',
  );
});

t.test('positions are compared by epoch first', async (t) => {
  const instances = new Instances('me');
  const wait = instances.settled({ epoch: 2, revision: 5 }, EVER);
  instances.observe([lease('me'), lease('before', { epoch: 1, appliedRevision: 100 })], now());
  t.equal(await outcome(wait), undefined, 'a high revision of the history before is not it');
  instances.observe([lease('me'), lease('before', { epoch: 3, appliedRevision: 2, counter: 2 })], now());
  t.match(await outcome(wait), { applied: ['me', 'before'] });
});

t.test('an abort ends a wait, which lists who had applied it by then; so does an earlier abort', async (t) => {
  const instances = new Instances('me');
  const closing = new AbortController();
  const wait = instances.settled(PLACE, closing.signal);
  instances.observe([lease('me'), lease('late')], now());
  closing.abort();
  t.strictSame(await wait, { applied: ['me'], pending: ['late'], pinned: [], expired: [] });
  t.strictSame(await instances.settled(PLACE, closing.signal), {
    applied: ['me'],
    pending: ['late'],
    pinned: [],
    expired: [],
  });
});

t.test(
  'an instance is not waited for if its counter stands still for seven seconds; if it moves slowly, it is',
  async (t) => {
    const instances = new Instances('me');
    const clock = clockOf(t);
    const wait = instances.settled(PLACE, EVER);
    instances.observe([lease('me'), lease('still'), lease('slow')], now());
    clock.at += GONE_AFTER - 1;
    instances.observe([lease('me'), lease('still'), lease('slow')], now());
    t.equal(await outcome(wait), undefined, 'not yet');
    t.equal(instances.live, 3);
    clock.at += 1;
    instances.observe([lease('me', { counter: 2 }), lease('still'), lease('slow', { counter: 2 })], now());
    t.equal(await outcome(wait), undefined, 'the slow one has moved');
    t.equal(instances.live, 2);
    instances.observe(
      [lease('me', { counter: 3 }), lease('still'), lease('slow', { counter: 3, appliedRevision: 5 })],
      now(),
    );
    t.strictSame(await outcome(wait), { applied: ['me', 'slow'], pending: [], pinned: [], expired: ['still'] });
  },
);

t.test('time counts only when the store is read: an instance that does not read it drops nobody', async (t) => {
  const instances = new Instances('me');
  const clock = clockOf(t);
  instances.observe([lease('me'), lease('other')], now());
  clock.at += 60_000;
  t.equal(instances.live, 2, 'the one it saw a minute ago has had no chance to be seen again');
});

t.test(
  'an instance with a forced version is listed as pinned and never waited for, even if it answers the request',
  async (t) => {
    const instances = new Instances('me');
    const wait = instances.settled(PLACE, EVER);
    instances.observe(
      [
        lease('me', { pinnedVersion: 'coach@1.0.0' }),
        lease('pinned', { pinnedVersion: 'coach@1.0.0', appliedRevision: 9 }),
      ],
      now(),
    );
    t.strictSame(await outcome(wait), { applied: [], pending: [], pinned: ['me', 'pinned'], expired: [] });
  },
);

t.test('leases are listed by age, oldest first; those not renewed for ten minutes may be removed', async (t) => {
  const instances = new Instances('b');
  const all = [
    lease('b', { startedAt: '2026-01-31T10:00:00.000Z' }),
    lease('c', { startedAt: '2026-01-31T11:00:00.000Z' }),
    lease('a', { startedAt: '2026-01-31T09:00:00.000Z' }),
  ];
  const clock = clockOf(t);
  instances.observe(all, now());
  t.strictSame(
    instances.leases.map(({ id }) => id),
    ['a', 'b', 'c'],
  );
  t.strictSame(instances.forgotten, []);
  const later = all.map((each) => (each.id === 'b' ? { ...each, counter: 500 } : each));
  clock.at += 599_000;
  instances.observe(later, now());
  t.strictSame(instances.forgotten, []);
  clock.at += 2000;
  instances.observe(later, now());
  t.strictSame(
    instances.forgotten.map(({ id }) => id),
    ['c', 'a'],
  );
  instances.observe(later.slice(0, 1), now());
  t.strictSame([instances.forgotten, instances.leases.length], [[], 1]);
});
