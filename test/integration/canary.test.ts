/**
 * No secret is printed: no prompt text, key, session id or Idempotency-Key appears in the log or in an error.
 *
 * A server that logs everything it can, with canaries in every secret, is asked every operation and every kind of failure. Decided: an error
 * may repeat to its caller the names that the caller sent (of a member, a pack, a version, a style, a locale, a client range; the path in
 * `instance`, so also a session id in it), because otherwise nobody finds a typing error. It never repeats a text, a token or an
 * Idempotency-Key. The log repeats none of them.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { OPERATIONS, operation, urlOf, type Request } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { startServer, type ServerProcess } from '../support/apps/server-process.ts';

const CANARY = 'cAnArY';
/** For names that an error may repeat. */
const NAME = 'nAmE';
const text = (what: string) => `${CANARY}-${what}: a sentence that nobody but its readers may see`;
const GUESS = `prk_${CANARY}Key0_${'c'.repeat(43)}`;

interface Said {
  readonly status: number;
  readonly body: string;
}

class Walk {
  readonly #server: ServerProcess & { address: string };
  readonly #token: string;
  /** The error responses. */
  readonly errors: (Said & { readonly id: string })[] = [];
  readonly reached = new Set<string>();

  constructor(server: ServerProcess & { address: string }, dataDir: string) {
    this.#server = server;
    this.#token = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  }

  get token(): string {
    return this.#token;
  }

  async ask(id: string, request: Request = {}): Promise<Said> {
    const { body, headers = {} } = request;
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const sent = {
      authorization: `Bearer ${this.#token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    };
    const answer = await fetch(this.#server.address + urlOf(id, request), {
      method: operation(id).method,
      headers: sent,
      ...(payload !== undefined && { body: payload }),
    });
    const said = { status: answer.status, body: await bodyOf(answer) };
    if (said.status >= 400) this.errors.push({ id, ...said });
    this.reached.add(id);
    return said;
  }
}

/** The body of a response; for a stream, the first message. */
async function bodyOf(answer: Response): Promise<string> {
  if (answer.body === null || answer.headers.get('content-type') !== 'text/event-stream') return answer.text();
  let body = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    body += chunk;
    if (body.includes('\n\n')) break;
  }
  return body;
}

const document = (version: string) =>
  documentOf('coach-2', version, {
    system: text(`system ${version}`),
    styles: ['supportive', 'direct'].map((id) => ({ id, title: id, text: text(`${id} ${version}`) })),
  });
const inPack = (version: string) => ({ pack: 'coach-2', version });

t.test('every operation and every kind of failure', async (t) => {
  const dataDir = join(t.testdir(), 'data');
  const settings = { DATA_DIR: dataDir, LOG_LEVEL: 'trace', BODY_LIMIT: '64kb', RATE_LIMIT: '500' };
  const server = await startServer(t, settings);
  const walk = new Walk(server, dataDir);
  const secrets = new Set([walk.token]);

  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await walk.ask('publishVersion', { path: inPack(version), body: document(version) });
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) {
    const { status } = await walk.ask('activateVersion', {
      path: { pack: 'coach-2' },
      body: { version, reason: 'For the walk' },
      headers: { 'idempotency-key': `${CANARY}-idempotency ${version}` },
    });
    t.equal(status, 201);
  }
  const { secret, keyId } = JSON.parse(
    (await walk.ask('createKey', { body: { label: 'A reader', scopes: ['prompts:read'] } })).body,
  ) as { secret: string; keyId: string };
  secrets.add(secret);
  const { sessionId } = JSON.parse((await walk.ask('startCoachSession', { body: {} })).body) as { sessionId: string };
  secrets.add(sessionId);
  await reads(walk, sessionId);
  const hungry = JSON.parse(
    (await walk.ask('createKey', { body: { label: 'A hungry one', scopes: ['prompts:read'] } })).body,
  ) as { secret: string };
  secrets.add(hungry.secret);
  await failures(walk, sessionId, secret, hungry.secret);
  await rollouts(walk);
  await walk.ask('rollbackPack', { path: { pack: 'coach-2' }, body: { reason: 'For the walk' } });
  await walk.ask('revokeVersion', { path: inPack('2.0.0'), body: { reason: 'For the walk' } });
  t.equal(
    (await walk.ask('getVersion', { path: inPack('2.0.0'), headers: { authorization: `Bearer ${secret}` } })).status,
    410,
  );
  await walk.ask('revokeKey', { path: { keyId }, body: { reason: 'For the walk' } });
  t.equal((await walk.ask('getSystemPrompt', { headers: { authorization: `Bearer ${secret}` } })).status, 401);
  const metrics = (await walk.ask('getMetrics')).body;
  for (const found of [CANARY, NAME, ...secrets])
    t.notOk(metrics.includes(found), `no metric says ${found.slice(0, 8)}…`);
  for (const id of OPERATIONS.keys()) t.ok(walk.reached.has(id), `${id} was asked`);
  const stopped = await server.stop();

  damage(dataDir);
  const second = await startServer(t, settings);
  const after = new Walk(second, dataDir);
  for (const version of ['1.0.0', '1.1.0'])
    t.match(
      await after.ask('getVersion', { path: inPack(version) }),
      { status: version === '1.0.0' ? 503 : 200 },
      `${version} after the damage`,
    );
  await after.ask('diffVersions', { path: inPack('1.1.0'), query: { against: '1.0.0' } });
  await after.ask('verifyAudit');
  const ended = await second.stop();

  const statuses = [...walk.errors, ...after.errors].map(({ status }) => status);
  for (const status of [400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503])
    t.ok(statuses.includes(status), `there was a ${status}`);
  quiet(t, [...stopped.lines, ...ended.lines, stopped.stderr, ended.stderr], secrets);
  for (const { id, status, body } of [...walk.errors, ...after.errors]) {
    const shown = body.replace(`"instance":"/v1/coach/sessions/${sessionId}`, '');
    for (const found of [CANARY, ...secrets])
      if (shown.includes(found)) t.fail(`${id} ${status} says "${found}": ${body}`);
  }
});

/** Every read, successful and failing. */
async function reads(walk: Walk, sessionId: string): Promise<void> {
  for (const id of [
    'listPacks',
    'listKeys',
    'getAuditHead',
    'verifyAudit',
    'listEvents',
    'getSystemPrompt',
    'listStyles',
    'streamEvents',
    'listInstances',
    'live',
    'ready',
  ])
    await walk.ask(id);
  for (const id of ['getPack', 'listVersions', 'getActivePack', 'listActivations'])
    await walk.ask(id, { path: { pack: 'coach-2' } });
  for (const id of ['getVersion', 'diffVersions']) await walk.ask(id, { path: inPack('1.1.0') });
  await walk.ask('getPolicy');
  await walk.ask('getStylePrompt', { path: { styleId: 'supportive' }, query: { pack: 'coach' } });
  await walk.ask('getStylePrompt', { path: { styleId: 'no-such-style' } });
  await walk.ask('getCoachSession', { path: { sessionId } });
  await walk.ask('getProblem', { path: { code: 'internal' } });
}

/** A rollout, a trial and a scheduled activation. The ids and attributes of users are secrets, too. */
async function rollouts(walk: Walk): Promise<void> {
  const path = { pack: 'coach-2' };
  const reason = 'For the walk';
  const subject = `${CANARY}-subject`;
  const plan = {
    version: '1.1.0',
    reason,
    steps: [{ share: 10 }, { share: 50 }],
    finish: 'wait',
    audience: {
      subjects: [subject],
      conditions: [{ attribute: 'email', operator: 'in', values: [`${CANARY}@example.org`] }],
    },
  };
  const { body } = await walk.ask('startRollout', { path, body: plan });
  const rollout = { ...path, rollout: String((JSON.parse(body) as { id: number }).id) };
  await walk.ask('startRollout', { path, body: plan });
  await walk.ask('startRollout', { path, body: { ...plan, audience: { subjects: [`${CANARY}`.repeat(60)] } } });
  await walk.ask('getActivePack', { path, query: { subject, attribute: `email:${CANARY}@example.org` } });
  for (const id of ['getSystemPrompt', 'listStyles'])
    await walk.ask(id, { query: { pack: 'coach-2' }, headers: { 'registry-subject': subject } });
  await walk.ask('getSystemPrompt', { query: { subject: CANARY.repeat(60) } });
  await walk.ask('startCoachSession', { body: { subject, attributes: { email: `${CANARY}@example.org` } } });
  await walk.ask('startCoachSession', { body: { subject: CANARY.repeat(60) } });
  await walk.ask('getChannel', { path: { ...path, channel: 'production' } });
  await walk.ask('listRollouts', { path });
  await walk.ask('getRollout', { path: rollout });
  for (const verb of ['advance', 'pause', 'resume', 'abort', 'promote'])
    await walk.ask(`${verb}Rollout`, { path: rollout, body: { reason } });
  const trial = { version: '1.1.0', revertAfter: '1h', reason };
  await walk.ask('activateVersion', { path, body: trial });
  await walk.ask('confirmActivation', { path: { ...path, channel: 'production' }, body: { reason } });
  await walk.ask('activateVersion', { path, body: { version: '2.0.0', reason } });
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const scheduled = await walk.ask('scheduleActivation', { path, body: { version: '1.1.0', at, reason } });
  await walk.ask('listSchedule', { path });
  const { id } = JSON.parse(scheduled.body) as { id: string };
  await walk.ask('cancelScheduledActivation', { path: { ...path, id }, body: { reason } });
}

/** Every kind of refusal of a request with a secret. */
async function failures(walk: Walk, sessionId: string, reader: string, hungry: string): Promise<void> {
  const good = document('3.0.0');
  const wrong: unknown[] = [
    { ...good, [NAME]: 1 },
    { ...good, system: { text: text('an object') } },
    { ...good, summary: text('long').repeat(20) },
    { ...good, system: `${text('nul')}\0` },
    { ...good, defaultStyle: NAME },
    { ...good, version: NAME },
    { ...good, compatibility: { ...good.compatibility, locales: [`${NAME} ${NAME}`] } },
    { ...good, compatibility: { ...good.compatibility, clients: [{ name: 'a', range: NAME }] } },
    [text('a list')],
    text('a text'),
    JSON.stringify(good).slice(0, -20),
    `{"${CANARY}`,
    `${CANARY}`,
    { ...good, system: text('large').repeat(2000) },
    document('1.0.0').system,
    { ...document('1.0.0'), system: text('another') },
  ];
  for (const body of wrong) await walk.ask('publishVersion', { path: { pack: 'coach-2' }, body });
  await walk.ask('publishVersion', { path: { pack: 'coach' }, body: good }); // below the floor
  await walk.ask('publishVersion', {
    path: { pack: 'coach-2' },
    body: good,
    headers: { 'content-type': 'text/plain' },
  });
  await walk.ask('publishVersion', {
    path: { pack: 'coach-2' },
    body: good,
    headers: { authorization: `Bearer ${reader}` },
  });
  const move = { path: { pack: 'coach-2' }, headers: { 'idempotency-key': `${CANARY}-idempotency 1.0.0` } };
  await walk.ask('activateVersion', { ...move, body: { version: '2.0.0', reason: 'Another request' } });
  await walk.ask('activateVersion', {
    ...move,
    body: { version: '1.0.0', reason: 'x' },
    headers: { 'idempotency-key': `${CANARY}`.repeat(60) },
  });
  await walk.ask('activateVersion', {
    ...move,
    body: { version: '1.0.0', reason: 'x' },
    headers: { 'if-match': `"${CANARY}"` },
  });
  for (const body of [{ reason: { a: CANARY } }, { reason: CANARY.repeat(100) }, { [NAME]: 1, reason: 'x' }])
    await walk.ask('rollbackPack', { path: { pack: 'coach-2' }, body });
  await walk.ask('startCoachSession', { body: { styleId: 'no-such-style' } });
  for (const body of [
    { label: CANARY.repeat(50), scopes: ['*'] },
    { label: 'x', scopes: [NAME] },
  ])
    await walk.ask('createKey', { body });
  await walk.ask('getCoachSession', { path: { sessionId: `${sessionId}x` } });
  for (const authorization of [
    `Bearer ${GUESS}`,
    `Basic ${CANARY}`,
    CANARY,
    `Bearer ${walk.token}x`,
    `Bearer ${walk.token.slice(0, -1)}`,
  ])
    await walk.ask('getSystemPrompt', { headers: { authorization } });
  await walk.ask('getSystemPrompt', { headers: { 'x-secret': CANARY.repeat(5000), authorization: `Bearer ${GUESS}` } });
  for (let count = 0; count < 600; count += 1)
    if ((await walk.ask('listPacks', { headers: { authorization: `Bearer ${hungry}` } })).status === 429) break;
}

/** Changes the text of a content behind the server's back. */
function damage(dataDir: string): void {
  const database = new DatabaseSync(join(dataDir, 'registry.db'));
  const { changes } = database
    .prepare(
      "UPDATE contents SET body = replace(body, 'a sentence that', 'a phrase that') WHERE body LIKE '%system 1.0.0%'",
    )
    .run();
  database.close();
  rmSync(join(dataDir, 'contents'), { recursive: true, force: true }); // a whole copy there would be used instead
  if (Number(changes) !== 1) throw new Error(`${changes} contents were damaged.`);
}

function quiet(t: Test, lines: readonly string[], secrets: ReadonlySet<string>): void {
  t.ok(lines.length > 10, `${lines.length} lines were logged`);
  for (const found of [CANARY, NAME, ...secrets, ...[...secrets].map((secret) => secret.slice(-30))]) {
    t.strictSame(
      lines.filter((line) => line.includes(found)),
      [],
      `no line says ${found.slice(0, 8)}…`,
    );
  }
}

t.test('control: the log has what is not secret, so it would have the rest, too', async (t) => {
  const dataDir = join(t.testdir(), 'data');
  const server = await startServer(t, { DATA_DIR: dataDir, LOG_LEVEL: 'trace' });
  await new Walk(server, dataDir).ask('activateVersion', {
    body: { version: '1.0.0', reason: `${CANARY} is no secret in a reason` },
  });
  const { lines } = await server.stop();
  t.ok(lines.some((line) => line.includes(CANARY)));
});
