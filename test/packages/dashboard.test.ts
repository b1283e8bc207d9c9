/**
 * The files of docs/observability work: a real Prometheus scrapes two instances under load, loads the alert rules, and answers every query
 * of the dashboard with series. The dashboard conforms to the types that Grafana publishes (`@grafana/schema`).
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { installTool } from '../../scripts/tools.ts';
import { newFolder } from '../support/process/folder.ts';
import { freePort } from '../support/http/free-port.ts';
import { startPostgres } from '../support/stores/postgres.ts';
import { operatorKeyIn, ROOT, startServer, type ListeningServer } from '../support/apps/server-process.ts';
import { words } from '../support/process/words.ts';

const run = promisify(execFile);
const PROMETHEUS = '/usr/bin/prometheus';
const skip = existsSync(PROMETHEUS) ? false : `there is no ${PROMETHEUS}: apt-get install prometheus`;
const ALERTS = join(ROOT, 'docs', 'observability', 'alerts.yaml');

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}
const DASHBOARD = JSON.parse(readFileSync(join(ROOT, 'docs', 'observability', 'dashboard.json'), 'utf8')) as Dashboard;

/** What Grafana puts in the place of a variable: all of it is chosen, and the look is at the time of this test. */
const VARIABLES: Readonly<Record<string, string>> = {
  $job: '.+',
  $instance: '.+',
  $pack: '.*',
  $__rate_interval: '1m',
};
const filledIn = (expression: string) => expression.replaceAll(/\$\w+/gu, (name) => VARIABLES[name] ?? name);

/** These have series only if the store fails. Their queries must still be valid. */
const OF_TROUBLE = new Set(['Failures']);

interface Answered {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly object[] };
}
interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state: string;
}

/** A Prometheus of the test's own that scrapes servers each second. @returns asks its API, by a path */
async function prometheusOf(
  t: Test,
  servers: readonly ListeningServer[],
  key: string,
): Promise<<T>(path: string) => Promise<T>> {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'key'), key);
  // The rules are those of the repository, looked at each second: `for` and ranges stay as they are.
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [ALERTS],
    scrape_configs: [
      {
        job_name: 'prompt-registry',
        authorization: { credentials_file: join(folder, 'key') },
        static_configs: [{ targets: servers.map(({ address }) => new URL(address).host) }],
      },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  mkdirSync(join(folder, 'data'));
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ];
  const child = spawn(PROMETHEUS, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const ask = async <T>(path: string) => (await (await fetch(`http://${address}${path}`)).json()) as T;
  await eventually(async () => (await fetch(`http://${address}/-/ready`)).ok);
  return ask;
}

/** Resolves once it holds; the test's own time limit is the only one. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await pause(200);
}

/** A rollout in one channel, a trial and a schedule in another one. */
async function plan(server: ListeningServer): Promise<void> {
  const reason = 'For the dashboard';
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const answers = [
    await server.ask('/v1/packs/coach/rollouts', {
      version: '1.0.0',
      channel: 'staging',
      steps: [{ share: 50 }],
      finish: 'wait',
      reason,
    }),
    await server.ask('/v1/packs/onboarding/activations', { version: '1.0.0', revertAfter: '1h', reason }),
    await server.ask('/v1/packs/onboarding/schedule', { version: '1.1.0', at, reason }),
  ];
  for (const answer of answers) if (answer.status !== 201) throw new Error(await answer.text());
}

/** Reads, sessions, moves and refusals, until it is told to stop. */
async function load(server: ListeningServer, going: () => boolean): Promise<void> {
  await plan(server);
  for (let round = 0; going(); round += 1) {
    for (const path of [
      '/v1/packs/coach/active',
      '/v1/prompts/system',
      '/v1/prompts/styles',
      '/v1/prompts/styles/reflective',
      '/v1/prompts/styles/none',
      '/v1/prompts/system?channel=staging',
      `/v1/prompts/system?channel=staging&subject=user-${round}`,
    ])
      await server.ask(path);
    await server.ask('/v1/coach/sessions', {});
    await server.ask('/v1/packs/coach/activations', {
      version: round % 2 === 0 ? '1.0.0' : '2.0.0',
      reason: 'For the dashboard',
    });
    await pause(50);
  }
}

/** Grafana's own types of a dashboard, for JSON: what is an enumeration there is its values here. Unknown members are errors, as the dashboard is a literal. */
const typed = (types: string, dashboard: string) => `
import type { Dashboard } from ${JSON.stringify(types)};
type Json<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T : T extends readonly (infer U)[] ? Json<U>[] : { [K in keyof T]: unknown extends T[K] ? T[K] : Json<T[K]> };
export const dashboard: Json<Dashboard> = ${dashboard};
`;

/** What Grafana's schema has against a dashboard. */
async function faultsOf(t: Test, dashboard: object): Promise<string> {
  const folder = newFolder(t);
  const types = join(
    installTool('grafana-schema'),
    'node_modules',
    '@grafana',
    'schema',
    'dist',
    'types',
    'raw',
    'dashboard',
    'x',
    'types.gen.d.ts',
  );
  writeFileSync(join(folder, 'dashboard.ts'), typed(types, JSON.stringify(dashboard, undefined, 1)));
  const options = words`
    --noEmit --strict --skipLibCheck --allowImportingTsExtensions --module ESNext --moduleResolution Bundler
  `;
  const { NODE_OPTIONS: _, ...env } = process.env; // tap's own hooks
  return run(
    process.execPath,
    [join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js'), ...options, join(folder, 'dashboard.ts')],
    { cwd: folder, env },
  ).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

/** The dashboard without what Prometheus' plugin writes into it, which Grafana's own schema leaves to plugins. */
function withoutPlugins(dashboard: Dashboard): object {
  const [variables, annotations] = [dashboard.templating.list, dashboard.annotations.list].map((list) =>
    list.map((each) =>
      Object.fromEntries(
        Object.entries(each).filter(([name]) => !['definition', 'expr', 'step', 'titleFormat'].includes(name)),
      ),
    ),
  );
  return { ...dashboard, templating: { list: variables }, annotations: { list: annotations } };
}

t.test('the dashboard is one to the schema that Grafana publishes', async (t) => {
  const dashboard = withoutPlugins(DASHBOARD);
  t.equal(await faultsOf(t, dashboard), '');
  t.match(
    await faultsOf(t, { ...dashboard, schemaVersion: '39' }),
    /Type 'string' is not assignable to type 'number'/u,
    'control: a wrong type is found',
  );
  t.match(await faultsOf(t, { ...dashboard, panles: [] }), /panles/u, 'control: an unknown member is found');
});

t.test('promtool accepts the alert rules', { skip }, async (t) => {
  const { stdout } = await run('/usr/bin/promtool', ['check', 'rules', ALERTS]);
  t.match(stdout, /SUCCESS: \d+ rules found/u);
});

/** What an alert does with the samples of some series: the labels that it fires with at a time, besides its severity. */
interface Case {
  readonly alert: string;
  /** Between two samples, and between two looks at the rule; default: 15s. */
  readonly interval?: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const OVERDUE = 'prompt_registry_overdue_seconds';
const FAILED = 'prompt_registry_plans_failed_total';
const WAITS = 'prompt_registry_rollout_waits';
const coach = { job: 'prompt-registry', pack: 'coach', channel: 'production' };
/** A series of an instance, as Prometheus names it. */
const named = (metric: string, instance: string, labels: object = {}) =>
  `${metric}{${Object.entries({ job: 'prompt-registry', instance, ...labels })
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
const failedOf = (type: string) => named(FAILED, 'a', { pack: 'coach', channel: 'production', type });
const waitsOf = (instance: string) => named(WAITS, instance, { pack: 'coach', channel: 'production' });

const CASES: readonly Case[] = [
  {
    alert: 'PromptRegistryOverdue',
    series: { [named(OVERDUE, 'a')]: '0 2 11 26', [named(OVERDUE, 'b')]: '0 2 11 26' },
    at: '45s',
    fires: [{ job: 'prompt-registry' }],
  },
  {
    alert: 'PromptRegistryOverdue', // one of them is cut off, and the other one has done it
    series: { [named(OVERDUE, 'a')]: '0 2 11 26', [named(OVERDUE, 'b')]: '0 2 0 0' },
    at: '45s',
    fires: [],
  },
  {
    alert: 'PromptRegistryClockInDoubt',
    series: {
      [named('prompt_registry_clock_in_doubt', 'a')]: '0 1x10',
      [named('prompt_registry_clock_in_doubt', 'b')]: '0x10',
    },
    at: '2m',
    fires: [{ job: 'prompt-registry', instance: 'a' }],
  },
  { alert: 'PromptRegistryTrialStayed', series: { [failedOf('trial-stayed')]: '0x4 1x10' }, at: '2m', fires: [coach] },
  { alert: 'PromptRegistryScheduleSkipped', series: { [failedOf('trial-stayed')]: '0x4 1x10' }, at: '2m', fires: [] },
  {
    alert: 'PromptRegistryScheduleSkipped',
    series: { [failedOf('schedule-skipped')]: '0x4 1x10' },
    at: '2m',
    fires: [coach],
  },
  { alert: 'PromptRegistryRolloutWaits', interval: '5m', series: { [waitsOf('a')]: '1x300' }, at: '23h', fires: [] },
  {
    alert: 'PromptRegistryRolloutWaits',
    interval: '5m',
    series: { [waitsOf('a')]: '1x300' },
    at: '25h',
    fires: [coach],
  },
  {
    alert: 'PromptRegistryRolloutWaits',
    interval: '5m',
    series: { [waitsOf('a')]: '1x150 0 1x150' },
    at: '25h',
    fires: [],
  },
];

t.test('the alerts about rollouts fire when they should', { skip }, async (t) => {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const exprOf = (alert: string) => groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === alert);
  t.ok(CASES.every(({ alert }) => exprOf(alert) !== undefined));
  // An alert that fires is a series, too.
  const expected = ({ alert, at, fires }: Case) => ({
    expr: `count by (job, pack, channel, instance) (ALERTS{alertname="${alert}",alertstate="firing"})`,
    eval_time: at,
    exp_samples: fires.map((labels) => ({
      labels: `{${Object.entries(labels)
        .map(([name, value]) => `${name}="${value}"`)
        .join(',')}}`,
      value: 1,
    })),
  });
  const file = join(newFolder(t), 'cases.json'); // JSON is YAML
  for (const [evaluation_interval, cases] of Map.groupBy(CASES, ({ interval = '15s' }) => interval)) {
    const tests = cases.map((each) => ({
      name: each.alert,
      interval: evaluation_interval,
      input_series: Object.entries(each.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: [expected(each)],
    }));
    writeFileSync(file, JSON.stringify({ rule_files: [ALERTS], evaluation_interval, tests }));
    const { stdout } = await run('/usr/bin/promtool', ['test', 'rules', file]).catch(
      (error: { stdout: string; stderr: string }) => ({ stdout: error.stdout + error.stderr }),
    );
    t.match(stdout, /SUCCESS/u, stdout);
  }
});

t.test('a Prometheus that scraped two instances under load', { skip }, async (t) => {
  const postgres = await startPostgres(t);
  const url = await postgres.database('dashboard');
  const folder = newFolder(t);
  const start = (name: string) => startServer(t, { STORE_URL: url, DATA_DIR: join(folder, name), RATE_LIMIT: '0' });
  const first = await start('first');
  const key = operatorKeyIn(join(folder, 'first'));
  const second = await start('second');
  const ask = await prometheusOf(t, [first, second], key);
  const query = (expression: string) =>
    ask<Answered>(`/api/v1/query?query=${encodeURIComponent(filledIn(expression))}`);
  const found = async (expression: string) => (await query(expression)).data.result.length;

  let going = true;
  const loading = load(first, () => going);
  t.teardown(async () => {
    going = false;
    await loading;
  });

  t.test('each query of the dashboard is one, and gives series', async (t) => {
    const queries = DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => [title, expr] as const),
    );
    t.ok(queries.length >= 25);
    await eventually(
      async () =>
        (await found('count(rate(prompt_registry_store_duration_seconds_count[1m])) > 0')) > 0 &&
        (await found('count(up == 1) == 2')) > 0,
    );
    for (const [title, expr] of [
      ...queries,
      ...DASHBOARD.annotations.list.map(({ name, expr }) => [name, expr] as const),
    ]) {
      t.equal((await query(expr)).status, 'success', `${title}: ${(await query(expr)).error ?? expr}`);
      // A rate takes two scrapes since the thing happened first.
      if (!OF_TROUBLE.has(title)) await eventually(async () => (await found(expr)) > 0);
    }
  });

  t.test('each variable of the dashboard has values', async (t) => {
    for (const { definition } of DASHBOARD.templating.list) {
      const [, metric, label = ''] = /^label_values\((.*), (\w+)\)$/u.exec(definition ?? '') ?? [];
      if (metric === undefined) continue;
      const { data } = await ask<{ data: readonly string[] }>(
        `/api/v1/label/${label}/values?match[]=${encodeURIComponent(filledIn(metric))}`,
      );
      t.ok(data.length > 0, `${label}: ${data.join(', ')}`);
    }
  });

  t.test('each alert rule can be evaluated; all is well, until an instance is gone', async (t) => {
    const rules = async () =>
      (await ask<{ data: { groups: readonly { rules: readonly Rule[] }[] } }>('/api/v1/rules')).data.groups.flatMap(
        (group) => group.rules,
      );
    const stateOf = async (name: string) => (await rules()).find((rule) => rule.name === name)?.state;
    await eventually(async () => (await rules()).every(({ health }) => health !== 'unknown'));
    t.ok((await rules()).length >= 8);
    t.strictSame(
      (await rules()).filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError]),
      [],
    );
    t.equal(await stateOf('PromptRegistryNotReady'), 'inactive');
    await second.stop();
    await eventually(async () => (await stateOf('PromptRegistryNotReady')) === 'pending'); // it fires a minute later
    t.equal(await stateOf('PromptRegistryGone'), 'inactive', 'the other one is there');
  });
});
