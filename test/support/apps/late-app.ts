/**
 * Two applications on one store. The second is late: it gets no notifications, so only requests make it catch up.
 *
 * Example: `const { late, move } = await openPair(t)`; after `await move('1.0.0')` the late one still answers from before.
 */
import type { Test } from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import { openApp, type TestApp } from './app.ts';
import { askOf, type Answer, type Request } from '../http/openapi.ts';

/** Why the late one gets nothing new: it is cut off, or it reads old data and still counts as current. */
export type Silence = 'cut-off' | 'old-news';

export interface Pair {
  readonly quick: TestApp;
  readonly late: TestApp;
  /** Moves production through the quick one. @returns the revision of the move */
  readonly move: (version: string) => Promise<number>;
  /** Whether the late one is kept late; true at the start. */
  readonly quiet: (silent: boolean) => void;
  /** How often the late one has read the log. */
  readonly reads: () => number;
  /** Asks the late one with a minimum revision. */
  readonly asks: (t: Test, id: string, revision: number | string, request?: Request) => Promise<Answer>;
}

export async function openPair(t: Test, silence: Silence = 'cut-off'): Promise<Pair> {
  const quick = await openApp(t, { store: 'memory' });
  const late = await openApp(t, { after: quick });
  const { connection } = late;
  const renewed = connection.renew.bind(connection);
  const head = await quick.store.head();
  const silent: typeof renewed = async (claim) => {
    if (silence === 'old-news') return { ...(await renewed(claim)), head };
    throw new RegistryError('store-unavailable', 'There is no news, by the plan of the test.');
  };
  const quiet = (isSilent: boolean) => {
    connection.deaf = isSilent;
    connection.renew = isSilent ? silent : renewed;
  };
  quiet(true);
  const [first, ask] = [askOf(quick.app), askOf(late.app)];
  return {
    quick,
    late,
    quiet,
    move: async (version) =>
      (await first(t, 'activateVersion', { body: { version, reason: 'The new edition' } })).revision,
    reads: () => connection.calls.filter(({ method }) => method === 'events').length,
    asks: (t, id, revision, request = {}) =>
      ask(t, id, { ...request, headers: { ...request.headers, 'registry-min-revision': String(revision) } }),
  };
}
