/**
 * What an expression in PromQL names, as far as the dashboard and the alerts go: metrics, labels, durations. No parser: it knows their style.
 *
 * Example: `missing(scrape, 'sum by (pack) (rate(prompt_registry_reads_total[5m]))')` is empty where the scrape has that metric with that label.
 */
import type { Scrape } from './prometheus.ts';

/** A metric in an expression, with the label matchers behind it. */
interface Named {
  readonly name: string;
  readonly matchers: readonly (readonly [label: string, operator: string, value: string])[];
}

/** Labels that Prometheus adds to what it scrapes. */
const OF_THE_SCRAPE = ['job', 'instance'];

/** The metrics of ours, and of the process. */
function metricsIn(expression: string): Named[] {
  return [...expression.matchAll(/\b((?:prompt_registry|nodejs|process)_\w+)(?:\{([^}]*)\})?/gu)].map(
    ([, name = '', list = '']) => ({
      name,
      matchers: [...list.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/gu)].map(
        ([, label = '', operator = '', value = '']) => [label, operator, value] as const,
      ),
    }),
  );
}

/** Labels that an expression groups by. */
export function groupedBy(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/gu)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  );
}

/** Counters that are not looked at as counters: a restart takes one back to 0, which only `rate` and `increase` know. */
export function rawCounters(expression: string): string[] {
  return [...expression.matchAll(/(\w*\(?)\b(prompt_registry_\w+_total)\b/gu)]
    .filter(([, before = '']) => !/^(?:rate|increase)\($/u.test(before))
    .map(([, , name = '']) => name);
}

/** Labels that what an expression gives can have. */
export function labelsGiven(expression: string): readonly string[] {
  if (expression.startsWith('absent(')) return [...expression.matchAll(/(\w+)="/gu)].map(([, label = '']) => label);
  const grouped = groupedBy(expression);
  return grouped.length > 0 ? grouped : OF_THE_SCRAPE;
}

/** Seconds of a duration as Prometheus writes it. */
export function seconds(duration: string): number {
  return Number.parseInt(duration, 10) * { s: 1, m: 60, h: 3600 }[duration.at(-1) as 's' | 'm' | 'h'];
}

/** What an expression names that the scrape does not have. */
export function missing(scrape: Scrape, expression: string): string[] {
  const named = metricsIn(expression);
  if (named.length === 0) return [`"${expression}" names no metric of ours`];
  const labelsOf = (name: string) => new Set(scrape.find(name).flatMap(({ labels }) => Object.keys(labels)));
  const grouped = groupedBy(expression).filter(
    (label) => !OF_THE_SCRAPE.includes(label) && !named.every(({ name }) => labelsOf(name).has(label)),
  );
  return [
    ...grouped.map((label) => `"${expression}": ${label} is no label of all its metrics`),
    ...named.flatMap(({ name, matchers }) => [
      ...(scrape.find(name).length > 0 ? [] : [`${name} is not there`]),
      ...matchers
        .filter(([label]) => !OF_THE_SCRAPE.includes(label) && !labelsOf(name).has(label))
        .map(([label]) => `${name} has no label ${label}`),
      ...matchers
        .filter(
          ([label, operator, value]) =>
            !OF_THE_SCRAPE.includes(label) && !value.startsWith('$') && (operator === '=' || operator === '=~'),
        )
        .filter(
          ([label, operator, value]) =>
            !scrape
              .find(name)
              .some(({ labels }) =>
                operator === '='
                  ? labels[label] === value
                  : new RegExp(`^(?:${value})$`, 'u').test(labels[label] ?? ''),
              ),
        )
        .map(([label, operator, value]) => `${name} has nothing with ${label}${operator}"${value}"`),
    ]),
  ];
}
