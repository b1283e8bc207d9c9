/** Durations as people write them: a number and a unit, e.g. `30m`. */

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest hold, bake and trial, and the furthest that an activation can be scheduled ahead, in milliseconds: 90 days. */
export const LONGEST_WAIT = 90 * MILLISECONDS.d;

/** The milliseconds of a duration such as `90s`, `30m`, `12h` or `7d`. Callers have checked its form. */
export function millisecondsOf(duration: string): number {
  const unit = duration.at(-1) as keyof typeof MILLISECONDS;
  return parseInt(duration, 10) * MILLISECONDS[unit];
}

/** The largest unit that fits evenly: 5,400,000 is `90m`. @param milliseconds whole seconds */
export function durationOf(milliseconds: number): string {
  const units = Object.entries(MILLISECONDS).reverse();
  const [unit, size] = units.find(([, each]) => milliseconds % each === 0) ?? ['s', 1000];
  return `${Math.round(milliseconds / size)}${unit}`;
}
