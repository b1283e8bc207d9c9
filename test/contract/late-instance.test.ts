/**
 * An instance that is behind: each response names the revision it was made from (SPEC R2), and none shows a state that the request itself
 * proves to be outdated (R5, R10).
 */
import t from 'tap';
import { openPair } from '../support/apps/late-app.ts';
import { askOf } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';

const reason = 'Users report that answers are too blunt';

t.test('a refusal names the revision that it was decided on', async (t) => {
  const { quick, late, move, asks } = await openPair(t);
  const ask = askOf(late.app);
  const { revision: seen } = await ask(t, 'getActivePack');
  const moved = await move('1.0.0');
  const conflict = await ask(t, 'activateVersion', {
    body: { version: '1.1.0', reason },
    headers: { 'if-match': `"${seen}"` },
  });
  t.match(conflict, { statusCode: 412, revision: moved, body: { code: 'revision-conflict', currentRevision: moved } });

  const publish = (app: typeof quick.app, summary: string) =>
    askOf(app)(t, 'publishVersion', { path: { pack: 'told' }, body: documentOf('told', '1.0.0', { summary }) });
  const { revision: published } = await publish(quick.app, 'The first');
  t.match(await publish(late.app, 'Another'), {
    statusCode: 409,
    revision: published,
    body: { code: 'version-exists' },
  });

  const again = await move('2.0.0');
  t.match(
    await asks(t, 'getActivePack', again + 1),
    { statusCode: 412, revision: again, body: { code: 'revision-unknown', currentRevision: again } },
    'so does one that looked how far the log goes',
  );
});

t.test('a dry run is refused only if the move would be', async (t) => {
  const { quick, late } = await openPair(t);
  const ask = askOf(late.app);
  const publish = async (version: string) =>
    (await askOf(quick.app)(t, 'publishVersion', { path: { pack: 'told' }, body: documentOf('told', version) }))
      .revision;
  const dry = (id: string, body: object, version?: string) =>
    ask(t, id, {
      path: { pack: 'told', ...(version !== undefined && { version }) },
      body: { ...body, reason, dryRun: true },
    });
  let revision = await publish('1.0.0');
  t.match(
    await dry('activateVersion', { version: '1.0.0' }),
    { statusCode: 200, revision, body: { wouldActivate: '1.0.0' } },
    'a version that another instance has just published',
  );
  for (const version of ['1.0.0', '2.0.0']) {
    if (version === '2.0.0') await publish(version);
    ({ revision } = await askOf(quick.app)(t, 'activateVersion', {
      path: { pack: 'told' },
      body: { version, reason },
    }));
  }
  t.match(await dry('rollbackPack', { fromVersion: '2.0.0' }), {
    statusCode: 200,
    revision,
    body: { wouldActivate: '1.0.0', previousVersion: '2.0.0' },
  });
  revision = await publish('3.0.0');
  t.match(await dry('revokeVersion', {}, '3.0.0'), { statusCode: 200, revision, body: { revision, moves: [] } });
  t.match(await dry('activateVersion', { version: '7.7.7' }), {
    statusCode: 422,
    revision,
    body: { code: 'unknown-version', knownVersions: ['3.0.0', '2.0.0', '1.0.0'] },
  });
  late.fail(() => 'rejects');
  t.match(
    await dry('activateVersion', { version: '7.7.7' }),
    { statusCode: 503, body: { code: 'store-unavailable' } },
    'nobody can say',
  );
});

t.test('a dry run names the revision that it was decided on, however slow its body arrived', async (t) => {
  const { quick, move } = await openPair(t);
  const { app } = quick;
  const decided = app.registry.previewRevoke.bind(app.registry);
  let moved = 0;
  app.registry.previewRevoke = async (request) => {
    moved = await move('1.0.0');
    return decided(request);
  };
  const answer = await askOf(app)(t, 'revokeVersion', { path: { version: '1.0.0' }, body: { reason, dryRun: true } });
  t.match(answer, {
    statusCode: 200,
    revision: moved,
    body: { revision: moved, moves: [{ channel: 'production', version: '2.0.0' }] },
  });
});

t.test('a session that another instance has just started is not superseded', async (t) => {
  const { quick, late, move } = await openPair(t, 'old-news');
  const ask = askOf(late.app);
  await ask(t, 'getVersion', { path: { version: '1.0.0' } }); // it has the texts
  const revision = await move('1.0.0');
  const { body: session } = await askOf(quick.app)(t, 'startCoachSession', { body: {} });
  const read = () => ask(t, 'getCoachSession', { path: { sessionId: session.sessionId } });
  late.fail(() => 'rejects');
  t.match(
    await read(),
    { statusCode: 200, revision: revision - 1, body: { promptPack: session.promptPack, prompt: session.prompt } },
    'it is answered while the store is down',
  );
  late.fail();
  t.match(await read(), { statusCode: 200, revision, body: session });
  t.match(session, { superseded: false, promptPack: { version: '1.0.0', revision } });
});
