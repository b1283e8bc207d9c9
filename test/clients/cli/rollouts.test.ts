// Rollouts, trials, schedules and assignments in a shell, against a real server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { changeOf } from '../../../clients/cli/src/event-text.ts';
import { json, runCli, spawnCli } from '../../support/clients/command-line.ts';
import { replyJson, replyProblem, startFakeServer, startProxy } from '../../support/clients/fake-servers.ts';
import { startLabRegistry } from '../../support/clients/lab-registry.ts';

const { folder, server, key, env, lab, runJson } = await startLabRegistry(t);

const PLAN = ['--steps', '10%:10m,50%:1h', '--yes', '--reason', 'Warmer openings'];

/** Begins a test at 1.0.0, without a rollout or a trial. */
async function base() {
  await runCli(['rollout', 'abort', '--yes', '--reason', 'base'], lab);
  await runCli(['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
}

/** Starts a rollout of 2.0.0. */
async function begin(...options: string[]): Promise<{ id: number; revision: number }> {
  await base();
  const { code, stdout, stderr } = await runCli(['rollout', 'start', '2.0.0', ...PLAN, ...options, '--json'], lab);
  if (code !== 0) throw new Error(stderr);
  return json(stdout) as { id: number; revision: number };
}

t.test('a bad plan or audience is told with its place, before anything is sent', async (t) => {
  let sent = 0;
  const { env: fake } = await startFakeServer(t, (request, response) => {
    sent += 1;
    replyJson({})(request, response);
  });
  await writeFile(
    join(folder, 'audience.json'),
    '{"conditions":[{"attribute":"country","operator":"is","values":[]}]}',
  );
  const steps = Array.from({ length: 51 }, (_, index) => `${index + 1}%:1m`).join(',');
  for (const [options, message] of [
    [['--steps', '1%:10m,5x:1h'], /Step 2, "5x:1h" at character 8: The share must be a percentage from 0 to 100/u],
    [
      ['--steps', '1%:10m, 1%:1h'],
      /Step 2, "1%:1h" at character 9: The share must be above that of the step before, 1%/u,
    ],
    [['--steps', '101%:1h'], /Step 1, "101%:1h" at character 1: .*0 to 100/u],
    [['--steps', '0.0005%:1h'], /Step 1, .*at most three decimals/u],
    [['--steps', '1%:10m,,5%:1h'], /Step 2, "" at character 8: The share must be/u],
    [['--steps', '1%:10'], /Step 1, "1%:10" at character 1: The duration must be a number and s, m, h or d/u],
    [['--steps', '1%:91d'], /Step 1, .*at most 90d/u],
    [['--steps', '1%:999999999d'], /Step 1, .*at most 90d/u],
    [['--steps', ''], /Step 1, "" at character 1/u],
    [['--steps', steps], /51 steps; at most 50/u],
    [['--steps', '1%:10m,50%'], /Step 2 of --steps, "50%", has no hold, and there is no --bake[^]*50%:1h/u],
    [['--steps', '1%:1h', '--bake', 'soon'], /--bake.*The duration must be/u],
    [
      ['--steps', '1%:1h', '--where', 'country is de'],
      /"is" at character 9 is not an operator\. Operators: in, notIn/u,
    ],
    [['--steps', '1%:1h', '--where', 'Country in de'], /"Country" at character 1 must/u],
    [['--steps', '1%:1h', '--where', 'country'], /Write an attribute, an operator and values/u],
    [['--steps', '1%:1h', '--where', 'country in de,,at'], /A value of "de,,at" at character 12 is empty/u],
    [['--steps', '1%:1h', '--where', 'age > old'], /"old" at character 7 is not valid\. Must be a number/u],
    [['--steps', '1%:1h', '--where', 'seen before 2026-01-31'], /"2026-01-31" at character 13 .*RFC 3339/u],
    [['--steps', '1%:1h', '--where', 'app semver new'], /"new" at character 12 .*SemVer range/u],
    [['--steps', '1%:1h', '--audience', '{"conditions":'], /The JSON of --audience cannot be read/u],
    [['--steps', '1%:1h', '--audience', 'nowhere.json'], /file of --audience, nowhere\.json, cannot be read/u],
    [
      ['--steps', '1%:1h', '--audience', 'audience.json'],
      /\/conditions\/0\/operator: .*\n {2}\/conditions\/0\/values: /u,
    ],
    [['--steps', '1%:1h', '--testers', 'a,,b'], /--testers is empty|subjects\/1/u],
    [['--steps', '1%:1h', '--testers', 'x'.repeat(201)], /\/subjects\/0: /u],
  ] as const) {
    const refused = await runCli(['rollout', 'start', '2.0.0', ...options, '--yes', '--reason', 'x'], fake, {
      cwd: folder,
    });
    t.match(refused, { code: 2, stdout: '', stderr: message }, options.join(' ').slice(0, 80));
  }
  for (const [args, message] of [
    [['activate', '1.0.0', '--revert-after', '91d'], /at most 90d/u],
    [['activate', '1.0.0', '--sessions', 'drop'], /keep, next-turn, end/u],
    [['revoke', '1.0.0', '--sessions', 'keep'], /next-turn, end/u],
    [['rollout', 'advance', '--share', 'half'], /percentage/u],
    [['rollout', 'status', 'last'], /id of a rollout/u],
    [['schedule', '1.0.0', '--at', '2027-01-01T06:00'], /2027-01-31T00:00:00Z/u],
    [['schedule', '1.0.0', '--at', 'soon'], /RFC 3339|a time such as/u],
    [['assign', 'x'.repeat(201)], /at most 200/u],
    [['assign', 'x', '--attribute', 'country:de'], /NAME=VALUE/u],
    [['assign', 'x', '--attribute', 'country=de', '--attribute', 'country=at'], /"country" is given twice/u],
  ] as const)
    t.match(
      await runCli(
        [...args, ...(args[0] === 'assign' || args[1] === 'status' ? [] : ['--yes', '--reason', 'x'])],
        fake,
      ),
      {
        code: 2,
        stderr: message,
      },
    );
  t.equal(sent, 0);
});

t.test('a rollout, from its first step to its promotion', async (t) => {
  await base();
  t.match(
    await runCli(['rollout', 'start', '2.0.0', '--steps', '10%:10m,50%:1h', '--dry-run', '--testers', 'anna'], lab),
    {
      code: 0,
      stdout:
        /^lab in production: 10% of everybody, plus 1 tester -> 2\.0\.0; the others stay on 1\.0\.0\n {2}~ system .*\n[^]*Plan: 10% for 10m, 50% for 1h, then everybody\n$/u,
    },
  );
  const started = await runCli(['rollout', 'start', '2.0.0', '--steps', '10%:10m,50%:1h', '--bake', '1d'], lab, {
    answers: [
      [/Why\?/u, 'Warmer openings\n'],
      [/Start a rollout of 2\.0\.0 of lab in production at http\S+\? \[y\/N\]/u, 'y\n'],
    ],
  });
  t.match(started, {
    code: 0,
    stdout:
      /^Started rollout \d+ of 2\.0\.0 of lab in production at 10%\. Next: 50% at \S+Z\.\nBack in one step: prompt-registry rollback/u,
  });
  t.match(await runCli(['rollout', 'start', '1.1.0', ...PLAN, '--json'], lab), {
    code: 1,
    stderr: /^\{"code":"rollout-running"/u,
  });
  t.match(
    (await spawnCli(t, ['rollout', 'status'], lab)).stdout,
    /^rollout +\d+\nversion +lab 2\.0\.0 in production; the others are on 1\.0\.0\nstate +running at 10%, step 1 of 2\nnext +50% at \S+\nplan +10% for 10m, 50% for 1h, bake for 1d, then everybody\naudience +everybody\nstarted +\S+ by operator: Warmer openings\n$/u,
  );
  t.match(
    (await runCli(['status'], env)).stdout,
    /^ {2}production {2}rollout \d+ of 2\.0\.0 {2}running at 10%, step 1 of 2 {2}next: 50% at \S+$/mu,
  );

  for (const [verb, ...expected] of [
    [
      'pause',
      /-> paused at 10%/u,
      /is now paused at 10%, step 1 of 2\. Next: nothing until somebody runs "rollout resume"\. Revision \d+\.\n$/u,
    ],
    [
      'pause',
      /is paused at 10%, step 1 of 2; nothing would change/u,
      /is already paused at 10%, step 1 of 2\. Nothing was changed\. Next: nothing until/u,
    ],
    ['resume', /-> running at 10%/u, /is now running at 10%/u],
    [
      'advance',
      /-> running at 50%, step 2 of 2\n {2}Next: bake for 1d at/u,
      /is now running at 50%, step 2 of 2\. Next: bake for 1d at/u,
    ],
    ['advance', /-> baking at 50%/u, /is now baking at 50%, step 2 of 2\. Next: everybody at/u],
    [
      'promote',
      /-> promoted\n[^]*Everybody gets 2\.0\.0/u,
      /is now promoted\. Everybody gets 2\.0\.0\. Revision \d+\.\n$/u,
    ],
    ['promote', /is promoted; nothing would change/u, /is already promoted\. Nothing was changed\.\n$/u],
  ] as const) {
    const [shown, done] = expected;
    t.match(await runCli(['rollout', verb, '--dry-run'], lab), { code: 0, stdout: shown }, `${verb}: the preview`);
    t.match(
      await runCli(['rollout', verb, '--yes', '--reason', 'no complaints'], lab),
      { code: 0, stdout: done },
      verb,
    );
  }
  t.match(await runCli(['rollout', 'abort', '--yes', '--reason', 'x', '--json'], lab), {
    code: 1,
    stderr: /^\{"code":"rollout-ended".*Start a new rollout/u,
  });
  t.match((await runJson(t, ['rollout', 'list', '--state', 'promoted'], lab)).rollouts, [
    { version: '2.0.0', state: 'promoted' },
  ]);
  t.match(
    (await runCli(['rollout', 'list', '--limit', '1'], lab)).stdout,
    /^\d+ {2}production {2}2\.0\.0 {2}promoted: no complaints {2}started \S+ by operator\n$/u,
  );
  t.match(await runCli(['rollout', 'list', '--channel', 'staging'], lab), {
    code: 0,
    stdout: '',
    stderr: /lab has no matching rollouts/u,
  });
  t.match(await runCli(['rollout', 'abort', '--channel', 'staging', '--yes', '--reason', 'x'], lab), {
    code: 1,
    stderr: /no rollout of lab in staging yet[^]*rollout start/u,
  });
});

t.test('a rollback ends the rollout, and a second press does not go below', async (t) => {
  const { id } = await begin();
  t.match(await runCli(['rollback', '--dry-run'], lab), {
    code: 0,
    stdout: `lab: rollout ${id} of 2.0.0 (running at 10%) ends, and everybody is on 1.0.0\n`,
  });
  const declined = await runCli(['rollback', '--reason', 'x'], lab, {
    answers: [[/Roll lab back to 1\.0\.0 in production/u, 'n\n']],
  });
  t.match(declined, { code: 1, stderr: /Nothing was changed/u }, 'it asks, although the channel does not move');
  let quicker: Promise<unknown> | undefined;
  const bodies: string[] = [];
  const proxy = await startProxy(t, server.address, async (request) => {
    if (request.method === 'POST' && request.headers['idempotency-key'] !== undefined)
      await (quicker ??= runCli(['rollback', '--yes', '--reason', 'quicker'], lab).then(({ stdout }) =>
        bodies.push(stdout),
      ));
  });
  const second = await runCli(['rollback', '--yes', '--reason', 'slower', '--json'], {
    ...lab,
    PROMPT_REGISTRY_URL: proxy.url,
  });
  t.match(bodies, [`Everybody is on lab 1.0.0 in production; rollout ${id} of 2.0.0 ended. Revision `]);
  t.match(second, {
    code: 1,
    stderr: /"code":"not-active".*Somebody else moved lab in the meantime; nothing was changed/u,
  });
  t.match(await runJson(t, ['show', 'lab']), { version: '1.0.0' });
  t.match(await runJson(t, ['rollout', 'status'], lab), { id, state: 'aborted', endReason: 'quicker' });
  t.match(await runCli(['rollback', '--to', '1.0.0', '--yes', '--reason', 'x'], lab), {
    code: 0,
    stdout: /lab 1\.0\.0 is already active in production .*Nothing was changed\.\n$/u,
  });
});

t.test('a change of a rollout is refused if it has changed since it was shown, except to abort it', async (t) => {
  for (const [verb, code] of [
    ['advance', 1],
    ['promote', 1],
    ['abort', 0],
  ] as const) {
    await begin();
    let other: Promise<unknown> | undefined;
    const proxy = await startProxy(t, server.address, async (request) => {
      if (request.headers['idempotency-key'] !== undefined)
        await (other ??= runCli(['rollout', 'advance', '--share', '20', '--yes', '--reason', 'other'], lab));
    });
    const where = { ...lab, PROMPT_REGISTRY_URL: proxy.url };
    const made = await runCli(['rollout', verb, '--yes', '--reason', 'x'], where);
    t.equal(made.code, code, `${verb}: ${made.stderr}`);
    if (code === 1) t.match(made.stderr, /Rollout \d+ has changed: it is running at 20 %/u);
    t.notMatch(made.stderr, 'differs from the preview');
  }
});

t.test('moves say which rollout they end', async (t) => {
  const { id } = await begin();
  for (const [args, shown] of [
    [
      ['activate', '2.0.0'],
      /lab: 1\.0\.0 -> 2\.0\.0\n[^]* {2}rollout \d+ of 2\.0\.0 \(running at 10%\) ends: promoted\./u,
    ],
    [['activate', '1.1.0'], /ends: aborted\./u],
    [['activate', '1.0.0'], /ends, and everybody is on 1\.0\.0\n$/u],
    [
      ['revoke', '2.0.0', '--replacement', '1.1.0'],
      / {2}production: rollout \d+ of 2\.0\.0 ends \(running at 10%, step 1 of 2\)\n$/u,
    ],
    [
      ['revoke', '2.0.0', '--replacement', '1.1.0', '--sessions', 'end'],
      /Running sessions on the version that is left end\.\n$/u,
    ],
  ] as const)
    t.match(await runCli([...args, '--dry-run'], lab), { code: 0, stdout: shown }, args.join(' '));
  t.match(await runCli(['activate', '2.0.0', '--yes', '--reason', 'x'], lab), {
    code: 0,
    stdout: new RegExp(
      `^Activated lab 2\\.0\\.0 in production \\(was 1\\.0\\.0\\)\\. Revision \\d+\\. Rollout ${id} of 2\\.0\\.0 ended\\.\\n$`,
      'u',
    ),
  });

  const { secret } = await runJson(t, ['keys', 'create', 'revoker', '--scope', 'packs:revoke']);
  t.match(
    await runCli(['revoke', '1.1.0', '--dry-run'], { ...lab, PROMPT_REGISTRY_KEY: secret }),
    { code: 0, stdout: 'lab 1.1.0 would never be served again.\n  It is not active in any channel.\n' },
    'without prompts:read, rollouts are not shown',
  );
});

t.test('a trial goes back automatically unless it is confirmed', async (t) => {
  await base();
  t.match(await runCli(['confirm', '--dry-run'], lab), {
    code: 1,
    stdout: /would be refused: No version is on trial/u,
  });
  t.match(await runCli(['confirm', '--yes', '--reason', 'x', '--json'], lab), {
    code: 1,
    stderr: /"code":"no-trial"/u,
  });
  t.match(await runCli(['activate', '2.0.0', '--revert-after', '30m', '--dry-run'], lab), {
    code: 0,
    stdout: / {2}On trial for 30m: then it goes back, unless somebody confirms it\.\n$/u,
  });
  const trial = ['activate', '2.0.0', '--revert-after', '30m', '--yes', '--reason', 'try'];
  t.match(await runCli(trial, lab), {
    code: 0,
    stdout:
      /^Activated lab 2\.0\.0 .*\nIt goes back in 30m unless somebody runs: prompt-registry confirm --pack lab --channel production\n$/u,
  });
  t.match(
    (await runCli(['status'], env)).stdout,
    /^ {2}production {2}trial of 2\.0\.0 {2}goes back at \S+ {2}unless confirmed$/mu,
  );
  t.match((await runCli(['rollback', '--dry-run'], lab)).stdout, / {2}The trial of 2\.0\.0 ends\.\n$/u);
  const confirmed = await runCli(['confirm', '--reason', 'fine'], lab, {
    answers: [
      [
        /2\.0\.0 stays\. Without this it goes back at [^]*Keep 2\.0\.0 of lab in production at http\S+\? \[y\/N\]/u,
        'y\n',
      ],
    ],
  });
  t.match(confirmed, {
    code: 0,
    stdout: /^lab 2\.0\.0 stays in production: its trial is confirmed\. Revision \d+\.\n$/u,
  });

  await base();
  await runCli(trial, lab);
  t.match(
    (await runCli(['activate', '2.0.0', '--dry-run'], lab)).stdout,
    /Already active; the trial of 2\.0\.0 is confirmed\./u,
  );
  t.match(await runCli(['activate', '2.0.0', '--yes', '--reason', 'fine'], lab), {
    code: 0,
    stdout: /^lab 2\.0\.0 stays active in production: its trial is confirmed\.\n$/u,
    stderr: /^((?!differs)[^])*$/u,
  });
  t.match((await runJson(t, ['audit', 'log', '--limit', '1'])).events, [
    { type: 'activation-confirmed', reason: 'fine' },
  ]);
});

t.test('a version is scheduled, listed and cancelled', async (t) => {
  await base();
  t.match(await runCli(['schedule', '2.0.0', '--at', '12h', '--dry-run'], lab), {
    code: 0,
    stdout: /^At \S+Z:\nlab: 1\.0\.0 -> 2\.0\.0\n/u,
  });
  const { id, at } = await runJson(t, ['schedule', '2.0.0', '--at', '12h', '--yes', '--reason', 'awake'], lab);
  t.match((await runCli(['schedule', 'list'], lab)).stdout, `${at}  2.0.0  production  by operator  ${id}  awake\n`);
  t.match(
    (await runCli(['status'], env)).stdout,
    new RegExp(`^ {2}production {2}2\\.0\\.0 is scheduled {2}at ${at} {2}by operator$`, 'mu'),
  );
  t.match((await runJson(t, ['status'])).plans, [{ pack: 'lab', channel: 'production', schedule: [{ id }] }]);
  t.match(await runCli(['schedule', 'add', '2.0.0', '--at', '91d', '--yes', '--reason', 'x'], lab), {
    code: 1,
    stderr: /90 days ahead/u,
  });
  t.match(await runCli(['schedule', 'cancel', 'none', '--yes', '--reason', 'x'], lab), {
    code: 1,
    stderr: /no scheduled activation "none"[^]*schedule list/u,
  });
  const cancelled = await runCli(['schedule', 'cancel', id, '--reason', 'not ready'], lab, {
    answers: [
      [
        /scheduled by operator: awake[^]*Cancel the activation of lab 2\.0\.0 in production at \S+ at http\S+\? \[y\/N\]/u,
        'y\n',
      ],
    ],
  });
  t.match(cancelled, {
    code: 0,
    stdout: /^Cancelled the activation of lab 2\.0\.0 in production at \S+\. Revision \d+\.\n$/u,
  });
  t.match(await runCli(['schedule', 'list'], lab), { code: 0, stdout: '', stderr: /Nothing is scheduled for lab/u });
});

t.test('assign decides as the registry does, and says why', async (t) => {
  await base();
  t.match(await runCli(['assign', 'anna'], lab), {
    code: 0,
    stdout: 'anna gets lab 1.0.0 in production, as everybody does: no rollout runs.\n',
  });
  const { id } = await begin('--where', 'country in de,at', '--testers', 'anna');
  const seen: string[] = [];
  const proxy = await startProxy(t, server.address, ({ url = '' }) => void seen.push(url));
  const where = { ...lab, PROMPT_REGISTRY_URL: proxy.url };
  const arms = new Set<string>();
  for (const subject of ['anna', ...Array.from({ length: 40 }, (_, index) => `üser-${index}`)]) {
    const { version, arm } = await runJson(t, ['assign', subject, '--attribute', 'country=at'], where);
    const query = new URLSearchParams({ subject, attribute: 'country:at' });
    const response = await fetch(`${server.address}/v1/packs/lab/active?${query.toString()}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    t.equal(response.headers.get('registry-assignment'), `rollout=${id}; arm=${arm}`, subject);
    t.equal(((await response.json()) as { version: string }).version, version);
    arms.add(String(arm));
  }
  t.same([...arms].sort(), ['candidate', 'stable']);
  t.notMatch(seen.join('\n'), /ser-|anna/u, 'the id of the user is not sent');
  for (const [args, why] of [
    [
      ['anna'],
      /^anna gets lab 2\.0\.0 in production: the candidate version of rollout \d+ of 2\.0\.0 \(running at 10%\)\.\n {2}It is one of the testers/u,
    ],
    [
      ['ben'],
      /gets lab 1\.0\.0 .*\n {2}It is not in the audience: "country in de,at" does not hold, because country is not given\.\n$/u,
    ],
    [['ben', '--attribute', 'country=fr'], /because country is "fr"\.\n$/u],
    [
      ['ben', '--attribute', 'country=de'],
      /Its bucket is \d+ of 0 to 99999; buckets below 10000 \(10%\) get the candidate\.\n$/u,
    ],
  ] as const)
    t.match(await runCli(['assign', ...args], lab), { code: 0, stdout: why });
});

t.test('sessions of a subject, and what a move does to them', async (t) => {
  await runCli(['activate', '1.0.0', '--pack', 'coach', '--yes', '--reason', 'base'], env);
  await runJson(t, ['rollout', 'start', '2.0.0', '--pack', 'coach', ...PLAN, '--testers', 'anna']);
  const { stdout } = await runCli(['session', 'start', '--subject', 'anna', '--attribute', 'country=de'], env);
  t.match(stdout, /^runs on {2}coach 2\.0\.0\n[^]*^rollout {2}\d+, candidate version$/mu);
  const [, sessionId = ''] = /^session {2}(\S+)$/mu.exec(stdout) ?? [];
  t.match(
    await runCli(['rollout', 'abort', '--pack', 'coach', '--sessions', 'next-turn', '--reason', 'x'], env, {
      answers: [
        [
          /Everybody is on 1\.0\.0 again\.\n {2}Running sessions on the version that is left move along at their next turn\./u,
          'y\n',
        ],
      ],
    }),
    { code: 0 },
  );
  t.match(
    (await runCli(['session', 'show', sessionId], env)).stdout,
    /^runs on +coach 1\.0\.0\n[^]*^moved from +2\.0\.0/mu,
  );
});

t.test('watch and audit log say what happened in plain words', async (t) => {
  const { id } = await begin();
  await runCli(['rollout', 'advance', '--yes', '--reason', 'wider'], lab);
  await runCli(['rollback', '--sessions', 'end', '--yes', '--reason', 'blunt'], lab);
  const log = (await runCli(['audit', 'log', '--after', `${id - 1}`], env)).stdout;
  t.match(log, /rollout-started {3}lab 2\.0\.0 in production: at 10%, next at \S+ +by operator {2}Warmer openings\n/u);
  t.match(log, /rollout-advanced {2}lab 2\.0\.0 in production: at 50%, next at \S+ +by operator {2}wider\n/u);
  t.match(
    log,
    /rollout-aborted {3}lab 2\.0\.0 in production: by rollback: everybody is on 1\.0\.0, sessions end +by operator {2}blunt\n$/u,
  );
  const watched = await runCli(['watch', '--after', `${id - 1}`, '--count', '3', '--channel', 'production'], env);
  t.match(
    watched.stdout,
    /^\d+ {2}\S+ {2}rollout-started {2}lab 2\.0\.0 in production {2}at 10%, next at \S+ {2}by operator {2}Warmer openings\n/u,
  );
  t.match(
    watched.stdout,
    /rollout-aborted {2}lab 2\.0\.0 in production {2}by rollback: everybody is on 1\.0\.0, sessions end {2}by operator {2}blunt\n$/u,
  );
  const { secret } = await runJson(t, ['keys', 'create', 'a watcher', '--scope', 'prompts:read']);
  const bare = await runCli(['watch', '--after', `${id - 1}`, '--count', '1'], { ...env, PROMPT_REGISTRY_KEY: secret });
  t.match(bare.stdout, /^\d+ {2}\S+ {2}rollout-started {2}lab in production\n$/u, 'without audit:read');

  for (const [type, data, words] of [
    ['rollout-advanced', { share: 12_500, state: 'baking' }, 'baking at 12.5%'],
    ['version-activated', { rollout: 12 }, 'promotes rollout 12'],
    ['version-activated', { revertAt: 'T', sessions: 'next-turn' }, 'on trial until T, sessions move along'],
    ['version-activated', { scheduledBy: { label: 'ops' } }, 'scheduled by ops'],
    ['version-rolled-back', { trial: 7 }, 'the trial is over'],
    ['activation-scheduled', { at: 'T' }, 'for T'],
    ['schedule-skipped', { why: 'pointer-moved' }, 'the channel had moved'],
    ['schedule-skipped', { why: 'of a newer build' }, ''],
    ['rollout-started', { share: '10', nextAt: 3 }, ''],
    ['toString', {}, ''],
  ] as const)
    t.equal(changeOf({ type, data }), words, `${type} ${JSON.stringify(data)}`);
});

t.test('a registry that is older than rollouts', async (t) => {
  await base();
  const proxy = await startProxy(t, server.address, undefined, (request, response) => {
    const unknown = /\/(channels|rollouts|schedule)/u.test(request.url ?? '');
    if (unknown) replyProblem(404, { code: 'not-found' })(request, response);
    return unknown;
  });
  const old = { ...lab, PROMPT_REGISTRY_URL: proxy.url };
  t.match(await runCli(['activate', '2.0.0', '--yes', '--reason', 'x'], old), {
    code: 0,
    stdout: /^Activated lab 2\.0\.0/u,
  });
  t.match(await runCli(['rollback', '--yes', '--reason', 'x'], old), {
    code: 0,
    stdout: /^Rolled back to lab 1\.0\.0/u,
  });
  t.match(await runCli(['revoke', '1.1.0', '--dry-run'], old), { code: 0 });
  t.match(await runJson(t, ['status'], old), { plans: [] });
  t.match(await runCli(['rollout', 'list'], old), {
    code: 1,
    stderr: /does not support this operation\. It is older/u,
  });
});

t.test('instances of an older build stop a start, unless it is forced', async (t) => {
  const rollout = { id: 9, version: '2.0.0', stableVersion: '1.0.0', share: 10, channel: 'production', steps: [] };
  const preview = { rollout, diff: [], problems: [], olderInstances: ['old-1'], everybody: true, testers: 0 };
  const active = { pack: 'lab', channel: 'production', version: '1.0.0', revision: 7 };
  const { env: fake } = await startFakeServer(t, (request, response) =>
    replyJson(request.method === 'GET' ? active : preview)(request, response),
  );
  const start = ['rollout', 'start', '2.0.0', '--pack', 'lab', '--steps', '10%:1h', '--dry-run'];
  t.match(await runCli(start, fake), {
    code: 1,
    stdout: /would be refused: older-instances: old-1 run an older build, .* or add --force\.\n$/u,
  });
  t.match(await runCli([...start, '--force'], fake), { code: 0, stdout: /^((?!refused)[^])*$/u });
});
