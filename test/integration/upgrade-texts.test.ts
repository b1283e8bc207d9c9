/**
 * An upgrade from a build whose normal form of texts was not a fixed point, with data from that build
 * (test/fixtures/data-before-fixed-point): registered versions keep their digests, start, verify and are served; the same prompts are the same
 * version everywhere (SPEC R1).
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { buildApp } from '../../app.ts';
import type { PackDocument } from '../../registry/model.ts';
import { readPackFolders } from '../../registry/packs/pack-folder.ts';
import type { Store } from '../../registry/log/store.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { runCli, json } from '../support/clients/command-line.ts';
import { injectWith } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import { startPostgres } from '../support/stores/postgres.ts';
import { DAY } from '../support/apps/registries.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/data-before-fixed-point', import.meta.url));
const VERSIONS = JSON.parse(readFileSync(join(FIXTURE, 'versions.json'), 'utf8')) as readonly {
  readonly pack: string;
  readonly version: string;
  readonly given: string;
  readonly registered: string;
  readonly digest: string;
}[];

function documentWith(pack: string, version: string, text: string): PackDocument {
  const document = documentOf(pack, version);
  return { ...document, system: text, styles: document.styles.map((style) => ({ ...style, text })) };
}

/** Starts the service on the old data, with all its earlier packs in the packs folder, and reads everything. */
async function holds(t: Test, store: Store, dataDir?: string): Promise<void> {
  const packs = newFolder(t);
  for (const { pack, version, given } of VERSIONS) writePackFolder(packs, pack, documentWith(pack, version, given), '');
  const before = (await store.head())?.revision ?? 0;
  const app = await buildApp({
    registry: {
      store,
      ...(dataDir !== undefined && { dataDir }),
      channels: ['production'],
      defaultPack: 'shipped',
      sessionTtl: DAY,
      shipped: await readPackFolders(packs),
    },
  });
  t.teardown(() => app.close());
  const { registry } = app;
  t.equal(registry.current.revision, before, 'the start adds nothing');
  t.match(await registry.verify(), { valid: true, events: before });

  const { token = '' } = await registry.createKey({ label: 'test', scopes: ['*'] });
  injectWith(app, token);
  const publish = (pack: string, document: object) =>
    app.inject({ method: 'POST', url: `/v1/packs/${pack}/versions`, payload: document });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const env = { PROMPT_REGISTRY_URL: address, PROMPT_REGISTRY_KEY: token };
  const { revision } = registry.current;
  for (const { pack, version, given, registered, digest } of VERSIONS) {
    const name = `${pack} ${version}`;
    const { system, styles, defaultStyle, compatibility, summary, author, ...read } = (
      await app.inject(`/v1/packs/${pack}/versions/${version}`)
    ).json<PackDocument & { digest: string }>();
    t.strictSame(
      [system, styles[0]?.text, read.digest],
      [registered, registered, digest],
      `${name} is served as it was`,
    );
    const back = await publish(pack, { version, system, styles, defaultStyle, compatibility, summary, author });
    t.strictSame(
      [back.statusCode, back.json<{ digest: string }>().digest],
      [200, digest],
      `${name} as the registry gave it`,
    );
    const again = await publish(pack, documentWith(pack, version, given));
    t.strictSame(
      [again.statusCode, again.json<{ digest: string }>().digest],
      [200, digest],
      `${name} as it was given first`,
    );
    const other = await publish(pack, documentWith(pack, version, `${given}!`));
    t.match([other.statusCode, other.json()], [409, { differing: ['content'] }], `${name} with another text`);
  }
  for (const pack of ['shipped', 'sent', 'published']) {
    const digests = VERSIONS.filter((each) => each.pack === pack).map(({ version, digest }) => ({
      version,
      digest,
      outcome: 'unchanged',
    }));
    for (const dry of [[], ['--dry-run']]) {
      const { code, stdout, stderr } = await runCli(['publish', join(packs, pack), ...dry, '--json'], env);
      t.equal(code, 0, stderr);
      t.match(json(stdout), { versions: digests }, `publish ${dry.join()} ${pack}`);
    }
    t.equal(
      (await app.inject(`/v1/packs/${pack}/active`)).json<{ version: string }>().version,
      '1.0.6',
      'what was active is',
    );
  }
  t.equal(registry.current.revision, revision, 'and all of it left no event');
}

t.test('on a data folder', async (t) => {
  const dataDir = join(newFolder(t), 'data');
  for (const name of ['registry.db', 'snapshot.jsonl']) cpSync(join(FIXTURE, name), join(dataDir, name));
  await holds(t, await openSqliteStore({ file: join(dataDir, 'registry.db') }), dataDir);
});

t.test('on a PostgreSQL database', async (t) => {
  const server = await startPostgres(t);
  const url = await server.database('before');
  await server.sql(readFileSync(join(FIXTURE, 'postgres.sql'), 'utf8'), url);
  await holds(t, openPostgresStore({ url }));
});
