/**
 * Exactly once, and one winner: SPEC R6 (a repeated write with its Idempotency-Key has one effect and the same response) and R5 (of many
 * operators at once, each gets a revision or a refusal, and the log agrees).
 */
import t, { type Test } from 'tap';
import { fingerprintOf } from '../../registry/writing/idempotency.ts';
import { addPack, openApp, type TestApp } from '../support/apps/app.ts';
import { askOf, send, urlOf, type Answer, type Request } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';

const reason = 'Users report that answers are too blunt';

/** A write that can succeed once, and another of the same operation. Each has its own pack or key. */
interface Write {
  readonly request: Request;
  readonly other: Request;
}
/** The six writes that append an event. @param name of the pack that is created for them */
const WRITES: Readonly<Record<string, (opened: TestApp, name: string) => Promise<Write>>> = {
  publishVersion: async (_, name) => {
    const publish = (version: string): Request => ({ path: { pack: name }, body: documentOf(name, version) });
    return { request: publish('1.0.0'), other: publish('2.0.0') };
  },
  activateVersion: async ({ app }, name) => {
    await addPack(app, name, '1.0.0', '2.0.0');
    const activate = (version: string): Request => ({ path: { pack: name }, body: { version, reason } });
    return { request: activate('1.0.0'), other: activate('2.0.0') };
  },
  rollbackPack: async ({ app }, name) => {
    await packAt3(app, name);
    return {
      request: { path: { pack: name }, body: { reason } },
      other: { path: { pack: name }, body: { reason: 'Another one' } },
    };
  },
  revokeVersion: async ({ app }, name) => {
    await packAt3(app, name);
    const revoke = (version: string): Request => ({ path: { pack: name, version }, body: { reason } });
    return { request: revoke('3.0.0'), other: revoke('1.0.0') };
  },
  createKey: async (_, name) => ({
    request: { body: { label: name, scopes: ['prompts:read'] } },
    other: { body: { label: name, scopes: ['audit:read'] } },
  }),
  revokeKey: async ({ app }, name) => {
    const { record } = await app.registry.createKey({ label: name, scopes: ['prompts:read'] });
    const revoke = (why: string): Request => ({ path: { keyId: record.keyId }, body: { reason: why } });
    return { request: revoke('Left the team'), other: revoke('Lost') };
  },
};

async function packAt3(app: TestApp['app'], pack: string): Promise<void> {
  await addPack(app, pack, '1.0.0', '2.0.0', '3.0.0');
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) await app.registry.activate({ pack, version, reason });
}

const keyed = (request: Request, key: string): Request => ({
  ...request,
  headers: { ...request.headers, 'idempotency-key': key },
});

/** What a repeat must return again. `createKey` shows its secret once. */
function told({ statusCode, headers, body: { secret: _, ...body } }: Answer): object {
  return { statusCode, location: headers['location'], body };
}

function isReplay(t: Test, answer: Answer, first: Answer, name: string): void {
  t.strictSame(told(answer), told(first), `${name}: the same answer`);
  t.equal(answer.headers['idempotency-replayed'], 'true', `${name}: marked as a repeat`);
  t.equal(answer.body.secret, undefined, `${name}: without a secret`);
}

const opened = await openApp(t);
const { app, store } = opened;
const ask = askOf(app);
const events = async () => (await store.head())?.revision ?? 0;

for (const [id, prepare] of Object.entries(WRITES)) {
  const name = id.toLowerCase();

  t.test(`${id}: a repeat has no effect and gets the first response`, async (t) => {
    const { request, other } = await prepare(opened, `repeated-${name}`);
    const before = await events();
    const first = await ask(t, id, keyed(request, `repeat ${id}`));
    t.ok(first.statusCode < 300);
    t.equal(first.headers['idempotency-replayed'], undefined, 'the first is no repeat');
    t.equal(await events(), before + 1, 'it is one event');
    for (const key of [`repeat ${id}`, `"repeat ${id}"`, ` repeat ${id} `])
      isReplay(t, await ask(t, id, keyed(request, key)), first, key);
    const members = Object.fromEntries(Object.entries(request.body as object).reverse());
    isReplay(
      t,
      await ask(t, id, keyed({ ...request, body: members }, `repeat ${id}`)),
      first,
      'members in another order',
    );
    const mismatch = await ask(t, id, keyed(other, `repeat ${id}`));
    t.match(mismatch, { statusCode: 422, body: { code: 'idempotency-mismatch' } }, 'another request with that key');
    t.equal(await events(), before + 1, 'it still is one event');

    const [event] = await store.events({ order: 'descending', limit: 1 });
    const fingerprint = fingerprintOf('POST', urlOf(id, request), request.body);
    t.strictSame(event?.data.idempotency, { key: `repeat ${id}`, fingerprint }, 'the event itself has the key');
    // The answer is that of the first, also after the world has moved on.
    const { body } = await ask(t, 'createKey', { body: { label: 'passing by', scopes: ['prompts:read'] } });
    await ask(t, 'revokeKey', { path: { keyId: body.keyId }, body: { reason } });
    isReplay(t, await ask(t, id, keyed(request, `repeat ${id}`)), first, 'later');
  });

  t.test(`${id}: simultaneous repeats have one effect`, async (t) => {
    const { request } = await prepare(opened, `at-once-${name}`);
    const before = await events();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(t, id, keyed(request, `at once ${id}`))));
    const first = answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined);
    t.equal(first.length, 1, 'one is the first');
    for (const answer of answers) t.strictSame(told(answer), told(first[0]!), 'all get the same response');
    t.equal(answers.filter(({ body }) => body.secret !== undefined).length, id === 'createKey' ? 1 : 0);
    t.equal(await events(), before + 1, 'one event');
  });

  t.test(`${id}: an invalid key is refused`, async (t) => {
    const { request } = await prepare(opened, `no-key-${name}`);
    const before = await events();
    for (const key of [
      '',
      ' ',
      '""',
      'x'.repeat(256),
      `"${'x'.repeat(256)}"`,
      'x'.repeat(4000),
      'ümlaut',
      'a\tb',
      'emoji\u00f0',
    ]) {
      const { statusCode, body } = await ask(t, id, keyed(request, key));
      t.match(
        { statusCode, body },
        { statusCode: 400, body: { code: 'validation-failed' } },
        JSON.stringify(key.slice(0, 20)),
      );
    }
    t.equal(await events(), before, 'nothing is in the log');
    const { request: another } = await prepare(opened, `long-key-${name}`);
    t.ok((await ask(t, id, keyed(another, `"${id.padEnd(255, 'x')}"`))).statusCode < 300, '255 are not too many');
  });
}

t.test('a repeat is recognised before If-Match and fromVersion are checked', async (t) => {
  for (const [id, body] of [
    ['activateVersion', { version: '1.0.0', reason }],
    ['rollbackPack', { reason, fromVersion: '3.0.0' }],
  ] as const) {
    const path = { pack: `guarded-${id.toLowerCase()}` };
    await packAt3(app, path.pack);
    const { etag } = await ask(t, 'getActivePack', { path });
    const request = keyed({ path, body, headers: { 'if-match': etag } }, `guarded ${id}`);
    const first = await ask(t, id, request);
    t.equal(first.statusCode, 201, id);
    isReplay(t, await ask(t, id, request), first, `${id}, though the channel has moved`);
    t.equal((await ask(t, id, keyed(request, `another ${id}`))).statusCode, 412, 'with another key it has moved');
  }
});

t.test('a key belongs to the API key that sent it', async (t) => {
  const { body: other } = await ask(t, 'createKey', {
    body: { label: 'another operator', scopes: ['packs:activate'] },
  });
  const path = { pack: 'two-operators' };
  await packAt3(app, path.pack);
  const request = keyed({ path, body: { reason } }, 'the same key');
  t.match((await ask(t, 'rollbackPack', request)).body, { version: '2.0.0' });
  const second = await ask(t, 'rollbackPack', {
    ...request,
    headers: { ...request.headers, authorization: `Bearer ${other.secret}` },
  });
  t.match(second, {
    statusCode: 201,
    body: { version: '1.0.0', actor: { label: 'another operator' } },
    headers: { 'idempotency-replayed': undefined },
  });
});

t.test('refusals and requests without effect do not use the key', async (t) => {
  const path = { pack: 'unused' };
  await addPack(app, 'unused', '1.0.0', '2.0.0');
  const activate = (version: string) => ask(t, 'activateVersion', keyed({ path, body: { version, reason } }, 'unused'));
  t.equal((await activate('9.9.9')).statusCode, 422);
  await app.registry.activate({ pack: 'unused', version: '2.0.0', reason });
  t.match(await activate('2.0.0'), { statusCode: 200, body: { changed: false } });
  t.match(
    await activate('1.0.0'),
    { statusCode: 201, body: { version: '1.0.0' } },
    'so it can be used for another request',
  );
  t.equal((await activate('2.0.0')).statusCode, 422, 'it is good for one request only');
});

t.test('a repeat is still recognised after a restart, and returns a response that was lost', async (t) => {
  const before = await openApp(t);
  const made: [id: string, request: Request, first: Answer][] = [];
  for (const [id, prepare] of Object.entries(WRITES)) {
    const request = keyed((await prepare(before, `restarted-${id.toLowerCase()}`)).request, `restarted ${id}`);
    made.push([id, request, await askOf(before.app)(t, id, request)]);
  }
  // The last thing that the process does is not answered.
  const { request: lost } = await WRITES['rollbackPack']!(before, 'lost');
  before.fail(({ method }) => (method === 'append' ? 'lost-answer' : undefined));
  const closing = send(before.app, 'rollbackPack', keyed(lost, 'lost'));
  t.ok((await closing).statusCode === 201 || (await closing).statusCode === 503);
  await before.app.close();

  const after = await openApp(t, { after: before });
  const head = await after.store.head();
  for (const [id, request, first] of made) isReplay(t, await askOf(after.app)(t, id, request), first, id);
  const again = await askOf(after.app)(t, 'rollbackPack', keyed(lost, 'lost'));
  t.match(
    again,
    {
      statusCode: 201,
      headers: { 'idempotency-replayed': 'true' },
      body: { version: '2.0.0', previousVersion: '3.0.0' },
    },
    'it was made once',
  );
  t.strictSame(await after.store.head(), head, 'no event more');
});

/** The moves of a channel in the log: revision, from, to. */
async function movesIn(
  t: Test,
  pack: string,
): Promise<{ revision: number; version: string; previousVersion: string | null; reason: string }[]> {
  return (
    await ask(t, 'listActivations', { path: { pack }, query: { channel: 'production', limit: 1000 } })
  ).body.activations.toReversed();
}

/** The log has exactly the successful moves; each begins where the previous one ended. */
async function agrees(t: Test, pack: string, since: number, answers: readonly Answer[]): Promise<void> {
  const won = answers
    .filter(({ statusCode }) => statusCode === 201)
    .map(({ body }) => body)
    .sort((a, b) => a.revision - b.revision);
  t.equal(new Set(won.map(({ revision }) => revision)).size, won.length, 'each has its own revision');
  const moves = await movesIn(t, pack);
  t.strictSame(
    moves.filter(({ revision }) => revision > since),
    won,
    'the log shows the same',
  );
  moves.forEach(({ previousVersion }, index) =>
    t.equal(previousVersion, moves[index - 1]?.version ?? null, 'from where it was'),
  );
  t.equal(app.registry.activePack({ pack }).version, moves.at(-1)?.version);
}

t.test('many operators at once: each gets a revision or the reason for the refusal', async (t) => {
  const pack = 'contended';
  await packAt3(app, pack);
  for (let round = 0; round < 5; round += 1) {
    await app.registry.activate({ pack, version: '3.0.0', reason });
    const { revision, body, etag } = await ask(t, 'getActivePack', { path: { pack } });
    const operators = Array.from({ length: 24 }, (_, index): Promise<Answer> => {
      const why = `Round ${round}, operator ${index}`;
      const path = { pack };
      if (index % 4 === 0)
        return ask(t, 'activateVersion', {
          path,
          body: { version: '1.0.0', reason: why },
          headers: { 'if-match': etag },
        });
      if (index % 4 === 1)
        return ask(t, 'rollbackPack', { path, body: { reason: why }, headers: { 'if-match': `"${body.revision}"` } });
      if (index % 4 === 2) return ask(t, 'rollbackPack', { path, body: { reason: why, fromVersion: '3.0.0' } });
      return ask(t, 'activateVersion', {
        path,
        body: { version: '2.0.0', reason: why },
        headers: { 'if-match': `"${body.revision}", "1"` },
      });
    });
    const answers = await Promise.all(operators);
    t.strictSame([...new Set(answers.map(({ statusCode }) => statusCode))].sort(), [201, 409, 412]);
    t.equal(
      answers.filter(({ statusCode }) => statusCode === 201).length,
      1,
      'all of them saw the same state: one wins',
    );
    await agrees(t, pack, revision, answers);
  }
});

t.test('a replayed publication is unchanged, even after the floor was raised', async (t) => {
  const before = await openApp(t, { store: 'memory' });
  const request = keyed({ path: { pack: 'floored' }, body: documentOf('floored', '1.0.0') }, 'published once');
  const first = await askOf(before.app)(t, 'publishVersion', request);
  t.match(first, { statusCode: 201, body: { problems: [] } });
  const { app } = await openApp(t, { after: before, registry: { policies: [floorUnder('floored', 1, '1.0.0')] } });
  t.match((await askOf(app)(t, 'getVersion', { path: { pack: 'floored', version: '1.0.0' } })).body, {
    problems: [{ rule: 'forbidden' }],
  });
  isReplay(t, await askOf(app)(t, 'publishVersion', request), first, 'below a floor');
});

t.test('many operators at once without a precondition: all succeed, one after the other', async (t) => {
  const pack = 'crowded';
  await packAt3(app, pack);
  const { revision } = app.registry.current;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      ask(t, 'activateVersion', {
        path: { pack },
        body: { version: `${1 + (index % 3)}.0.0`, reason: `Operator ${index}` },
      }),
    ),
  );
  t.ok(answers.every(({ statusCode }) => statusCode === 201 || statusCode === 200));
  await agrees(t, pack, revision, answers);
  t.equal((await ask(t, 'verifyAudit')).body.valid, true);
});
