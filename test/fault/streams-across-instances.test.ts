/**
 * Streams that are cut and resumed on another instance (SPEC R3, R10): each watcher gets every revision, once and in order, whichever
 * instances it used, while pointers move on all of them and one instance loses notifications.
 *
 * The control is a reader that reconnects without its position. To repeat a run: TEST_SEED=… node
 * test/fault/streams-across-instances.test.ts
 */
import t from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { EventStream } from '../support/http/event-stream.ts';
import { startInstances, type TestInstance } from '../support/apps/instances.ts';

const isShort = (process.env['TEST_LENGTH'] ?? 'short') === 'short';
const WATCHERS = isShort ? 30 : 200;
const FLIPS = isShort ? 120 : 1000;
/** The most messages that a watcher reads before it goes to another instance. */
const LONGEST = 25;

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const seed = newSeed();
t.test(`${WATCHERS} watchers hop among three instances during ${FLIPS} flips, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const { instances, key } = await startInstances(t, { count: 3 });
  const anyOf = (): TestInstance => instances[Math.floor(random() * instances.length)]!;
  instances[2]?.proxy.set('deaf');
  const from = Number((await instances[0]!.ask('/readyz')).body['revision']);
  const to = from + FLIPS;

  let hops = 0;
  /** @param forgetful reconnects without its position */
  const watch = async (forgetful = false) => {
    const seen: number[] = [];
    for (let last: string | undefined = `${from}`; (seen.at(-1) ?? from) < to; hops += 1) {
      const stream = await EventStream.open({ address: anyOf().address, key, lastEventId: last });
      const most = 1 + Math.floor(random() * LONGEST);
      for (let count = 0; count < most && (seen.at(-1) ?? from) < to; count += 1) {
        const { id, event, data } = await stream.next();
        if (event === 'resync') throw new Error(`A resync at ${id}, behind ${last}.`);
        if (data.type !== undefined) seen.push(data.revision);
        last = forgetful ? undefined : id;
        if (forgetful && data.revision >= to) return seen;
      }
      stream.cut();
    }
    return seen;
  };
  const watchers = Array.from({ length: WATCHERS }, () => watch());
  const controls = Array.from({ length: 5 }, () => watch(true));
  for (let count = 0; count < FLIPS; count += 1) {
    const version = count % 2 === 0 ? '1.0.0' : '1.1.0';
    const { status } = await anyOf().ask('/v1/packs/coach/activations', { version, reason: 'A flip' });
    if (status !== 201) throw new Error(`Flip ${count} to ${version}: ${status}.`);
  }
  const expected = range(from + 1, to).join();
  const wrong = (await Promise.all(watchers)).filter((seen) => seen.join() !== expected);
  t.strictSame(wrong.slice(0, 3), [], `${WATCHERS} complete sequences, ${hops} streams`);
  t.ok(hops > 2 * WATCHERS, 'they hopped');
  t.ok(
    (await Promise.all(controls)).some((seen) => seen.join() !== expected),
    'control: who comes back without its place misses some',
  );
});
