// Changes are shown, confirmed and made once, despite concurrent changes and lost responses.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import t from 'tap';
import {
  BIN,
  runCli,
  brokenStream,
  json,
  runInTerminal,
  SCRIPT,
  startCli,
  spawnCli,
} from '../../support/clients/command-line.ts';
import { startLabRegistry } from '../../support/clients/lab-registry.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { startProxy } from '../../support/clients/fake-servers.ts';

const { server, env, lab, runJson } = await startLabRegistry(t);

t.test('on a terminal a change is shown and confirmed before it is made', async (t) => {
  await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  const before = (await runJson(t, ['status'])).health.revision;
  const declined = await runCli(['activate', '2.0.0'], lab, {
    answers: [
      [/Why\?.*$/su, 'because\n'],
      [/\[y\/N\]/u, 'n\n'],
    ],
  });
  t.match(declined, { code: 1, stdout: '', stderr: /lab: 1\.0\.0 -> 2\.0\.0[^]*Nothing was changed\./u });
  t.match(
    await runCli(['activate', '2.0.0', '--reason', 'x'], lab, { answers: [[/\[y\/N\]/u, '\u0003']] }),
    { code: 130, stdout: '', stderr: /Nothing was changed/u },
    'Ctrl-C',
  );
  t.match(
    await runCli(['activate', '2.0.0', '--reason', 'x'], lab, { answers: [[/\[y\/N\]/u, '\u0004']] }),
    { code: 1, stdout: '' },
    'Ctrl-D',
  );
  t.equal((await runJson(t, ['status'])).health.revision, before, 'none of these changed anything');

  const done = await runCli(['activate', '2.0.0'], lab, {
    answers: [
      [/Why\?/u, '\n'],
      [/1 to 500/u, 'better\n'],
      [/\[y\/N\]/u, 'y\n'],
    ],
  });
  t.match(
    done,
    { code: 0, stdout: /Activated lab 2\.0\.0 in production \(was 1\.0\.0\)/u },
    'asks again after a blank reason',
  );
  t.equal((await runJson(t, ['audit', 'log', '--limit', '1'])).events[0].reason, 'better');
  t.match(
    await runCli(['activate', '2.0.0'], lab, { answers: [[/Why\?/u, () => Promise.reject(new Error('asked'))]] }),
    { code: 0, stdout: /is already active in production/u },
    'asks nothing if nothing would change',
  );
  t.match(
    await runCli(['rollback'], lab, {
      answers: [
        [/Why\?/u, 'worse\n'],
        [
          new RegExp(`Roll lab back to 1\\.0\\.0 in production at ${env.PROMPT_REGISTRY_URL}\\? \\[y/N\\]`, 'u'),
          'yes\n',
        ],
      ],
    }),
    { code: 0 },
  );
  t.match(
    await runCli(['revoke', '1.1.0', '--reason', 'r'], lab, {
      answers: [[/Permanently revoke 1\.1\.0 of lab at http:\S+\?/u, 'n\n']],
    }),
    { code: 1 },
  );
});

t.test('on a real terminal', { skip: existsSync(SCRIPT) ? false : 'script(1) is not installed' }, async (t) => {
  await runJson(t, ['activate', '2.0.0', '--yes', '--reason', 'base'], lab);
  const { code, screen } = await runInTerminal(t, ['activate', '1.0.0'], lab, [
    [/Why\?/u, 'by hand\r'],
    [/\[y\/N\]/u, 'y\r'],
  ]);
  t.equal(code, 0, screen);
  t.match(screen, /~ system \(\+1 -1 lines\)[^]*Activated lab 1\.0\.0 in production \(was 2\.0\.0\)/u);
  t.match(await runJson(t, ['show', 'lab']), { version: '1.0.0', reason: 'by hand' });
  t.match(
    await runInTerminal(t, ['activate', '2.0.0'], lab, [[/Why\?/u, '\u0003']]),
    { code: 130, screen: /Why\?[^\n]*\n[^\n]*error:\S* Nothing was changed/u },
    'Ctrl-C: the error starts on a new line',
  );
});

t.test('without a terminal it fails before it changes anything', async (t) => {
  const before = (await runJson(t, ['status'])).health.revision;
  t.match(await spawnCli(t, ['rollback'], lab), { code: 2, stdout: '', stderr: /--reason/u });
  t.match(await runCli(['activate', '2.0.0', '--reason', 'x'], lab), { code: 2, stderr: /--yes/u });
  t.match(await runCli(['revoke', '1.1.0', '--yes'], lab), { code: 2, stderr: /--reason/u });
  t.match(await runCli(['keys', 'revoke', 'any', '--reason', 'x', '--json'], lab), {
    code: 2,
    stderr: /^\{"code":"wrong-usage".*"exitCode":2\}\n$/u,
  });
  t.match(await runCli(['rollback', '--yes', '--reason', '  '], lab), { code: 2, stderr: /empty or blank/u });
  t.equal((await runJson(t, ['status'])).health.revision, before);
});

t.test('a move is refused if somebody else moved the channel after the preview', async (t) => {
  for (const command of [['activate', '1.1.0'], ['rollback']]) {
    await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
    await runJson(t, ['activate', '2.0.0', '--yes', '--reason', 'shown'], lab);
    let quicker: Promise<unknown> | undefined;
    const proxy = await startProxy(t, server.address, async (request) => {
      // The channel moves between the dry run and the confirmed move.
      if (request.method === 'POST' && request.headers['idempotency-key'] !== undefined)
        await (quicker ??= runCli(['rollback', '--yes', '--reason', 'quicker'], lab));
    });
    const { code, stderr } = await runCli(
      [...command, '--reason', 'slower', '--json'],
      { ...lab, PROMPT_REGISTRY_URL: proxy.url },
      { answers: [[/\[y\/N\]/u, 'y\n']] },
    );
    t.equal(code, 1);
    t.match(stderr, /^lab: 2\.0\.0 -> 1\.[01]\.0\n/u, 'the preview is shown with --json, too');
    t.match(stderr, /"code":"revision-conflict"/u);
    t.match(
      stderr,
      /Somebody else moved lab in the meantime.*It is now at 1\.0\.0: revision \d+, by operator, \\"quicker\\"/u,
    );
    t.match(
      await runJson(t, ['show', 'lab']),
      { version: '1.0.0', reason: 'quicker' },
      "the other user's move stays in effect",
    );
  }
});

t.test('a lost response does not apply a change twice', async (t) => {
  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await runJson(t, ['activate', version, '--yes', '--reason', 'stack'], lab);
  const keys: (string | undefined)[] = [];
  const proxy = await startProxy(t, server.address, undefined, (request, response) => {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return false;
    keys.push(key.toString());
    if (keys.length === 1) response.destroy();
    return keys.length === 1;
  });
  const before = (await runJson(t, ['status'])).health.revision;
  const { code, stdout, stderr } = await runCli(['rollback', '--yes', '--reason', 'once'], {
    ...lab,
    PROMPT_REGISTRY_URL: proxy.url,
  });
  t.match({ code, stdout }, { code: 0, stdout: /^Rolled back to lab 1\.1\.0 in production \(was 2\.0\.0\)/u });
  t.match(stderr, /Retrying; the change cannot be applied twice/u);
  t.equal(keys.length, 2);
  t.equal(keys[0], keys[1], 'with the same Idempotency-Key');
  t.equal((await runJson(t, ['status'])).health.revision, before + 1, 'one effect');
});

t.test('Ctrl-C while a change is being sent', async (t) => {
  const interruption = new AbortController();
  const proxy = await startProxy(t, server.address, (request) => {
    if (request.headers['idempotency-key'] === undefined) return undefined;
    interruption.abort();
    return new Promise(() => undefined);
  });
  const where = { ...lab, PROMPT_REGISTRY_URL: proxy.url };
  t.match(await runCli(['activate', '2.0.0', '--yes', '--reason', 'x'], where, { interrupted: interruption.signal }), {
    code: 130,
    stdout: '',
    stderr: /may or may not have been made[^]*prompt-registry status/u,
  });
});

t.test('a new secret whose response was lost is reported as lost', async (t) => {
  let lost = 0;
  const proxy = await startProxy(t, server.address, undefined, (_, response) => {
    lost += 1;
    if (lost === 1) response.destroy();
    return lost === 1;
  });
  t.match(
    await runCli(['keys', 'create', 'lost', '--scope', 'prompts:read'], { ...env, PROMPT_REGISTRY_URL: proxy.url }),
    { code: 3, stdout: '', stderr: /keys revoke \w+/u },
  );
});

t.test('an unknown outcome is reported', async (t) => {
  const proxy = await startProxy(t, server.address, undefined, (request, response) => {
    const write = request.headers['idempotency-key'] !== undefined;
    if (write) response.destroy();
    return write;
  });
  t.match(await runCli(['activate', '2.0.0', '--yes', '--reason', 'x'], { ...lab, PROMPT_REGISTRY_URL: proxy.url }), {
    code: 3,
    stdout: '',
    stderr: /may or may not have been made\. Check before you retry: prompt-registry status/u,
  });
});

t.test('a move without a condition in the API is previewed again before it is sent', async (t) => {
  await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  await runJson(t, ['activate', '1.1.0', '--yes', '--reason', 'base'], lab);
  await server.ask('/v1/packs/fresh/versions', documentOf('fresh', '1.0.0'));
  await server.ask('/v1/packs/fresh/versions', documentOf('fresh', '2.0.0'));
  const fresh = { ...env, PROMPT_REGISTRY_PACK: 'fresh' };
  for (const [where, command, quicker, now] of [
    [lab, ['revoke', '1.1.0'], ['rollback'], /It is not active in any channel/u],
    [fresh, ['activate', '1.0.0'], ['activate', '2.0.0'], /fresh: 2\.0\.0 -> 1\.0\.0/u],
  ] as const) {
    const refused = await runCli([...command, '--reason', 'slower'], where, {
      answers: [[/\[y\/N\]/u, () => runCli([...quicker, '--yes', '--reason', 'quicker'], where).then(() => 'y\n')]],
    });
    t.match(refused, {
      code: 1,
      stdout: '',
      stderr: /Somebody else moved \w+ in the meantime; nothing was changed\. It would now do this:/u,
    });
    t.match(refused.stderr.split('It would now')[1], now);
    t.equal((await runJson(t, ['audit', 'log', '--limit', '1'])).events[0].reason, 'quicker');
  }

  // A move after the second preview: the revocation is made, and the output says that it differs from the preview.
  await runJson(t, ['activate', '1.1.0', '--yes', '--reason', 'base'], lab);
  let quickest: Promise<unknown> | undefined;
  const proxy = await startProxy(t, server.address, async (request) => {
    if (request.headers['idempotency-key'] !== undefined)
      await (quickest ??= runCli(['rollback', '--yes', '--reason', 'quickest'], lab));
  });
  const made = await runCli(
    ['revoke', '1.1.0', '--reason', 'late'],
    { ...lab, PROMPT_REGISTRY_URL: proxy.url },
    { answers: [[/\[y\/N\]/u, 'y\n']] },
  );
  t.match(made, {
    code: 0,
    stdout: /^Revoked lab 1\.1\.0/u,
    stderr: /The result differs from the preview[^]*no channel moved/u,
  });
});

t.test('moves work through an instance that serves a pinned version', async (t) => {
  const pinned = await startLabRegistry(t, { PIN_VERSION: 'lab@1.0.0' });
  const guards: unknown[] = [];
  const proxy = await startProxy(
    t,
    pinned.server.address,
    ({ headers }) => void (headers['if-match'] !== undefined && guards.push(headers['if-match'])),
  );
  const where = { ...pinned.lab, PROMPT_REGISTRY_URL: proxy.url };
  t.match(await runCli(['activate', '1.1.0', '--yes', '--reason', 'x'], where), {
    code: 0,
    stdout: /^Activated lab 1\.1\.0 in production \(was 2\.0\.0\)/u,
  });
  t.match(await runCli(['rollback', '--reason', 'x'], where, { answers: [[/\[y\/N\]/u, 'y\n']] }), {
    code: 0,
    stdout: /^Rolled back to lab 2\.0\.0 in production \(was 1\.1\.0\)/u,
  });
  t.equal(guards.length, 4, 'including the dry runs');
  t.ok(
    guards.every((guard) => /^"\d+"$/u.test(String(guard))),
    'by revision: the ETag of the pinned version is not in the log',
  );
});

t.test('a change is completed even if nobody reads the output', async (t) => {
  await runJson(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  await runJson(t, ['activate', '2.0.0', '--yes', '--reason', 'base'], lab);
  let lost = 0;
  const proxy = await startProxy(t, server.address, undefined, (request, response) => {
    if (request.headers['idempotency-key'] === undefined || (lost += 1) > 1) return false;
    child.stderr.destroy();
    response.destroy(); // the retry is announced on stderr
    return true;
  });
  const child = startCli(t, ['rollback', '--yes', '--reason', 'The answers are lost'], {
    ...lab,
    PROMPT_REGISTRY_URL: proxy.url,
  });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  t.match([code, stdout, lost], [0, /^Rolled back to lab 1\.0\.0/u, 2]);
  t.match(
    await runCli(['activate', '2.0.0', '--yes', '--reason', 'unread', '--json'], lab, {
      stdout: brokenStream('EPIPE'),
    }),
    { code: 0, stderr: '' },
  );
  t.match(await runJson(t, ['show', 'lab']), { version: '2.0.0', reason: 'unread' });

  const gone = brokenStream('EPIPE');
  const slow = await startProxy(
    t,
    server.address,
    ({ headers }) => void (headers['idempotency-key'] !== undefined && gone.write('x')),
    ({ headers }, response) => {
      if (headers['idempotency-key'] === undefined) return false;
      response.destroy();
      return true;
    },
  );
  t.match(
    await runCli(
      ['activate', '1.0.0', '--yes', '--reason', 'gone'],
      { ...lab, PROMPT_REGISTRY_URL: slow.url },
      { stdout: gone },
    ),
    { code: 3, stderr: /may or may not have been made/u },
    'the exit code reports the outcome of the change',
  );

  const full = brokenStream('ENOSPC');
  const filling = await startProxy(
    t,
    server.address,
    ({ headers }) => void (headers['idempotency-key'] !== undefined && full.write('x')),
  );
  t.match(
    await runCli(
      ['activate', '2.0.0', '--yes', '--reason', 'full'],
      { ...lab, PROMPT_REGISTRY_URL: filling.url },
      { stdout: full },
    ),
    { code: 74, stderr: /The change itself was made/u },
  );
});

t.test('output that cannot be written is an error on stderr', async (t) => {
  t.match(await runCli(['activate', '1.0.0', '--yes', '--reason', 'full'], lab, { stdout: brokenStream('ENOSPC') }), {
    code: 74,
    stderr: /could not be written: ENOSPC[^]*The change itself was made/u,
  });
  t.match(await runCli(['audit', 'head', '--json'], env, { stdout: brokenStream('ENOSPC') }), {
    code: 74,
    stderr: /^\{"code":"unwritten"/u,
  });
  t.match(await runCli(['--help'], {}, { stdout: brokenStream('ENOSPC') }), { code: 74 });
  for (const fails of ['ENOSPC', 'EPIPE']) {
    const { code, stderr } = await runCli(['keys', 'create', fails, '--scope', 'prompts:read', '--json'], env, {
      stdout: brokenStream(fails),
    });
    const { keyId } = (await runJson(t, ['keys', 'list'])).keys.find(({ label }: { label: string }) => label === fails);
    t.match(
      [code, json(stderr)],
      [74, { code: 'secret-lost', keyId, hint: `keys revoke ${keyId}` }],
      'names the key, so it can be revoked',
    );
  }
  const full = await spawnCli(t, [`exec "$0" "$1" audit head > /dev/full`, process.execPath, BIN], env, {
    node: '/bin/sh',
    bin: '-c',
  });
  t.match(
    full,
    { code: 74, stdout: '', stderr: /^error: The output could not be written: ENOSPC/u },
    'a real full device',
  );
});

t.test('Ctrl-C at a question is reported as JSON', async (t) => {
  const { code, stderr } = await runCli(['activate', '2.0.0', '--reason', 'x', '--json'], lab, {
    answers: [[/\[y\/N\]/u, '\u0003']],
  });
  t.match([code, json(stderr.slice(stderr.lastIndexOf('{"code"')))], [130, { code: 'interrupted', exitCode: 130 }]);
});
