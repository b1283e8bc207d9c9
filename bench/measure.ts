/**
 * Measuring on a machine that is shared and noisy.
 *
 * Problem: one and the same server is three times as fast in one minute as in the next, so that an absolute figure says more about
 * the neighbours than about the code.
 * Rule: a speed is a ratio. Both sides are measured in one run and take turns (A B A B …); each pair gives a ratio; the
 * median of them counts, and the lowest and the highest are shown with it.
 * Example: `compare(31, () => load(ours), () => load(bare))` → `{ rate: { ratio: { median: 0.81, min: 0.74, max: 0.86 }, … } }`.
 */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One measure of both sides. */
export interface Comparison {
  /** Ours / the reference's, pair by pair. */
  readonly ratio: Spread;
  readonly ours: Spread;
  readonly reference: Spread;
}

/** One leg: measures one side once. A measure that cannot be had here is NaN. */
export type Leg<Measure extends string> = () => Promise<Readonly<Record<Measure, number>>>;

/** One leg of each side, one after the other. */
export interface Pair<Measure extends string> {
  readonly ours: Readonly<Record<Measure, number>>;
  readonly reference: Readonly<Record<Measure, number>>;
}

/** Takes turns between the two sides, after one turn each that warms up and does not count. */
export async function takeTurns<Measure extends string>(
  pairs: number,
  ours: Leg<Measure>,
  reference: Leg<Measure>,
): Promise<Pair<Measure>[]> {
  const taken: Pair<Measure>[] = [];
  for (let turn = 0; turn <= pairs; turn += 1) {
    const before = await reference();
    const after = await ours();
    if (turn > 0) taken.push({ ours: after, reference: before });
  }
  return taken;
}

/** Takes turns, and says what they come to. */
export async function compare<Measure extends string>(
  pairs: number,
  ours: Leg<Measure>,
  reference: Leg<Measure>,
): Promise<Record<Measure, Comparison>> {
  return comparisonOf(await takeTurns(pairs, ours, reference));
}

/** What pairs come to. */
export function comparisonOf<Measure extends string>(legs: readonly Pair<Measure>[]): Record<Measure, Comparison> {
  const measures = Object.keys(legs[0]?.ours ?? {}) as Measure[];
  const comparisons = measures.map((name): [Measure, Comparison] => [
    name,
    {
      ratio: spread(legs.map((leg) => leg.ours[name] / leg.reference[name])),
      ours: spread(legs.map((leg) => leg.ours[name])),
      reference: spread(legs.map((leg) => leg.reference[name])),
    },
  ]);
  return Object.fromEntries(comparisons) as Record<Measure, Comparison>;
}

/** Median, lowest and highest. */
export function spread(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  return { median: median(sorted), min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** @param sorted ascending */
function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
