// The command line where no registry answers, or not as one should: nobody, a proxy, another service, a hostile or an older one.
import type { RequestListener } from 'node:http';
import t from 'tap';
import { called, json, typed } from './command-line.ts';
import { freePort, jsonOf, KEY, listening, problem } from './stand-ins.ts';

t.test('nobody there', async (t) => {
  const { port } = await listening(t, () => undefined);
  const free = await freePort();
  t.match(await typed(t, ['status', '--url', `http://127.0.0.1:${free}`], KEY), {
    code: 3,
    stdout: '',
    stderr: /^error: .*cannot be reached.*\nIs the service running there\? --url/u,
  });
  const { code, stderr } = await called(['status', '--json', '--url', `http://127.0.0.1:${free}`], KEY);
  t.match(
    [code, json(stderr)],
    [3, { code: 'unreachable', message: /cannot be reached/u, hint: /--url/u, exitCode: 3 }],
  );
  t.match(
    await called(['status', '--url', `http://127.0.0.1:${port}`, '--timeout', '0.1'], KEY),
    { code: 3, stderr: /did not answer in time[^]*--timeout/u },
    'one that never answers',
  );
  t.match(
    await called(['status', '--url', `https://127.0.0.1:${port}`], KEY),
    {
      code: 3,
      stderr:
        /^error: .*does not speak TLS; use http:\/\/ instead of https:\/\/, or another port\.\n--url or PROMPT_REGISTRY_URL says where it is\.\n$/u,
    },
    'one that speaks no TLS',
  );
  t.match(
    await called(['watch', '--url', `http://127.0.0.1:${port}`, '--timeout', '0.1'], KEY),
    { code: 3, stderr: /buffering/u },
    'a stream of which nothing comes',
  );
});

t.test('an answer that is none of a registry', async (t) => {
  for (const [what, answer] of [
    ['a page', (_, response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>')],
    [
      'a page of a proxy',
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
      'a body that is cut',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"packs":[{"pack":'),
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ] as [string, RequestListener][]) {
    const { env } = await listening(t, answer);
    t.match(await called(['versions', 'coach'], env), { code: 3, stdout: '', stderr: /^error: /u }, what);
  }
  const { env } = await listening(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"packs":[');
    setImmediate(() => response.destroy());
  });
  t.match(await called(['versions', 'coach'], env), { code: 3, stdout: '' }, 'a connection that is cut');
  const silent = await listening(
    t,
    (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"packs":['),
  );
  t.match(
    await called(['versions', 'coach', '--timeout', '0.1'], silent.env),
    { code: 3, stderr: /in time/u },
    'a body that never ends',
  );
});

t.test('an older service says so of an operation that it lacks', async (t) => {
  const { env } = await listening(t, problem(404, { code: 'not-found' }));
  t.match(await called(['keys', 'list'], env), { code: 1, stderr: /older than this command line/u });
});

t.test('status of an older service shows what there is', async (t) => {
  const { env } = await listening(t, (request, response) => {
    if (request.url !== '/v1/packs') return problem(404, { code: 'not-found' })(request, response);
    return response.setHeader('content-type', 'application/json').end('{"packs":[]}');
  });
  t.match(await called(['status'], env), { code: 0, stdout: /older and does not tell/u });
});

t.test('a service that cannot now says when', async (t) => {
  const { env } = await listening(t, problem(503, { code: 'overloaded' }, { 'retry-after': '7' }));
  t.match(await called(['keys', 'list'], env), { code: 3, stderr: /Try again in 7 s/u });
  t.match(json((await called(['keys', 'list', '--json'], env)).stderr), {
    code: 'overloaded',
    retryAfterSeconds: 7,
    status: 503,
  });
  const unknown = await listening(t, problem(503, { code: 'outcome-unknown', eventId: 'e-1' }, { 'retry-after': '0' }));
  t.match(await called(['keys', 'create', 'x', '--scope', 'prompts:read'], unknown.env), {
    code: 3,
    stderr: /audit log --id e-1/u,
  });
  const gone = await listening(t, (_, response) => response.destroy());
  t.match(
    await called(['keys', 'create', 'x', '--scope', 'prompts:read'], gone.env),
    { code: 3, stderr: /may have been made or not\. Look before you repeat it: prompt-registry keys list/u },
    'where it can be seen',
  );
});

t.test('a service that does not know that it is current', async (t) => {
  const { env } = await listening(t, (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'registry-stale': '12' }).end('{"keys":[]}'),
  );
  t.match(await called(['keys', 'list'], env), { code: 0, stderr: /12 s/u });
});

t.test('watch ends where waiting mends nothing', async (t) => {
  const { env } = await listening(t, problem(401, { code: 'unauthenticated' }));
  t.match(await called(['watch'], env), { code: 4 });
  const interruption = new AbortController();
  const quiet = await listening(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    setImmediate(() => interruption.abort());
  });
  t.match(await called(['watch'], quiet.env, { interrupted: interruption.signal }), { code: 130, stdout: '' });
});

t.test('watch comes back to a stream, and says when there is nothing to come back to', async (t) => {
  const asked: (string | undefined)[] = [];
  const message = (id: string, event: string, data: object) =>
    `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const { env } = await listening(t, (request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    if (asked.length === 2) return problem(503, { code: 'overloaded' }, { 'retry-after': '0' })(request, response);
    if (asked.length === 4) return problem(401, { code: 'unauthenticated' })(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 1) return response.end(message('7', 'revision', { epoch: 1, revision: 7 }));
    return response.end(
      message('2:5', 'resync', { epoch: 2, revision: 5 }) + message('2:5', 'heartbeat', { epoch: 2, revision: 5 }),
    );
  });
  const { code, stdout, stderr } = await called(['watch'], env);
  t.equal(code, 4, 'the key was revoked meanwhile');
  t.match(
    stdout,
    /^5 {2}resync {2}the history before is not known here any more; look with: prompt-registry status\n$/u,
  );
  t.match(stderr, /Trying again in 1 s[^]*The stream is back/u);
  t.same(asked, [undefined, '7', '7', '2:5'], 'each time behind the last message that came');
});

t.test('watch tells when the service does not know that it is current', async (t) => {
  const message = (revision: number, event: string, data: object = {}) =>
    `id: ${revision}\nevent: ${event}\ndata: ${JSON.stringify({ epoch: 1, revision, ...data })}\n\n`;
  const { env } = await listening(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      message(7, 'revision') +
        message(7, 'heartbeat', { staleSeconds: 12 }) +
        message(7, 'heartbeat', { staleSeconds: 27 }) +
        message(7, 'heartbeat') +
        message(8, 'version-published'),
    );
  });
  const { stderr } = await called(['watch', '--count', '1'], env);
  t.match(
    stderr,
    /^Watching.*\nThe service has not known for 12 s whether it is current: .*\nThe service is current again\.\n$/u,
    'once, and that it is over',
  );
});

t.test('a place of before a restore is told from one of now', async (t) => {
  const asked: (string | undefined)[] = [];
  const { env } = await listening(t, (request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write('id: 2:9\nevent: resync\ndata: {"epoch":2,"revision":9}\n\n');
  });
  t.match(await called(['watch', '--after', '7', '--count', '1'], env), {
    code: 0,
    stderr: /in epoch 2; --after 2:<revision>/u,
  });
  t.notMatch((await called(['watch', '--after', '2:7', '--count', '1'], env)).stderr, 'epoch');
  t.same(asked, ['7', '2:7']);
});

t.test('a change that cannot have reached a registry is not said to be made perhaps', async (t) => {
  const doubt = 'The change may have been made';
  const create = ['keys', 'create', 'x', '--scope', 'prompts:read'];
  const nobody = { ...KEY, PROMPT_REGISTRY_URL: `http://localhost:${await freePort()}` };
  const { code, stderr } = await called(create, nobody);
  t.equal(code, 3);
  t.match(stderr, /Nothing was sent, so nothing was changed\. Is the service running there\? --url/u);
  t.notMatch(stderr, doubt);
  t.match(
    await called(create, { ...KEY, PROMPT_REGISTRY_URL: 'http://nowhere.invalid' }),
    { code: 3, stderr: /Nothing was sent/u },
    'a name that is none',
  );

  for (const [what, status, perhaps] of [
    ['a page', 200, false],
    ['a page that forbids', 403, false],
    ['a page that is not there', 404, false],
    ['a redirect', 302, false],
    ['a gateway', 502, true],
    ['a gateway that waited', 504, true],
  ] as const) {
    let asked = 0;
    const { env } = await listening(t, (_, response) => {
      asked += 1;
      response
        .writeHead(status, {
          'content-type': 'text/html',
          location: 'https://login.example.com/\u009b',
          'retry-after': '0',
        })
        .end('<html></html>');
    });
    const answer = await called(create, env);
    t.equal(answer.code, 3, what);
    t.equal(answer.stderr.includes(doubt), perhaps, `${what}: ${answer.stderr}`);
    t.equal(asked, perhaps ? 2 : 1, 'what is not the registry is not asked again');
    if (status === 302)
      t.match(answer.stderr, /redirects \(302\) to https:\/\/login\.example\.com\/\\x9b\. No redirect is followed/u);
  }

  // The first try may have made it; a second one that does not get through says nothing about that.
  for (const second of [problem(503, { code: 'overloaded' }), jsonOf({})]) {
    let asked = 0;
    const { env } = await listening(t, (request, response) => {
      asked += 1;
      return asked === 1 ? response.destroy() : second(request, response);
    });
    t.match(await called(create, env), { code: 3, stderr: doubt });
  }
});

t.test('an answer that lacks what a command shows is none of a registry', async (t) => {
  const { env } = await listening(t, jsonOf({ ok: true }));
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
    const { code, stdout, stderr } = await called([...args, '--json'], env);
    t.same([code, stdout], [3, ''], args.join(' '));
    t.match(json(stderr), { code: 'not-a-registry', exitCode: 3 });
  }
});

t.test('a problem of another shape is one message all the same', async (t) => {
  for (const members of [
    { code: 'validation-failed', errors: { pointer: '/x' }, violations: 'all' },
    { code: 'validation-failed', errors: [null, 7, { detail: { toString: 1 } }], violations: [[], { rule: 5 }] },
    { code: 'forbidden', requiredScopes: 'packs:activate' },
    { code: 'revision-conflict', currentRevision: 'seven', currentVersion: {} },
    { code: 'outcome-unknown', eventId: 'x; rm -rf .' },
    { code: 'constructor' },
    { code: 'x', detail: { toString: 1 } },
  ]) {
    const { env } = await listening(t, problem(409, members));
    for (const args of [
      ['keys', 'list'],
      ['status'],
      ['activate', '1.0.0', '--pack', 'coach', '--yes', '--reason', 'x'],
    ]) {
      const { code, stdout, stderr } = await called(args, env);
      t.ok(code !== null && code > 0 && code < 70, `${JSON.stringify(members)}: ${code} ${stderr}`);
      t.equal(stdout, '');
      t.notMatch(stderr, /rm -rf|fault of the command line/u);
      if (!('detail' in members)) t.match(stderr, 'A detail.', 'what can be told is told');
      t.match(json((await called([...args, '--json'], env)).stderr.trimEnd().split('\n').at(-1) ?? ''), {
        exitCode: code,
      });
    }
  }
});

t.test('what answers cannot write to a terminal with numbers that are none', async (t) => {
  const evil = '\u001b[2J';
  const controls = /[\u0000-\u0009\u000b-\u001f]/u; // eslint-disable-line no-control-regex -- these are what is looked for
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
    const { env } = await listening(t, jsonOf(body));
    const { stdout, stderr } = await called([...args, '--no-color'], env, { answers: [] });
    t.match(stdout, says, args.join(' '));
    t.notMatch(stdout + stderr, controls);
  }
  const { env } = await listening(t, (_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(
        `id: 1\nevent: version-activated\ndata: ${JSON.stringify({ epoch: 1, revision: 1, at: evil, pack: evil, moves: [{ channel: evil, version: evil, previousVersion: null }] })}\n\n`,
      );
  });
  const { stdout, stderr } = await called(['watch', '--count', '1', '--no-color'], env, { answers: [] });
  t.match(stdout, '1  \\x1b[2J  version-activated  \\x1b[2J  \\x1b[2J: nothing -> \\x1b[2J\n');
  t.notMatch(stdout + stderr, controls);
});

t.test('a list that leads nowhere ends', async (t) => {
  for (const [args, body] of [
    [['audit', 'log', '--limit', 'all'], { events: [], nextAfter: null }],
    [['audit', 'log', '--limit', 'all'], { events: [], nextAfter: null, nextBefore: 5 }],
    [['audit', 'log', '--limit', 'all', '--oldest-first'], { events: [] }],
    [['audit', 'log', '--limit', 'all', '--oldest-first'], { events: [], nextAfter: 5 }],
    [['versions', 'coach', '--limit', 'all'], { versions: [] }],
    [['versions', 'coach', '--limit', 'all'], { versions: [], nextCursor: 'abc' }],
  ] as const) {
    let asked = 0;
    const { env } = await listening(t, (request, response) => {
      asked += 1;
      return asked > 5 ? response.destroy() : jsonOf(body)(request, response);
    });
    t.match(await called([...args, '--json'], env), { code: 3, stdout: '', stderr: /^\{"code":"not-understood"/u });
    t.ok(asked <= 2);
  }
});

t.test('watch waits also where it is told to for longer than a timer counts', async (t) => {
  let asked = 0;
  const interruption = new AbortController();
  const { env } = await listening(t, (request, response) => {
    if (request.url !== '/v1/events') return jsonOf({ keys: [] })(request, response);
    asked += 1;
    if (asked > 1) return problem(503, { code: 'overloaded' }, { 'retry-after': '9999999' })(request, response);
    return response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end('id: 7\nevent: revision\ndata: {"epoch":1,"revision":7}\n\n');
  });
  const watching = called(['watch'], env, {
    interrupted: interruption.signal,
    onStderr: (said) => {
      // A timer that ran over would have come back long before these are answered.
      if (said.includes('Trying again in 9999999 s') && asked === 2)
        void called(['keys', 'list'], env)
          .then(() => called(['keys', 'list'], env))
          .then(() => interruption.abort());
    },
  });
  t.match(await watching, { code: 130 });
  t.equal(asked, 2);
});

t.test('a move names the history that it was seen in', async (t) => {
  const sent: unknown[] = [];
  const { env } = await listening(t, (request, response) => {
    if (request.method === 'GET')
      return jsonOf({ version: '1.0.0', revision: 7 }, { 'registry-epoch': '3', etag: '"7.12345678"' })(
        request,
        response,
      );
    sent.push([request.headers['if-match'], request.headers['registry-epoch']]);
    return problem(409, { code: 'revision-conflict' })(request, response);
  });
  t.match(await called(['activate', '2.0.0', '--pack', 'lab', '--yes', '--reason', 'x'], env), {
    code: 1,
    stderr: /Somebody else has moved lab/u,
  });
  t.same(sent, [['"7"', '3']]);
});
