/**
 * Prompt sources for tests, with a record of their events.
 *
 * Example: `const { source, eventually } = openSource(t, { url, key }); await eventually('changed', ({ to }) => to.version === '1.0.0')`.
 */
import {
  createPromptSource,
  type PromptSource,
  type PromptSourceOptions,
  type SourceEvents,
} from '@prompt-registry/client';
import type { Test } from 'tap';

/** Whether a request reads what a source serves. */
export function readsChannel(request: { readonly url?: string | undefined } | string): boolean {
  const url = typeof request === 'string' ? request : (request.url ?? '');
  return /\/(active|channels\/[^/]+)(\?|$)/u.test(url);
}

export interface TestSource {
  readonly source: PromptSource;
  /** All events so far, in order. */
  readonly events: readonly (readonly [event: keyof SourceEvents, payload: SourceEvents[keyof SourceEvents]])[];
  /** The first matching event, past or future. */
  readonly eventually: <E extends keyof SourceEvents>(
    event: E,
    fits?: (payload: SourceEvents[E]) => boolean,
  ) => Promise<SourceEvents[E]>;
  /** The next matching event. */
  readonly nextEvent: <E extends keyof SourceEvents>(
    event: E,
    fits?: (payload: SourceEvents[E]) => boolean,
  ) => Promise<SourceEvents[E]>;
}

/** Opens a source with minimal waits; it closes when the test ends. */
export function openSource(
  t: Test,
  options: Partial<PromptSourceOptions> & Pick<PromptSourceOptions, 'url' | 'key'>,
): TestSource {
  const source = createPromptSource({ pack: 'coach', random: () => 0, pollInterval: 50, timeout: 1000, ...options });
  t.teardown(() => source.close());
  const events: (readonly [keyof SourceEvents, SourceEvents[keyof SourceEvents]])[] = [];
  for (const event of ['changed', 'stale', 'fresh', 'error'] as const)
    source.on(event, (payload) => events.push([event, payload]));
  const nextEvent: TestSource['nextEvent'] = (event, fits = () => true) =>
    new Promise((resolve) => {
      const stop = source.on(event, (payload) => {
        if (!fits(payload)) return;
        stop();
        resolve(payload);
      });
    });
  return {
    source,
    events,
    nextEvent,
    eventually: async (event, fits = () => true) => {
      const before = events.find((each) => each[0] === event && fits(each[1] as never));
      return before === undefined ? nextEvent(event, fits) : (before[1] as never);
    },
  };
}
