// Every command against the real service: its text output, its JSON and its exit code.
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { writePackFolder } from '../../support/packs/pack-folders.ts';
import { runCli, json, startCli, spawnCli } from '../../support/clients/command-line.ts';
import { startLabRegistry } from '../../support/clients/lab-registry.ts';
import { startProxy, startFakeServer } from '../../support/clients/fake-servers.ts';

const { folder, dataDir, packsDir, server, key, env, lab, runJson } = await startLabRegistry(t);

t.test('status', async (t) => {
  const { code, stdout, stderr } = await spawnCli(t, ['status'], env);
  t.same([code, stderr], [0, '']);
  t.match(stdout, /^Health {4}ready$/mu);
  t.match(
    stdout,
    /^coach {2}3 versions, latest 2\.0\.0\n {2}production {2}2\.0\.0 {2}revision \d+ +since .+ by system$/mu,
  );
  t.match(stdout, /^Instances\n {2}\S+ {2}revision \d+ {2}current {2}up since/mu);

  const { health, packs, instances } = await runJson(t, ['status']);
  t.equal(health.status, 'ready');
  t.same(
    packs.map(({ pack }: { pack: string }) => pack),
    ['coach', 'lab', 'onboarding'],
  );
  t.equal(instances.length, 1);
});

t.test('status says which parts the key may not read', async (t) => {
  const { secret } = await runJson(t, ['keys', 'create', 'reader', '--scope', 'prompts:read']);
  const { code, stdout } = await runCli(['status'], { ...env, PROMPT_REGISTRY_KEY: secret });
  t.equal(code, 0);
  t.match(stdout, /Instances: not available, the key lacks audit:read/u);
});

t.test('versions', async (t) => {
  const { code, stdout } = await runCli(['versions', 'coach'], env);
  t.equal(code, 0);
  t.match(stdout, /^2\.0\.0 {2}active in production, staging {2}\d{4}-\d\d-\d\d {2}Rewritten/u);
  t.same((await runJson(t, ['versions'])).pack, 'coach', 'the default pack');
  const { versions, more } = await runJson(t, ['versions', '--limit', '2'], lab);
  t.same(
    versions.map(({ version }: { version: string }) => version),
    ['2.0.0', '1.1.0'],
  );
  t.equal(more, true);
  t.same((await runJson(t, ['versions', '--limit', 'all', '--status', 'revoked'], lab)).versions, []);
  t.match(await runCli(['versions', '--limit', '1'], lab), { code: 0, stderr: /Use --limit all to list them/u });
  t.match(await runCli(['versions', '--status', 'revoked'], lab), {
    code: 0,
    stdout: '',
    stderr: /lab has no matching versions/u,
  });
  t.match(await runCli(['versions', 'nowhere'], env), { code: 1, stderr: /No pack|no pack.*nowhere/u });
});

t.test('versions reads all pages', async (t) => {
  const calls: string[] = [];
  const page = (from: number, nextCursor: string | null) => ({
    pack: 'lab',
    versions: Array.from({ length: 2 }, (_, index) => ({
      version: `${from - index}.0.0`,
      activeIn: [],
      problems: [],
      publishedAt: '2026',
      summary: '',
    })),
    nextCursor,
  });
  const { url: fake } = await startFakeServer(t, (request, response) => {
    calls.push(request.url ?? '');
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(request.url?.includes('cursor=abc') === true ? page(2, null) : page(4, 'abc')));
  });
  const { versions } = await runJson(t, ['versions', 'lab', '--limit', 'all'], { ...env, PROMPT_REGISTRY_URL: fake });
  t.same(
    versions.map(({ version }: { version: string }) => version),
    ['4.0.0', '3.0.0', '2.0.0', '1.0.0'],
  );
  t.same(calls, ['/v1/packs/lab/versions?limit=1000', '/v1/packs/lab/versions?limit=1000&cursor=abc']);
});

t.test('show', async (t) => {
  const { code, stdout } = await runCli(['show', 'lab', '1.0.0'], env);
  t.equal(code, 0);
  t.match(stdout, /^version {8}1\.0\.0$/mu);
  t.match(stdout, /^## styles\/direct \(Direct\)\nlab 1\.0\.0: the direct style\.$/mu);
  t.equal((await runJson(t, ['show', '1.1.0'], lab)).version, '1.1.0', 'an argument with dots is a version');
  t.equal(
    (await runJson(t, ['show', 'lab'])).version,
    '2.0.0',
    'without dots it is a pack, whose active version is shown',
  );
  t.match(await runCli(['show', 'lab', '9.9.9'], env), { code: 1, stderr: /1\.1\.0/u });
  t.match(await runCli(['show', 'lab', '1.0.0', '--channel', 'staging'], env), { code: 2 });
  t.match(await runCli(['show', 'lab', '--style', 'none'], env), {
    code: 1,
    stderr: /Its styles: supportive, direct/u,
  });
});

t.test('show --system and --style print only that prompt, unchanged', async (t) => {
  const { stdout } = await runCli(['show', 'lab', '--system'], env);
  t.equal(stdout, 'lab 2.0.0: the system prompt.', 'exactly the text that the digest covers, with no line end added');
  t.equal((await runCli(['show', '1.0.0', '--style', 'direct'], lab)).stdout, 'lab 1.0.0: the direct style.');
  t.match(await runJson(t, ['show', 'lab', '--style', 'direct']), {
    version: '2.0.0',
    id: 'direct',
    text: 'lab 2.0.0: the direct style.',
  });
});

t.test('diff', async (t) => {
  const { code, stdout } = await runCli(['diff', '1.0.0', '1.1.0'], lab);
  t.equal(code, 0);
  t.match(
    stdout,
    '--- 1.0.0 system\n+++ 1.1.0 system\n@@ -1,1 +1,1 @@\n-lab 1.0.0: the system prompt.\n+lab 1.1.0: the system prompt.\n',
  );
  t.notMatch(stdout, '\u001b', 'no colors in a pipe');
  t.match(
    (await runCli(['diff', '1.0.0', '1.1.0'], { ...lab, FORCE_COLOR: '1' })).stdout,
    '\u001b[32m+lab 1.1.0: the system prompt.\u001b[39m',
  );
  t.match(
    (await runCli(['diff', '1.0.0', '1.1.0'], lab, { answers: [] })).stdout,
    '\u001b[31m-lab',
    'colors on a terminal',
  );
  for (const plain of [
    ['--no-color', ''],
    ['', '1'],
  ] as const) {
    const args = ['diff', '1.0.0', '1.1.0', ...(plain[0] === '' ? [] : [plain[0]])];
    t.notMatch(
      (await runCli(args, { ...lab, NO_COLOR: plain[1] }, { answers: [] })).stdout,
      '\u001b',
      'no colors if disabled',
    );
  }
  t.match(await runJson(t, ['diff', '1.0.0'], lab), { from: '1.0.0', to: '2.0.0' }, 'compares with the active version');
  t.match((await runCli(['diff', '1.0.0', '1.0.0'], lab)).stdout, 'No difference between 1.0.0 and 1.0.0.');
});

t.test('publish, activate and roll back', async (t) => {
  const draft = writePackFolder(join(folder, 'drafts'), 'lab', documentOf('lab', '2.1.0'));
  t.match(await runCli(['publish', draft, '--dry-run'], env), {
    code: 0,
    stdout: /^lab 2\.1\.0 would be registered\..*\n {2}Compared with 2\.0\.0:\n {4}~ system \(\+1 -1 lines\)/u,
    stderr: 'lab: the registry has no policy for this pack, so it does not check what the prompts say.\n',
  });
  t.match(await spawnCli(t, ['publish', draft], env), {
    code: 0,
    stdout: /^Registered lab 2\.1\.0\. It is not active yet\. sha256:/u,
    stderr: 'lab: the registry has no policy for this pack, so it does not check what the prompts say.\n',
  });
  t.match(await runCli(['publish', draft], env), { code: 0, stdout: /already registered with the same content/u });
  t.match(await runJson(t, ['publish', draft]), {
    versions: [{ pack: 'lab', version: '2.1.0', outcome: 'unchanged' }],
    warnings: [/no policy/u],
  });
  t.match(await runJson(t, ['publish', draft, '--dry-run']), { versions: [{ outcome: 'unchanged' }] });

  writePackFolder(join(folder, 'drafts'), 'lab', documentOf('lab', '2.1.0', { system: 'Something else.' }));
  t.match(await runCli(['publish', draft, '--dry-run'], env), {
    code: 1,
    stdout: /would be refused\.\n {2}This version is already registered with different content/u,
  });
  t.match(await runCli(['publish', draft, '--json'], env), {
    code: 1,
    stdout: '',
    stderr: /^\{"code":"version-exists"/u,
  });

  t.match(await runCli(['activate', '2.1.0', '--dry-run'], lab), {
    code: 0,
    stdout: /^lab: 2\.0\.0 -> 2\.1\.0\n {2}~ system/u,
  });
  t.match(await runCli(['activate', '2.1.0', '--yes', '--reason', 'better', '--wait', '5', '--timeout', '4'], lab), {
    code: 0,
    stdout: /^Activated lab 2\.1\.0 in production \(was 2\.0\.0\)\. Revision \d+\.\nApplied by one instance\.\n$/u,
  });
  t.match(await runJson(t, ['activate', '2.1.0', '-y', '--reason', 'better'], lab), { changed: false });
  t.match(await runJson(t, ['rollback', '--dry-run'], lab), { wouldActivate: '2.0.0', previousVersion: '2.1.0' });
  t.match(await runCli(['rollback', '--yes', '--reason', 'worse'], lab), {
    code: 0,
    stdout: /^Rolled back to lab 2\.0\.0 in production \(was 2\.1\.0\)\. Revision \d+\.\n$/u,
  });
  t.match(await runCli(['rollback', '--yes', '--reason', 'worse', '--json'], lab), {
    code: 1,
    stderr: /^\{"code":"nothing-to-roll-back-to"/u,
  });
  t.match(await runJson(t, ['rollback', '--to', '2.1.0', '--yes', '--reason', 'again'], lab), {
    kind: 'rollback',
    version: '2.1.0',
    changed: true,
  });
});

t.test('publish reports what it did before an error', async (t) => {
  const drafts = join(folder, 'partly');
  writePackFolder(drafts, 'lab', documentOf('lab', '0.1.0'));
  writePackFolder(drafts, 'lab', documentOf('lab', '1.0.0', { system: 'Something else.' }));
  const { code, stderr } = await runCli(['publish', join(drafts, 'lab'), '--json'], env);
  t.equal(code, 1);
  t.match(json(stderr), {
    code: 'version-exists',
    message: /^lab 1\.0\.0: [^]*Done before this error:\n {2}lab 0\.1\.0: registered$/u,
    versions: [{ version: '0.1.0', outcome: 'registered' }],
  });
});

t.test('publish refuses a version that violates the policy of the registry', async (t) => {
  const { versions } = await runJson(t, ['publish', join(packsDir, 'coach'), '--dry-run']);
  t.same(
    versions.map(({ outcome }: { outcome: string }) => outcome),
    ['unchanged', 'unchanged', 'unchanged'],
  );
  const low = writePackFolder(join(folder, 'low'), 'coach', documentOf('coach', '3.0.0'));
  t.match(
    await runCli(['publish', low, '--dry-run'], env),
    { code: 1, stdout: /would be refused\.\n {2}clause not-a-professional in system: /u },
    'checked against the policy of the registry',
  );
  t.match(await runCli(['publish', low], env), { code: 1, stderr: /clause not-a-professional in system/u });
});

t.test('revoke', async (t) => {
  t.match(await runCli(['revoke', '2.1.0', '--dry-run'], lab), {
    code: 0,
    stdout: 'lab 2.1.0 would never be served again.\n  production: 2.1.0 -> 2.0.0\n',
  });
  t.match(await runCli(['revoke', '2.1.0', '--replacement', '1.1.0', '--yes', '--reason', 'wrong'], lab), {
    code: 0,
    stdout: /^Revoked lab 2\.1\.0 \(revision \d+\)\.\n {2}production: 2\.1\.0 -> 1\.1\.0\n$/u,
  });
  t.match(await runCli(['revoke', '9.9.9', '--yes', '--reason', 'wrong', '--json'], lab), {
    code: 1,
    stderr: /^\{"code":"version-not-found"/u,
  });
  t.match((await runCli(['versions'], lab)).stdout, /^2\.1\.0 {2}revoked, replaced by 1\.1\.0/u);
  t.match(await runCli(['publish', join(folder, 'drafts', 'lab', '2.1.0'), '--dry-run'], env), {
    code: 1,
    stdout: /This version is revoked\. Publish under a new version/u,
  });
});

t.test('audit', async (t) => {
  const head = (await runCli(['audit', 'head'], env)).stdout.trim();
  t.match(head, /^\d+:[0-9a-f]{64}$/u);
  const { revision, hash } = await runJson(t, ['audit', 'head']);
  t.equal(`${revision}:${hash}`, head);
  const [first] = (await runJson(t, ['audit', 'log', '--limit', '1', '--oldest-first'])).events;

  t.match(await runCli(['audit', 'verify', '--head', head, '--head', `1:${first.hash}`], env), {
    code: 0,
    stdout: /^Valid: \d+ events\. Head: \d+:[0-9a-f]{64}\. All 2 saved heads are in the log\.\n$/u,
  });
  t.match(await runCli(['audit', 'verify', '--head', `1:${hash}`], env), { code: 5, stdout: /^NOT THE SAME LOG: 1:/u });
  t.match(await runCli(['audit', 'verify', '--head', `${revision}:${first.hash}`], env), {
    code: 5,
    stdout: /^NOT THE SAME LOG/u,
  });
  const { code, stdout } = await runCli(['audit', 'verify', '--head', `${revision + 1}:${hash}`, '--json'], env);
  t.same(
    [code, json(stdout).valid, json(stdout).headsMissing[0].detail],
    [5, false, `is missing: the log ends at revision ${revision}.`],
  );
  t.match(await runCli(['audit', 'verify', '--head', 'abc'], env), { code: 2, stderr: /REVISION:HASH/u });

  t.match(await runCli(['audit', 'log', '--type', 'version-revoked'], env), {
    code: 0,
    stdout: /^\d+ {2}\S+ {2}version-revoked {2}lab 2\.1\.0 {2}by operator {2}wrong\n$/u,
  });
  t.match(await runCli(['audit', 'log', '--id', 'none'], env), {
    code: 0,
    stdout: '',
    stderr: /No matching events/u,
  });
  t.match((await runJson(t, ['audit', 'log', '--limit', '2', '--after', '3'])).events, [
    { revision: 4 },
    { revision: 5 },
  ]);
  t.match(
    await runJson(t, ['audit', 'log', '--limit', '2']),
    { events: [{ revision }, { revision: revision - 1 }], nextBefore: revision - 1 },
    'newest first',
  );
});

t.test('keys', async (t) => {
  const made = await runCli(
    ['keys', 'create', 'night shift', '--scope', 'prompts:read,audit:read', '--expires', '90d'],
    env,
  );
  t.match(
    made,
    {
      code: 0,
      stdout: /^prk_\w+\n$/u,
      stderr: /Key \w+ for "night shift": prompts:read, audit:read; expires \S+\. The secret is shown only once/u,
    },
    'stdout contains only the secret',
  );
  const secret = made.stdout.trim();
  const [, keyId = ''] = secret.split('_');
  t.match(await runCli(['status'], { ...env, PROMPT_REGISTRY_KEY: secret }), { code: 0 });
  const listed = await runCli(['keys', 'list'], env);
  t.match(
    listed.stdout,
    new RegExp(`^${keyId} +expires \\S+ +prompts:read,audit:read +created \\S+ by operator +night shift$`, 'mu'),
  );
  t.notMatch(listed.stdout, secret);
  t.match(await runCli(['activate', '1.0.0', '--yes', '--reason', 'x'], { ...lab, PROMPT_REGISTRY_KEY: secret }), {
    code: 4,
    stderr: /packs:activate/u,
  });
  const asked = await runCli(['keys', 'revoke', keyId, '--reason', 'x'], env, { answers: [[/\[y\/N\]/u, 'n\n']] });
  t.match(
    asked,
    {
      code: 1,
      stderr: new RegExp(
        `^Key ${keyId} is "night shift": prompts:read, audit:read; created \\S+ by operator\\.\\n`,
        'u',
      ),
    },
    'shows whose key it is',
  );
  t.notMatch(asked.stderr, 'This command is using');
  t.match(
    await runCli(['keys', 'revoke', key.split('_')[1] ?? '', '--reason', 'x'], env, {
      answers: [[/\[y\/N\]/u, 'n\n']],
    }),
    { code: 1, stderr: /This command is using this key itself/u },
  );
  t.match(
    await runCli(['keys', 'revoke', 'nobody'], env, { answers: [] }),
    { code: 1, stderr: /Key "nobody" does not exist[^]*keys list/u },
    'asks nothing if the key does not exist',
  );
  t.match(await runCli(['keys', 'revoke', keyId, '--yes', '--reason', 'gone'], env), {
    code: 0,
    stdout: `Revoked key ${keyId} (night shift).\n`,
  });
  t.match(await runCli(['status'], { ...env, PROMPT_REGISTRY_KEY: secret }), {
    code: 4,
    stderr: /The key comes from PROMPT_REGISTRY_KEY/u,
  });
  t.match(await runCli(['keys', 'revoke', 'nobody', '--yes', '--reason', 'gone'], env), { code: 1 });
});

t.test('session', async (t) => {
  const { stdout } = await runCli(['session', 'start', '--style', 'concise'], env);
  t.match(stdout, /^runs on {2}coach 2\.0\.0\nchannel {2}production, revision \d+\nstyle {4}concise \(Concise\)$/mu);
  const { sessionId } = await runJson(t, ['session', 'start']);
  t.match(await runJson(t, ['session', 'show', sessionId]), { sessionId, prompt: { style: { id: 'reflective' } } });
  t.match(await runCli(['session', 'show', 'forged'], env), { code: 1, stderr: /session/u });
  t.match(
    await runCli(['session', 'start', '--style', 'direct'], env),
    { code: 1, stderr: /challenging/u },
    'lists the available styles',
  );
});

t.test('watch', async (t) => {
  const child = startCli(t, ['watch', '--pack', 'lab'], env);
  child.stderr.setEncoding('utf8');
  child.stdout.setEncoding('utf8');
  const [hello] = await once(child.stderr, 'data');
  t.match(hello, /^Watching http:\S+; revision \d+\. Press Ctrl-C to stop\.\n$/u);
  await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'look'], lab);
  const [line] = await once(child.stdout, 'data');
  t.match(
    line,
    /^\d+ {2}\S+Z {2}version-activated {2}lab {2}production: 1\.1\.0 -> 1\.0\.0 {2}by operator {2}look\n$/u,
    'with actor and reason',
  );
  child.kill('SIGINT');
  t.equal((await once(child, 'close'))[0], 130, 'exit code of Ctrl-C');

  const { stdout, code } = await runCli(['watch', '--after', '1', '--count', '2', '--json'], env);
  t.equal(code, 0);
  t.match(
    stdout.trimEnd().split('\n').map(json),
    [
      { id: '2', event: /./u, revision: 2, actor: { label: 'system' }, reason: /./u },
      { id: '3', revision: 3, reason: /./u },
    ],
    'one JSON value per line',
  );

  const { secret } = await runJson(t, ['keys', 'create', 'a reader', '--scope', 'prompts:read']);
  const { stdout: bare, stderr } = await runCli(['watch', '--after', '1', '--count', '2'], {
    ...env,
    PROMPT_REGISTRY_KEY: secret,
  });
  t.match(bare, /^2 {2}\S+ {2}\S+.*\n3 /u, 'also works with a key that lacks audit:read');
  t.notMatch(bare, ' by ');
  t.match(stderr, /the key lacks audit:read/u);
  t.equal(stderr.split('lacks').length, 2, 'says so only once');
});

t.test('watch resumes a broken stream', async (t) => {
  const cut: (() => void)[] = [];
  const proxy = await startProxy(
    t,
    server.address,
    (request, response) => void (request.url?.startsWith('/v1/events') === true && cut.push(() => response.destroy())),
  );
  let lines = 0;
  const work = runCli(
    ['watch', '--count', '2', '--pack', 'lab', '--json'],
    { ...env, PROMPT_REGISTRY_URL: proxy.url },
    {
      onStdout: (said) => {
        if (lines > 0) return;
        lines = said.split('\n').length;
        cut[0]?.();
        void runCli(['rollback', '--yes', '--reason', 'while it was cut'], lab);
      },
    },
  );
  await proxy.asked(1);
  await runJson(t, ['activate', '2.0.0', '--yes', '--reason', 'before the cut'], lab);
  const { code, stdout } = await work;
  t.equal(code, 0);
  const [first, second, ...more] = stdout.trimEnd().split('\n').map(json);
  t.same(
    [first.event, second.event, more.length],
    ['version-activated', 'version-rolled-back', 0],
    'no event is missed or repeated',
  );
});

t.test('control characters in stored text are escaped on a terminal', async (t) => {
  const evil = '\u001b[2J\u009b31m\u202egnp';
  const shown = '\\x1b[2J\\x9b31m\\u202egnp';
  await runJson(t, ['activate', '1.1.0', '--yes', '--reason', `evil ${evil}`], lab);
  await server.ask('/v1/packs/evil/versions', {
    ...documentOf('evil', '1.0.0'),
    summary: evil,
    system: `a\n${evil}\tb`,
  });
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/u; // eslint-disable-line no-control-regex -- finding control characters is the purpose
  for (const args of [
    ['audit', 'log', '--limit', 'all'],
    ['show', 'lab'],
    ['show', 'evil', '1.0.0'],
    ['versions', 'evil'],
    ['show', 'evil', '1.0.0', '--system'],
  ]) {
    const { stdout } = await runCli([...args, '--no-color'], env, { answers: [] });
    t.notMatch(stdout, controls, args.join(' '));
    t.match(stdout, shown);
    t.notMatch(
      (await runCli([...args, '--json'], env)).stdout,
      controls,
      'also escaped in JSON, with the same meaning',
    );
  }
  t.equal((await runJson(t, ['show', 'evil', '1.0.0'])).summary, evil);
  t.equal(
    (await runCli(['show', 'evil', '1.0.0', '--system'], env)).stdout,
    `a\n${evil}\tb`,
    'a pipe gets the exact text',
  );
});

t.test('a closed pipe is not an error', async (t) => {
  for (const args of [
    ['audit', 'log', '--limit', 'all'],
    ['watch', '--after', '1'],
  ]) {
    const child = startCli(t, [...args, '--json'], env);
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    t.same([code, stderr], [0, ''], `${args.join(' ')} ends`);
  }
});

t.test('the operator key is found on the machine that runs the service', async (t) => {
  t.match(
    await spawnCli(t, ['audit', 'head'], { PROMPT_REGISTRY_URL: server.address }, { cwd: folder }),
    { code: 0 },
    'in ./data',
  );
  t.match(await runCli(['audit', 'head', '--url', server.address], { DATA_DIR: dataDir }), { code: 0 }, 'in DATA_DIR');
  t.match(
    await runCli(
      ['audit', 'head', '--url', server.address, '--key-file', join(dataDir, 'operator.key')],
      {},
      { cwd: '/' },
    ),
    { code: 0 },
  );
  t.match(await runCli(['audit', 'head', '--url', server.address, '--key', key], {}, { cwd: '/' }), { code: 0 });
});
