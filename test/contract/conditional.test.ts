/**
 * Conditional requests (RFC 9110 section 13) and the headers of every response: SPEC R2 (it names its snapshot), R4 (a rollback to the
 * same content is a new state), R5 (If-Match on every write that moves a pointer).
 */
import { createHash } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import { addPack, openApp } from '../support/apps/app.ts';
import { askOf, send, type Request } from '../support/http/openapi.ts';

const { app } = await openApp(t);
const ask = askOf(app);
const reason = 'Users report that answers are too blunt';

/** The reads that depend on a pointer. The packs of these tests have the style `supportive`. */
const READS: readonly (readonly [id: string, of: (pack: string) => Request])[] = [
  ['getActivePack', (pack) => ({ path: { pack } })],
  ['getSystemPrompt', (pack) => ({ query: { pack } })],
  ['listStyles', (pack) => ({ query: { pack } })],
  ['getStylePrompt', (pack) => ({ path: { styleId: 'supportive' }, query: { pack } })],
];

const moved = (pack: string, version: string, channel?: string) =>
  app.registry.activate({ pack, version, reason, channel });

/** A pack for one test, with two versions, at 1.0.0 in the default channel. */
async function packAt1(pack: string): Promise<string> {
  await addPack(app, pack, '1.0.0', '2.0.0');
  await moved(pack, '1.0.0');
  return pack;
}

t.test('an ETag is strong; it holds the revision and a hash of the body', async (t) => {
  const pack = await packAt1('etag');
  for (const [id, of] of READS) {
    const raw = await send(app, id, of(pack));
    const { revision } = JSON.parse(raw.body) as { revision: number };
    const hash = createHash('sha256').update(raw.body).digest('hex').slice(0, 8);
    t.equal(raw.headers['etag'], `"${revision}.${hash}"`, id);
    t.equal((await send(app, id, of(pack))).headers['etag'], raw.headers['etag'], 'and is the same the next time');
  }
});

t.test('If-None-Match: lists, *, weak and strong match; anything else does not', async (t) => {
  const pack = await packAt1('if-none-match');
  const revision = app.registry.activePack({ pack }).revision;
  for (const [id, of] of READS) {
    const request = of(pack);
    const { etag, body } = await ask(t, id, request);
    const bare = etag.slice(1, -1);
    const matching = [
      '*',
      ' * ',
      etag,
      `W/${etag}`,
      `"other", ${etag}`,
      `${etag}, "other"`,
      `"a","b",W/${etag},"c"`,
      `  ${etag}  `,
      `"", ${etag}`,
      `"with, comma", ${etag}`,
    ];
    const other = [
      '',
      '"other"',
      'W/"other"',
      bare,
      `'${bare}'`,
      `"${bare}`,
      `${bare}"`,
      `w/${etag.slice(0, -1)}x"`,
      `"${revision}"`,
      `"${bare}x"`,
      '"',
      ',',
      ',,,',
      'W/',
      '**',
      '"*"',
      '\u00ff',
      `"other ${bare}"`,
    ];
    for (const known of matching) {
      const answer = await ask(t, id, { ...request, headers: { 'if-none-match': known } });
      t.equal(answer.statusCode, 304, `${id}: ${known}`);
      t.equal(answer.body, undefined, 'no body');
      t.equal(answer.etag, etag);
    }
    for (const known of other) {
      const answer = await ask(t, id, { ...request, headers: { 'if-none-match': known } });
      t.equal(answer.statusCode, 200, `${id}: ${known}`);
      t.strictSame(answer.body, body);
    }
  }
});

t.test('304 carries the headers of the 200, less those of a body', async (t) => {
  const pack = await packAt1('not-modified');
  for (const [id, of] of READS) {
    const { headers: whole, etag } = await ask(t, id, of(pack));
    const { headers } = await ask(t, id, { ...of(pack), headers: { 'if-none-match': etag } });
    const { 'content-length': _, 'content-type': __, date: ___, ...expected } = whole;
    const { date: ____, ...actual } = headers;
    t.strictSame(actual, expected, id);
    t.equal(headers['cache-control'], 'private, no-cache');
  }
});

t.test('a rollback to the same content changes the ETag; the old ETag gets the content again', async (t) => {
  const pack = await packAt1('rolled-back');
  for (const [id, of] of READS) {
    const first = await ask(t, id, of(pack));
    await moved(pack, '2.0.0');
    const second = await ask(t, id, { ...of(pack), headers: { 'if-none-match': first.etag } });
    t.equal(second.statusCode, 200, `${id}: it has moved`);
    await app.registry.rollback({ pack, reason });
    const third = await ask(t, id, { ...of(pack), headers: { 'if-none-match': `${first.etag}, ${second.etag}` } });
    t.equal(third.statusCode, 200, `${id}: it has moved back`);
    t.equal(third.body.digest, first.body.digest, 'the digest is the same again');
    t.equal(third.body.text ?? third.body.system, first.body.text ?? first.body.system, 'so is the text');
    t.ok(
      third.body.revision > second.body.revision && second.body.revision > first.body.revision,
      'SPEC R4: the revision only grows',
    );
    t.equal(new Set([first.etag, second.etag, third.etag]).size, 3);
  }
});

t.test('a move of another channel or pack does not change an ETag', async (t) => {
  const [pack, other] = [await packAt1('left-alone'), await packAt1('busy')];
  const { etag, revision } = await ask(t, 'getSystemPrompt', { query: { pack } });
  await moved(pack, '2.0.0', 'staging');
  await moved(other, '2.0.0');
  await addPack(app, pack, '3.0.0');
  const answer = await ask(t, 'getSystemPrompt', { query: { pack }, headers: { 'if-none-match': etag } });
  t.equal(answer.statusCode, 304);
  t.equal(answer.revision, revision + 3, "though the log went on: Registry-Revision is the log's");
});

t.test('HEAD supports conditions like GET', async (t) => {
  const pack = await packAt1('head');
  const url = `/v1/packs/${pack}/active`;
  const whole = await app.inject({ url });
  const etag = String(whole.headers['etag']);
  const head = await app.inject({ method: 'HEAD', url });
  t.match(head, {
    statusCode: 200,
    body: '',
    headers: { etag, 'content-length': String(Buffer.byteLength(whole.body)) },
  });
  const unchanged = await app.inject({ method: 'HEAD', url, headers: { 'if-none-match': etag } });
  t.match(unchanged, { statusCode: 304, body: '', headers: { etag } });
});

/** The two writes that move a pointer; each moves the pack from 2.0.0 to 1.0.0. */
const WRITES: readonly (readonly [id: string, body: object])[] = [
  ['activateVersion', { version: '1.0.0', reason }],
  ['rollbackPack', { reason }],
];

for (const [id, body] of WRITES) {
  /** A pack at 2.0.0 after 1.0.0, and what a caller could know of it. */
  const known = async (t: Test, pack: string) => {
    await addPack(app, pack, '1.0.0', '2.0.0');
    await moved(pack, '1.0.0');
    const old = await ask(t, 'getActivePack', { path: { pack } });
    const { revision } = await moved(pack, '2.0.0');
    const { etag } = await ask(t, 'getActivePack', { path: { pack } });
    return {
      pack,
      revision,
      etag,
      old,
      write: (match: string) => ask(t, id, { path: { pack }, body, headers: { 'if-match': match } }),
    };
  };
  const name = id.toLowerCase();

  t.test(`${id}: If-Match accepts the revision, the ETag, lists of them and *`, async (t) => {
    const { pack, write } = await known(t, `matched-${name}`);
    const forms: ((revision: number, etag: string) => string)[] = [
      (revision) => `"${revision}"`,
      (_, etag) => etag,
      () => '*',
      (revision) => `"1", "${revision}"`,
      (_, etag) => `"1",W/"2",${etag}`,
      (revision) => `  "${revision}"  `,
    ];
    for (const form of forms) {
      await moved(pack, '1.0.0'); // no effect if it is already there
      const { revision } = await moved(pack, '2.0.0');
      const { etag } = await ask(t, 'getActivePack', { path: { pack } });
      const match = form(revision, etag);
      const answer = await write(match);
      t.match(answer, { statusCode: 201, body: { version: '1.0.0', previousVersion: '2.0.0' } }, match);
    }
  });

  t.test(`${id}: If-Match compares strongly, and accepts nothing else`, async (t) => {
    const { pack, revision, etag, old, write } = await known(t, `unmatched-${name}`);
    const { etag: ofAnother } = await ask(t, 'getSystemPrompt', { query: { pack } });
    const before = app.registry.current;
    const unmatched: readonly (readonly [match: string, why: RegExp])[] = [
      ...[`"${revision - 1}"`, `"${revision + 1}"`, old.etag, `"0${revision}"`, `W/"1", "${revision - 1}"`].map(
        (match) => [match, /has moved: it is at 2\.0\.0 since revision/u] as const,
      ),
      ...[`W/${etag}`, `W/"${revision}"`, `W/"1",W/${etag}`].map(
        (match) =>
          [
            match,
            new RegExp(`weak tag \\(W/"…"\\) never matches.*Send the ETag of getActivePack, or "${revision}"`, 'u'),
          ] as const,
      ),
      ...[ofAnother, `"${revision}.0"`].map(
        (match) => [match, /has this revision, but belongs to another resource/u] as const,
      ),
      ...['""', '"*"', '"junk"', '"junk", W/"1"'].map(
        (match) => [match, /has no ETag of this registry\. Send the ETag of getActivePack/u] as const,
      ),
    ];
    for (const [match, why] of unmatched) {
      const answer = await write(match);
      t.match(
        answer,
        { statusCode: 412, body: { code: 'revision-conflict', currentRevision: revision, detail: why } },
        match,
      );
      t.equal(
        /has moved/u.test(answer.body.detail),
        why.source.startsWith('has moved'),
        'it says that the channel has moved only if it has',
      );
    }
    const malformed = [
      `${revision}`,
      etag.slice(1, -1),
      '',
      '"',
      'junk',
      '**',
      '0',
      'null',
      `w/${etag}`,
      `${etag} ${etag}`,
      `${etag}; x`,
      `*, ${etag}`,
      ',',
      `"${revision}`,
      '"a b"',
    ];
    for (const match of malformed) {
      const answer = await write(match);
      t.match(
        answer,
        {
          statusCode: 400,
          body: {
            code: 'validation-failed',
            errors: [{ parameter: 'if-match', detail: /^Send the ETag of getActivePack unchanged/u }],
          },
        },
        match,
      );
    }
    t.equal(app.registry.current, before, 'nothing was changed');
    t.equal((await write(`"${revision}"`)).statusCode, 201, 'the current revision still matches');
  });

  t.test(`${id}: only moves of this channel matter`, async (t) => {
    const { pack, revision, write } = await known(t, `own-${name}`);
    await moved(pack, '1.0.0', 'staging');
    await addPack(app, pack, '3.0.0');
    await packAt1(`other-${name}`);
    const answer = await write(`"${revision}"`);
    t.equal(answer.statusCode, 201);
    t.ok(answer.body.revision > revision + 3, 'though the log went on');
  });

  t.test(`${id}: if several writers saw the same state, one wins`, async (t) => {
    const { revision, write } = await known(t, `raced-${name}`);
    const answers = await Promise.all(Array.from({ length: 5 }, () => write(`"${revision}"`)));
    t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [201, 412, 412, 412, 412]);
    const won = answers.find(({ statusCode }) => statusCode === 201)?.revision;
    for (const { statusCode, body } of answers)
      if (statusCode === 412) t.equal(body.currentRevision, won, 'the others get the current revision');
  });

  t.test(`${id}: an empty channel matches nothing, not even *`, async (t) => {
    const pack = `nowhere-${name}`;
    await addPack(app, pack, '1.0.0');
    for (const match of ['*', '"0"', '"1"']) {
      const answer = await ask(t, id, { path: { pack }, body, headers: { 'if-match': match } });
      t.match(answer, { statusCode: 412, body: { code: 'revision-conflict', currentRevision: 0 } }, match);
    }
  });
}

t.test('If-Match is checked before a request without effect succeeds', async (t) => {
  const pack = await packAt1('no-op');
  const stale = { path: { pack }, headers: { 'if-match': '"1"' } };
  t.equal((await ask(t, 'activateVersion', { ...stale, body: { version: '1.0.0', reason } })).statusCode, 412);
  t.equal((await ask(t, 'rollbackPack', { ...stale, body: { toVersion: '1.0.0', reason } })).statusCode, 412);
});

t.test('every response has the revision of its snapshot, and caches must revalidate it', async (t) => {
  const pack = await packAt1('every-answer');
  const json = { 'content-type': 'application/json' };
  const answers: [url: string, status: number, options?: InjectOptions][] = [
    ['/v1/packs', 200],
    [`/v1/packs/${pack}/active`, 200],
    [`/v1/packs/${pack}/active`, 304, { headers: { 'if-none-match': '*' } }],
    ['/v1/packs/choach', 404],
    ['/v1/packs?surprise=1', 400],
    ['/v1/packs/%zz', 400],
    [`/v1/packs/${'x'.repeat(201)}`, 414],
    ['/v1/packs', 405, { method: 'DELETE' }],
    ['/nowhere', 404],
    [`/v1/packs/${pack}/activations`, 415, { method: 'POST', headers: { 'content-type': 'text/plain' }, payload: 'x' }],
    [`/v1/packs/${pack}/activations`, 400, { method: 'POST', headers: json, payload: '{' }],
    [`/v1/packs/${pack}/activations`, 413, { method: 'POST', headers: json, payload: `"${'x'.repeat(1024 * 1024)}"` }],
    [`/v1/packs/${pack}/activations`, 422, { method: 'POST', payload: { version: '7.7.7', reason } }],
    [
      `/v1/packs/${pack}/activations`,
      412,
      { method: 'POST', payload: { version: '2.0.0', reason }, headers: { 'if-match': '"1"' } },
    ],
    [`/v1/packs/${pack}/rollback`, 409, { method: 'POST', payload: { reason } }],
    ['/v1/coach/sessions', 201, { method: 'POST', payload: {} }],
    ['/v1/coach/sessions/none', 404],
    ['/livez', 200],
    ['/readyz', 200],
    ['/problems/internal', 200],
    ['/docs', 200],
    ['/openapi.yaml', 200],
    ['/openapi.json', 200],
  ];
  const { revision } = app.registry.current;
  for (const [url, status, options = {}] of answers) {
    const { statusCode, headers } = await app.inject({ ...options, url });
    const always = ['registry-revision', 'cache-control', 'x-content-type-options'].map((name) => headers[name]);
    t.strictSame(
      [statusCode, ...always.map(String)],
      [status, String(revision), 'private, no-cache', 'nosniff'],
      `${status} ${url.slice(0, 60)}`,
    );
  }
  const write = await ask(t, 'activateVersion', { path: { pack }, body: { version: '2.0.0', reason } });
  t.equal(write.revision, revision + 1, 'a write names the revision that it made');
  t.equal(write.body.revision, write.revision);
});
