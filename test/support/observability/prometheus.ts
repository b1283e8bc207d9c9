/**
 * What a scrape says, read strictly: the text format of Prometheus, version 0.0.4.
 *
 * Example: `const scrape = scrapeOf(body); scrape.value('prompt_registry_reads_total', { kind: 'system' })`.
 */

/** One line. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly samples: readonly Sample[];
  /** What each family is: counter, gauge, histogram. */
  readonly types: ReadonlyMap<string, string>;
  /** The samples of a name that have these labels, whatever others. */
  find(name: string, labels?: Readonly<Record<string, string>>): readonly Sample[];
  /** Their sum; undefined without samples. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?(?:\d[\d.e+-]*|Inf)|[+-]Inf|NaN|Nan)$/u;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/uy;

/** @throws Error at an invalid line, a sample without a family, a repeated series, or a histogram that does not add up */
export function scrapeOf(text: string): Scrape {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/u.exec(line);
    if (type !== null) {
      if (types.has(type[1] ?? '')) throw new Error(`The family ${type[1]} is there twice.`);
      types.set(type[1] ?? '', type[2] ?? '');
      continue;
    }
    const [series] = line.split(/ (?=[^ ]*$)/u);
    if (seen.has(series ?? '')) throw new Error(`The series ${series} is there twice.`);
    seen.add(series ?? '');
    samples.push(sampleOf(line));
  }
  for (const { name } of samples) {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/u, '');
    if (types.get(family) === undefined || (family !== name && types.get(family) !== 'histogram'))
      throw new Error(`The sample ${name} is of no family.`);
  }
  const find: Scrape['find'] = (name, labels = {}) =>
    samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
  for (const [family, type] of types) if (type === 'histogram') checkHistogram(family, find);
  return {
    samples,
    types,
    find,
    value: (name, labels) =>
      find(name, labels).reduce<number | undefined>((sum, { value }) => (sum ?? 0) + value, undefined),
  };
}

function sampleOf(line: string): Sample {
  const [, name = '', list = '', value = ''] = LINE.exec(line) ?? [];
  const labels: Record<string, string> = {};
  let read = 0;
  LABEL.lastIndex = 0;
  for (let label = LABEL.exec(list); label !== null; label = LABEL.exec(list)) {
    labels[label[1] ?? ''] = (label[2] ?? '').replaceAll('\\"', '"').replaceAll('\\\\', '\\');
    read = LABEL.lastIndex;
  }
  if (name === '' || read !== list.length) throw new Error(`This is no sample: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

/** Buckets grow, and the last of them is the count. */
function checkHistogram(family: string, find: Scrape['find']): void {
  for (const { labels, value: count } of find(`${family}_count`)) {
    const buckets = find(`${family}_bucket`, labels);
    const order = buckets.map(({ labels: { le } }) => Number(le?.replace('Inf', 'Infinity')));
    const grows = buckets.every(
      ({ value }, index) =>
        index === 0 || (value >= (buckets[index - 1]?.value ?? 0) && (order[index] ?? 0) > (order[index - 1] ?? 0)),
    );
    if (!grows || order.at(-1) !== Infinity || buckets.at(-1)?.value !== count)
      throw new Error(`The histogram ${family} ${JSON.stringify(labels)} does not add up.`);
  }
}
