/** Coach sessions through a source: started by the registry, or locally during an outage. */
import type { ActivePackDocument } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';

async function setUp(t: Test, options: { readonly sessionTtl?: number } = {}) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const { source, nextEvent } = openSource(t, { url: front.url, key, timeout: 1000, ...options });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  /** Starts an outage and waits until the source notices. */
  const away = async () => {
    front.plan = () => 'reset';
    front.cut();
    await until(() => source.status().connection === 'disconnected');
  };
  const back = async () => {
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  };
  return { app, key, front, source, nextEvent, away, back, registry: app.registry };
}

t.test('the registry starts and resolves sessions', async (t) => {
  const { source, registry } = await setUp(t);
  const session = await source.startSession({ styleId: 'supportive' });
  t.match(session, {
    local: false,
    superseded: false,
    promptPack: { version: '2.0.0' },
    prompt: { style: { id: 'supportive' } },
  });
  await registry.activate({ version: '1.0.0', reason });
  t.match(await source.resolveSession(session.sessionId), {
    local: false,
    superseded: true,
    promptPack: { version: '2.0.0' },
    prompt: session.prompt,
  });
  await t.rejects(source.startSession({ styleId: 'nope' }), {
    code: 'style-not-supported',
    problem: { supportedStyles: Array },
  });
  await t.rejects(source.resolveSession('forged'), { code: 'session-not-found', status: 404 });
});

t.test('during an outage sessions start locally and keep their version', async (t) => {
  const { source, registry, away, back } = await setUp(t);
  await away();
  const session = await source.startSession({ styleId: 'challenging' });
  t.match(session, {
    local: true,
    superseded: false,
    promptPack: { pack: 'coach', version: '2.0.0', digest: registry.activePack().digest },
    prompt: { system: registry.activePack().system, style: { id: 'challenging' } },
  });
  t.match(
    await source.startSession(),
    { prompt: { style: { id: registry.activePack().defaultStyle } } },
    'the default style if none is given',
  );
  await t.rejects(source.startSession({ styleId: 'nope' }), { code: 'style-not-supported', message: /challenging/u });
  t.match(await source.resolveSession(session.sessionId), { ...session, local: true });

  await registry.activate({ version: '1.0.0', reason });
  await back();
  await until(() => source.activePack().version === '1.0.0');
  t.match(
    await source.resolveSession(session.sessionId),
    { local: true, superseded: true, promptPack: { version: '2.0.0' }, prompt: session.prompt },
    'the channel moves, the session does not',
  );
  await away();
  t.match(
    await source.resolveSession(session.sessionId),
    { promptPack: { version: '2.0.0' }, prompt: session.prompt, movedFrom: undefined },
    'also in the next outage',
  );
});

t.test('a failed call is answered locally', async (t) => {
  const { source, front } = await setUp(t);
  for (const fate of [
    'hang',
    'reset',
    { status: 503, type: 'text/plain', body: 'busy' },
    { status: 200, type: 'text/html', body: '<p>' },
  ] as const) {
    front.plan = ({ url }) => (url?.includes('/v1/coach/') === true ? fate : undefined);
    t.match(await source.startSession(), { local: true, promptPack: { version: '2.0.0' } });
  }
  front.plan = ({ url }) =>
    url?.includes('/v1/coach/') === true
      ? {
          status: 401,
          body: JSON.stringify({
            type: '/problems/unauthenticated',
            title: 'No key',
            status: 401,
            code: 'unauthenticated',
            detail: 'No key',
          }),
        }
      : undefined;
  t.match(await source.startSession(), { local: true }, 'a key that stops working does not prevent sessions');
});

t.test("the registry's sessions continue during an outage", async (t) => {
  const { source, registry, away, nextEvent } = await setUp(t);
  const seen = await source.startSession({ styleId: 'concise' });
  const moved = nextEvent('changed');
  await registry.activate({ version: '1.0.0', reason });
  await moved;
  const unseen = registry.startSession({ styleId: 'direct' });
  await away();
  t.match(await source.resolveSession(seen.sessionId), {
    local: true,
    promptPack: seen.promptPack,
    prompt: seen.prompt,
    superseded: true,
  });
  const first = await source.resolveSession(unseen.sessionId);
  t.match(
    first,
    { sessionId: unseen.sessionId, local: true, promptPack: { version: '1.0.0' } },
    'an unknown session runs on the current version',
  );
  t.match(
    await source.resolveSession(unseen.sessionId),
    { promptPack: first.promptPack, prompt: first.prompt },
    'and keeps it',
  );
});

t.test('a local session in another process', async (t) => {
  const { source, registry, front, key, away, back } = await setUp(t);
  await away();
  const session = await source.startSession({ styleId: 'challenging' });
  await back();
  await registry.activate({ version: '1.0.0', reason });
  const other = openSource(t, { url: front.url, key });
  await other.source.ready();
  t.match(
    await other.source.resolveSession(session.sessionId),
    { local: true, superseded: true, promptPack: { version: '2.0.0' }, prompt: session.prompt },
    'keeps its version, which that process reads',
  );

  const stranger = openSource(t, {
    url: front.url,
    key: (await registry.createKey({ label: 'other', scopes: ['prompts:read', 'sessions:start'] })).token ?? '',
  });
  await stranger.source.ready();
  await t.rejects(
    stranger.source.resolveSession(session.sessionId),
    { code: 'session-not-found' },
    'rejected with another key',
  );
  t.ok(session.sessionId.length <= 200, 'within the limit of session ids');
  const forged = session.sessionId.replace('2.0.0', '1.1.0');
  t.not(forged, session.sessionId);
  for (const id of [
    forged,
    session.sessionId.replace('challenging', 'supportive'),
    session.sessionId.slice(0, -3),
    'local.',
    'local.x.y',
    session.sessionId.replace(/\.[\w-]+$/u, `.${'A'.repeat(22)}`),
  ]) {
    await t.rejects(source.resolveSession(id), { code: 'session-not-found' }, 'forged or truncated ids are rejected');
  }

  await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  for (const each of [source, other.source]) {
    await until(() => each.status().revision === registry.current.revision);
    t.match(
      await each.resolveSession(session.sessionId),
      { promptPack: { version: '1.0.0' }, movedFrom: { version: '2.0.0', styleId: 'challenging' } },
      'moved from the revoked version',
    );
  }
});

t.test('sessions survive a change of the key', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const next =
    (await app.registry.createKey({ label: 'the next', scopes: ['prompts:read', 'sessions:start'] })).token ?? '';
  let current = key;
  const { source } = openSource(t, { url: front.url, key: () => current });
  await source.ready();
  front.plan = ({ url }) => (url?.includes('/v1/coach/') === true ? 'reset' : undefined);
  const { sessionId } = await source.startSession();
  current = next;
  t.match(await source.resolveSession(sessionId), { local: true, promptPack: { version: '2.0.0' } });
  const { sessionId: later } = await source.startSession();
  current = key;
  t.match(await source.resolveSession(later), { local: true }, 'in either direction');

  let others = key;
  const other = openSource(t, { url: front.url, key: () => others });
  await other.source.ready();
  others = next;
  t.match(
    await other.source.resolveSession(sessionId),
    { local: true },
    'even if the old key was only used for requests',
  );
});

t.test('sessions survive if the key cannot be read any more', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  let sealed = false;
  const current = () => {
    if (sealed) throw new Error('The vault is sealed');
    return key;
  };
  const url = await listen(app);
  const { source, eventually } = openSource(t, { url, key: current });
  await source.ready();
  sealed = true;
  const { sessionId, local } = await source.startSession();
  t.match(await eventually('error'), {
    code: 'unauthenticated',
    message: /^Could not get the API key: The vault is sealed\.$/u,
  });
  t.equal(local, true);
  t.match(await source.resolveSession(sessionId), { local: true, promptPack: { version: '2.0.0' } });
  const never = openSource(t, { url, key: current, bundle: app.registry.activePack() as ActivePackDocument });
  await never.source.ready();
  await t.rejects(never.source.startSession(), { code: 'unauthenticated' }, 'without any key no session can be signed');
});

t.test('an instance that is behind does not answer sessions', async (t) => {
  const { source, registry, front } = await setUp(t);
  let behind: { headers: object; body: string } | undefined;
  front.plan = ({ url }) =>
    url?.includes('/v1/coach/') === true
      ? { change: (answer) => void Object.assign(answer, (behind ??= { ...answer })) }
      : undefined;
  const { sessionId } = await source.startSession();
  t.equal(
    front.headers.at(-1)?.['registry-min-revision'],
    String(registry.current.revision),
    'the request names the latest position',
  );
  await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  await until(() => source.activePack().version === '1.0.0');
  t.match(
    await source.resolveSession(sessionId),
    { local: true, promptPack: { version: '1.0.0' }, movedFrom: { version: '2.0.0' } },
    'a response from before that position is rejected',
  );
  t.match(await source.startSession(), { local: true, promptPack: { version: '1.0.0' } });
  front.plan = ({ url }) =>
    url?.includes('/v1/coach/') === true
      ? {
          status: 412,
          body: JSON.stringify({
            type: '/problems/revision-unknown',
            title: 'Unknown',
            status: 412,
            code: 'revision-unknown',
            detail: 'The log ends before.',
          }),
        }
      : undefined;
  t.match(await source.startSession(), { local: true }, 'nor does one that was restored keep anybody from a session');
});

t.test('an invalid session is rejected', async (t) => {
  const { source, front } = await setUp(t);
  for (const body of [
    {},
    { promptPack: null, prompt: null },
    { sessionId: 'x', expiresAt: 'x', promptPack: 'coach', prompt: 'x' },
    {
      sessionId: 'x',
      startedAt: 'x',
      expiresAt: 'x',
      promptPack: { pack: 'coach', version: '1', digest: 'x' },
      prompt: { system: 'x', style: { id: 'x' } },
    },
  ]) {
    front.plan = ({ url }) =>
      url?.includes('/v1/coach/') === true
        ? { status: 200, type: 'application/json', body: JSON.stringify(body) }
        : undefined;
    await t.rejects(source.startSession(), { code: 'not-understood' });
  }
});

t.test('a local session expires', async (t) => {
  const { source, away } = await setUp(t, { sessionTtl: 1 });
  await away();
  const { sessionId, expiresAt } = await source.startSession();
  await until(() => Date.now() > Date.parse(expiresAt));
  await t.rejects(source.resolveSession(sessionId), { code: 'session-not-found', message: /expired/u });
});

t.test('sessions of another pack are rejected', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const { source } = openSource(t, { url: await listen(app), key, pack: 'onboarding' });
  await source.ready();
  await t.rejects(source.startSession(), { code: 'not-understood', message: /DEFAULT_PACK/u });
});
