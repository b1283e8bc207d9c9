/**
 * An upgrade from the release before keys existed, with a data folder from that release (test/fixtures/data-before-keys): the service starts,
 * creates its operator key, puts the policies in force, and keeps history, active versions and sessions.
 */
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buildApp } from '../../app.ts';
import { operatorKeyFile } from '../../registry/keys/operator-key.ts';
import { readPackFolders, readPolicies } from '../../registry/packs/pack-folder.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { firstBroken, readLog } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { DAY } from '../support/apps/registries.ts';
import { runScript } from '../support/apps/script.ts';
import { entries, ROOT, startServer } from '../support/apps/server-process.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/data-before-keys', import.meta.url));

/** The last responses of the old release. Its sessions last a year from `madeAt`, the maximum. */
const answers = JSON.parse(readFileSync(join(FIXTURE, 'answers.json'), 'utf8')) as {
  readonly madeAt: string;
  readonly active: readonly { readonly pack: string; readonly channel: string; readonly version: string }[];
  readonly activations: Readonly<Record<string, readonly unknown[]>>;
  readonly versions: Readonly<Record<string, readonly { readonly version: string }[]>>;
  readonly sessions: readonly { readonly sessionId: string }[];
};
const saved = JSON.parse(readFileSync(join(FIXTURE, 'snapshot.jsonl'), 'utf8').split('\n')[0] ?? '') as {
  readonly format: number;
  readonly registryId: string;
  readonly revision: number;
  readonly hash: string;
};

/** What the new release changes for a version: it has problems if it breaks the new policy. */
const BELOW_THE_FLOOR = 'coach 0.9.0';

/** The folder of the old release. */
function dataBeforeKeys(): string {
  const dataDir = join(newFolder(t), 'data');
  for (const name of ['registry.db', 'snapshot.jsonl']) cpSync(join(FIXTURE, name), join(dataDir, name));
  return dataDir;
}

t.test('the fixture matches its README', async (t) => {
  t.equal(saved.format, 1);
  for (const suffix of ['-wal', '-shm']) t.notOk(existsSync(join(FIXTURE, `registry.db${suffix}`)), suffix);
  const { code, stderr } = await runScript(t, 'audit-verify', [], { DATA_DIR: dataBeforeKeys() });
  t.equal(code, 2);
  t.match(stderr, /was made by an older build\. Start the service of this build once/);
});

t.test('the service starts with all the old data, and creates an operator key', async (t) => {
  const dataDir = dataBeforeKeys();
  const first = await startServer(t, { DATA_DIR: dataDir });
  const token = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
  t.equal(statSync(join(dataDir, 'operator.key')).mode & 0o777, 0o600);
  const get = async (path: string, key = token) => {
    const answer = await fetch(first.address + path, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  t.equal((await fetch(`${first.address}/v1/packs`)).status, 401, 'closed without a key');
  for (const active of answers.active)
    t.strictSame(
      (await get(`/v1/packs/${active.pack}/active?channel=${active.channel}`)).body,
      active,
      `${active.pack} ${active.channel}`,
    );
  for (const [pack, activations] of Object.entries(answers.activations))
    t.strictSame(
      (await get(`/v1/packs/${pack}/activations`)).body['activations'],
      activations,
      `the history of ${pack}`,
    );
  for (const [pack, versions] of Object.entries(answers.versions)) {
    const now = (await get(`/v1/packs/${pack}/versions`)).body['versions'] as {
      version: string;
      problems: { rule: string; id: string }[];
    }[];
    t.equal(now.length, versions.length);
    for (const [index, { problems, ...version }] of now.entries()) {
      const { problems: _, ...before } = { problems: [], ...versions[index] };
      t.strictSame(version, before, `${pack} ${version.version}`);
      const ids =
        `${pack} ${version.version}` === BELOW_THE_FLOOR
          ? ['not-a-professional', 'crisis', 'honest-about-being-an-ai', 'keeps-its-instructions']
          : [];
      t.same(
        problems.map(({ id }) => id),
        ids,
        'what keeps it from being activated',
      );
    }
  }
  const { events, nextAfter } = (await get('/v1/audit/events?limit=1000')).body as {
    events: { revision: number; type: string; pack?: string; hash: string }[];
    nextAfter: unknown;
  };
  t.equal(nextAfter, null);
  t.equal(events[saved.revision - 1]?.hash, saved.hash, 'the log is the one that was there');
  t.same(
    events.slice(saved.revision).map(({ type, pack }) => [type, pack].filter(Boolean).join(' ')),
    ['policy-changed coach', 'policy-changed onboarding', 'key-created'],
    'and this is what the start added',
  );
  t.match((await get('/v1/audit/verification')).body, { valid: true, events: saved.revision + 3 });
  t.match(await get('/v1/packs/coach/policy'), { status: 200, body: { version: 2 } });

  const { lines } = await first.stop();
  const said = entries(lines.filter((line) => line.startsWith('{')));
  t.match(
    said.filter(({ level, reason }) => level === 40 && reason !== undefined),
    [
      {
        msg: /damaged or was written by another build, so it is not used/,
        reason: 'It has format 1, from another build; this build reads 5.',
      },
    ],
    'the old snapshot is reported and not used',
  );
  t.match(
    said.filter(({ level }) => level >= 50),
    [{ pack: 'coach', channel: 'staging', version: '0.9.0' }],
    'what is active below the floor goes on, with an alarm',
  );

  const second = await startServer(t, { DATA_DIR: dataDir });
  const again = await fetch(`${second.address}/v1/audit/head`, { headers: { authorization: `Bearer ${token}` } });
  t.equal(
    ((await again.json()) as { revision: number }).revision,
    saved.revision + 3,
    'the next start adds nothing, and the key still works',
  );
  const { lines: later } = await second.stop();
  t.same(
    entries(later.filter((line) => line.startsWith('{'))).filter(
      ({ level, reason }) => level === 40 && reason !== undefined,
    ),
    [],
    'and uses its own snapshot',
  );
  t.equal(
    (await runScript(t, 'audit-verify', ['--head', `${saved.revision}:${saved.hash}`], { DATA_DIR: dataDir })).code,
    0,
    'a head of the old release is in the log',
  );
});

t.test('old sessions continue, and moves continue from the old stack', async (t) => {
  const dataDir = dataBeforeKeys();
  const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
  const before = await readLog(store);
  const packs = join(ROOT, 'packs');
  const clock = { now: () => Date.parse(answers.madeAt) + DAY, newId: () => crypto.randomUUID() };
  const registry = {
    store,
    dataDir,
    clock,
    operatorKey: operatorKeyFile(dataDir),
    shipped: await readPackFolders(packs),
    policies: await readPolicies(packs),
    channels: ['production', 'staging'],
    defaultPack: 'coach',
    sessionTtl: DAY,
  };
  const app = await buildApp({ registry });
  t.teardown(() => app.close());
  const authorization = `Bearer ${readFileSync(join(dataDir, 'operator.key'), 'utf8').trim()}`;
  const ask = async (url: string, payload?: object) =>
    (
      await app.inject({
        url,
        method: payload === undefined ? 'GET' : 'POST',
        headers: { authorization },
        ...(payload !== undefined && { payload }),
      })
    ).json<Record<string, unknown>>();

  for (const session of answers.sessions) t.strictSame(await ask(`/v1/coach/sessions/${session.sessionId}`), session);
  t.equal(app.registry.current.registryId, saved.registryId);
  t.match(await ask('/v1/packs/coach/rollback', { reason: 'Further down', fromVersion: '1.1.0' }), {
    kind: 'rollback',
    version: '2.0.0',
    previousVersion: '1.1.0',
  });
  t.match(await ask('/v1/packs/coach/activations', { version: '0.9.0', reason: 'Below the floor' }), {
    code: 'policy-violated',
  });
  t.match(await ask('/v1/packs/coach/versions/2.1.0/revoke', { reason: 'Too warm' }), {
    pack: 'coach',
    version: '2.1.0',
    moves: [],
  });
  const [kept, moved] = [answers.sessions[0]!, answers.sessions[1]!];
  t.match(
    await ask(`/v1/coach/sessions/${moved.sessionId}`),
    { promptPack: { version: '2.0.0' }, movedFrom: { version: '2.1.0' } },
    'and a pin from before moves as any other',
  );
  t.strictSame(await ask(`/v1/coach/sessions/${kept.sessionId}`), { ...kept, superseded: true });

  const after = await readLog(store);
  t.strictSame(after.slice(0, before.length), before, 'nothing that was in the log is another');
  t.equal(firstBroken(after), undefined);
});
