/**
 * `Registry-Min-Revision` (SPEC R10): a client that sends the revision it last saw never reads backwards, whichever instance responds.
 *
 * Two applications share one store. The second gets no notifications and renews no lease, so only the header can have made it catch up.
 */
import t from 'tap';
import { acceptRestore } from '../../registry/host/accept-restore.ts';
import { backupOf } from '../support/stores/backups.ts';
import type { Plan } from '../support/stores/failing-store.ts';
import { newFolder } from '../support/process/folder.ts';
import { openPair } from '../support/apps/late-app.ts';
import { askOf } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { until } from '../support/process/until.ts';

const reason = 'Users report that answers are too blunt';

t.test(
  'a read with the header catches up first; if the revision is already applied, it does not ask the store',
  async (t) => {
    const { late, move, asks, reads } = await openPair(t);
    const revision = await move('1.0.0');
    t.ok(late.app.registry.current.revision < revision, 'it has not applied it yet');
    t.match(
      await askOf(late.app)(t, 'getActivePack'),
      { body: { version: '2.0.0' } },
      'and without the header still answers from before',
    );
    const before = reads();
    t.match(await asks(t, 'getActivePack', revision), {
      statusCode: 200,
      revision,
      body: { version: '1.0.0', revision },
    });
    t.equal(reads(), before + 2, 'one read of the new events, one that finds no more');
    for (const seen of [revision, revision - 1, 1, 0])
      t.match(await asks(t, 'getActivePack', seen), { statusCode: 200, revision });
    t.equal(reads(), before + 2, 'the log is not read for what is here');
  },
);

t.test('every guarded read supports it, also with conditions', async (t) => {
  const { late, move, asks } = await openPair(t);
  const ask = askOf(late.app);
  const { etag: old } = await ask(t, 'getSystemPrompt');
  let revision = await move('1.0.0');
  const fresh = await asks(t, 'getSystemPrompt', revision, { headers: { 'if-none-match': old } });
  t.match(
    fresh,
    { statusCode: 200, revision, body: { version: '1.0.0' } },
    'the copy of the caller is no longer current',
  );
  revision = (await late.app.registry.publish({ pack: 'elsewhere', document: documentOf('elsewhere', '1.0.0') }))
    .snapshot.revision;
  t.match(await asks(t, 'getSystemPrompt', revision, { headers: { 'if-none-match': fresh.etag } }), {
    statusCode: 304,
    revision,
    body: undefined,
  });
  revision = await move('1.1.0');
  for (const id of ['listPacks', 'listStyles', 'listActivations', 'getAuditHead', 'listInstances', 'streamEvents'])
    t.match(await asks(t, id, revision), { statusCode: 200, revision }, id);
});

t.test('one read of the log serves all waiting requests', async (t) => {
  const { late, move, asks, reads } = await openPair(t);
  const revision = await move('1.0.0');
  const { registry } = late.app;
  const waiters = 50;
  let waiting = 0;
  const all = Promise.withResolvers<void>();
  const reach = registry.reach.bind(registry);
  registry.reach = (position) => {
    if ((waiting += 1) === waiters) all.resolve();
    return reach(position);
  };
  late.fail(async () => all.promise.then(() => undefined)); // the first reading takes until the last one waits
  const before = reads();
  const answers = await Promise.all(Array.from({ length: waiters }, () => asks(t, 'getActivePack', revision)));
  for (const answer of answers) t.match(answer, { statusCode: 200, revision });
  t.ok(
    reads() - before <= 3,
    `${reads() - before} queries: one reading that had begun, and at most one more for all who came later`,
  );
});

t.test('503 if the store fails, in any way; nothing older is served', async (t) => {
  const { late, move, asks } = await openPair(t);
  const revision = await move('1.0.0');
  const head = await late.store.head();
  const back = Promise.withResolvers<undefined>();
  t.teardown(() => back.resolve(undefined));
  const plans: readonly (readonly [string, Plan])[] = [
    ['refused', () => 'rejects'],
    ['hanging', () => back.promise],
  ];
  for (const [name, plan] of plans) {
    late.fail(plan);
    const requests = [
      ['getActivePack', {}],
      ['activateVersion', { body: { version: '1.1.0', reason } }],
      ['startCoachSession', { body: {} }],
    ] as const;
    const answers = await Promise.all(
      requests.map(async ([id, request]) => ({ id, ...(await asks(t, id, revision, request)) })),
    );
    for (const { id, statusCode, headers, body } of answers) {
      t.match(
        [statusCode, body.code, body.currentRevision, headers['retry-after']],
        [503, 'revision-not-reached', revision - 1, /^\d+$/u],
        `${name}: ${id}`,
      );
    }
    t.equal((await askOf(late.app)(t, 'getActivePack')).statusCode, 200, `${name}: who does not insist is answered`);
  }
  late.fail();
  back.resolve(undefined);
  t.strictSame(await late.store.head(), head, 'no write was made');
  t.match(
    await asks(t, 'getActivePack', revision),
    { statusCode: 200, revision },
    'and it goes on once the store is back',
  );
});

t.test('412 for a revision beyond the log, with its last revision, on reads and writes', async (t) => {
  const { move, asks, late } = await openPair(t);
  const revision = await move('1.0.0');
  const { statusCode, body } = await asks(t, 'getActivePack', revision + 1);
  t.match([statusCode, body], [412, { code: 'revision-unknown', currentRevision: revision }]);
  t.match(await asks(t, 'activateVersion', revision + 1, { body: { version: '1.1.0', reason } }), {
    statusCode: 412,
    body: { code: 'revision-unknown' },
  });
  t.equal((await late.store.head())?.revision, revision, 'nothing was written');
  t.match(await asks(t, 'activateVersion', revision, { body: { version: '1.1.0', reason } }), {
    statusCode: 201,
    revision: revision + 1,
  });
});

t.test('400 for an invalid revision; 401 and 403 before the store is asked', async (t) => {
  const { late, asks } = await openPair(t);
  const before = late.connection.calls.length;
  for (const wrong of ['-1', '1.5', 'abc', '', '1, 2', '0x1', '1e3', '9'.repeat(16), '"1"']) {
    t.match(
      await asks(t, 'getActivePack', wrong),
      { statusCode: 400, body: { code: 'validation-failed', errors: [{ parameter: 'registry-min-revision' }] } },
      `"${wrong}"`,
    );
  }
  for (const epoch of ['-1', 'x', '1, 2']) {
    t.match(
      await asks(t, 'getActivePack', 1, { headers: { 'registry-epoch': epoch } }),
      { statusCode: 400, body: { errors: [{ parameter: 'registry-epoch' }] } },
      `epoch "${epoch}"`,
    );
  }
  t.match(await asks(t, 'getActivePack', 999_999, { headers: { authorization: '' } }), { statusCode: 401 });
  const { token = '' } = await late.app.registry.createKey({ label: 'metrics', scopes: ['metrics:read'] });
  const made = late.connection.calls.length;
  t.match(await asks(t, 'getActivePack', 999_999, { headers: { authorization: `Bearer ${token}` } }), {
    statusCode: 403,
  });
  t.match(await asks(t, 'getActivePack', 'junk', { headers: { authorization: '' } }), { statusCode: 401 });
  t.equal(late.connection.calls.length, made, 'nobody without a right key makes the store work');
  t.ok(made > before);
  for (const id of ['live', 'ready']) t.equal((await asks(t, id, 999_999)).statusCode, 200, `${id} is nobody's`);
});

t.test(
  'a key that was revoked at that revision is refused, also by an instance that learns of it only by the request',
  async (t) => {
    const { quick, late, asks } = await openPair(t);
    const { registry } = quick.app;
    const { token = '', record } = await registry.createKey({ label: 'reader', scopes: ['prompts:read'] });
    const headers = { authorization: `Bearer ${token}` };
    await late.app.registry.instance.catchUp();
    t.match(await asks(t, 'getActivePack', registry.current.revision, { headers }), { statusCode: 200 });
    await registry.revokeKey({ keyId: record.keyId, reason: 'Left the team' });
    t.match(await askOf(late.app)(t, 'getActivePack', { headers }), { statusCode: 200 }, 'it has not applied it yet');
    const { revision } = registry.current;
    t.match(await asks(t, 'getActivePack', revision, { headers }), {
      statusCode: 401,
      revision,
      body: { code: 'unauthenticated', detail: /reader.*revoked/u },
    });
  },
);

t.test('a revision from before a restore is satisfied by later ones, if the request has its epoch', async (t) => {
  const { quick, late, move, quiet, asks } = await openPair(t);
  const kept = quick.app.registry.current.revision;
  let seen = 0;
  for (const version of ['1.0.0', '1.1.0', '1.0.0', '1.1.0']) seen = await move(version);
  t.match(await asks(t, 'getActivePack', seen), { statusCode: 200, revision: seen });

  const restored = await backupOf(late.store, kept);
  t.teardown(() => restored.close());
  late.connection.inner = restored;
  t.match(
    await asks(t, 'getActivePack', seen + 1),
    { statusCode: 503, body: { code: 'revision-not-reached' } },
    'a log that is not the one applied here is not followed',
  );
  t.strictSame(await acceptRestore(restored, newFolder(t), 'The disk was lost'), { epoch: 2, revision: kept + 1 });
  quiet(false);
  await until(() => late.app.registry.current.epoch === 2);

  const after = await asks(t, 'getActivePack', seen, { headers: { 'registry-epoch': '1' } });
  t.match(
    after,
    { statusCode: 200, revision: kept + 1, headers: { 'registry-epoch': '2' }, body: { version: '2.0.0' } },
    'a lower revision, but a later place',
  );
  t.match(await asks(t, 'getActivePack', kept + 1, { headers: { 'registry-epoch': '2' } }), { statusCode: 200 });
  t.match(
    await asks(t, 'getActivePack', seen),
    { statusCode: 412, body: { code: 'revision-unknown', currentRevision: kept + 1 } },
    'without it, it is taken for one of the epoch in force',
  );
  t.match(
    await asks(t, 'getActivePack', 1, { headers: { 'registry-epoch': '3' } }),
    { statusCode: 412, body: { code: 'revision-unknown' } },
    'an epoch that never was',
  );

  const activate = (version: string, revision: number, epoch: string) =>
    askOf(late.app)(t, 'activateVersion', {
      path: { pack: 'coach' },
      headers: { 'if-match': `"${revision}"`, 'registry-epoch': epoch },
      body: { version, reason },
    });
  t.match(
    await activate('1.0.0', after.body['revision'] as number, '1'),
    { statusCode: 201 },
    'If-Match: a revision from before the restored one is common to both histories',
  );
  const { revision } = late.app.registry.activePack();
  t.ok(revision <= seen, 'both registries have issued this revision');
  t.match(
    await activate('1.1.0', revision, '1'),
    { statusCode: 412, body: { code: 'revision-conflict' } },
    'one seen in the lost history does not match',
  );
  t.match(await activate('1.1.0', revision, '2'), { statusCode: 201 });
});
