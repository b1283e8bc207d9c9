/**
 * API keys (SPEC R12): the form of a token, which key it proves, when a key becomes invalid, and that nobody can grant or revoke more than
 * their own scopes. The log and all files keep the hash of a secret, never the secret.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { buildApp } from '../../../app.ts';
import { operatorKeyFile } from '../../../registry/keys/operator-key.ts';
import { allows, whyInvalid, keyOfToken, newKey, type NewKey } from '../../../registry/keys/keys.ts';
import { SCOPES, type Scope } from '../../../registry/model.ts';
import { Registry } from '../../../registry/registry.ts';
import type { Snapshot } from '../../../registry/state/snapshot.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { readLog } from '../../support/stores/events.ts';
import { newFolder } from '../../support/process/folder.ts';
import { openRegistry, optionsOf } from '../../support/apps/registries.ts';
import type { KeyRecord } from '../../../registry/state/records.ts';

const NOW = Date.parse('2026-01-31T09:30:00.000Z');
const actor = { keyId: 'operator-1', label: 'Operator on call' };
const TOKEN = /^prk_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})$/u;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const valueOf = (digits: string) =>
  [...digits].reduce((value, digit) => value * 62n + BigInt(BASE62.indexOf(digit)), 0n);

// The service for the HTTP tests. It is opened before the first test, because an await between tests would let the file end.

const dataDir = newFolder(t);
const options = optionsOf({
  store: await openSqliteStore({ file: join(dataDir, 'registry.db') }),
  dataDir,
  operatorKey: operatorKeyFile(dataDir),
});
const app = await buildApp({ registry: options });
t.teardown(() => app.close());
const operator = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();

const as = (token: string, url: string, payload?: object) =>
  app.inject({
    url,
    method: payload === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}` },
    ...(payload !== undefined && { payload }),
  });
const make = async (...granted: Scope[]) =>
  (await as(operator, '/v1/keys', { label: 'A service', scopes: granted })).json<{ keyId: string; secret: string }>();

t.test('a token is prk_<keyId>_<secret>, and a secret is 256 random bits', async (t) => {
  const keys = Array.from({ length: 2000 }, () => newKey());
  const secrets: string[] = [];
  for (const { keyId, token, secretHash } of keys) {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
    secrets.push(secret);
    if (id !== keyId || createHash('sha256').update(secret).digest('hex') !== secretHash)
      t.fail(`${token} is not ${keyId} ${secretHash}`);
  }
  t.equal(new Set(keys.map(({ keyId }) => keyId)).size, keys.length, 'no id twice');
  t.equal(new Set(secrets).size, secrets.length, 'no secret twice');

  const values = secrets.map(valueOf);
  t.ok(values.every((value) => value < 2n ** 256n));
  // Of a fair coin, 2,000 throws give 1,000 ± 22; six times that is seen once in a thousand million.
  const lopsided = Array.from(
    { length: 256 },
    (_, bit) => values.filter((value) => (value >> BigInt(bit)) & 1n).length,
  ).filter((count) => Math.abs(count - 1000) > 134);
  t.same(lopsided, [], 'every bit is set in half of them');
  for (let at = 0; at < 12; at += 1)
    t.ok(new Set(keys.map(({ keyId }) => keyId[at])).size >= 60, `character ${at} of an id may be any`);
});

/** A snapshot with these keys, and how often one was looked up. */
function snapshotOf(...keys: readonly NewKey[]): { snapshot: Snapshot; lookUps: () => number } {
  const records = new Map(
    keys.map(({ keyId, secretHash }): [string, KeyRecord] => [
      keyId,
      {
        keyId,
        label: keyId,
        scopes: ['*'],
        createdAt: '',
        createdBy: actor,
        expiresAt: undefined,
        revokedAt: undefined,
        secretHash,
      },
    ]),
  );
  let count = 0;
  const get = (keyId: string) => {
    count += 1;
    return records.get(keyId);
  };
  return { snapshot: { keys: { get } } as unknown as Snapshot, lookUps: () => count };
}

t.test('only the complete token proves a key, and all others fail in the same way', async (t) => {
  const [mine, other] = [newKey(), newKey()];
  const { snapshot, lookUps } = snapshotOf(mine, other);
  t.equal(keyOfToken(snapshot, mine.token)?.keyId, mine.keyId);
  t.equal(keyOfToken(snapshot, other.token)?.keyId, other.keyId);
  const [, , secret = ''] = mine.token.split('_');
  const flipped = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
  const tokens = [
    '',
    'prk',
    'prk_',
    'prk__',
    `prk_${mine.keyId}`,
    `prk_${mine.keyId}_`,
    `prk__${secret}`,
    secret,
    mine.secretHash,
    mine.keyId,
    `prk_${mine.keyId}_${flipped(secret)}`,
    `prk_${flipped(mine.keyId)}_${secret}`,
    `prk_${other.keyId}_${secret}`,
    `prk_${mine.keyId}_${mine.secretHash}`,
    mine.token.slice(0, -1),
    `${mine.token}0`,
    `${mine.token}\n`,
    ` ${mine.token}`,
    mine.token.toLowerCase(),
    mine.token.replace('prk', 'PRK'),
    `Bearer ${mine.token}`,
    `prk_${mine.keyId}_${'0'.repeat(43)}`,
    `prk___proto___${secret}`,
    `prk_constructor_${secret}`,
    `prk_${'a'.repeat(33)}_${secret}`,
    'x'.repeat(1_000_000),
    newKey().token,
  ];
  const before = lookUps();
  for (const token of tokens) t.equal(keyOfToken(snapshot, token), undefined, JSON.stringify(token.slice(0, 70)));
  t.equal(lookUps() - before, tokens.length, 'one look-up each, of whatever id');
});

t.test('a key is invalid from its revocation or expiry, to the millisecond', async (t) => {
  const record: KeyRecord = {
    keyId: 'k',
    label: 'k',
    scopes: ['*'],
    createdAt: '',
    createdBy: actor,
    expiresAt: undefined,
    revokedAt: undefined,
    secretHash: '',
  };
  const expiresAt = new Date(NOW).toISOString();
  t.equal(whyInvalid(record, NOW), undefined);
  t.equal(whyInvalid({ ...record, expiresAt }, NOW - 1), undefined);
  t.equal(whyInvalid({ ...record, expiresAt }, NOW), `expired at ${expiresAt}`);
  t.equal(
    whyInvalid({ ...record, revokedAt: expiresAt }, 0),
    `was revoked at ${expiresAt}`,
    'at once, whatever a clock says',
  );
  t.match(whyInvalid({ ...record, expiresAt, revokedAt: expiresAt }, NOW), /revoked/);
});

const create = (
  registry: Registry,
  members: { scopes?: readonly Scope[]; heldScopes?: readonly Scope[]; label?: string; expiresAt?: string } = {},
) => registry.createKey({ label: 'coach-web production', scopes: ['prompts:read'], actor, ...members });

t.test('a new key is in the snapshot and the log, its secret only in the answer', async (t) => {
  const registry = await openRegistry(t, { clock: { now: () => NOW, newId: () => crypto.randomUUID() } });
  const {
    record,
    token = '',
    replayed,
  } = await create(registry, {
    scopes: ['prompts:read', 'sessions:start', 'prompts:read'],
    expiresAt: '2026-02-01T00:00:00+02:00',
  });
  t.match(token, TOKEN);
  t.equal(replayed, false);
  t.match(record, {
    label: 'coach-web production',
    scopes: ['prompts:read', 'sessions:start'],
    createdAt: '2026-01-31T09:30:00.000Z',
    createdBy: actor,
    expiresAt: '2026-01-31T22:00:00.000Z',
    revokedAt: undefined,
  });
  t.equal(keyOfToken(registry.current, token), record);
  const [event] = await registry.events({ limit: 1, types: ['key-created'] });
  t.match(event, {
    actor,
    reason: 'Key for coach-web production',
    data: { keyId: record.keyId, scopes: ['prompts:read', 'sessions:start'], secretHash: record.secretHash },
  });
});

t.test('a key that could not be used, or has a blank label, is refused', async (t) => {
  const registry = await openRegistry(t, { clock: { now: () => NOW, newId: () => crypto.randomUUID() } });
  const { revision } = registry.current;
  const cases: [title: string, members: Parameters<typeof create>[1], parameter: string][] = [
    ['no scope', { scopes: [] }, 'scopes'],
    ['an unknown scope', { scopes: ['prompts:write' as Scope] }, 'scopes'],
    ['a blank label', { label: ' ' }, 'label'],
    ['a label with a NUL', { label: 'a\0b' }, 'label'],
    ['a long label', { label: 'x'.repeat(101) }, 'label'],
    ['an invalid end', { expiresAt: 'tomorrow' }, 'expiresAt'],
    ['an end that has passed', { expiresAt: '2026-01-31T09:30:00Z' }, 'expiresAt'],
  ];
  for (const [title, members, parameter] of cases)
    await t.rejects(
      create(registry, members),
      { name: 'RegistryError', code: 'validation-failed', members: { errors: [{ parameter }] } },
      title,
    );
  t.equal(registry.current.revision, revision);
});

const scopes = fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 1, maxLength: SCOPES.length });

t.test('nobody grants or revokes more than their own scopes; * is everything, and only * grants *', async (t) => {
  const registry = await openRegistry(t);
  const tally = { done: 0, refused: 0 };
  const property = fc.asyncProperty(scopes, scopes, scopes, async (wanted, maker, revoker) => {
    const missing = (held: readonly Scope[]) => wanted.filter((scope) => !held.includes('*') && !held.includes(scope));
    const code = (call: Promise<unknown>) =>
      call.then(
        () => [],
        (error: unknown) => (error as { members: { requiredScopes: Scope[] } }).members.requiredScopes,
      );
    const before = registry.current;
    const asked = await code(create(registry, { scopes: wanted, heldScopes: maker }));
    if (missing(maker).length > 0) {
      tally.refused += 1;
      return registry.current === before && String(asked) === String(missing(maker));
    }
    const keyId = [...registry.current.keys.keys()].at(-1)!;
    const revoked = await code(registry.revokeKey({ keyId, reason: 'Left the team', actor, heldScopes: revoker }));
    tally.done += 1;
    return (
      asked.length === 0 &&
      String(revoked) === String(missing(revoker)) &&
      (registry.current.keys.get(keyId)?.revokedAt !== undefined) === (revoked.length === 0)
    );
  });
  await t.resolves(fc.assert(property, { numRuns: 300 }));
  t.ok(tally.done > 50 && tally.refused > 50, JSON.stringify(tally));
  for (const scope of SCOPES) {
    t.same([allows(['*'], scope), allows([scope], scope), allows([], scope)], [true, true, false]);
    t.same(
      SCOPES.filter((held) => allows([held], scope)),
      scope === '*' ? ['*'] : [scope, '*'],
      `${scope} is allowed by the scope and by *`,
    );
  }
});

t.test('a key is revoked once; an unknown key is refused by name', async (t) => {
  const registry = await openRegistry(t);
  const { record } = await create(registry);
  const { record: first } = await registry.revokeKey({ keyId: record.keyId, reason: 'Left the team', actor });
  t.ok(first.revokedAt);
  const before = registry.current;
  const again = await registry.revokeKey({
    keyId: record.keyId,
    reason: 'Once more',
    actor,
    heldScopes: ['keys:admin'],
  });
  t.equal(again.record, first);
  t.equal(registry.current, before);
  await t.rejects(registry.revokeKey({ keyId: 'nobody', reason: 'x', actor }), {
    name: 'RegistryError',
    code: 'key-not-found',
  });
  await t.rejects(registry.revokeKey({ keyId: record.keyId, reason: ' ', actor }), {
    name: 'RegistryError',
    code: 'validation-failed',
  });
});

t.test('an unknown id, a wrong secret and a truncated token get the same answer', async (t) => {
  const { keyId } = await make('prompts:read');
  const tokens = [
    newKey().token,
    `prk_${keyId}_${'a'.repeat(43)}`,
    operator.slice(0, -1),
    'prk_garbage',
    `prk_${keyId}_`,
  ];
  const answers = [];
  for (const token of tokens) {
    const { statusCode, body, headers } = await as(token, '/v1/prompts/system');
    const { date: _, ...rest } = headers;
    answers.push({ statusCode, body, headers: rest });
  }
  t.match(answers[0], { statusCode: 401, body: /This key is unknown/ });
  for (const [index, answer] of answers.entries()) t.strictSame(answer, answers[0], `token ${index}`);
});

t.test(
  'revocations survive a restart, and no secret is in the log, the list of keys, or any file but operator.key',
  async (t) => {
    const [kept, gone] = [await make('prompts:read'), await make('keys:admin')];
    await as(operator, `/v1/keys/${gone.keyId}/revoke`, { reason: 'Left the team' });
    const listed = (await as(operator, '/v1/keys')).body;
    const events = (await as(operator, '/v1/audit/events?limit=1000')).body;
    await app.close();

    for (const dir of [dataDir, undefined]) {
      const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
      const registry = await Registry.open(optionsOf({ store, ...(dir !== undefined && { dataDir: dir }) }));
      t.match(
        whyInvalid(keyOfToken(registry.current, gone.secret)!, Date.now()),
        /revoked/,
        dir === undefined ? 'by the log' : 'by the last good snapshot',
      );
      for (const token of [kept.secret, operator])
        t.equal(whyInvalid(keyOfToken(registry.current, token)!, Date.now()), undefined);
      await registry.close();
    }
    const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
    const log = JSON.stringify(await readLog(store));
    await store.close();
    t.match(log, /"secretHash":"[0-9a-f]{64}"/);
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(dataDir, join(parentPath, name)))
      .filter((name) => name !== 'operator.key');
    t.ok(
      files.includes('registry.db') &&
        files.includes('snapshot.jsonl') &&
        files.some((name) => name.startsWith('contents')),
      files.join(', '),
    );
    for (const name of ['snapshot.jsonl', 'operator.key'])
      t.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, `${name} is for its owner: it holds keys`);
    for (const token of [operator, kept.secret, gone.secret]) {
      const [, , secret = ''] = token.split('_');
      t.equal(secret.length, 43);
      for (const [where, text] of Object.entries({ listed, events, log })) t.notOk(text.includes(secret), where);
      for (const name of files) t.notOk(readFileSync(join(dataDir, name)).includes(secret), name);
    }
    t.notMatch(listed, /secret/i, 'the list has not even hashes');
  },
);
