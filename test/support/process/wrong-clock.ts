/**
 * Preloaded into servers under test: a clock that is wrong by `CLOCK_OFF` milliseconds. The monotonic clock and timers are as ever.
 *
 * Example: `await startServer(t, { DATA_DIR, ...wrongClock(600_000) })` is ten minutes ahead.
 */
const off = Number(process.env['CLOCK_OFF'] ?? 0);
const RightDate = Date;

if (off !== 0)
  globalThis.Date = class extends RightDate {
    constructor(...given: readonly unknown[]) {
      super(...((given.length === 0 ? [RightDate.now() + off] : given) as [number]));
    }

    static override now(): number {
      return RightDate.now() + off;
    }
  } as DateConstructor;

/** The environment of a server with such a clock. @param milliseconds positive: ahead */
export function wrongClock(milliseconds: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${import.meta.url}`, CLOCK_OFF: String(milliseconds) };
}
