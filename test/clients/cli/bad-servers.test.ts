// The command line against bad servers: none at all, a proxy, another service, an older registry, a hostile one.
import type { RequestListener } from 'node:http';
import t from 'tap';
import { runCli, json, spawnCli } from '../../support/clients/command-line.ts';
import { replyJson, KEY, startFakeServer, replyProblem } from '../../support/clients/fake-servers.ts';
import { freePort } from '../../support/http/free-port.ts';

t.test('no server, or one that does not respond', async (t) => {
  const { port } = await startFakeServer(t, () => undefined);
  const free = await freePort();
  t.match(await spawnCli(t, ['status', '--url', `http://127.0.0.1:${free}`], KEY), {
    code: 3,
    stdout: '',
    stderr: /^error: .*cannot be reached.*\nIs the service running\? Check --url/u,
  });
  const { code, stderr } = await runCli(['status', '--json', '--url', `http://127.0.0.1:${free}`], KEY);
  t.match(
    [code, json(stderr)],
    [3, { code: 'unreachable', message: /cannot be reached/u, hint: /--url/u, exitCode: 3 }],
  );
  t.match(
    await runCli(['status', '--url', `http://127.0.0.1:${port}`, '--timeout', '0.1'], KEY),
    { code: 3, stderr: /did not respond in time[^]*--timeout/u },
    'a server that never responds',
  );
  t.match(
    await runCli(['status', '--url', `https://127.0.0.1:${port}`], KEY),
    {
      code: 3,
      stderr:
        /^error: .*does not speak TLS; use http:\/\/ instead of https:\/\/, or another port\.\nCheck --url or PROMPT_REGISTRY_URL\.\n$/u,
    },
    'a server without TLS',
  );
  t.match(
    await runCli(['watch', '--url', `http://127.0.0.1:${port}`, '--timeout', '0.1'], KEY),
    { code: 3, stderr: /buffering/u },
    'a stream without messages',
  );
});

t.test('a response that is not from a registry', async (t) => {
  for (const [what, answer] of [
    ['a page', (_, response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>')],
    [
      'an error page of a proxy',
      (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>'),
    ],
    [
      'other JSON',
      (_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"not here"}'),
    ],
    [
      'JSON of another service',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"hello":"world"}'),
    ],
    ['a list', (_, response) => response.setHeader('content-type', 'application/json').end('[]')],
    [
      'a truncated body',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"packs":[{"pack":'),
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ] as [string, RequestListener][]) {
    const { env } = await startFakeServer(t, answer);
    t.match(await runCli(['versions', 'coach'], env), { code: 3, stdout: '', stderr: /^error: /u }, what);
  }
  const { env } = await startFakeServer(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"packs":[');
    setImmediate(() => response.destroy());
  });
  t.match(await runCli(['versions', 'coach'], env), { code: 3, stdout: '' }, 'a broken connection');
  const silent = await startFakeServer(
    t,
    (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"packs":['),
  );
  t.match(
    await runCli(['versions', 'coach', '--timeout', '0.1'], silent.env),
    { code: 3, stderr: /in time/u },
    'a body that never ends',
  );
});

t.test('an operation that an older service does not support', async (t) => {
  const { env } = await startFakeServer(t, replyProblem(404, { code: 'not-found' }));
  t.match(await runCli(['keys', 'list'], env), { code: 1, stderr: /older than this command line/u });
});

t.test('status shows what an older service supports', async (t) => {
  const { env } = await startFakeServer(t, (request, response) => {
    if (request.url !== '/v1/packs') return replyProblem(404, { code: 'not-found' })(request, response);
    return response.setHeader('content-type', 'application/json').end('{"packs":[]}');
  });
  t.match(await runCli(['status'], env), { code: 0, stdout: /not supported by this older service/u });
});

t.test('Retry-After is reported', async (t) => {
  const { env } = await startFakeServer(t, replyProblem(503, { code: 'overloaded' }, { 'retry-after': '7' }));
  t.match(await runCli(['keys', 'list'], env), { code: 3, stderr: /Try again in 7 s/u });
  t.match(json((await runCli(['keys', 'list', '--json'], env)).stderr), {
    code: 'overloaded',
    retryAfterSeconds: 7,
    status: 503,
  });
  const unknown = await startFakeServer(
    t,
    replyProblem(503, { code: 'outcome-unknown', eventId: 'e-1' }, { 'retry-after': '0' }),
  );
  t.match(await runCli(['keys', 'create', 'x', '--scope', 'prompts:read'], unknown.env), {
    code: 3,
    stderr: /audit log --id e-1/u,
  });
  const gone = await startFakeServer(t, (_, response) => response.destroy());
  t.match(
    await runCli(['keys', 'create', 'x', '--scope', 'prompts:read'], gone.env),
    { code: 3, stderr: /may or may not have been made\. Check before you retry: prompt-registry keys list/u },
    'names the command to check with',
  );
});

t.test('a stale response causes a warning', async (t) => {
  const { env } = await startFakeServer(t, (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'registry-stale': '12' }).end('{"keys":[]}'),
  );
  t.match(await runCli(['keys', 'list'], env), { code: 0, stderr: /12 s/u });
});

t.test('watch ends if retrying cannot help', async (t) => {
  const { env } = await startFakeServer(t, replyProblem(401, { code: 'unauthenticated' }));
  t.match(await runCli(['watch'], env), { code: 4 });
  const interruption = new AbortController();
  const quiet = await startFakeServer(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    setImmediate(() => interruption.abort());
  });
  t.match(await runCli(['watch'], quiet.env, { interrupted: interruption.signal }), { code: 130, stdout: '' });
});

t.test('watch reconnects, and ends when the key is revoked', async (t) => {
  const asked: (string | undefined)[] = [];
  const message = (id: string, event: string, data: object) =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const { env } = await startFakeServer(t, (request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    if (asked.length === 2) return replyProblem(503, { code: 'overloaded' }, { 'retry-after': '0' })(request, response);
    if (asked.length === 4) return replyProblem(401, { code: 'unauthenticated' })(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 1) return response.end(message('7', 'revision', { epoch: 1, revision: 7 }));
    return response.end(
      message('2:5', 'resync', { epoch: 2, revision: 5 }) + message('2:5', 'heartbeat', { epoch: 2, revision: 5 }),
    );
  });
  const { code, stdout, stderr } = await runCli(['watch'], env);
  t.equal(code, 4, 'the key was revoked in the meantime');
  t.match(stdout, /^5 {2}resync {2}earlier events are no longer available; see: prompt-registry status\n$/u);
  t.match(stderr, /Retrying in 1 s[^]*Reconnected/u);
  t.same(asked, [undefined, '7', '7', '2:5'], 'each time after the last message received');
});

t.test('watch reports when the service is out of sync', async (t) => {
  const message = (revision: number, event: string, data: object = {}) =>
    `id: ${revision}\nevent: ${event}\ndata: ${JSON.stringify({ epoch: 1, revision, ...data })}\n\n`;
  const { env } = await startFakeServer(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      message(7, 'revision') +
        message(7, 'heartbeat', { staleSeconds: 12 }) +
        message(7, 'heartbeat', { staleSeconds: 27 }) +
        message(7, 'heartbeat') +
        message(8, 'version-published'),
    );
  });
  const { stderr } = await runCli(['watch', '--count', '1'], env);
  t.match(
    stderr,
    /^Watching.*\nThe service has been out of sync for 12 s\. .*\nThe service is in sync again\.\n$/u,
    'once at the start and once at the end',
  );
});

t.test('watch --after distinguishes revisions before and after a restore', async (t) => {
  const asked: (string | undefined)[] = [];
  const { env } = await startFakeServer(t, (request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write('id: 2:9\nevent: resync\ndata: {"epoch":2,"revision":9}\n\n');
  });
  t.match(await runCli(['watch', '--after', '7', '--count', '1'], env), {
    code: 0,
    stderr: /in epoch 2\. Use --after 2:<revision>/u,
  });
  t.notMatch((await runCli(['watch', '--after', '2:7', '--count', '1'], env)).stderr, 'epoch');
  t.same(asked, ['7', '2:7']);
});

t.test('the outcome is unknown only if the change may have reached a registry', async (t) => {
  const unknownOutcome = 'The change may or may not have been made';
  const create = ['keys', 'create', 'x', '--scope', 'prompts:read'];
  const nobody = { ...KEY, PROMPT_REGISTRY_URL: `http://localhost:${await freePort()}` };
  const { code, stderr } = await runCli(create, nobody);
  t.equal(code, 3);
  t.match(stderr, /Nothing was sent, so nothing was changed\. Is the service running\? Check --url/u);
  t.notMatch(stderr, unknownOutcome);
  t.match(
    await runCli(create, { ...KEY, PROMPT_REGISTRY_URL: 'http://nowhere.invalid' }),
    { code: 3, stderr: /Nothing was sent/u },
    'an unknown host',
  );

  for (const [what, status, unknown] of [
    ['a page', 200, false],
    ['a 403 page', 403, false],
    ['a 404 page', 404, false],
    ['a redirect', 302, false],
    ['a gateway', 502, true],
    ['a gateway timeout', 504, true],
  ] as const) {
    let asked = 0;
    const { env } = await startFakeServer(t, (_, response) => {
      asked += 1;
      response
        .writeHead(status, {
          'content-type': 'text/html',
          location: 'https://login.example.com/\u009b',
          'retry-after': '0',
        })
        .end('<html></html>');
    });
    const answer = await runCli(create, env);
    t.equal(answer.code, 3, what);
    t.equal(answer.stderr.includes(unknownOutcome), unknown, `${what}: ${answer.stderr}`);
    t.equal(asked, unknown ? 2 : 1, 'another service is not asked again');
    if (status === 302)
      t.match(answer.stderr, /redirects \(302\) to https:\/\/login\.example\.com\/\\x9b\. Redirects are not followed/u);
  }

  // The first attempt may have made the change; a failed second one says nothing about that.
  for (const second of [replyProblem(503, { code: 'overloaded' }), replyJson({})]) {
    let asked = 0;
    const { env } = await startFakeServer(t, (request, response) => {
      asked += 1;
      return asked === 1 ? response.destroy() : second(request, response);
    });
    t.match(await runCli(create, env), { code: 3, stderr: unknownOutcome });
  }
});

t.test('a response without the expected fields is not from a registry', async (t) => {
  const { env } = await startFakeServer(t, replyJson({ ok: true }));
  for (const args of [
    ['status'],
    ['versions', 'coach'],
    ['show', 'coach'],
    ['show', 'coach', '--system'],
    ['diff', '1.0.0', '1.1.0', '--pack', 'coach'],
    ['audit', 'head'],
    ['audit', 'verify'],
    ['audit', 'log'],
    ['keys', 'list'],
    ['keys', 'create', 'x', '--scope', 'y'],
    ['session', 'start'],
    ['activate', '1.0.0', '--pack', 'coach', '--dry-run'],
    ['revoke', '1.0.0', '--pack', 'coach', '--yes', '--reason', 'x'],
    ['rollback', '--yes', '--reason', 'x'],
  ]) {
    const { code, stdout, stderr } = await runCli([...args, '--json'], env);
    t.same([code, stdout], [3, ''], args.join(' '));
    t.match(json(stderr), { code: 'not-a-registry', exitCode: 3 });
  }
});

t.test('a malformed problem is still reported as one message', async (t) => {
  for (const members of [
    { code: 'validation-failed', errors: { pointer: '/x' }, violations: 'all' },
    { code: 'validation-failed', errors: [null, 7, { detail: { toString: 1 } }], violations: [[], { rule: 5 }] },
    { code: 'forbidden', requiredScopes: 'packs:activate' },
    { code: 'revision-conflict', currentRevision: 'seven', currentVersion: {} },
    { code: 'outcome-unknown', eventId: 'x; rm -rf .' },
    { code: 'constructor' },
    { code: 'x', detail: { toString: 1 } },
  ]) {
    const { env } = await startFakeServer(t, replyProblem(409, members));
    for (const args of [
      ['keys', 'list'],
      ['status'],
      ['activate', '1.0.0', '--pack', 'coach', '--yes', '--reason', 'x'],
    ]) {
      const { code, stdout, stderr } = await runCli(args, env);
      t.ok(code !== null && code > 0 && code < 70, `${JSON.stringify(members)}: ${code} ${stderr}`);
      t.equal(stdout, '');
      t.notMatch(stderr, /rm -rf|Bug in the command line/u);
      if (!('detail' in members)) t.match(stderr, 'A detail.', 'shows the detail if it is valid');
      t.match(json((await runCli([...args, '--json'], env)).stderr.trimEnd().split('\n').at(-1) ?? ''), {
        exitCode: code,
      });
    }
  }
});

t.test('control characters in numeric fields are escaped on a terminal', async (t) => {
  const evil = '\u001b[2J';
  const controls = /[\u0000-\u0009\u000b-\u001f]/u; // eslint-disable-line no-control-regex -- finding control characters is the purpose
  const hash = 'a'.repeat(64);
  for (const [args, body, says] of [
    [
      ['audit', 'verify'],
      { valid: false, events: 1, head: { revision: evil, hash }, firstBroken: { revision: evil, detail: evil } },
      'BROKEN at revision \\x1b[2J',
    ],
    [
      ['diff', '1.0.0', '2.0.0', '--pack', 'x'],
      {
        from: evil,
        to: evil,
        metadata: [],
        stylesAdded: [],
        stylesRemoved: [],
        assets: [
          {
            asset: evil,
            change: 'changed',
            hunks: [{ oldStart: evil, oldLines: evil, newStart: evil, newLines: evil, lines: [`+${evil}`] }],
          },
        ],
      },
      '@@ -\\x1b[2J',
    ],
    [
      ['keys', 'list'],
      { keys: [{ keyId: evil, label: evil, scopes: [evil], createdAt: evil, createdBy: { label: evil } }] },
      '\\x1b[2J',
    ],
  ] as [string[], object, string][]) {
    const { env } = await startFakeServer(t, replyJson(body));
    const { stdout, stderr } = await runCli([...args, '--no-color'], env, { answers: [] });
    t.match(stdout, says, args.join(' '));
    t.notMatch(stdout + stderr, controls);
  }
  const { env } = await startFakeServer(t, (_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(
        `id: 1\nevent: version-activated\ndata: ${JSON.stringify({ epoch: 1, revision: 1, at: evil, pack: evil, moves: [{ channel: evil, version: evil, previousVersion: null }] })}\n\n`,
      );
  });
  const { stdout, stderr } = await runCli(['watch', '--count', '1', '--no-color'], env, { answers: [] });
  t.match(stdout, '1  \\x1b[2J  version-activated  \\x1b[2J  \\x1b[2J: nothing -> \\x1b[2J\n');
  t.notMatch(stdout + stderr, controls);
});

t.test('an endless list is an error', async (t) => {
  for (const [args, body] of [
    [['audit', 'log', '--limit', 'all'], { events: [], nextAfter: null }],
    [['audit', 'log', '--limit', 'all'], { events: [], nextAfter: null, nextBefore: 5 }],
    [['audit', 'log', '--limit', 'all', '--oldest-first'], { events: [] }],
    [['audit', 'log', '--limit', 'all', '--oldest-first'], { events: [], nextAfter: 5 }],
    [['versions', 'coach', '--limit', 'all'], { versions: [] }],
    [['versions', 'coach', '--limit', 'all'], { versions: [], nextCursor: 'abc' }],
  ] as const) {
    let asked = 0;
    const { env } = await startFakeServer(t, (request, response) => {
      asked += 1;
      return asked > 5 ? response.destroy() : replyJson(body)(request, response);
    });
    t.match(await runCli([...args, '--json'], env), { code: 3, stdout: '', stderr: /^\{"code":"not-understood"/u });
    t.ok(asked <= 2);
  }
});

t.test('watch respects a Retry-After beyond the limit of a timer', async (t) => {
  let asked = 0;
  const interruption = new AbortController();
  const { env } = await startFakeServer(t, (request, response) => {
    if (request.url !== '/v1/events') return replyJson({ keys: [] })(request, response);
    asked += 1;
    if (asked > 1) return replyProblem(503, { code: 'overloaded' }, { 'retry-after': '9999999' })(request, response);
    return response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end('id: 7\nevent: revision\ndata: {"epoch":1,"revision":7}\n\n');
  });
  const watching = runCli(['watch'], env, {
    interrupted: interruption.signal,
    onStderr: (said) => {
      // A timer that overflowed would have reconnected long before these responses.
      if (said.includes('Retrying in 9999999 s') && asked === 2)
        void runCli(['keys', 'list'], env)
          .then(() => runCli(['keys', 'list'], env))
          .then(() => interruption.abort());
    },
  });
  t.match(await watching, { code: 130 });
  t.equal(asked, 2);
});

t.test('a move names the epoch that it was previewed in', async (t) => {
  const sent: unknown[] = [];
  const { env } = await startFakeServer(t, (request, response) => {
    if (request.method === 'GET')
      return replyJson(
        { pack: 'lab', channel: 'production', version: '1.0.0', revision: 7, stable: {}, schedule: [] },
        { 'registry-epoch': '3', etag: '"7.12345678"' },
      )(request, response);
    sent.push([request.headers['if-match'], request.headers['registry-epoch']]);
    return replyProblem(409, { code: 'revision-conflict' })(request, response);
  });
  t.match(await runCli(['activate', '2.0.0', '--pack', 'lab', '--yes', '--reason', 'x'], env), {
    code: 1,
    stderr: /Somebody else moved lab/u,
  });
  t.same(sent, [['"7"', '3']]);
});
