/** A source while a rollout is under way: it decides for a subject as the registry does, whole and at once, and behind older instances. */
import { createRegistryClient, type ActivePackDocument, type ChannelDocument } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { openSource, readsChannel } from '../../support/clients/prompt-sources.ts';
import { startFront, type Fate } from '../../support/http/http-front.ts';
import { newFolder } from '../../support/process/folder.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
const STEPS = { steps: [{ share: 30 }, { share: 60 }], bake: '1h', finish: 'wait', reason } as const;

/** A registry on 1.0.0, a proxy before it, and a source that follows. */
async function setUp(t: Test, options: Partial<Parameters<typeof openSource>[1]> = {}) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const { registry } = app;
  await registry.activate({ version: '1.0.0', reason });
  const front = await startFront(t, await listen(app));
  const connection = { url: front.url, key, timeout: 5000 };
  const opened = openSource(t, { ...connection, ...options });
  await opened.source.ready();
  await until(() => options.stream === false || opened.source.status().connection === 'streaming');
  const start = async (more = {}) => (await registry.rollouts.start({ version: '2.0.0', ...STEPS, ...more })).rollout;
  const steer = (verb: 'advance-rollout' | 'pause-rollout' | 'abort-rollout', rollout: number, more = {}) =>
    registry.rollouts.steer(verb, { pack: 'coach', rollout, reason, ...more });
  const knows = (share: number | undefined) => until(() => opened.source.status().rollout?.share === share);
  return { ...opened, app, registry, front, connection, start, steer, knows };
}

/** Odd ids too: umlauts, emoji, combining characters, and long ones. */
function subjects(count: number): string[] {
  const forms = [
    (index: number) => `user-${index}`,
    (index: number) => `größe-${index}-ß`,
    (index: number) => `🧑‍🚀${index}🎈`,
    (index: number) => `e\u0301:${index} / "x"`,
    (index: number) => `${'長'.repeat(190)}${index}`,
  ];
  return Array.from({ length: count }, (_, index) => (forms[index % forms.length] as (index: number) => string)(index));
}

t.test('a subject gets what the registry gives it, and so do 10,000', async (t) => {
  const { source, registry, start, steer, knows, front } = await setUp(t);
  t.equal(source.for({ subject: 'anybody' }).assignment, undefined);
  const conditions = [
    { attribute: 'country', operator: 'in' as const, values: ['de', 'at'] },
    { attribute: 'app', operator: 'semver' as const, values: ['^2.1 || 4.x'] },
  ];
  const { id } = await start({ audience: { conditions, subjects: ['tester'] } });
  await knows(30);
  const facts = [
    { country: 'de', app: '2.3.0' },
    { country: 'at', app: '4.0.1' },
    { country: 'fr', app: '2.3.0' },
    undefined,
  ];
  const differing = () =>
    subjects(10_000).filter((subject, index) => {
      const attributes = facts[index % facts.length];
      const whom = { subject, ...(attributes !== undefined && { attributes }) };
      const [ours, theirs] = [source.for(whom), registry.activePack(whom)];
      const { version, digest, revision } = ours.activePack();
      const isSame = version === theirs.version && digest === theirs.digest && revision === theirs.revision;
      return !isSame || ours.assignment?.arm !== registry.assignment(whom)?.arm;
    });
  t.strictSame(differing(), []);
  await steer('advance-rollout', id);
  await knows(60);
  t.strictSame(differing(), []);
  const tester = source.for({ subject: 'tester' });
  t.match(tester.assignment, { rollout: id, arm: 'candidate' });
  t.match(tester.getStylePrompt('supportive'), { version: '2.0.0', revision: id, origin: 'registry', stale: false });
  t.equal(tester.getSystemPrompt(), source.for({ subject: 'tester' }).getSystemPrompt(), 'a read is a look-up');
  t.equal(source.getSystemPrompt().version, '1.0.0', 'without a subject: stable');
  t.throws(() => tester.getStylePrompt('nope'), { code: 'style-not-found', message: /2\.0\.0.*supportive/u });
  t.notOk(
    front.requests.some((each) => each.includes('tester')),
    'no subject left the process',
  );
});

t.test('the registry refuses the same subjects', async (t) => {
  const { source, registry } = await setUp(t);
  const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, 'x']));
  const all: readonly { readonly subject: string; readonly attributes?: Record<string, string | number | boolean> }[] =
    [
      { subject: '' },
      { subject: 'x'.repeat(200) },
      { subject: 'x'.repeat(201) },
      { subject: '🎈'.repeat(200) },
      { subject: '🎈'.repeat(201) },
      { subject: 'half \ud83c' },
      { subject: 'nul \0' },
      { subject: 7 as unknown as string },
      { subject: 'x', attributes: {} },
      { subject: 'x', attributes: { Country: 'de' } },
      { subject: 'x', attributes: { country: 'x'.repeat(201) } },
      { subject: 'x', attributes: { country: '\udfff' } },
      { subject: 'x', attributes: { age: NaN } },
      { subject: 'x', attributes: { age: 30, beta: true } },
      { subject: 'x', attributes: twenty },
      { subject: 'x', attributes: { ...twenty, b: 'x' } },
      { subject: 'x', attributes: { list: [] as unknown as string } },
    ];
  const refusal = (call: () => unknown) => {
    try {
      call();
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (const whom of all) {
    const theirs = refusal(() => registry.activePack(whom));
    const ours = refusal(() => source.for(whom));
    t.equal(ours, theirs === undefined ? undefined : 'not-understood', JSON.stringify(whom).slice(0, 60));
  }
});

t.test('`changed` tells that a rollout started, has another share or state, and ended', async (t) => {
  const { source, registry, events, start, steer, knows } = await setUp(t);
  const { id } = await start();
  await knows(30);
  await steer('advance-rollout', id);
  await knows(60);
  await steer('pause-rollout', id);
  await until(() => source.status().rollout?.state === 'paused');
  await registry.rollback({ fromVersion: '2.0.0', reason });
  await knows(undefined);
  const summary = { id, version: '2.0.0', state: 'running', share: 30 };
  t.strictSame(
    events
      .filter(([event]) => event === 'changed')
      .slice(1)
      .map(([, payload]) => (payload as { rollout: unknown }).rollout),
    [
      { from: undefined, to: summary },
      { from: summary, to: { ...summary, share: 60 } },
      { from: { ...summary, share: 60 }, to: { ...summary, share: 60, state: 'paused' } },
      { from: { ...summary, share: 60, state: 'paused' }, to: undefined },
    ],
  );
  t.equal(source.for({ subject: 'anybody' }).activePack(), source.activePack(), 'everybody is on stable at once');
  await start();
  await knows(30);
  await registry.activate({ version: '2.0.0', reason });
  await until(() => source.activePack().version === '2.0.0');
  t.equal(source.status().rollout, undefined, 'promoted');
});

t.test('an end is known at once, even if what follows cannot be read', async (t) => {
  const { source, front, start, steer, knows } = await setUp(t);
  const { id } = await start({ steps: [{ share: 100 }] });
  await knows(100);
  t.equal(source.for({ subject: 'x' }).activePack().version, '2.0.0');
  front.plan = (request) => (readsChannel(request) ? 'reset' : undefined);
  await steer('abort-rollout', id);
  await knows(undefined);
  t.equal(source.for({ subject: 'x' }).activePack().version, '1.0.0');
});

t.test('a revoked candidate disappears', async (t) => {
  const folder = newFolder(t);
  const { source, registry, start, knows } = await setUp(t, { copy: diskCopy({ folder }) });
  await start({ steps: [{ share: 100 }] });
  await knows(100);
  await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.1.0', reason });
  await until(() => source.for({ subject: 'x' }).activePack().version === '1.0.0');
  await source.close();
  t.notMatch(JSON.stringify(await diskCopy({ folder }).load()), '"version":"2.0.0"', 'also from the disk');
});

t.test('reads during steps and flips never mix two packs, in either arm', async (t) => {
  const { source, registry, start, steer } = await setUp(t);
  const texts = new Map<string, string>();
  let [reads, wrong] = [0, 0];
  const last = new Map<string, number>();
  const all = subjects(40).map((subject) => source.for({ subject }));
  const read = () => {
    const arms = new Map<string, string>();
    for (const each of all) {
      const { version, revision, digest, system } = each.activePack();
      const [prompt, style] = [each.getSystemPrompt(), each.getStylePrompt('supportive')];
      const arm = each.assignment?.arm ?? 'stable';
      reads += 1;
      if (
        prompt.text !== system ||
        prompt.revision !== revision ||
        style.revision !== revision ||
        style.digest !== digest
      )
        wrong += 1;
      if ((texts.get(version) ?? system) !== system || (arms.get(arm) ?? version) !== version) wrong += 1;
      if (arm === 'stable' && revision < (last.get(arm) ?? 0)) wrong += 1;
      texts.set(version, system);
      arms.set(arm, version);
      last.set(arm, revision);
    }
  };
  const timer = setInterval(read, 1);
  t.teardown(() => clearInterval(timer));
  for (let turn = 0; turn < 10; turn += 1) {
    const { id } = await start({ version: turn % 2 === 0 ? '2.0.0' : '1.0.0' });
    read();
    if (turn % 3 !== 0) await until(() => source.status().rollout?.id === id); // else the next change overtakes the read
    await steer('advance-rollout', id);
    read();
    if (turn % 3 !== 1) await until(() => source.status().rollout?.share === 60);
    await registry.activate({ version: turn % 2 === 0 ? '2.0.0' : '1.0.0', reason });
    read();
    if (turn % 3 !== 2) await until(() => source.activePack().revision === registry.activePack().revision);
  }
  clearInterval(timer);
  t.ok(reads > 1000 && texts.size === 2, `${reads} reads of ${texts.size} versions`);
  t.equal(wrong, 0);
});

t.test('the copy and a bundle have both arms; those of before are still read', async (t) => {
  const folder = newFolder(t);
  const { source, connection, registry, start, knows } = await setUp(t, { copy: diskCopy({ folder }) });
  const { id } = await start();
  await knows(30);
  const arms = (from: typeof source) => subjects(200).map((subject) => from.for({ subject }).activePack().version);
  const expected = arms(source);
  t.strictSame([...new Set(expected)].sort(), ['1.0.0', '2.0.0']);
  await source.close();

  const nowhere = { ...connection, url: 'http://127.0.0.1:1' };
  const offline = openSource(t, { ...nowhere, copy: diskCopy({ folder }) }).source;
  t.match(await offline.ready(), { origin: 'copy', version: '1.0.0' });
  t.strictSame(arms(offline), expected);
  t.match(offline.status().rollout, { id, share: 30 });
  const { ask } = createRegistryClient(connection);
  const { data: channel } = await ask((api) =>
    api.GET('/v1/packs/{pack}/channels/{channel}', { params: { path: { pack: 'coach', channel: 'production' } } }),
  );
  for (const bundle of [channel, registry.activePack() as ActivePackDocument]) {
    const bundled = openSource(t, { ...nowhere, bundle }).source;
    t.match(await bundled.ready(), { origin: 'bundle', version: '1.0.0' });
    t.strictSame(arms(bundled), 'stable' in bundle ? expected : expected.map(() => '1.0.0'));
  }
  const { rest: _, channelEtag: __, ...before } = (await diskCopy({ folder }).load()) as Record<string, unknown>;
  const old = { load: async () => before, save: async () => undefined };
  t.match(await openSource(t, { ...nowhere, copy: old }).source.ready(), { origin: 'copy', version: '1.0.0' });
});

t.test('a rule that this client does not understand gives everybody the stable version, and is reported', async (t) => {
  const { source, events, front, registry, start } = await setUp(t);
  const changes: readonly ((rollout: NonNullable<ChannelDocument['rollout']>) => unknown)[] = [
    (rollout) => Object.assign(rollout, { hash: 'v2' }),
    (rollout) =>
      Object.assign(rollout, { audience: { conditions: [{ attribute: 'a', operator: 'near', values: ['x'] }] } }),
  ];
  for (const change of changes) {
    front.plan = (request) =>
      readsChannel(request) ? edited((document) => document.rollout && change(document.rollout)) : undefined;
    const before = events.length;
    await start({ steps: [{ share: 100 }] });
    await until(() => events.slice(before).some(([event]) => event === 'error'));
    t.match(
      events.slice(before).find(([event]) => event === 'error'),
      ['error', { code: 'not-understood', message: /unknown\. Everybody gets/u }],
    );
    t.equal(source.for({ subject: 'x' }).activePack().version, '1.0.0');
    await registry.rollback({ reason });
  }
});

function edited(edit: (document: ChannelDocument) => unknown): Fate {
  return {
    change: (answer) => {
      if (answer.body === '') return;
      const document = JSON.parse(answer.body) as ChannelDocument;
      edit(document);
      answer.body = JSON.stringify(document);
    },
  };
}

/** How an instance without `getChannel` answers. */
const UNKNOWN_PATH: Fate = {
  status: 404,
  body: JSON.stringify({
    type: '/problems/not-found',
    title: 'No such resource',
    status: 404,
    detail: 'Nothing',
    code: 'not-found',
  }),
};
const isChannel = ({ url = '' }: { readonly url?: string | undefined }) => url.includes('/channels/');

t.test('an older registry without getChannel is followed as before', async (t) => {
  for (const channel of [undefined, 'production']) {
    const { app, key } = await openApp(t, { store: 'memory' });
    const front = await startFront(t, await listen(app));
    front.plan = (request) => (isChannel(request) ? UNKNOWN_PATH : undefined);
    const { source, events } = openSource(t, { url: front.url, key, timeout: 5000, ...(channel && { channel }) });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    const before = front.requests.length;
    for (const version of ['1.0.0', '2.0.0', '1.1.0']) {
      await app.registry.activate({ version, reason });
      await until(() => source.activePack().version === version);
    }
    t.strictSame(
      front.requests.slice(before).map((each) => each.replace(/\?.*/u, '')),
      Array<string>(3).fill('GET /v1/packs/coach/active'),
      'one request for each move',
    );
    t.strictSame(
      events.filter(([event]) => event === 'error'),
      [],
    );
  }
});

t.test('behind a balancer with an older instance, arms do not flap', async (t) => {
  const { source, events, front, registry, start, steer, knows } = await setUp(t, {
    stream: false,
    pollInterval: 5,
    channel: 'production',
  });
  let turn = 0;
  front.plan = (request) => (isChannel(request) && (turn += 1) % 2 === 0 ? UNKNOWN_PATH : undefined);
  const { id } = await start();
  await knows(30);
  const seen = new Set<string>();
  const subject = subjects(100).find((each) => source.for({ subject: each }).assignment?.arm === 'candidate') ?? '';
  const watched = source.for({ subject });
  const timer = setInterval(() => seen.add(watched.activePack().version), 1);
  t.teardown(() => clearInterval(timer));
  const before = front.requests.length;
  await until(() => front.requests.length > before + 20);
  await steer('advance-rollout', id);
  await knows(60);
  clearInterval(timer);
  t.strictSame([...seen], ['2.0.0'], 'sticky, whichever instance answers');
  await registry.activate({ version: '1.1.0', reason });
  await until(() => watched.activePack().version === '1.1.0');
  t.equal(source.status().rollout, undefined, 'a move ends the rollout, whichever instance tells');
  t.strictSame(
    events.filter(([event]) => event === 'error'),
    [],
  );
});
