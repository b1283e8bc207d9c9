/** What operators and auditors rely on: keys (SPEC R12), the floor (R7), revocation (R8), dry runs, and the record of all of it (R11). */
import t, { type Test } from 'tap';
import { hashOf, type Event } from '../../registry/log/event.ts';
import { addPack, openApp } from '../support/apps/app.ts';
import { askOf, send, type Answer, type Request } from '../support/http/openapi.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';

const reason = 'Users report that answers are too blunt';
const PACKS = ['floored', 'pulled', 'dry', 'compared', 'told'] as const;
const VERSIONS = ['1.0.0', '2.0.0', '3.0.0'] as const;

/** `floored` went from 1.0.0 through 2.0.0 to 3.0.0; then a new policy put 2.0.0 below the floor. The rest is as after a first start. */
const { app, key, store } = await openApp(t, {
  registry: {
    defaultPack: 'pulled',
    shipped: shippedOf(...PACKS.flatMap((pack) => VERSIONS.map((version) => `${pack}@${version}`))),
    policies: [floorUnder('floored', 1, '2.0.0')],
  },
  earlier: { policies: [] },
  before: async (registry) => {
    for (const version of VERSIONS) await registry.activate({ pack: 'floored', version, reason: 'The new version' });
  },
});
const ask = askOf(app);

/** The same request from another caller. */
const as = (token: string, request: Request = {}): Request => ({
  ...request,
  headers: { ...request.headers, authorization: `Bearer ${token}` },
});

async function makeKey(t: Test, scopes: readonly string[], by = key): Promise<{ keyId: string; secret: string }> {
  const { statusCode, body } = await ask(t, 'createKey', as(by, { body: { label: scopes.join(' '), scopes } }));
  t.equal(statusCode, 201);
  return body;
}

/** Expects a refusal that changes nothing. */
async function refused(t: Test, answer: Promise<Answer>, status: number, problem: object): Promise<void> {
  const { current } = app.registry;
  const head = await store.head();
  t.match(await answer, { statusCode: status, body: problem });
  t.equal(app.registry.current, current, 'nothing changed');
  t.strictSame(await store.head(), head, 'nothing was written');
}

t.test('a key cannot grant scopes that it lacks, and cannot revoke a key that can do more', async (t) => {
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
    'it can revoke a key that can do less',
  );
  t.match(
    (await ask(t, 'listKeys')).body.keys.find(({ keyId }: { keyId: string }) => keyId === child.keyId),
    { createdBy: { keyId: admin.keyId }, revokedAt: /^\d{4}-/u },
  );
});

t.test('a secret is shown once; neither it nor its hash is shown again', async (t) => {
  const made = await makeKey(t, ['prompts:read']);
  t.match(made.secret, new RegExp(`^prk_${made.keyId}_[0-9A-Za-z]{43}$`, 'u'));
  const secret = made.secret.split('_')[2] ?? '';
  const { secretHash = '' } = app.registry.current.keys.get(made.keyId) ?? {};
  t.match(secretHash, /^[0-9a-f]{64}$/u);
  const list = await ask(t, 'listKeys');
  const listed = JSON.stringify(list.body);
  t.ok(listed.includes(made.keyId), 'the key is listed');
  for (const never of [secret, secretHash, 'secretHash', key.split('_')[2] ?? ''])
    t.notOk(listed.includes(never), 'without its secret');
  const events = JSON.stringify((await ask(t, 'listEvents', { query: { limit: 1000 } })).body);
  t.notOk(events.includes(secret), 'the log does not have it');
  t.ok(
    list.body.keys.length >= 5 && list.body.keys[0].label === 'operator',
    'in order of creation, including revoked keys',
  );
});

t.test('a revoked key stops working with the next request', async (t) => {
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
  const again = await ask(t, 'revokeKey', { path: { keyId }, body: { reason: 'Again' } });
  t.strictSame(again.body, body, 'a second revocation succeeds');
  t.equal(app.registry.current, current, 'without an event');
  t.match((await ask(t, 'listEvents', { query: { type: 'key-revoked', limit: 1000 } })).body.events.at(-1), {
    reason: 'Left the team',
    data: { keyId },
    actor: { label: 'operator' },
  });

  const own = await makeKey(t, ['keys:admin']);
  const request = as(own.secret, { path: { keyId: own.keyId }, body: { reason } });
  t.equal((await ask(t, 'revokeKey', request)).statusCode, 200, 'a key can revoke itself');
  t.equal((await ask(t, 'listKeys', as(own.secret))).statusCode, 401);
});

t.test('a key expires at the given second; a time in the past is refused', async (t) => {
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

t.test('a version below the floor is not published, activated or rolled back to', async (t) => {
  const path = { pack: 'floored' };
  const violations = [{ rule: 'forbidden', id: 'not-2-0-0', asset: 'system' }];
  const { body: policy } = await ask(t, 'getPolicy', { path });
  t.match(policy, { pack: 'floored', version: 1, digest: /^sha256:/u, forbidden: [{ id: 'not-2-0-0' }] });
  const under = documentOf('floored', '4.0.0', { system: 'FLOORED 2.0.0:  the system\nprompt, folded otherwise.' });
  for (const [id, body] of [
    ['publishVersion', under],
    ['activateVersion', { version: '2.0.0', reason }],
    ['rollbackPack', { toVersion: '2.0.0', reason }],
  ] as const)
    await refused(t, ask(t, id, { path, body }), 422, { code: 'policy-violated', violations });
  t.equal((await ask(t, 'getVersion', { path: { ...path, version: '4.0.0' } })).statusCode, 404, 'nothing is stored');
  t.match(
    (await ask(t, 'getVersion', { path: { ...path, version: '2.0.0' } })).body,
    { problems: violations, activeIn: [] },
    'a registered version below the floor shows its problems',
  );
  t.match(
    (await ask(t, 'activateVersion', { path, body: { version: '2.0.0', reason, dryRun: true } })).body,
    { wouldActivate: '2.0.0', problems: violations },
    'so does a dry run',
  );
  t.match(
    (await ask(t, 'rollbackPack', { path, body: { reason } })).body,
    { version: '1.0.0', previousVersion: '3.0.0' },
    'a rollback skips it',
  );
  const above = await ask(t, 'publishVersion', { path, body: documentOf('floored', '4.0.0') });
  t.equal(above.statusCode, 201, 'a version above the floor is published');

  const empty = { pack: 'told', version: 0, digest: null, clauses: [], forbidden: [] };
  t.match((await ask(t, 'getPolicy', { path: { pack: 'told' } })).body, empty, 'without a policy, the floor is empty');
});

t.test('a revoked version is never served again: not to channels, sessions or readers', async (t) => {
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
  t.match(
    read,
    { statusCode: 200, body: { version: '1.0.0', revision } },
    'an ETag from before the revocation no longer matches',
  );
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
  // A dry run shows operators no text that they could not read otherwise.
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
        `${id}: only auditors see the lines of a revoked version`,
      );
      t.equal(JSON.stringify(preview).includes('pulled 2.0.0'), lines.length > 0, `${id}: the lines are nowhere else`);
    }
  }
  t.equal((await ask(t, 'getActivePack', { path })).etag, active.etag, 'nothing moved');

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

  for (const [id, asked] of [
    ['activateVersion', { path, body: { version: '2.0.0', reason } }],
    ['rollbackPack', { path, body: { toVersion: '2.0.0', reason } }],
    ['revokeVersion', { ...request, body: { reason, replacement: '3.0.0' } }],
  ] as const)
    await refused(t, ask(t, id, asked), 409, { code: 'version-revoked' });
  t.match((await ask(t, 'rollbackPack', { path, body: { reason } })).body, { version: '3.0.0' }, 'a rollback skips it');

  // The replacement is revoked too: sessions follow the chain of replacements to its end.
  const { revision: followed } = await ask(t, 'revokeVersion', {
    path: { ...path, version: '1.0.0' },
    body: { reason, replacement: '3.0.0' },
  });
  t.match(
    (await ask(t, 'getCoachSession', { path: { sessionId: session.sessionId } })).body,
    { promptPack: { version: '3.0.0', revision: followed }, movedFrom: { version: '2.0.0' } },
    'from the revision that moved them',
  );
  await refused(t, ask(t, 'revokeVersion', { path: { ...path, version: '3.0.0' }, body: { reason } }), 409, {
    code: 'replacement-required',
    candidates: [],
  });
});

t.test('a dry run reports what would happen, and changes nothing', async (t) => {
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
    // A dry run does not use up its Idempotency-Key.
    const request = {
      path: { ...path, ...(version !== undefined && { version }) },
      body: { ...body, reason, dryRun: true },
      headers: { 'idempotency-key': 'dry' },
    };
    const answer = await ask(t, id, request);
    t.match(answer, { statusCode: 200, body: expected, revision: current.revision }, `${id} ${JSON.stringify(body)}`);
  }
  t.equal(app.registry.current, current, 'the same snapshot');
  t.strictSame(await store.head(), head, 'nothing was written');
  const { etag, body } = await ask(t, 'getActivePack', { path });
  t.strictSame({ etag, body }, { etag: before.etag, body: before.body }, 'the same ETag, the same response');
  for (const [id, body, status, problem, headers = {}] of [
    ['activateVersion', { version: '9.9.9' }, 422, {}],
    ['rollbackPack', { fromVersion: '1.0.0' }, 409, {}],
    ['activateVersion', { version: '1.0.0' }, 412, { code: 'revision-conflict' }, { 'if-match': '"1"' }],
  ] as const)
    await refused(t, ask(t, id, { path, body: { ...body, reason, dryRun: true }, headers }), status, problem);
  const moved = await ask(t, 'activateVersion', { path, body: { version: '1.0.0', reason, dryRun: false } });
  t.equal(moved.statusCode, 201, '`dryRun: false` moves the channel');
});

t.test('a diff in both directions', async (t) => {
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
  t.match(body.metadata, [{ field: 'summary', from: '"Edition 4.0.0."', to: '"Another"' }, { field: 'styles' }]);
  const { body: back } = await ask(t, 'diffVersions', {
    path: { ...path, version: '4.0.0' },
    query: { against: '5.0.0' },
  });
  t.match(back, { from: '5.0.0', to: '4.0.0', stylesAdded: ['direct'], stylesRemoved: ['concise'] });
  t.equal(
    (await ask(t, 'diffVersions', { path: { ...path, version: '5.0.0' } })).body.from,
    '3.0.0',
    'default: compared with the active version',
  );
  const { body: same } = await ask(t, 'diffVersions', {
    path: { ...path, version: '5.0.0' },
    query: { against: '5.0.0' },
  });
  t.ok(
    same.assets.every(
      ({ change, hunks }: { change: string; hunks: unknown[] }) => change === 'same' && hunks.length === 0,
    ) && same.metadata.length === 0,
    'compared with itself: no difference',
  );
});

/** Events as `listEvents` returns them. */
async function eventsOf(t: Test, query: Record<string, string | number> = {}): Promise<readonly Event[]> {
  return (await ask(t, 'listEvents', { query: { limit: 1000, ...query } })).body.events;
}

/** Reads all pages. @param next the name of the query parameter for the next page, and of the member that has its value */
async function readPages(
  t: Test,
  query: Record<string, string | number>,
  [parameter, member]: readonly ['after', 'nextAfter'] | readonly ['before', 'nextBefore'],
): Promise<readonly Event[]> {
  const seen: Event[] = [];
  for (let position: number | null | undefined; position !== null;) {
    const at = position === undefined ? {} : { [parameter]: position };
    const { body } = await ask(t, 'listEvents', { query: { ...query, ...at } });
    t.ok(body.events.length <= Number(query['limit']));
    if (member === 'nextBefore') t.equal(body.nextAfter, null, 'the other cursor is null');
    seen.push(...body.events);
    position = body[member];
  }
  return seen;
}

const revisionsOf = (events: readonly Event[]) => events.map(({ revision }) => revision);

t.test('an event must match all filters; pages have no gap and no repeat', async (t) => {
  const path = { pack: 'told' };
  const mover = await makeKey(t, ['packs:activate', 'packs:revoke']);
  const start = app.registry.current.revision;
  for (const [id, asked] of [
    ['activateVersion', { path, body: { version: '1.0.0', reason } }],
    ['activateVersion', { path, body: { version: '2.0.0', channel: 'staging', reason } }],
    ['revokeVersion', { path: { ...path, version: '2.0.0' }, body: { reason, replacement: '1.0.0' } }],
    ['rollbackPack', { path, body: { reason } }],
  ] as const)
    await ask(t, id, as(mover.secret, asked));
  const all = await eventsOf(t);
  const whole: readonly Event[] = await store.events({ order: 'ascending', limit: 1000 });
  t.strictSame(all, JSON.parse(JSON.stringify(whole)), 'the whole log');
  for (const event of all) t.equal(hashOf(event), event.hash, `a reader can check the hash of ${event.revision}`);

  const at = all[start]?.at ?? '';
  const where = (holds: (event: Event) => boolean) => revisionsOf(all.filter(holds));
  const moves = [1, 2, 3, 4].map((each) => start + each);
  const [first = 0, second = 0, third = 0, fourth = 0] = moves;
  const cases: readonly (readonly [query: Record<string, string | number>, expected: readonly number[]])[] = [
    [{ after: start }, moves],
    [{ after: start, channel: 'staging' }, [second, third]], // a revocation is found by the channel that it moved
    [{ after: start, channel: 'production' }, [first, fourth]],
    [{ pack: 'told' }, where(({ pack }) => pack === 'told')],
    [{ actor: mover.keyId }, moves],
    [{ actor: 'system' }, where(({ actor }) => actor.keyId === 'system')],
    [{ type: 'key-created' }, where(({ type }) => type === 'key-created')],
    [{ type: 'registry-created' }, [1]],
    [{ type: 'version-activated', actor: mover.keyId, channel: 'staging' }, [second]],
    [{ id: all[7]?.id ?? '' }, [8]],
    [{ id: 'nobody' }, []],
    [{ from: at }, where((event) => event.at >= at)],
    [{ to: at }, where((event) => event.at <= at)],
    [{ from: at, to: at }, where((event) => event.at === at)],
    [{ from: at.replace('Z', '+00:00') }, where((event) => event.at >= at)],
    [{ after: 1_000_000 }, []],
    [{ after: Number.MAX_SAFE_INTEGER }, []],
    [{ after: 3, before: 7 }, [4, 5, 6]],
    [{ order: 'newest', after: 3, before: 7 }, [6, 5, 4]],
    [{ order: 'newest', before: 0 }, []],
    [{ order: 'newest', pack: 'told' }, where(({ pack }) => pack === 'told').toReversed()],
  ];
  for (const [query, expected] of cases) {
    const found = await eventsOf(t, query);
    t.strictSame(revisionsOf(found), expected, JSON.stringify(query));
    for (const event of found) t.strictSame(event, all[event.revision - 1]);
  }
  for (const limit of [1, 3, all.length - 1, all.length]) {
    t.strictSame(await readPages(t, { limit }, ['after', 'nextAfter']), all, `${limit} at a time`);
    const newest = await readPages(t, { limit, order: 'newest' }, ['before', 'nextBefore']);
    t.strictSame(newest, all.toReversed(), `the newest first, ${limit} at a time`);
  }
  const { body } = await ask(t, 'listEvents', { query: { limit: 1000, order: 'oldest' } });
  t.strictSame(body, { events: all, nextAfter: null }, 'the oldest first is the default');
  t.equal((await send(app, 'listEvents', { query: { order: 'descending' } })).statusCode, 400);
});

t.test('the newest events in process: none that came after the snapshot (SPEC R2)', async (t) => {
  const earlier = app.registry.current;
  const newest = async (limit: number) => revisionsOf(await app.registry.events({ order: 'newest', limit }, earlier));
  t.strictSame(await newest(2), [earlier.revision, earlier.revision - 1]);
  await addPack(app, 'later-told', '1.0.0');
  t.strictSame(await newest(1), [earlier.revision]);
});

t.test('activations at a time: the first is the one in force at that time', async (t) => {
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
    'none before the first',
  );
});

t.test('the log can be verified, and its head is the last event', async (t) => {
  const { body: head } = await ask(t, 'getAuditHead');
  const last = (await ask(t, 'listEvents', { query: { after: head.revision - 1 } })).body.events;
  t.match(last, [{ revision: head.revision, hash: head.hash, at: head.at }]);
  t.strictSame((await ask(t, 'verifyAudit')).body, {
    valid: true,
    events: head.revision,
    head: { revision: head.revision, hash: head.hash },
  });
});
