/**
 * The log of the process: each move is one line, ordinary requests are not logged, and no prompt text is in it.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { newFolder } from '../support/process/folder.ts';
import { KeepAlive, type Answer } from '../support/http/keep-alive.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import {
  entries,
  operatorKeyIn,
  runServer,
  startServer,
  type Ended,
  type Entry,
  type ListeningServer,
} from '../support/apps/server-process.ts';

const ACTOR = { label: 'operator' };

function connect(t: Test, { address }: ListeningServer, dataDir: string): KeepAlive {
  const connection = new KeepAlive(address, operatorKeyIn(dataDir));
  t.teardown(() => connection.close());
  return connection;
}

const activate = (connection: KeepAlive, body: object) =>
  connection.one({ method: 'POST', path: '/v1/packs/coach/activations', body });
const rollback = (connection: KeepAlive, body: object) =>
  connection.one({ method: 'POST', path: '/v1/packs/coach/rollback', body });

/** All lines between the start and a move made now: the log is written in order. */
async function linesUntilNow(server: ListeningServer, connection: KeepAlive): Promise<Entry[]> {
  await server.said((line) => line.includes('API documentation'));
  const reason = `Marker ${server.lines.length}`;
  const active = JSON.parse((await connection.one({ path: '/v1/packs/coach/active?channel=staging' })).text) as {
    version: string;
  };
  await activate(connection, { version: active.version === '1.0.0' ? '1.1.0' : '1.0.0', channel: 'staging', reason });
  await server.said((line) => line.includes(reason));
  const all = entries(server.lines);
  return all.slice(all.findIndex(({ msg }) => msg.startsWith('API documentation')) + 1, -1);
}

/** The server of the first two tests, and the folder that the third one uses. */
const DATA_DIR = join(newFolder(t), 'data');
const shared = await startServer(t, { DATA_DIR });

t.test('each move is one line: who, from, to, why', async (t) => {
  const connection = connect(t, shared, DATA_DIR);
  await activate(connection, { version: '1.0.0', reason: 'Too blunt' });
  await activate(connection, { version: '1.0.0', reason: 'There already' });
  await activate(connection, { version: '9.9.9', reason: 'Not there' });
  await rollback(connection, { reason: 'It was not that', fromVersion: '1.0.0' });
  await rollback(connection, { reason: 'Too late', fromVersion: '1.0.0' });
  await connection.one({ method: 'POST', path: '/v1/packs/coach/versions', body: documentOf('coach', '3.0.0') });

  const moves = await linesUntilNow(shared, connection);
  t.equal(moves.length, 2);
  t.match(moves, [
    {
      level: 30,
      type: 'version-activated',
      revision: 14,
      pack: 'coach',
      channel: 'production',
      from: '2.0.0',
      to: '1.0.0',
      actor: ACTOR,
      reason: 'Too blunt',
      msg: 'coach production: 2.0.0 -> 1.0.0 (version-activated)',
    },
    {
      level: 30,
      type: 'version-rolled-back',
      revision: 15,
      pack: 'coach',
      channel: 'production',
      from: '1.0.0',
      to: '2.0.0',
      actor: ACTOR,
      reason: 'It was not that',
      msg: 'coach production: 1.0.0 -> 2.0.0 (version-rolled-back)',
    },
  ]);
});

t.test('requests are not logged one by one', async (t) => {
  const connection = connect(t, shared, DATA_DIR);
  const before = (await linesUntilNow(shared, connection)).length;
  const paths = [
    '/v1/packs',
    '/v1/packs/coach/active',
    '/v1/prompts/system',
    '/v1/prompts/styles/none',
    '/nowhere',
    '/livez',
    '/readyz',
    '/docs',
    '/v1/packs/coach/activations?limit=x',
  ];
  const answers = await connection.all([
    ...paths.map((path) => ({ path })),
    { method: 'POST', path: '/v1/coach/sessions', body: {} },
    { method: 'POST', path: '/v1/coach/sessions', body: { unknown: 1 } },
  ]);
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 200, 404, 404, 200, 200, 200, 400, 201, 400],
  );
  t.strictSame(
    (await linesUntilNow(shared, connection)).slice(before + 1),
    [],
    'nothing behind the line that was waited for',
  );
});

t.test('LOG_LEVEL chooses how much is logged', async (t) => {
  await shared.stop();
  // A start warns about an obsolete variable.
  const server = await startServer(t, { DATA_DIR, LOG_LEVEL: 'warn', DEFAULT_VERSION: '9.9.9' });
  const { lines } = await server.stop();
  t.match(
    entries(lines),
    [
      { level: 40, variable: 'DEFAULT_VERSION' },
      { level: 30, msg: /^Listening at / },
    ],
    'nothing but the warning, and where it listens',
  );
  t.equal(lines.length, 2);
});

const TALKATIVE = fileURLToPath(new URL('../support/logging/talkative-server.ts', import.meta.url));

for (const [then, code] of [
  ['exit', 3],
  ['throw', 1],
] as const) {
  t.test(`what was logged before a process ends by ${then} is written, in order`, async (t) => {
    const server = await startServer(
      t,
      { DATA_DIR: join(newFolder(t), 'data') },
      { script: TALKATIVE, args: ['10000', then] },
    );
    server.signal('SIGUSR2');
    const end = await server.ended();
    t.equal(end.code, code);
    const all = entries(end.lines);
    const lines = all.flatMap(({ msg, line }) => (msg === 'Numbered' ? [line] : []));
    t.equal(lines.length, 10_000);
    t.ok(
      lines.every((line, index) => line === index),
      'in order',
    );
    if (then === 'throw')
      t.match(
        all.find(({ level }) => level === 60),
        { msg: 'The process ends because of an uncaught error.', err: { message: 'Nobody catches this' } },
      );
  });
}

const CANARY = 'Canary7f3a';

/** A document with the canary in every text; titles and summaries are not prompts. */
function canaryDocument(version: string) {
  return documentOf('coach', version, {
    system: `${CANARY} system of ${version}`,
    styles: [{ id: 'supportive', title: 'Supportive', text: `${CANARY} style of ${version}` }],
  });
}

t.test('no prompt text is logged, whatever goes wrong', async (t) => {
  const dir = newFolder(t);
  const PACKS_DIR = join(dir, 'packs');
  const settings = { DATA_DIR: join(dir, 'data'), PACKS_DIR, LOG_LEVEL: 'trace' };
  const database = join(settings.DATA_DIR, 'registry.db');
  const folder = writePackFolder(PACKS_DIR, 'coach', canaryDocument('1.0.0'));
  const ends: Ended[] = [];

  const server = await startServer(t, settings);
  const connection = connect(t, server, settings.DATA_DIR);
  // On its own connection, because an unreadable body ends it.
  const publish = (body: unknown, headers = {}) =>
    connect(t, server, settings.DATA_DIR).one({ method: 'POST', path: '/v1/packs/coach/versions', body, headers });
  t.equal((await publish(canaryDocument('1.1.0'))).status, 201);
  t.equal((await activate(connection, { version: '1.1.0', reason: 'To read it' })).status, 201);
  const read = await connection.all(
    [
      '/v1/packs/coach/active',
      '/v1/prompts/system',
      '/v1/prompts/styles/supportive',
      '/v1/packs/coach/versions/1.0.0',
    ].map((path) => ({ path })),
  );
  for (const { status, text } of read) t.ok(status === 200 && text.includes(CANARY), 'it is read');
  const session = JSON.parse((await connection.one({ method: 'POST', path: '/v1/coach/sessions', body: {} })).text) as {
    sessionId: string;
  };
  t.equal((await connection.one({ path: `/v1/coach/sessions/${session.sessionId}` })).status, 200);

  // Every refusal of a request with a prompt.
  const { system, ...withoutSystem } = canaryDocument('1.2.0');
  const refused: Answer[] = [
    await publish({ ...canaryDocument('1.1.0'), system: `${system} changed` }),
    await publish({ ...withoutSystem, sytsem: system }),
    await publish({ ...canaryDocument('1.2.0'), system: `${CANARY} \0` }),
    await publish({ ...canaryDocument('1.2.0'), system: CANARY.repeat(30_000) }),
    await publish({ ...canaryDocument('1.2.0'), styles: [CANARY] }),
    await publish(CANARY),
    await publish(canaryDocument('1.2.0'), { 'content-type': 'text/plain' }),
  ];
  t.ok(
    refused.every(({ status }) => status >= 400 && status < 500),
    refused.map(({ status }) => status).join(', '),
  );
  t.equal((await server.ask('/v1/packs/coach/versions', `{"system": "${CANARY}`)).status, 400, 'a body that is cut');

  // A store that disappears during a write.
  renameSync(database, `${database}.aside`);
  t.equal((await publish(canaryDocument('1.3.0'))).status, 503);
  renameSync(`${database}.aside`, database);
  ends.push(await server.stop());

  // An edited prompt, an unparsable folder, a damaged content.
  writeFileSync(join(folder, 'system.md'), `${CANARY}, edited`);
  ends.push(await runServer(t, settings));
  writeFileSync(join(folder, 'system.md'), `${CANARY} \0`);
  writeFileSync(join(folder, 'styles', 'stray.md'), CANARY);
  ends.push(await runServer(t, settings));
  writePackFolder(join(dir, 'good'), 'coach', canaryDocument('1.0.0'));
  for (const [sql, code] of [
    [`UPDATE contents SET body = '${CANARY} is no JSON'`, 65],
    [`UPDATE contents SET body = json_set(body, '$.system', '${CANARY} is another')`, 65],
  ] as const) {
    const tampering = new DatabaseSync(database);
    const before = tampering.prepare('SELECT digest, body FROM contents').all();
    tampering.exec(sql);
    rmSync(join(settings.DATA_DIR, 'contents'), { recursive: true, force: true }); // else what is active is served from there
    const end = await runServer(t, { ...settings, PACKS_DIR: join(dir, 'good') });
    t.equal(end.code, code);
    ends.push(end);
    for (const { digest = '', body = '' } of before)
      tampering.prepare('UPDATE contents SET body = ? WHERE digest = ?').run(body, digest);
    tampering.close();
  }
  t.strictSame(
    ends.map(({ code }) => code),
    [0, 65, 65, 65, 65],
  );

  const said = ends.map(({ lines, stderr }) => [...lines, stderr].join('\n')).join('\n');
  t.match(said, /"level":50/u, 'failures are logged');
  t.match(said, /system\.md/u, 'and files are named');
  t.notMatch(said, CANARY, 'but nothing of what is in them');
  t.notMatch(
    existsSync(join(settings.DATA_DIR, 'snapshot.jsonl')) &&
      readFileSync(join(settings.DATA_DIR, 'snapshot.jsonl'), 'utf8'),
    CANARY,
    'nor is it in the snapshot, which is metadata',
  );
});

t.test('a damaged content of an inactive version is not logged either', async (t) => {
  const dir = newFolder(t);
  const settings = { DATA_DIR: join(dir, 'data'), PACKS_DIR: join(dir, 'packs'), LOG_LEVEL: 'trace' };
  for (const version of ['1.0.0', '1.1.0']) writePackFolder(settings.PACKS_DIR, 'coach', canaryDocument(version));
  await (await startServer(t, settings)).stop();
  const tampering = new DatabaseSync(join(settings.DATA_DIR, 'registry.db'));
  tampering.exec(`UPDATE contents SET body = '${CANARY}' WHERE body ->> '$.version' = '1.0.0'`);
  tampering.close();

  const server = await startServer(t, settings);
  const connection = connect(t, server, settings.DATA_DIR);
  const answer = await connection.one({ path: '/v1/packs/coach/versions/1.0.0' });
  t.equal(answer.status, 503);
  t.notMatch(answer.text, CANARY);
  await server.said((line) => line.includes('"level":50'));
  t.notMatch(server.lines.join('\n'), CANARY);
});
