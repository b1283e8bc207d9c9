/**
 * Contents that were damaged in the store: what needs them is refused, they are never served, and everything else goes on (SPEC R1).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { buildApp } from '../../../app.ts';
import { heldOperatorKey, injectWith } from '../../support/apps/app.ts';
import { Contents } from '../../../registry/local/contents.ts';
import { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { activation, batchAfter, EMPTY } from '../../support/stores/events.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { documentOf, versionOf } from '../../support/packs/pack-documents.ts';
import { optionsOf } from '../../support/apps/registries.ts';
import { firstUnfrozen } from '../../support/stores/snapshots.ts';

const reason = 'Why not';
const digest = versionOf('coach', '1.0.0').digest;

/** A database with coach 1.0.0, 1.1.0 and 2.0.0 (active), closed, and what a hand that may write to the file does to a content. */
async function database(t: Test) {
  const folder = join(t.testdir(), 'data');
  mkdirSync(folder);
  const file = join(folder, 'registry.db');
  const open = async (dataDir?: string) => {
    const store = await openSqliteStore({ file });
    try {
      return await Registry.open(optionsOf({ store, ...(dataDir !== undefined && { dataDir }) }));
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  const damage = (version: string, sql: string) => {
    const database = new DatabaseSync(file);
    const { changes } = database
      .prepare(`UPDATE contents SET body = ${sql} WHERE digest = ?`)
      .run(versionOf('coach', version).digest);
    database.close();
    t.equal(changes, 1, 'the content is there to be damaged');
  };
  await (await open(folder)).close();
  return { folder, open, damage };
}

/** What can come of a row, as SQL over its body. */
const DAMAGES: Record<string, string> = {
  'a changed text': `replace(body, 'the system prompt', 'another system prompt')`,
  'one character': `replace(body, 'prompt.', 'prompt,')`,
  'a style taken out': `json_remove(body, '$.styles[0]')`,
  'a member added': `json_insert(body, '$.note', 'x')`,
  'another version’s name': `json_set(body, '$.version', '1.0.1')`,
  'half of it': `substr(body, 1, length(body) / 2)`,
  nothing: `''`,
  null: `'null'`,
  'a list': `'[]'`,
  'half a surrogate pair': `replace(body, 'the system', '\\ud83c')`,
};

t.test('a damaged content is refused, and the active version is still served', async (t) => {
  for (const [title, sql] of Object.entries(DAMAGES)) {
    await t.test(title, async (t) => {
      const { open, damage } = await database(t);
      damage('1.0.0', sql);
      const registry = await open();
      t.teardown(() => registry.close());
      const before = registry.current;
      const refused = { name: 'RegistryError', code: 'store-unavailable' };
      for (let asked = 0; asked < 2; asked += 1) {
        await t.rejects(registry.version('coach', '1.0.0'), refused, 'it is not read');
        await t.rejects(registry.activate({ version: '1.0.0', reason }), refused, 'it is not activated');
      }
      t.equal(registry.current, before);
      t.match(registry.getSystemPrompt(), { version: '2.0.0', text: 'coach 2.0.0: the system prompt.' });
      t.match(
        (await registry.version('coach', '1.1.0')).content,
        versionOf('coach', '1.1.0').content,
        'another version is read',
      );
      t.match(await registry.activate({ version: '1.1.0', reason }), { changed: true }, 'and activated');
    });
  }
});

t.test(
  'a damaged content that is active stops the start, unless the disk of the instance has a whole copy',
  async (t) => {
    for (const [title, sql] of Object.entries(DAMAGES)) {
      await t.test(title, async (t) => {
        const { folder, open, damage } = await database(t);
        damage('2.0.0', sql);
        const copied = await open(folder);
        t.match(copied.getSystemPrompt(), { version: '2.0.0', text: 'coach 2.0.0: the system prompt.' });
        await copied.close();
        rmSync(join(folder, 'contents'), { recursive: true });
        for (const dataDir of [folder, undefined])
          await t.rejects(open(dataDir), { name: 'RegistryError', code: 'store-unavailable' });
      });
    }
  },
);

t.test('a session on a damaged version is refused, over HTTP without a text', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const operatorKey = heldOperatorKey();
  const start = async () =>
    buildApp({ registry: optionsOf({ store: await openSqliteStore({ file }), defaultVersion: '1.0.0', operatorKey }) });
  const first = await start();
  const { sessionId } = first.registry.startSession();
  await first.registry.activate({ version: '2.0.0', reason });
  await first.registry.activate({ channel: 'staging', version: '2.0.0', reason });
  await first.close();
  const database = new DatabaseSync(file);
  database.prepare(`UPDATE contents SET body = replace(body, 'the system', 'a forged') WHERE digest = ?`).run(digest);
  database.close();

  const app = await start();
  t.teardown(() => app.close());
  injectWith(app, operatorKey.token());
  for (const url of [`/v1/coach/sessions/${sessionId}`, '/v1/packs/coach/versions/1.0.0']) {
    const answer = await app.inject(url);
    t.equal(answer.statusCode, 503);
    t.match(answer.json(), { code: 'store-unavailable' });
    t.notMatch(answer.body, /forged|system prompt/);
  }
  t.equal((await app.inject('/v1/prompts/system')).statusCode, 200);
});

t.test('a content that the store has lost is refused', async (t) => {
  const store = new MemoryStore();
  t.teardown(() => store.close());
  await t.rejects(new Contents(store).get(digest), {
    name: 'RegistryError',
    code: 'store-unavailable',
    message: /has lost the content sha256:/,
  });
  await store.append(
    batchAfter(EMPTY, [activation()], { contents: [{ digest, content: versionOf('coach', '1.1.0').content }] }),
    0,
  );
  await t.rejects(
    new Contents(store).get(digest),
    { name: 'RegistryError', code: 'store-unavailable', message: /no longer has that digest/ },
    'or keeps another one under its digest',
  );
});

t.test('checked contents are cached, frozen, within a bound', async (t) => {
  const real = new MemoryStore();
  t.teardown(() => real.close());
  const versions = Array.from({ length: 100 }, (_, index) =>
    versionOf('coach', `1.0.${index}`, { system: `${index} ${'x'.repeat(260_000)}` }),
  );
  await real.append(batchAfter(EMPTY, [activation()], { contents: versions }), 0);
  const store = new FailingStore(real);
  const contents = new Contents(store);
  const first = await contents.get(versions[0]!.digest);
  t.equal(firstUnfrozen(first), undefined);
  t.equal(await contents.get(versions[0]!.digest), first);
  t.equal(store.calls.length, 1, 'the store was asked once');
  for (const version of versions) t.strictSame(await contents.get(version.digest), version.content);
  const remembered = versions.filter((version) => contents.peek(version.digest) !== undefined);
  t.ok(
    remembered.length > 10 && remembered.length < versions.length,
    `${remembered.length} of ${versions.length} lie in memory`,
  );
  t.equal(contents.peek(versions[0]!.digest), undefined, 'the oldest went first');
  t.strictSame(await contents.get(versions[0]!.digest), versions[0]!.content, 'and is asked for again');
});

t.test('publishing the same again does not silently repair a damaged content', async (t) => {
  const { open, damage } = await database(t);
  damage('1.0.0', DAMAGES['a changed text']!);
  const registry = await open();
  t.teardown(() => registry.close());
  t.match(await registry.publish({ pack: 'coach', document: documentOf('coach', '1.0.0') }), { created: false });
  await t.rejects(registry.version('coach', '1.0.0'), { code: 'store-unavailable' });
});
