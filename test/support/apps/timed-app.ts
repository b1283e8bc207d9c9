/**
 * The application with a clock that the test holds: what is due by time happens when the test says so, and at once.
 *
 * Rule: `later` moves the clock in pieces that are no jump, and after each one waits until the instance has looked at what is due: it looks
 * after each renewal of its lease.
 * Example: `const { ask, later } = await openTimed(t); await later(2 * MINUTE)`.
 */
import type { Test } from 'tap';
import { askOf } from '../http/openapi.ts';
import { shippedOf } from '../packs/pack-documents.ts';
import { until } from '../process/until.ts';
import { openApp, type TestApp, type TestAppOptions } from './app.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** A jump of the clock by five minutes makes it doubtful. */
const PIECE = 4 * MINUTE;

export interface TimedApp extends TestApp {
  readonly ask: ReturnType<typeof askOf>;
  /** What the clock says, in milliseconds since the epoch; a test that sets it lets the clock jump. */
  readonly clock: { time: number };
  /** What the clock will say, as RFC 3339. */
  readonly at: (after: number) => string;
  /** Lets time go by; what is due by then has begun. */
  readonly later: (milliseconds: number) => Promise<void>;
  /** Waits until the instance has looked at what is due now. */
  readonly looked: () => Promise<void>;
}

/** Opens it with `coach` at 1.0.0, and the versions 1.1.0 and 2.0.0. */
export async function openTimed(
  t: Test,
  options: TestAppOptions = {},
  time = Date.UTC(2026, 0, 31),
): Promise<TimedApp> {
  const clock = { time, now: () => clock.time, newId: () => crypto.randomUUID() };
  const opened = await openApp(t, {
    ...options,
    registry: {
      clock,
      defaultVersion: '1.0.0',
      shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0'),
      ...options.registry,
    },
  });
  const { instance } = opened.app.registry;
  let renewals = 0;
  const renew = opened.connection.renew.bind(opened.connection);
  opened.connection.renew = (claim) => {
    renewals += 1;
    return renew(claim);
  };
  const looked = async () => {
    const enough = renewals + 2; // a look follows the first, and is over before the second
    const hasten = async () => {
      while (renewals < enough) await instance.settled(opened.app.registry.current.revision, 1);
    };
    void hasten(); // an instance that waits for others renews its lease often
    await until(() => renewals >= enough);
  };
  return {
    ...opened,
    ask: askOf(opened.app),
    clock,
    looked,
    at: (after) => new Date(clock.time + after).toISOString(),
    later: async (milliseconds) => {
      for (let left = milliseconds; left > 0; left -= PIECE) {
        clock.time += Math.min(left, PIECE);
        await looked();
      }
    },
  };
}
