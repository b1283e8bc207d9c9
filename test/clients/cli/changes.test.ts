// Changes: shown, asked for, made once; whoever else is at it, and whatever becomes of the answer.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { BIN, called, failing, json, onTerminal, SCRIPT, start, typed } from './command-line.ts';
import { startLaboratory } from './laboratory.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { forward } from './stand-ins.ts';

const { server, env, lab, answered } = await startLaboratory(t);

t.test('on a terminal it shows, asks, and does', async (t) => {
  await answered(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  const before = (await answered(t, ['status'])).health.revision;
  const declined = await called(['activate', '2.0.0'], lab, {
    answers: [
      [/Why\?.*$/su, 'because\n'],
      [/\[y\/N\]/u, 'n\n'],
    ],
  });
  t.match(declined, { code: 1, stdout: '', stderr: /lab: 1\.0\.0 -> 2\.0\.0[^]*Nothing was changed\./u });
  t.match(
    await called(['activate', '2.0.0', '--reason', 'x'], lab, { answers: [[/\[y\/N\]/u, '\u0003']] }),
    { code: 130, stdout: '', stderr: /Nothing was changed/u },
    'Ctrl-C',
  );
  t.match(
    await called(['activate', '2.0.0', '--reason', 'x'], lab, { answers: [[/\[y\/N\]/u, '\u0004']] }),
    { code: 1, stdout: '' },
    'Ctrl-D',
  );
  t.equal((await answered(t, ['status'])).health.revision, before, 'nothing was changed by these');

  const done = await called(['activate', '2.0.0'], lab, {
    answers: [
      [/Why\?/u, '\n'],
      [/1 to 500/u, 'better\n'],
      [/\[y\/N\]/u, 'y\n'],
    ],
  });
  t.match(
    done,
    { code: 0, stdout: /Activated lab 2\.0\.0 in production; it was 1\.0\.0/u },
    'a blank reason is asked for again',
  );
  t.equal((await answered(t, ['audit', 'log', '--limit', '1'])).events[0].reason, 'better');
  t.match(
    await called(['activate', '2.0.0'], lab, { answers: [[/Why\?/u, () => Promise.reject(new Error('asked'))]] }),
    { code: 0, stdout: /is active in production already/u },
    'where nothing would be changed nothing is asked',
  );
  t.match(
    await called(['rollback'], lab, {
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
    await called(['revoke', '1.1.0', '--reason', 'r'], lab, {
      answers: [[/Revoke 1\.1\.0 of lab for good at http:\S+\?/u, 'n\n']],
    }),
    { code: 1 },
  );
});

t.test('on a real terminal', { skip: existsSync(SCRIPT) ? false : 'there is no script(1) here' }, async (t) => {
  await answered(t, ['activate', '2.0.0', '--yes', '--reason', 'base'], lab);
  const { code, screen } = await onTerminal(t, ['activate', '1.0.0'], lab, [
    [/Why\?/u, 'by hand\r'],
    [/\[y\/N\]/u, 'y\r'],
  ]);
  t.equal(code, 0, screen);
  t.match(screen, /~ system \(\+1 -1 lines\)[^]*Activated lab 1\.0\.0 in production; it was 2\.0\.0/u);
  t.match(await answered(t, ['show', 'lab']), { version: '1.0.0', reason: 'by hand' });
  t.match(
    await onTerminal(t, ['activate', '2.0.0'], lab, [[/Why\?/u, '\u0003']]),
    { code: 130, screen: /Why\?[^\n]*\n[^\n]*error:\S* Nothing was changed/u },
    'Ctrl-C: told on a line of its own',
  );
});

t.test('without a terminal it asks nothing and changes nothing', async (t) => {
  const before = (await answered(t, ['status'])).health.revision;
  t.match(await typed(t, ['rollback'], lab), { code: 2, stdout: '', stderr: /--reason/u });
  t.match(await called(['activate', '2.0.0', '--reason', 'x'], lab), { code: 2, stderr: /--yes/u });
  t.match(await called(['revoke', '1.1.0', '--yes'], lab), { code: 2, stderr: /--reason/u });
  t.match(await called(['keys', 'revoke', 'any', '--reason', 'x', '--json'], lab), {
    code: 2,
    stderr: /^\{"code":"wrong-usage".*"exitCode":2\}\n$/u,
  });
  t.match(await called(['rollback', '--yes', '--reason', '  '], lab), { code: 2, stderr: /not blank/u });
  t.equal((await answered(t, ['status'])).health.revision, before);
});

t.test('what was shown is what is done: somebody else was quicker', async (t) => {
  for (const command of [['activate', '1.1.0'], ['rollback']]) {
    await answered(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
    await answered(t, ['activate', '2.0.0', '--yes', '--reason', 'shown'], lab);
    let quicker: Promise<unknown> | undefined;
    const proxy = await forward(t, server.address, async (request) => {
      // The channel moves between the dry run and the confirmed move.
      if (request.method === 'POST' && request.headers['idempotency-key'] !== undefined)
        await (quicker ??= called(['rollback', '--yes', '--reason', 'quicker'], lab));
    });
    const { code, stderr } = await called(
      [...command, '--reason', 'slower', '--json'],
      { ...lab, PROMPT_REGISTRY_URL: proxy.url },
      { answers: [[/\[y\/N\]/u, 'y\n']] },
    );
    t.equal(code, 1);
    t.match(stderr, /^lab: 2\.0\.0 -> 1\.[01]\.0\n/u, 'it is shown, also to who wants JSON');
    t.match(stderr, /"code":"revision-conflict"/u);
    t.match(
      stderr,
      /Somebody else has moved lab meanwhile.*It is at 1\.0\.0 now: revision \d+, by operator, \\"quicker\\"/u,
    );
    t.match(
      await answered(t, ['show', 'lab']),
      { version: '1.0.0', reason: 'quicker' },
      'it stays where the other one put it',
    );
  }
});

t.test('an answer that is lost does not make a change twice', async (t) => {
  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await answered(t, ['activate', version, '--yes', '--reason', 'stack'], lab);
  const keys: (string | undefined)[] = [];
  const proxy = await forward(t, server.address, undefined, (request, response) => {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return false;
    keys.push(key.toString());
    if (keys.length === 1) response.destroy();
    return keys.length === 1;
  });
  const before = (await answered(t, ['status'])).health.revision;
  const { code, stdout, stderr } = await called(['rollback', '--yes', '--reason', 'once'], {
    ...lab,
    PROMPT_REGISTRY_URL: proxy.url,
  });
  t.match({ code, stdout }, { code: 0, stdout: /^Rolled back to lab 1\.1\.0 in production; it was 2\.0\.0/u });
  t.match(stderr, /sent once more/u);
  t.equal(keys.length, 2);
  t.equal(keys[0], keys[1], 'with the same Idempotency-Key');
  t.equal((await answered(t, ['status'])).health.revision, before + 1, 'one effect');
});

t.test('Ctrl-C while a change is under way', async (t) => {
  const interruption = new AbortController();
  const proxy = await forward(t, server.address, (request) => {
    if (request.headers['idempotency-key'] === undefined) return undefined;
    interruption.abort();
    return new Promise(() => undefined);
  });
  const where = { ...lab, PROMPT_REGISTRY_URL: proxy.url };
  t.match(await called(['activate', '2.0.0', '--yes', '--reason', 'x'], where, { interrupted: interruption.signal }), {
    code: 130,
    stdout: '',
    stderr: /may have been made or not[^]*prompt-registry status/u,
  });
});

t.test('a secret whose answer was lost is not pretended', async (t) => {
  let lost = 0;
  const proxy = await forward(t, server.address, undefined, (_, response) => {
    lost += 1;
    if (lost === 1) response.destroy();
    return lost === 1;
  });
  t.match(
    await called(['keys', 'create', 'lost', '--scope', 'prompts:read'], { ...env, PROMPT_REGISTRY_URL: proxy.url }),
    { code: 3, stdout: '', stderr: /keys revoke \w+/u },
  );
});

t.test('an outcome that stays unknown is told as such', async (t) => {
  const proxy = await forward(t, server.address, undefined, (request, response) => {
    const write = request.headers['idempotency-key'] !== undefined;
    if (write) response.destroy();
    return write;
  });
  t.match(await called(['activate', '2.0.0', '--yes', '--reason', 'x'], { ...lab, PROMPT_REGISTRY_URL: proxy.url }), {
    code: 3,
    stdout: '',
    stderr: /may have been made or not\. Look before you repeat it: prompt-registry status/u,
  });
});

t.test('what the API cannot guard is looked at once more', async (t) => {
  await answered(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  await answered(t, ['activate', '1.1.0', '--yes', '--reason', 'base'], lab);
  await server.ask('/v1/packs/fresh/versions', documentOf('fresh', '1.0.0'));
  await server.ask('/v1/packs/fresh/versions', documentOf('fresh', '2.0.0'));
  const fresh = { ...env, PROMPT_REGISTRY_PACK: 'fresh' };
  for (const [where, command, quicker, now] of [
    [lab, ['revoke', '1.1.0'], ['rollback'], /No channel points at it/u],
    [fresh, ['activate', '1.0.0'], ['activate', '2.0.0'], /fresh: 2\.0\.0 -> 1\.0\.0/u],
  ] as const) {
    const refused = await called([...command, '--reason', 'slower'], where, {
      answers: [[/\[y\/N\]/u, () => called([...quicker, '--yes', '--reason', 'quicker'], where).then(() => 'y\n')]],
    });
    t.match(refused, {
      code: 1,
      stdout: '',
      stderr: /Somebody else has moved \w+ meanwhile; nothing was changed by this\. By now it would do this:/u,
    });
    t.match(refused.stderr.split('By now')[1], now);
    t.equal((await answered(t, ['audit', 'log', '--limit', '1'])).events[0].reason, 'quicker');
  }

  // Quicker still: behind the second look. It is made, and said to be another than the one that was shown.
  await answered(t, ['activate', '1.1.0', '--yes', '--reason', 'base'], lab);
  let quickest: Promise<unknown> | undefined;
  const proxy = await forward(t, server.address, async (request) => {
    if (request.headers['idempotency-key'] !== undefined)
      await (quickest ??= called(['rollback', '--yes', '--reason', 'quickest'], lab));
  });
  const made = await called(
    ['revoke', '1.1.0', '--reason', 'late'],
    { ...lab, PROMPT_REGISTRY_URL: proxy.url },
    { answers: [[/\[y\/N\]/u, 'y\n']] },
  );
  t.match(made, {
    code: 0,
    stdout: /^Revoked lab 1\.1\.0/u,
    stderr: /This is not what was shown[^]*no channel was moved/u,
  });
});

t.test('moves are made through an instance that serves a pinned version', async (t) => {
  const pinned = await startLaboratory(t, { PIN_VERSION: 'lab@1.0.0' });
  const guards: unknown[] = [];
  const proxy = await forward(
    t,
    pinned.server.address,
    ({ headers }) => void (headers['if-match'] !== undefined && guards.push(headers['if-match'])),
  );
  const where = { ...pinned.lab, PROMPT_REGISTRY_URL: proxy.url };
  t.match(await called(['activate', '1.1.0', '--yes', '--reason', 'x'], where), {
    code: 0,
    stdout: /^Activated lab 1\.1\.0 in production; it was 2\.0\.0/u,
  });
  t.match(await called(['rollback', '--reason', 'x'], where, { answers: [[/\[y\/N\]/u, 'y\n']] }), {
    code: 0,
    stdout: /^Rolled back to lab 2\.0\.0 in production; it was 1\.1\.0/u,
  });
  t.equal(guards.length, 4, 'the dry runs, too');
  t.ok(
    guards.every((guard) => /^"\d+"$/u.test(String(guard))),
    'by the revision: the ETag of what is served there is not one of the log',
  );
});

t.test('a change is finished whoever reads what is said of it', async (t) => {
  await answered(t, ['activate', '1.0.0', '--yes', '--reason', 'base'], lab);
  await answered(t, ['activate', '2.0.0', '--yes', '--reason', 'base'], lab);
  let lost = 0;
  const proxy = await forward(t, server.address, undefined, (request, response) => {
    if (request.headers['idempotency-key'] === undefined || (lost += 1) > 1) return false;
    child.stderr.destroy();
    response.destroy(); // it is told on stderr that it is sent once more
    return true;
  });
  const child = start(t, ['rollback', '--yes', '--reason', 'unheard'], { ...lab, PROMPT_REGISTRY_URL: proxy.url });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  t.match([code, stdout, lost], [0, /^Rolled back to lab 1\.0\.0/u, 2]);
  t.match(
    await called(['activate', '2.0.0', '--yes', '--reason', 'unread', '--json'], lab, { stdout: failing('EPIPE') }),
    { code: 0, stderr: '' },
  );
  t.match(await answered(t, ['show', 'lab']), { version: '2.0.0', reason: 'unread' });

  const gone = failing('EPIPE');
  const slow = await forward(
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
    await called(
      ['activate', '1.0.0', '--yes', '--reason', 'gone'],
      { ...lab, PROMPT_REGISTRY_URL: slow.url },
      { stdout: gone },
    ),
    { code: 3, stderr: /may have been made or not/u },
    'it ends by what became of the change',
  );

  const full = failing('ENOSPC');
  const filling = await forward(
    t,
    server.address,
    ({ headers }) => void (headers['idempotency-key'] !== undefined && full.write('x')),
  );
  t.match(
    await called(
      ['activate', '2.0.0', '--yes', '--reason', 'full'],
      { ...lab, PROMPT_REGISTRY_URL: filling.url },
      { stdout: full },
    ),
    { code: 74, stderr: /The change was made all the same/u },
  );
});

t.test('an answer that cannot be written is told on stderr', async (t) => {
  t.match(await called(['activate', '1.0.0', '--yes', '--reason', 'full'], lab, { stdout: failing('ENOSPC') }), {
    code: 74,
    stderr: /could not be written: ENOSPC[^]*The change was made all the same/u,
  });
  t.match(await called(['audit', 'head', '--json'], env, { stdout: failing('ENOSPC') }), {
    code: 74,
    stderr: /^\{"code":"unwritten"/u,
  });
  t.match(await called(['--help'], {}, { stdout: failing('ENOSPC') }), { code: 74 });
  for (const fails of ['ENOSPC', 'EPIPE']) {
    const { code, stderr } = await called(['keys', 'create', fails, '--scope', 'prompts:read', '--json'], env, {
      stdout: failing(fails),
    });
    const { keyId } = (await answered(t, ['keys', 'list'])).keys.find(
      ({ label }: { label: string }) => label === fails,
    );
    t.match(
      [code, json(stderr)],
      [74, { code: 'secret-lost', keyId, hint: `keys revoke ${keyId}` }],
      'the key that nobody has the secret of can be revoked',
    );
  }
  const full = await typed(t, [`exec "$0" "$1" audit head > /dev/full`, process.execPath, BIN], env, {
    node: '/bin/sh',
    bin: '-c',
  });
  t.match(
    full,
    { code: 74, stdout: '', stderr: /^error: The answer could not be written: ENOSPC/u },
    'a real disk that is full',
  );
});

t.test('Ctrl-C at a question is told to programs', async (t) => {
  const { code, stderr } = await called(['activate', '2.0.0', '--reason', 'x', '--json'], lab, {
    answers: [[/\[y\/N\]/u, '\u0003']],
  });
  t.match([code, json(stderr.slice(stderr.lastIndexOf('{"code"')))], [130, { code: 'interrupted', exitCode: 130 }]);
});
