/**
 * Sources of prompts for tests: what they say is remembered, and can be waited for.
 *
 * Example: `const { source, heard } = openSource(t, { url, key }); await heard('changed', ({ to }) => to.version === '1.0.0')`.
 */
import {
  createPromptSource,
  type PromptSource,
  type PromptSourceOptions,
  type SourceEvents,
} from '@prompt-registry/client';
import type { Test } from 'tap';

export interface TestSource {
  readonly source: PromptSource;
  /** What it said so far, in order. */
  readonly said: readonly (readonly [event: keyof SourceEvents, payload: SourceEvents[keyof SourceEvents]])[];
  /** The first of its events, of all it ever said, that fits. */
  readonly heard: <E extends keyof SourceEvents>(
    event: E,
    fits?: (payload: SourceEvents[E]) => boolean,
  ) => Promise<SourceEvents[E]>;
  /** The first one from now on. */
  readonly hears: <E extends keyof SourceEvents>(
    event: E,
    fits?: (payload: SourceEvents[E]) => boolean,
  ) => Promise<SourceEvents[E]>;
}

/** Opens a source that waits as shortly as it can; it is closed with the test. */
export function openSource(
  t: Test,
  options: Partial<PromptSourceOptions> & Pick<PromptSourceOptions, 'url' | 'key'>,
): TestSource {
  const source = createPromptSource({ pack: 'coach', random: () => 0, pollInterval: 50, timeout: 1000, ...options });
  t.teardown(() => source.close());
  const said: (readonly [keyof SourceEvents, SourceEvents[keyof SourceEvents]])[] = [];
  for (const event of ['changed', 'stale', 'fresh', 'error'] as const)
    source.on(event, (payload) => said.push([event, payload]));
  const hears: TestSource['hears'] = (event, fits = () => true) =>
    new Promise((resolve) => {
      const stop = source.on(event, (payload) => {
        if (!fits(payload)) return;
        stop();
        resolve(payload);
      });
    });
  return {
    source,
    said,
    hears,
    heard: async (event, fits = () => true) => {
      const before = said.find((each) => each[0] === event && fits(each[1] as never));
      return before === undefined ? hears(event, fits) : (before[1] as never);
    },
  };
}
