/**
 * However a run of the contract kit ends, it revokes the keys that it made. It passes only if every check ran to its end: not if it was
 * interrupted, if its results could not be written, or if the environment has settings for tap.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { edited, startDeviatingProxy } from '../../support/contract/deviating-proxy.ts';
import { newFolder } from '../../support/process/folder.ts';
import { until } from '../../support/process/until.ts';
import { runKit, type Finished, type RunOptions } from './run-kit.ts';

const { app, key } = await openApp(t, { store: 'memory' });
const url = await listen(app);
let runs = 0;

/** Runs the kit with its own pack. @param options are given what tells whether it has made a key */
async function run(
  t: Test,
  only: readonly string[],
  options: (made: () => boolean) => RunOptions = () => ({}),
  target = url,
): Promise<Finished> {
  const pack = `ended-${(runs += 1)}`;
  const made = () => [...app.registry.current.keys.values()].filter(({ label }) => label.startsWith(`${pack} `));
  const finished = await runKit(
    t,
    ['--url', target, '--key', key, '--pack', pack, ...only.flatMap((operation) => ['--only', operation])],
    options(() => made().length > 0),
  );
  t.ok(made().length > 0, 'it made keys');
  t.strictSame(
    made()
      .filter(({ revokedAt }) => revokedAt === undefined)
      .map(({ label }) => label),
    [],
    'none of them works',
  );
  return finished;
}

for (const signal of ['SIGHUP', 'SIGTERM'] as const) {
  t.test(`interrupted by ${signal}`, async (t) => {
    const { code, stdout, stderr } = await run(t, ['createKey', 'revokeKey'], (made) => ({
      signal,
      until: until(made),
    }));
    t.match(
      { code, stderr },
      {
        code: 1,
        stderr: new RegExp(
          `^${signal}: revoking the keys[\\s\\S]*^not ok: not fully checked: .*revokeKey\\n\\d+ passed, [1-9]\\d* failed\\n$`,
          'mu',
        ),
      },
    );
    t.match(stdout, /^not ok \d+ - revokeKey: not fully checked$/mu, 'the results say so, too');
  });
}

t.test('interrupted while it waits as it was asked to: it waits no longer', async (t) => {
  const proxy = await startDeviatingProxy(t, url);
  const limited = Promise.withResolvers<void>();
  const reasons: unknown[] = [];
  const problem = {
    type: '/problems/rate-limited',
    title: 'Too many requests',
    status: 429,
    detail: 'Later.',
    instance: '/v1/keys',
    code: 'rate-limited',
  };
  proxy.plant({
    operation: 'revokeKey',
    what: 'a limit, once',
    plant: {
      answer: async (request, forward) => {
        reasons.push((JSON.parse(request.body) as { reason?: unknown }).reason);
        if (reasons.length > 1) return forward(request);
        limited.resolve();
        return {
          status: 429,
          headers: { 'content-type': 'application/problem+json', 'retry-after': '60' },
          body: JSON.stringify(problem),
        };
      },
    },
  });
  const { code, stderr } = await run(t, ['createKey', 'revokeKey'], () => ({ until: limited.promise }), proxy.address);
  t.equal(code, 1);
  t.match(stderr, /^SIGTERM: revoking the keys[\s\S]*^not ok: not fully checked: .*revokeKey$/mu);
  t.match(reasons[1], /is over$/u, 'what it asked next is for the end');
});

t.test('interrupted while it moves the default pack: the pack goes back to its version', async (t) => {
  const active = () => app.registry.activePack().version;
  const before = active();
  const args = ['--url', url, '--key', key, '--move-default-pack', '--only', 'getCoachSession'];
  const { code, stderr } = await runKit(t, args, { until: until(() => active() !== before) });
  t.match({ code, stderr }, { code: 1, stderr: /^not ok: not fully checked: getCoachSession$/mu });
  t.equal(active(), before);
  t.notMatch(stderr, /could not/u);
});

t.test('a full disk behind the results', async (t) => {
  const file = join(newFolder(t), 'results.tap');
  const { code, stderr } = await run(t, ['createKey', 'revokeKey'], () => ({ stdout: { file, room: 4096 } }));
  t.equal(code, 4);
  t.match(
    stderr,
    /^The results cannot be written to stdout \(.*\): revoking the keys[\s\S]*^not ok: not fully checked: .*revokeKey\n\d+ passed, [1-9]\d* failed\n$/mu,
  );
  t.match(
    await runKit(t, ['--help'], { stdout: { file, room: 0 } }),
    { code: 4, stderr: /cannot be written to stdout \(.*\)/u },
    'also where only help was asked for',
  );
});

t.test('a reader that goes away has read what it wanted: the checks decide', async (t) => {
  t.match(await run(t, ['listKeys'], () => ({ stdout: 'left' })), { code: 0, stderr: /^[1-9]\d* passed, 0 failed$/mu });
});

t.test("settings for tap in somebody's environment choose nothing, and end nothing early", async (t) => {
  const proxy = await startDeviatingProxy(t, url);
  proxy.plant({
    operation: 'listKeys',
    what: 'a member that is not declared',
    plant: edited((body) => (body['surprise'] = 1)),
  });
  const env = { TAP_ONLY: '1', TAP_GREP: '/nothing/', TAP_BAIL: '1', TAP_TIMEOUT: '0.001', TAP_OMIT_VERSION: '1' };
  t.match(await run(t, ['listKeys', 'live'], () => ({ env }), proxy.address), {
    code: 1,
    stdout: /^TAP version 14\n[\s\S]*^not ok 1 - listKeys[\s\S]*^ok 2 - live/mu,
    stderr: /^[1-9]\d* passed, [1-9]\d* failed$/mu,
  });
});
