/**
 * Freshness (SPEC R10): an instance knows that it is current for five seconds from the sending of a renewal whose head it has applied.
 *
 * The monotonic clock is the test's, so that nothing has to wait and nothing depends on how fast the machine is.
 */
import t from 'tap';
import { Freshness, STALE_AFTER } from '../../../registry/following/freshness.ts';
import { GONE_AFTER } from '../../../registry/following/instances.ts';

let at = 1_000_000;
t.intercept(performance, 'now', { value: () => at });

const ago = (milliseconds: number) => at - milliseconds;

t.test(
  'before the first renewal it is stale: since its start, or since the last time the earlier process was current',
  async (t) => {
    t.equal(new Freshness().staleSeconds, 0);
    t.equal(new Freshness(ago(60_500)).staleSeconds, 60);
  },
);

t.test('it is current for five seconds after it sends a renewal, and then says since when it is stale', async (t) => {
  const freshness = new Freshness(ago(60_000));
  freshness.confirm(ago(0));
  t.equal(freshness.staleSeconds, undefined);
  for (const [age, stale] of [
    [0, undefined],
    [4999, undefined],
    [5000, 5],
    [7400, 7],
    [61_000, 61],
  ] as const) {
    const each = new Freshness();
    each.confirm(ago(age));
    t.equal(each.staleSeconds, stale, `${age} ms ago`);
  }
});

t.test('a late answer does not shorten the time', async (t) => {
  const freshness = new Freshness();
  freshness.confirm(ago(100));
  freshness.confirm(ago(30_000));
  t.equal(freshness.staleSeconds, undefined);
});

t.test('when in doubt, it is stale at once, until a later renewal', async (t) => {
  const freshness = new Freshness();
  freshness.confirm(ago(2500));
  freshness.doubt();
  t.equal(freshness.staleSeconds, 2, 'it last knew when it last knew');
  freshness.confirm(ago(0));
  t.equal(freshness.staleSeconds, undefined);
});

t.test(
  'it compares clocks and needs no timer: a process that was suspended does not first answer unmarked',
  async (t) => {
    const freshness = new Freshness();
    freshness.confirm(at);
    at += STALE_AFTER - 1;
    t.equal(freshness.staleSeconds, undefined);
    at += 60_001; // in one turn of the event loop: no timer can have run meanwhile
    t.equal(freshness.staleSeconds, 65);
  },
);

t.test('a waiter allows more time than an instance allows itself, by more than clocks may differ (10 %)', async (t) => {
  t.ok(GONE_AFTER * 0.9 > STALE_AFTER * 1.1);
});
