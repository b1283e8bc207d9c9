/** The dashboard, the alerts and the page about metrics: everything that they name exists. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { openApp } from '../support/apps/app.ts';
import { OPERATIONS } from '../support/http/openapi.ts';
import { scrapeOf, type Scrape } from '../support/observability/prometheus.ts';
import { groupedBy, labelsGiven, missing, rawCounters, seconds } from '../support/observability/promql.ts';
import { raiseCounters, raiseRollouts, scraperOf } from '../support/observability/scraping.ts';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity?: string };
  readonly annotations: { readonly summary?: string; readonly action?: string; readonly runbook?: string };
}
interface Dashboard {
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly definition?: string;
      readonly allValue?: string;
    }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly expr: string; readonly step: string; readonly titleFormat: string }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const RULES = (parse(file('docs/observability/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const DASHBOARD = JSON.parse(file('docs/observability/dashboard.json')) as Dashboard;

/** The operations that append an event: those with an Idempotency-Key. */
const WRITES = [...OPERATIONS.values()]
  .filter(({ parameters = [] }) => parameters.some(({ name }) => name === 'idempotency-key'))
  .map(({ operationId }) => operationId)
  .sort();

/** A scrape of an instance on which every counter was raised. */
async function fullScrape(t: Test): Promise<Scrape> {
  const opened = await openApp(t);
  await raiseCounters(opened);
  await raiseRollouts(opened);
  opened.fail(() => 'rejects');
  const refused = await opened.app.inject({
    method: 'POST',
    url: '/v1/packs/coach/activations',
    payload: { version: '1.0.0', reason: 'A write that fails' },
  });
  t.equal(refused.statusCode, 503);
  opened.fail();
  return (await scraperOf(opened))();
}

t.test('the dashboard, the alerts and the page name only what exists', async (t) => {
  const scrape = await fullScrape(t);

  t.test('the dashboard', async (t) => {
    const expressions = [
      ...DASHBOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...DASHBOARD.annotations.list.map(({ expr }) => expr),
    ];
    t.ok(expressions.length >= 25, `${expressions.length} queries`);
    t.strictSame(
      expressions.flatMap((expression) => missing(scrape, expression)),
      [],
    );
    const legends = [
      ...DASHBOARD.panels.flatMap(({ targets = [] }) =>
        targets.map(({ expr, legendFormat }) => [expr, legendFormat] as const),
      ),
      ...DASHBOARD.annotations.list.map(({ expr, titleFormat }) => [expr, titleFormat] as const),
    ];
    const named = (legend: string) => [...legend.matchAll(/\{\{(\w+)\}\}/gu)].map(([, label = '']) => label);
    t.strictSame(
      legends.filter(([expr, legend]) => named(legend).some((label) => !labelsGiven(expr).includes(label))),
      [],
      'legends name only labels of their query',
    );
    t.strictSame(
      DASHBOARD.panels.filter(({ type }) => type === 'row').map(({ title }) => title),
      ['Traffic', 'Pointers', 'Rollouts', 'Freshness', 'Store', 'Process'],
    );
    t.equal(new Set(DASHBOARD.panels.map(({ id }) => id)).size, DASHBOARD.panels.length, 'panel ids are unique');
    t.ok(
      DASHBOARD.panels.every(({ type, datasource }) => type === 'row' || datasource?.uid === '${datasource}'),
      'the import asks for the data source',
    );
    const variables = DASHBOARD.templating.list;
    t.equal(variables[0]?.type, 'datasource');
    for (const { definition } of variables)
      if (definition !== undefined) t.strictSame(missing(scrape, definition), [], definition);
    const used = new Set(
      expressions
        .flatMap((expression) => [...expression.matchAll(/\$(\w+)/gu)].map(([, name = '']) => name))
        .filter((name) => !name.startsWith('__')),
    );
    t.strictSame(
      [...used].filter((name) => !variables.some((variable) => variable.name === name)),
      [],
      'every variable that is used is defined',
    );
    t.strictSame(expressions.flatMap(rawCounters), []);
    for (const name of ['job', 'instance'])
      t.equal(
        variables.find((variable) => variable.name === name)?.allValue,
        undefined,
        `"All" of ${name} means registries only`,
      );
    t.match(
      DASHBOARD.panels.find(({ title }) => title === 'Ready')?.targets?.[0]?.expr,
      /sum\(prompt_registry_ready.*\/ count\(up\{/u,
      'out of all instances, including those that are down',
    );
  });

  t.test('the annotations miss no move', async (t) => {
    const [, interval = ''] = /scrape_interval: (\w+)/u.exec(file('docs/observability/README.md')) ?? [];
    for (const { expr, step } of DASHBOARD.annotations.list) {
      const [, range = ''] = /\[(\w+)\]/u.exec(expr) ?? [];
      t.ok(seconds(range) > seconds(step) + 2 * seconds(interval), `${range} is longer than ${step} and ${interval}`);
    }
  });

  t.test('the alerts', async (t) => {
    const anchors = [...file('docs/operations.md').matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/gu, '')
        .replaceAll(' ', '-'),
    );
    t.ok(RULES.length >= 8);
    const [gone, others] = [
      RULES.filter(({ expr }) => expr === 'absent(up{job="prompt-registry"})'),
      RULES.filter(({ expr }) => !expr.startsWith('absent(')),
    ];
    t.equal(gone.length, 1, 'one alert fires when nothing is scraped');
    t.strictSame(
      others.flatMap(({ expr }) => missing(scrape, expr)),
      [],
    );
    t.strictSame(
      others.flatMap(({ expr }) => rawCounters(expr)),
      [],
    );
    const writes = RULES.find(({ alert }) => alert === 'PromptRegistryWritesFail')?.expr ?? '';
    t.match(
      writes,
      /increase\(prompt_registry_requests_total\{.*status=~"5\.\."\}\[\w+\]\)\) > 0$/u,
      'one alert fires when writes fail, even a few',
    );
    t.strictSame(
      (/operation=~"([^"]*)"/u.exec(writes)?.[1] ?? '').split('|').sort(),
      WRITES,
      'it covers every operation that appends an event',
    );
    for (const { alert, expr } of others)
      if (expr.includes('prompt_registry_requests_total'))
        t.ok(groupedBy(expr).includes('operation'), `${alert}: reads do not hide writes`);
    for (const { alert, expr, annotations } of RULES) {
      const named = [
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/gu),
      ].map(([, label = '']) => label);
      t.strictSame(
        named.filter((label) => !labelsGiven(expr).includes(label)),
        [],
        `${alert}: its text names only labels of its query`,
      );
    }
    for (const { alert, labels, annotations } of RULES) {
      t.match(labels.severity, /^(critical|warning|info)$/u, alert);
      t.ok(
        (annotations.summary ?? '').length > 20 && (annotations.action ?? '').length > 20,
        `${alert}: says what is wrong and what to do`,
      );
      const [, anchor = ''] = /^docs\/operations\.md#(.+)$/u.exec(annotations.runbook ?? '') ?? [];
      t.ok(anchors.includes(anchor), `${alert}: ${annotations.runbook} exists`);
    }
  });

  t.test('the page lists every metric of the service, with exactly its labels', async (t) => {
    const listed = new Map(
      [...file('docs/observability/README.md').matchAll(/^\| `(prompt_registry_\w+)` \|([^|]*)\|/gmu)].map(
        ([, name = '', labels = '']) => [name, [...labels.matchAll(/`(\w+)`/gu)].map(([, label = '']) => label).sort()],
      ),
    );
    const exposed = new Map(
      [...scrape.types]
        .filter(([name]) => name.startsWith('prompt_registry_'))
        .map(([name, type]) => {
          const labels = scrape
            .find(type === 'histogram' ? `${name}_count` : name)
            .flatMap(({ labels }) => Object.keys(labels));
          return [name, [...new Set(labels)].sort()];
        }),
    );
    t.strictSame(Object.fromEntries([...listed].sort()), Object.fromEntries([...exposed].sort()));
  });

  t.test('control: what does not exist is found', async (t) => {
    t.strictSame(missing(scrape, 'rate(prompt_registry_readz_total[5m])'), [
      'prompt_registry_readz_total is not there',
    ]);
    t.strictSame(missing(scrape, 'prompt_registry_ready{pack="coach"}').slice(0, 1), [
      'prompt_registry_ready has no label pack',
    ]);
    t.strictSame(missing(scrape, 'prompt_registry_requests_total{status="299"}'), [
      'prompt_registry_requests_total has nothing with status="299"',
    ]);
    t.equal(missing(scrape, 'sum by (style) (prompt_registry_reads_total)').length, 1);
    t.equal(
      missing(scrape, 'prompt_registry_request_duration_seconds{operation="none"}').length > 0,
      true,
      'a histogram has no sample with its bare name',
    );
    t.equal(missing(scrape, 'up == 0').length, 1);
    t.strictSame(rawCounters('max(changes(prompt_registry_reads_total[1m])) + rate(prompt_registry_reads_total[1m])'), [
      'prompt_registry_reads_total',
    ]);
    t.strictSame(
      [labelsGiven('absent(up{job="a"})'), labelsGiven('sum by (job, le) (a)'), labelsGiven('a == 0')],
      [['job'], ['job', 'le'], ['job', 'instance']],
    );
    t.throws(() => scrapeOf('a 1'), /no family/u);
    t.throws(() => scrapeOf('# TYPE a gauge\na{b="c} 1'), /no sample/u);
    t.throws(() => scrapeOf('# TYPE a gauge\na 1\na 2'), /twice/u);
  });
});
