/**
 * Publishing over HTTP: SPEC R1 (a version never changes; HTTP and folders give the same digest), and a refusal leaves nothing half
 * registered.
 */
import t, { type Test } from 'tap';
import type { PackDocument } from '../../registry/model.ts';
import { openApp, shippedPacks } from '../support/apps/app.ts';
import { askOf, type Answer } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';

const { app, key, store } = await openApp(t);
const ask = askOf(app);
const reason = 'Users report that answers are too blunt';

const publish = (t: Test, pack: string, body: unknown) => ask(t, 'publishVersion', { path: { pack }, body });

/** A success without effect. */
async function sameAgain(t: Test, pack: string, document: PackDocument, name: string): Promise<Answer> {
  const { current } = app.registry;
  const answer = await publish(t, pack, document);
  t.equal(answer.statusCode, 200, name);
  t.equal(app.registry.current, current, `${name}: no event`);
  return answer;
}

/** A refusal without effect: not in the snapshot, not in the log, not among the contents. */
async function refused(
  t: Test,
  pack: string,
  document: unknown,
  status: number,
  problem: object,
  name: string,
): Promise<void> {
  const { current } = app.registry;
  const head = await store.head();
  t.match(await publish(t, pack, document), { statusCode: status, body: problem }, name);
  t.equal(app.registry.current, current, `${name}: nothing is visible`);
  t.strictSame(await store.head(), head, `${name}: nothing is in the log`);
}

t.test('201, and the version can be read as it was sent', async (t) => {
  const document = documentOf('new-pack', '1.0.0-rc.1', {
    system: 'Zwei Sätze. 🌱\n\nUnd  ein\tTab.',
    defaultStyle: 'direct',
  });
  const { revision } = app.registry.current;
  const { statusCode, headers, body, revision: after } = await publish(t, 'new-pack', document);
  t.equal(statusCode, 201);
  t.equal(after, revision + 1, 'it is one event');
  t.equal(headers['location'], '/v1/packs/new-pack/versions/1.0.0-rc.1');
  const { styles, system, ...rest } = document;
  const made = {
    pack: 'new-pack',
    status: 'registered',
    activeIn: [],
    problems: [],
    publishedBy: { keyId: key.split('_')[1] ?? '', label: 'operator' },
  };
  t.match(body, {
    ...rest,
    ...made,
    styles: styles.map(({ id, title }) => ({ id, title })),
    publishedAt: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u,
  });
  const read = await app.inject({ url: String(headers['location']) });
  t.strictSame(read.json(), { ...body, system, styles }, 'Location leads to it, texts and all');
});

t.test('lengths count characters, not UTF-16 units', async (t) => {
  const sprouts = (count: number) => '🌱'.repeat(count);
  const [style] = documentOf('sprouts', '1.0.0').styles;
  const longest = documentOf('sprouts', '1.0.0', {
    summary: sprouts(300),
    author: sprouts(120),
    system: sprouts(150_000),
    styles: [{ ...style!, title: sprouts(120) }],
  });
  t.match(await publish(t, 'sprouts', longest), { statusCode: 201, body: { summary: sprouts(300) } });
  t.equal(
    (await ask(t, 'activateVersion', { path: { pack: 'sprouts' }, body: { version: '1.0.0', reason: sprouts(500) } }))
      .statusCode,
    201,
  );
  t.equal((await ask(t, 'createKey', { body: { label: sprouts(100), scopes: ['prompts:read'] } })).statusCode, 201);
  await refused(
    t,
    'sprouts',
    { ...longest, version: '2.0.0', summary: sprouts(301) },
    400,
    { errors: [{ pointer: '/summary' }] },
    'one more',
  );
  for (const [id, body] of [
    ['activateVersion', { version: '1.0.0', reason: sprouts(501) }],
    ['createKey', { label: sprouts(101), scopes: ['prompts:read'] }],
  ] as const) {
    t.match(
      await ask(t, id, { ...(id === 'activateVersion' && { path: { pack: 'sprouts' } }), body }),
      { statusCode: 400, body: { code: 'validation-failed' } },
      id,
    );
  }
});

t.test('a new pack exists, and is inactive until it is activated', async (t) => {
  await publish(t, 'inactive', documentOf('inactive', '1.0.0'));
  t.match((await ask(t, 'getPack', { path: { pack: 'inactive' } })).body, { versionCount: 1, channels: [] });
  t.ok((await ask(t, 'listPacks')).body.packs.some(({ pack }: { pack: string }) => pack === 'inactive'));
  for (const [id, request] of [
    ['getActivePack', { path: { pack: 'inactive' } }],
    ['getSystemPrompt', { query: { pack: 'inactive' } }],
    ['listStyles', { query: { pack: 'inactive' } }],
  ] as const) {
    t.match(
      await ask(t, id, request),
      { statusCode: 404, body: { code: 'channel-not-found', knownChannels: [], detail: /no active version/u } },
      id,
    );
  }
});

t.test('published, activated, read: the texts are the same', async (t) => {
  const document = documentOf('read-back', '1.0.0', {
    system: 'Line one.\nLine two.\n\tIndented; “quoted”, 🌱, \u2028 and e\u0301.',
  });
  const { body: published } = await publish(t, 'read-back', document);
  await ask(t, 'activateVersion', { path: { pack: 'read-back' }, body: { version: '1.0.0', reason } });
  const { body } = await ask(t, 'getActivePack', { path: { pack: 'read-back' } });
  t.match(body, {
    system: document.system,
    styles: document.styles,
    defaultStyle: document.defaultStyle,
    compatibility: document.compatibility,
    digest: published.digest,
  });
  t.equal((await ask(t, 'getSystemPrompt', { query: { pack: 'read-back' } })).body.text, document.system);
  for (const { id, text } of document.styles)
    t.equal(
      (await ask(t, 'getStylePrompt', { path: { styleId: id }, query: { pack: 'read-back' } })).body.text,
      text,
      id,
    );
});

t.test('publishing the same again succeeds without an event', async (t) => {
  const document = documentOf('again', '1.0.0');
  const { body: first } = await publish(t, 'again', document);
  const { body, headers } = await sameAgain(t, 'again', document, 'as it was');
  t.strictSame(body, first);
  t.equal(headers['location'], '/v1/packs/again/versions/1.0.0');
  const { compatibility, ...rest } = document;
  const { packFormat, locales, clients, models } = compatibility;
  await sameAgain(
    t,
    'again',
    { compatibility: { packFormat, locales, clients, models }, ...rest },
    'members in another order',
  );
  const lines = documentOf('again', '1.0.0', { system: `${document.system}\n` });
  await sameAgain(t, 'again', lines, 'a final newline more');
  const more = documentOf('again', '1.0.0', { system: `\uFEFF\uFEFF${document.system}\r\n\n\r\n` });
  await sameAgain(t, 'again', more, 'two byte order marks and blank lines at the end');
});

t.test('different content under the same version is refused with the differences', async (t) => {
  const document = documentOf('immutable', '1.0.0');
  const [first, second] = document.styles;
  await publish(t, 'immutable', document);
  const others: readonly (readonly [name: string, differing: string, members: Partial<PackDocument>])[] = [
    ['a blank line more at the beginning', 'content', { system: `\n${document.system}` }],
    ['the same letters, composed otherwise', 'content', { system: document.system.replace('y', 'ÿ'.normalize('NFD')) }],
    ['another style text', 'content', { styles: [first!, { ...second!, text: 'Other.' }] }],
    ['another summary', 'summary', { summary: 'Other.' }],
    ['another author', 'author', { author: 'Somebody else' }],
  ];
  for (const [name, differing, members] of others) {
    await refused(
      t,
      'immutable',
      { ...document, ...members },
      409,
      { code: 'version-exists', differing: [differing], detail: new RegExp(differing, 'u') },
      name,
    );
  }
  await refused(
    t,
    'immutable',
    { ...document, system: 'Other.', summary: 'Other.', author: 'Other' },
    409,
    { differing: ['content', 'summary', 'author'] },
    'all at once',
  );
  t.equal((await ask(t, 'getVersion', { path: { pack: 'immutable', version: '1.0.0' } })).body.system, document.system);
  await sameAgain(t, 'immutable', document, 'the one that is there');
});

t.test('a version from disk is the same version over HTTP, whatever its line ends', async (t) => {
  const texts: readonly (readonly [name: string, as: (text: string) => string])[] = [
    ['as it is', (text) => text],
    ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['with a BOM', (text) => `\uFEFF${text}`],
    ['with a final newline', (text) => `${text}\n`],
    ['with all three', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}\r\n`],
  ];
  for (const { version } of await shippedPacks()) {
    const { content, summary, author, digest } = version;
    const { pack, styles, system, ...rest } = content;
    for (const [name, as] of texts) {
      const document: PackDocument = structuredClone({
        ...rest,
        summary,
        author,
        system: as(system),
        styles: styles.map((style) => ({ ...style, text: as(style.text) })),
      });
      const { body } = await sameAgain(t, pack, document, `${pack} ${content.version} ${name}`);
      t.equal(body.digest, digest);
    }
  }
});

t.test('if two requests publish one version at once, one creates it', async (t) => {
  const document = documentOf('raced', '1.0.0');
  const { revision } = app.registry.current;
  const same = await Promise.all([1, 2, 3].map(() => publish(t, 'raced', document)));
  t.strictSame(same.map(({ statusCode }) => statusCode).sort(), [200, 200, 201]);
  t.equal(app.registry.current.revision, revision + 1);
  const other = await Promise.all(
    ['One.', 'Two.'].map((system) => publish(t, 'raced', documentOf('raced', '2.0.0', { system }))),
  );
  t.strictSame(other.map(({ statusCode }) => statusCode).sort(), [201, 409]);
});

t.test('a contradictory or invalid document is refused as a whole', async (t) => {
  const good = documentOf('refused', '1.0.0');
  const [first, second] = good.styles;
  const { author: _, ...anonymous } = good;
  const faults: readonly (readonly [name: string, document: unknown, pointer: string])[] = [
    ['no author', anonymous, '/author'],
    ['an unknown member deep inside', { ...good, styles: [{ ...first, tone: 'warm' }] }, '/styles/0/tone'],
    ['the pack inside', { ...good, pack: 'refused' }, '/pack'],
    ['build metadata', { ...good, version: '1.0.0+build' }, '/version'],
    ['a blank system prompt', { ...good, system: '\n\n' }, '/system'],
    [
      'too many styles',
      { ...good, styles: Array.from({ length: 51 }, (_, n) => ({ ...first, id: `s${n}` })) },
      '/styles',
    ],
    ['a style twice', { ...good, styles: [first, { ...second, id: 'supportive' }] }, '/styles/1/id'],
    ['a NUL in a name', { ...good, 'auth\u0000or': 'x' }, ''],
    ['a list', [good], ''],
  ];
  for (const [name, document, pointer] of faults) {
    await refused(
      t,
      'refused',
      document,
      400,
      { code: 'validation-failed', errors: [{ pointer: new RegExp(`^${pointer}$`, 'u') }] },
      name,
    );
  }
  for (const pack of ['Refused', 'a_b', '-a', 'x'.repeat(64), ' ', 'ä', '%00']) {
    await refused(
      t,
      pack,
      good,
      400,
      { code: 'validation-failed', errors: [{ parameter: 'pack' }] },
      `the pack "${pack}"`,
    );
  }
  t.equal((await ask(t, 'getPack', { path: { pack: 'refused' } })).statusCode, 404, 'the pack was never made');
  t.equal((await publish(t, 'refused', good)).statusCode, 201, 'the good one goes in');
});
