/**
 * Trust as operators and auditors see it at the door: keys (SPEC R12), the floor (R7), revocation (R8), a look before a leap, and the
 * record of all of it (R11).
 */
import t, { type Test } from 'tap';
import type { Event } from '../../registry/log/event.ts';
import { hashOf } from '../../registry/log/event.ts';
import { addPack, openApp } from '../support/apps/app.ts';
import { askOf, send, type Answer, type Request } from '../support/http/openapi.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';

const reason = 'Users report that answers are too blunt';
const PACKS = ['floored', 'pulled', 'dry', 'compared', 'told'] as const;
const VERSIONS = ['1.0.0', '2.0.0', '3.0.0'] as const;

/** `floored` is at 3.0.0 after 1.0.0 and 2.0.0, which a new policy has put under the floor. All else is as a first start leaves it. */
const { app, key, store } = await openApp(t, {
  registry: {
    defaultPack: 'pulled',
    shipped: shippedOf(...PACKS.flatMap((pack) => VERSIONS.map((version) => `${pack}@${version}`))),
    policies: [floorUnder('floored', 1, '2.0.0')],
  },
  earlier: { policies: [] },
  before: async (registry) => {
    for (const version of VERSIONS) await registry.activate({ pack: 'floored', version, reason: 'The new edition' });
  },
});
const ask = askOf(app);

/** The same request as another caller. */
const as = (token: string, request: Request = {}): Request => ({
  ...request,
  headers: { ...request.headers, authorization: `Bearer ${token}` },
});

async function makeKey(t: Test, scopes: readonly string[], by = key): Promise<{ keyId: string; secret: string }> {
  const { statusCode, body } = await ask(t, 'createKey', as(by, { body: { label: scopes.join(' '), scopes } }));
  t.equal(statusCode, 201);
  return body;
}

/** A refusal leaves everything as it was. */
async function refused(t: Test, answer: Promise<Answer>, status: number, problem: object): Promise<void> {
  const { current } = app.registry;
  const head = await store.head();
  t.match(await answer, { statusCode: status, body: problem });
  t.equal(app.registry.current, current, 'nothing was changed');
  t.strictSame(await store.head(), head, 'nothing is in the log');
}

t.test('a key grants only scopes that it holds, and ends no key that can do more', async (t) => {
  const admin = await makeKey(t, ['keys:admin', 'prompts:read']);
  for (const [scopes, requiredScopes] of [
    [['*'], ['*']],
    [['packs:activate'], ['packs:activate']],
    [
      ['prompts:read', 'audit:read', 'packs:revoke'],
      ['audit:read', 'packs:revoke'],
    ],
  ]) {
    await refused(t, ask(t, 'createKey', as(admin.secret, { body: { label: 'more', scopes } })), 403, {
      code: 'forbidden',
      requiredScopes,
    });
  }
  const child = await makeKey(t, ['keys:admin'], admin.secret);
  await makeKey(t, ['prompts:read'], admin.secret);
  await refused(t, ask(t, 'createKey', as(child.secret, { body: { label: 'more', scopes: ['prompts:read'] } })), 403, {
    requiredScopes: ['prompts:read'],
  });
  const operator = key.split('_')[1] ?? '';
  await refused(t, ask(t, 'revokeKey', as(admin.secret, { path: { keyId: operator }, body: { reason } })), 403, {
    requiredScopes: ['*'],
  });
  t.equal(
    (await ask(t, 'revokeKey', as(admin.secret, { path: { keyId: child.keyId }, body: { reason } }))).statusCode,
    200,
    'one that can do as much it may',
  );
  t.match(
    (await ask(t, 'listKeys')).body.keys.find(({ keyId }: { keyId: string }) => keyId === child.keyId),
    { createdBy: { keyId: admin.keyId }, revokedAt: /^\d{4}-/u },
  );
});

t.test('a secret is shown once, and neither it nor its hash ever again', async (t) => {
  const made = await makeKey(t, ['prompts:read']);
  t.match(made.secret, new RegExp(`^prk_${made.keyId}_[0-9A-Za-z]{43}$`, 'u'));
  const secret = made.secret.split('_')[2] ?? '';
  const { secretHash = '' } = app.registry.current.keys.get(made.keyId) ?? {};
  t.match(secretHash, /^[0-9a-f]{64}$/u);
  const list = await ask(t, 'listKeys');
  const listed = JSON.stringify(list.body);
  t.ok(listed.includes(made.keyId), 'it is listed');
  for (const never of [secret, secretHash, 'secretHash', key.split('_')[2] ?? ''])
    t.notOk(listed.includes(never), 'without its secret');
  const events = JSON.stringify((await ask(t, 'listEvents', { query: { limit: 1000 } })).body);
  t.notOk(events.includes(secret), 'the log never held it');
  t.ok(
    list.body.keys.length >= 5 && list.body.keys[0].label === 'operator',
    'in order of creation, revoked ones included',
  );
});

t.test('a revoked key is dead from the next request on, for good', async (t) => {
  const { keyId, secret } = await makeKey(t, ['prompts:read', 'keys:admin']);
  t.equal((await ask(t, 'getSystemPrompt', as(secret))).statusCode, 200);
  const { body } = await ask(t, 'revokeKey', { path: { keyId }, body: { reason: 'Left the team' } });
  t.match(body, { keyId, revokedAt: /^\d{4}-/u });
  for (const id of ['getSystemPrompt', 'listKeys', 'listPacks'])
    t.match(
      await ask(t, id, as(secret)),
      { statusCode: 401, body: { code: 'unauthenticated', detail: /was revoked/u } },
      id,
    );
  const { current } = app.registry;
  t.strictSame(
    (await ask(t, 'revokeKey', { path: { keyId }, body: { reason: 'Again' } })).body,
    body,
    'the same again is a success',
  );
  t.equal(app.registry.current, current, 'without an event');
  t.match((await ask(t, 'listEvents', { query: { type: 'key-revoked', limit: 1000 } })).body.events.at(-1), {
    reason: 'Left the team',
    data: { keyId },
    actor: { label: 'operator' },
  });
});

t.test('a key may revoke itself, and is dead then', async (t) => {
  const { keyId, secret } = await makeKey(t, ['keys:admin']);
  t.equal((await ask(t, 'revokeKey', as(secret, { path: { keyId }, body: { reason } }))).statusCode, 200);
  t.equal((await ask(t, 'listKeys', as(secret))).statusCode, 401);
});

t.test('an end is kept to the second, and one that has passed is refused', async (t) => {
  const { statusCode, body } = await ask(t, 'createKey', {
    body: { label: 'for a while', scopes: ['prompts:read'], expiresAt: '2100-01-01T02:00:00+02:00' },
  });
  t.match({ statusCode, body }, { statusCode: 201, body: { expiresAt: '2100-01-01T00:00:00.000Z' } });
  t.equal((await ask(t, 'getSystemPrompt', as(body.secret))).statusCode, 200);
  for (const expiresAt of ['2020-01-01T00:00:00Z', new Date(Date.now() - 1).toISOString()]) {
    await refused(t, ask(t, 'createKey', { body: { label: 'late', scopes: ['prompts:read'], expiresAt } }), 400, {
      code: 'validation-failed',
      errors: [{ parameter: 'expiresAt' }],
    });
  }
});

t.test('the floor: what is under it is not published, not activated, not rolled back to', async (t) => {
  const path = { pack: 'floored' };
  const violations = [{ rule: 'forbidden', id: 'not-2-0-0', asset: 'system' }];
  const { body: policy } = await ask(t, 'getPolicy', { path });
  t.match(policy, { pack: 'floored', version: 1, digest: /^sha256:/u, forbidden: [{ id: 'not-2-0-0' }] });
  const under = documentOf('floored', '4.0.0', { system: 'FLOORED 2.0.0:  the system\nprompt, folded otherwise.' });
  await refused(t, ask(t, 'publishVersion', { path, body: under }), 422, { code: 'policy-violated', violations });
  t.equal((await ask(t, 'getVersion', { path: { ...path, version: '4.0.0' } })).statusCode, 404, 'nothing is stored');
  await refused(t, ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason } }), 422, {
    code: 'policy-violated',
    violations,
  });
  await refused(t, ask(t, 'rollbackPack', { path, body: { toVersion: '2.0.0', reason } }), 422, {
    code: 'policy-violated',
    violations,
  });
  t.match(
    (await ask(t, 'getVersion', { path: { ...path, version: '2.0.0' } })).body,
    { problems: violations, activeIn: [] },
    'it can be read, and says what keeps it',
  );
  t.match(
    (await ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason, dryRun: true } })).body,
    { wouldActivate: '2.0.0', problems: violations },
    'a dry run says so',
  );
  t.match(
    (await ask(t, 'rollbackPack', { path, body: { reason } })).body,
    { version: '1.0.0', previousVersion: '3.0.0' },
    'a rollback passes over it',
  );
  t.equal(
    (await ask(t, 'publishVersion', { path, body: documentOf('floored', '4.0.0') })).statusCode,
    201,
    'above it is taken',
  );
});

t.test('a pack without a policy has an empty floor', async (t) => {
  t.match((await ask(t, 'getPolicy', { path: { pack: 'told' } })).body, {
    pack: 'told',
    version: 0,
    digest: null,
    clauses: [],
    forbidden: [],
  });
});

t.test('a revoked version is served no more: channels, sessions, texts; and it never comes back', async (t) => {
  const path = { pack: 'pulled' };
  const reader = await makeKey(t, ['prompts:read']);
  const auditor = await makeKey(t, ['prompts:read', 'audit:read']);
  await ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason } });
  const { body: session } = await ask(t, 'startCoachSession', { body: { styleId: 'direct' } });
  const { etag } = await ask(t, 'getSystemPrompt');
  t.equal(session.promptPack.version, '2.0.0');
  const request = {
    path: { ...path, version: '2.0.0' },
    body: { reason: 'It gives medical advice', replacement: '1.0.0' },
  };
  const { statusCode, body, revision } = await ask(t, 'revokeVersion', request);
  t.match(
    { statusCode, body },
    {
      statusCode: 200,
      body: {
        revision,
        pack: 'pulled',
        version: '2.0.0',
        moves: [{ channel: 'production', version: '1.0.0', previousVersion: '2.0.0' }],
      },
    },
  );

  const read = await ask(t, 'getSystemPrompt', { headers: { 'if-none-match': etag } });
  t.match(read, { statusCode: 200, body: { version: '1.0.0', revision } }, 'what was cached is asked anew');
  const { body: resumed } = await ask(t, 'getCoachSession', { path: { sessionId: session.sessionId } });
  t.match(resumed, {
    promptPack: { version: '1.0.0', revision },
    prompt: { style: { id: 'direct' } },
    movedFrom: { version: '2.0.0', styleId: 'direct' },
  });
  t.match(resumed.prompt.system, /^pulled 1\.0\.0/u, 'from the replacement');
  t.equal((await ask(t, 'startCoachSession', { body: {} })).body.promptPack.version, '1.0.0');

  for (const [id, asked] of [
    ['getVersion', { path: request.path }],
    ['diffVersions', { path: request.path, query: { against: '1.0.0' } }],
    ['diffVersions', { path: { ...path, version: '3.0.0' }, query: { against: '2.0.0' } }],
  ] as const) {
    t.match(
      await ask(t, id, as(reader.secret, asked)),
      { statusCode: 410, body: { code: 'content-revoked' } },
      `${id} for a reader`,
    );
    t.equal((await ask(t, id, as(auditor.secret, asked))).statusCode, 200, `${id} for an auditor`);
  }
  // Whoever moves channels may look before they leap, and read no more for it than they could without.
  const active = await ask(t, 'getActivePack', { path });
  const operators = [
    [await makeKey(t, ['packs:activate', 'prompts:read']), []],
    [
      await makeKey(t, ['packs:activate', 'audit:read']),
      ['-pulled 1.0.0: the system prompt.', '+pulled 2.0.0: the system prompt.'],
    ],
  ] as const;
  for (const [operator, lines] of operators) {
    for (const [id, asked] of [
      ['activateVersion', { version: '2.0.0' }],
      ['rollbackPack', { toVersion: '2.0.0' }],
    ] as const) {
      const { statusCode, body: preview } = await ask(
        t,
        id,
        as(operator.secret, { path, body: { ...asked, reason, dryRun: true } }),
      );
      t.match(
        { statusCode, preview },
        {
          statusCode: 200,
          preview: {
            wouldActivate: '2.0.0',
            problems: [{ rule: 'revoked' }],
            diff: [{ asset: 'system', change: 'changed' }],
          },
        },
        id,
      );
      t.strictSame(
        preview.diff[0].hunks.flatMap((hunk: { lines: string[] }) => hunk.lines),
        lines,
        `${id}: the lines of a revoked version are for auditors`,
      );
      t.equal(JSON.stringify(preview).includes('pulled 2.0.0'), lines.length > 0, `${id}: nor do they stand elsewhere`);
    }
  }
  t.equal((await ask(t, 'getActivePack', { path })).etag, active.etag, 'nothing was moved');

  const { body: kept } = await ask(t, 'getVersion', as(auditor.secret, { path: request.path }));
  t.match(kept, {
    status: 'revoked',
    revokedReason: 'It gives medical advice',
    replacement: '1.0.0',
    activeIn: [],
    problems: [{ rule: 'revoked' }],
    system: /^pulled 2\.0\.0/u,
  });
  t.strictSame(
    (await ask(t, 'listVersions', { path, query: { status: 'revoked' } })).body.versions.map(
      ({ version }: { version: string }) => version,
    ),
    ['2.0.0'],
  );

  await refused(t, ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason } }), 409, {
    code: 'version-revoked',
  });
  await refused(t, ask(t, 'rollbackPack', { path, body: { toVersion: '2.0.0', reason } }), 409, {
    code: 'version-revoked',
  });
  await refused(t, ask(t, 'revokeVersion', { ...request, body: { reason, replacement: '3.0.0' } }), 409, {
    code: 'version-revoked',
  });
  t.match(
    (await ask(t, 'rollbackPack', { path, body: { reason } })).body,
    { version: '3.0.0' },
    'a rollback passes over it',
  );

  // The replacement is revoked in its turn: sessions follow to the end.
  const { revision: followed } = await ask(t, 'revokeVersion', {
    path: { ...path, version: '1.0.0' },
    body: { reason, replacement: '3.0.0' },
  });
  t.match(
    (await ask(t, 'getCoachSession', { path: { sessionId: session.sessionId } })).body,
    { promptPack: { version: '3.0.0', revision: followed }, movedFrom: { version: '2.0.0' } },
    'from the revision on that moved them',
  );
  await refused(t, ask(t, 'revokeVersion', { path: { ...path, version: '3.0.0' }, body: { reason } }), 409, {
    code: 'replacement-required',
    candidates: [],
  });
});

t.test('a dry run says what would happen, and changes nothing', async (t) => {
  const path = { pack: 'dry' };
  await ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason } });
  const { current } = app.registry;
  const head = await store.head();
  const before = await ask(t, 'getActivePack', { path });
  const preview = {
    wouldActivate: '3.0.0',
    previousVersion: '2.0.0',
    diff: [{ asset: 'system', change: 'changed' }],
    stylesAdded: [],
    stylesRemoved: [],
    problems: [],
  };
  const runs: readonly (readonly [id: string, body: object, expected: object, version?: string])[] = [
    ['activateVersion', { version: '3.0.0' }, preview],
    ['rollbackPack', { fromVersion: '2.0.0' }, preview],
    ['rollbackPack', { toVersion: '3.0.0' }, preview],
    [
      'activateVersion',
      { version: '2.0.0' },
      { wouldActivate: '2.0.0', previousVersion: '2.0.0', diff: [{ asset: 'system', change: 'same', hunks: [] }] },
    ],
    [
      'revokeVersion',
      { replacement: '1.0.0' },
      { version: '2.0.0', moves: [{ channel: 'production', version: '1.0.0', previousVersion: '2.0.0' }] },
      '2.0.0',
    ],
    ['revokeVersion', {}, { moves: [{ channel: 'production', version: '3.0.0' }] }, '2.0.0'],
    ['revokeVersion', {}, { moves: [] }, '1.0.0'],
  ];
  for (const [id, body, expected, version] of runs) {
    // A key is not used up by a run that changes nothing.
    const request = {
      path: { ...path, ...(version !== undefined && { version }) },
      body: { ...body, reason, dryRun: true },
      headers: { 'idempotency-key': 'dry' },
    };
    const answer = await ask(t, id, request);
    t.match(answer, { statusCode: 200, body: expected, revision: current.revision }, `${id} ${JSON.stringify(body)}`);
  }
  t.equal(app.registry.current, current, 'the same snapshot');
  t.strictSame(await store.head(), head, 'nothing is in the log');
  const { etag, body } = await ask(t, 'getActivePack', { path });
  t.strictSame({ etag, body }, { etag: before.etag, body: before.body }, 'the same ETag, the same answer');
  for (const [id, body, status] of [
    ['activateVersion', { version: '9.9.9' }, 422],
    ['rollbackPack', { fromVersion: '1.0.0' }, 409],
  ] as const) {
    await refused(t, ask(t, id, { path, body: { ...body, reason, dryRun: true } }), status, {});
  }
  await refused(
    t,
    ask(t, 'activateVersion', {
      path,
      body: { version: '1.0.0', reason, dryRun: true },
      headers: { 'if-match': '"1"' },
    }),
    412,
    { code: 'revision-conflict' },
  );
  t.equal(
    (await ask(t, 'activateVersion', { path, body: { version: '1.0.0', reason, dryRun: false } })).statusCode,
    201,
    'false is as if it were not there',
  );
});

t.test('a diff tells every line, both ways', async (t) => {
  const path = { pack: 'compared' };
  const [first, second] = documentOf('compared', '1.0.0').styles;
  const system = ['One.', 'Two.', 'Three.', 'Four.', 'Five.'];
  await ask(t, 'publishVersion', { path, body: documentOf('compared', '4.0.0', { system: system.join('\n') }) });
  const changed = {
    system: system.with(2, 'Third.').concat('Six.').join('\n'),
    styles: [first!, { ...second!, id: 'concise' }],
    summary: 'Another',
  };
  await ask(t, 'publishVersion', { path, body: documentOf('compared', '5.0.0', changed) });
  const { body } = await ask(t, 'diffVersions', { path: { ...path, version: '5.0.0' }, query: { against: '4.0.0' } });
  t.match(body, { pack: 'compared', from: '4.0.0', to: '5.0.0', stylesAdded: ['concise'], stylesRemoved: ['direct'] });
  const assets = new Map<string, { change: string; hunks: { lines: string[] }[] }>(
    body.assets.map((asset: { asset: string }) => [asset.asset, asset]),
  );
  t.strictSame(
    [...assets].map(([asset, { change }]) => [asset, change]),
    [
      ['system', 'changed'],
      ['styles/supportive', 'changed'],
      ['styles/concise', 'added'],
      ['styles/direct', 'removed'],
    ],
  );
  t.strictSame(assets.get('system')?.hunks, [
    {
      oldStart: 1,
      oldLines: 5,
      newStart: 1,
      newLines: 6,
      lines: [' One.', ' Two.', '-Three.', '+Third.', ' Four.', ' Five.', '+Six.'],
    },
  ]);
  t.match(body.metadata, [{ field: 'summary', from: '"Edition 4.0.0."', to: '"Another"' }, { field: 'styles' }]);
  const { body: back } = await ask(t, 'diffVersions', {
    path: { ...path, version: '4.0.0' },
    query: { against: '5.0.0' },
  });
  t.match(back, { from: '5.0.0', to: '4.0.0', stylesAdded: ['direct'], stylesRemoved: ['concise'] });
  t.equal(
    (await ask(t, 'diffVersions', { path: { ...path, version: '5.0.0' } })).body.from,
    '3.0.0',
    'against what is active where nothing is said',
  );
  const { body: same } = await ask(t, 'diffVersions', {
    path: { ...path, version: '5.0.0' },
    query: { against: '5.0.0' },
  });
  t.ok(
    same.assets.every(
      ({ change, hunks }: { change: string; hunks: unknown[] }) => change === 'same' && hunks.length === 0,
    ) && same.metadata.length === 0,
    'with itself: nothing',
  );
});

t.test('events: filters hold together, pages have no gap and no repeat', async (t) => {
  const path = { pack: 'told' };
  const mover = await makeKey(t, ['packs:activate', 'packs:revoke']);
  const events = async (query: Record<string, string | number> = {}): Promise<Event[]> =>
    (await ask(t, 'listEvents', { query: { limit: 1000, ...query } })).body.events;
  const start = app.registry.current.revision;
  await ask(t, 'activateVersion', as(mover.secret, { path, body: { version: '1.0.0', reason } }));
  await ask(t, 'activateVersion', as(mover.secret, { path, body: { version: '2.0.0', channel: 'staging', reason } }));
  await ask(
    t,
    'revokeVersion',
    as(mover.secret, { path: { ...path, version: '2.0.0' }, body: { reason, replacement: '1.0.0' } }),
  );
  await ask(t, 'rollbackPack', as(mover.secret, { path, body: { reason } }));
  const all = await events();
  const whole: readonly Event[] = await store.events({ order: 'ascending', limit: 1000 });
  t.strictSame(all, JSON.parse(JSON.stringify(whole)), 'the log as it is');
  for (const event of all) t.equal(hashOf(event), event.hash, `${event.revision} can be checked by who reads it`);
  const revisions = (list: readonly Event[]) => list.map(({ revision }) => revision - start);
  const of = (pick: (event: Event) => boolean) => all.filter(pick);
  t.strictSame(revisions(await events({ after: start })), [1, 2, 3, 4]);
  t.strictSame(
    revisions(await events({ after: start, channel: 'staging' })),
    [2, 3],
    'a revocation is found by the channel that it moved',
  );
  t.strictSame(revisions(await events({ after: start, channel: 'production' })), [1, 4]);
  t.strictSame(
    await events({ pack: 'told' }),
    of(({ pack }) => pack === 'told'),
  );
  t.strictSame(revisions(await events({ actor: mover.keyId })), [1, 2, 3, 4]);
  t.strictSame(
    await events({ actor: 'system' }),
    of(({ actor }) => actor.keyId === 'system'),
  );
  t.strictSame(
    await events({ type: 'key-created' }),
    of(({ type }) => type === 'key-created'),
  );
  t.strictSame(await events({ type: 'registry-created' }), all.slice(0, 1));
  t.strictSame(
    revisions(await events({ type: 'version-activated', actor: mover.keyId, channel: 'staging' })),
    [2],
    'all at once',
  );
  t.strictSame(await events({ id: all[7]?.id ?? '' }), all.slice(7, 8));
  t.strictSame(await events({ id: 'nobody' }), []);
  const at = all[start]?.at ?? '';
  t.strictSame(
    await events({ from: at }),
    of((event) => event.at >= at),
  );
  t.strictSame(
    await events({ to: at }),
    of((event) => event.at <= at),
  );
  t.strictSame(
    await events({ from: at, to: at }),
    of((event) => event.at === at),
  );
  t.strictSame(
    await events({ from: at.replace('Z', '+00:00') }),
    of((event) => event.at >= at),
    'in another notation',
  );
  for (const after of [1_000_000, Number.MAX_SAFE_INTEGER]) t.strictSame(await events({ after }), [], 'beyond the log');
  for (const limit of [1, 3, all.length - 1, all.length]) {
    const seen: Event[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const { body } = await ask(t, 'listEvents', { query: { limit, after } });
      t.ok(body.events.length <= limit);
      seen.push(...body.events);
      after = body.nextAfter;
    }
    t.strictSame(seen, all, `${limit} at a time`);
  }
});

t.test('the newest events first, page by page, to the first one', async (t) => {
  const { events: all } = (await ask(t, 'listEvents', { query: { limit: 1000 } })).body as { events: Event[] };
  const newest = all.toReversed();
  for (const limit of [1, 4, all.length - 1, all.length]) {
    const seen: Event[] = [];
    for (let before: number | null | undefined; before !== null;) {
      const { body } = await ask(t, 'listEvents', {
        query: { order: 'newest', limit, ...(before !== undefined && { before }) },
      });
      t.equal(body.nextAfter, null, 'the other cursor does not belong to it');
      seen.push(...body.events);
      before = body.nextBefore;
    }
    t.strictSame(seen, newest, `${limit} at a time`);
  }
  const asked = async (query: Record<string, string | number>) =>
    (await ask(t, 'listEvents', { query: { limit: 1000, ...query } })).body;
  t.strictSame(
    (await asked({ order: 'newest', pack: 'told' })).events,
    newest.filter(({ pack }) => pack === 'told'),
    'with conditions',
  );
  t.strictSame(
    (await asked({ order: 'newest', after: 3, before: 7 })).events.map(({ revision }: Event) => revision),
    [6, 5, 4],
    'between two revisions',
  );
  t.strictSame(
    (await asked({ after: 3, before: 7 })).events.map(({ revision }: Event) => revision),
    [4, 5, 6],
  );
  t.strictSame(await asked({ order: 'oldest' }), { events: all, nextAfter: null }, 'the oldest first, as without it');
  t.strictSame((await asked({ order: 'newest', before: 0 })).events, []);
  t.equal((await send(app, 'listEvents', { query: { order: 'descending' } })).statusCode, 400);
  t.strictSame(
    (await app.registry.events({ order: 'newest', limit: 2 })).map(({ revision }) => revision),
    newest.slice(0, 2).map(({ revision }) => revision),
    'in process as well',
  );
  const earlier = app.registry.current;
  await addPack(app, 'later-told', '1.0.0');
  t.strictSame(
    (await app.registry.events({ order: 'newest', limit: 1 }, earlier)).map(({ revision }) => revision),
    [earlier.revision],
    'SPEC R2: nothing that came after the snapshot',
  );
});

t.test('activations at a time: the first is the one in force then', async (t) => {
  const path = { pack: 'told' };
  const { body } = await ask(t, 'listActivations', { path, query: { limit: 1000 } });
  const moves: { at: string; activatedAt: string; channel: string; revision: number }[] = body.activations;
  t.match(
    moves.map(({ channel }) => channel),
    ['production', 'staging', 'staging', 'production', 'staging', 'production'],
  );
  t.strictSame(
    body.activations.map(({ kind }: { kind: string }) => kind),
    ['rollback', 'revocation', 'activation', 'activation', 'activation', 'activation'],
  );
  for (const channel of ['production', 'staging']) {
    const own = moves.filter((move) => move.channel === channel);
    for (const { activatedAt } of own) {
      const { body: then } = await ask(t, 'listActivations', { path, query: { channel, at: activatedAt, limit: 1 } });
      t.strictSame(
        then.activations,
        [own.find((move) => move.activatedAt <= activatedAt)],
        `${channel} at ${activatedAt}`,
      );
    }
  }
  const created = app.registry.current.packs.get('told')?.versions.highest(1)[0]?.publishedAt ?? '';
  const before = new Date(Date.parse(created) - 1).toISOString();
  t.strictSame(
    (await ask(t, 'listActivations', { path, query: { at: before } })).body.activations,
    [],
    'before the first there was none',
  );
});

t.test('the whole of it can be proved, and the head is what to keep', async (t) => {
  const { body: head } = await ask(t, 'getAuditHead');
  const last = (await ask(t, 'listEvents', { query: { after: head.revision - 1 } })).body.events;
  t.match(last, [{ revision: head.revision, hash: head.hash, at: head.at }]);
  t.strictSame((await ask(t, 'verifyAudit')).body, {
    valid: true,
    events: head.revision,
    head: { revision: head.revision, hash: head.hash },
  });
});
