/** API keys: `listKeys`, `createKey`, `revokeKey`. The suite revokes at its end each key that it made. */
import type { Key } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';

async function listed(kit: Kit): Promise<{ keys: readonly Key[]; text: string }> {
  const { body, text } = await kit.ask<{ keys: readonly Key[] }>('listKeys', {}, 200);
  return { keys: body.keys, text };
}

export const keyChecks = [
  ...checksOf('createKey', {
    'the secret is the whole token, and the key can do what its scopes allow and nothing else': async (kit) => {
      const { world } = kit;
      const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
      const label = world.label('created');
      const { body, headers } = await kit.ask<Key>(
        'createKey',
        { body: { label, scopes: ['prompts:read'], expiresAt } },
        201,
      );
      kit.ok(headers.get('location') !== null, 'it has a Location');
      kit.same(
        [body.label, body.scopes, Date.parse(body.expiresAt ?? '')],
        [label, ['prompts:read'], Date.parse(expiresAt)],
        'label, scopes and expiresAt are those of the request',
      );
      kit.same(
        (await listed(kit)).keys.find(({ keyId }) => keyId === body.keyId)?.createdAt,
        body.createdAt,
        'createdAt is that of listKeys',
      );
      const { secret = '' } = body;
      kit.ok(
        new RegExp(`^prk_${body.keyId}_[0-9A-Za-z]{20,}$`, 'u').test(secret),
        'the secret has the form prk_<keyId>_<secret>',
      );
      await kit.ask('listPacks', { key: secret }, 200);
      const { requiredScopes } = await kit.refused(
        'createKey',
        { body: { label, scopes: ['prompts:read'] }, key: secret },
        403,
        'forbidden',
      );
      kit.same(requiredScopes, ['keys:admin'], 'requiredScopes names the missing scope');
    },
    'a key can grant only scopes that it has itself': async (kit) => {
      const { secret } = await kit.world.key('an administrator of keys', ['keys:admin']);
      const { requiredScopes } = await kit.refused(
        'createKey',
        { body: { label: kit.world.label('too much'), scopes: ['packs:publish'] }, key: secret },
        403,
        'forbidden',
      );
      kit.ok(
        requiredScopes?.includes('packs:publish') === true,
        'requiredScopes names the missing scope',
        requiredScopes,
      );
    },
    'an expiresAt in the past, an empty list of scopes and an unknown scope are refused': async (kit) => {
      const label = kit.world.label('wrong');
      await kit.refused(
        'createKey',
        { body: { label, scopes: ['prompts:read'], expiresAt: '2020-01-01T00:00:00Z' } },
        400,
        'validation-failed',
      );
      await kit.refused('createKey', { body: { label, scopes: [] } }, 400, 'validation-failed');
      await kit.refused('createKey', { body: { label, scopes: ['everything'] } }, 400, 'validation-failed');
      kit.ok(!(await listed(kit)).keys.some((key) => key.label === label), 'no key was created');
    },
  }),
  ...checksOf('listKeys', {
    'createdBy names the key that created it': async (kit) => {
      const { world } = kit;
      const maker = await world.key('a maker of keys', ['keys:admin', 'prompts:read']);
      const { keyId } = (
        await kit.ask<Key>(
          'createKey',
          { body: { label: world.label('made by another'), scopes: ['prompts:read'] }, key: maker.secret },
          201,
        )
      ).body;
      kit.same(
        (await listed(kit)).keys.find((key) => key.keyId === keyId)?.createdBy,
        { keyId: maker.keyId, label: maker.label },
        'keyId and label of the creator',
      );
    },
    'it lists every key in order of creation, never with the secret': async (kit) => {
      const { secret, ...made } = await kit.world.key(
        'listed',
        ['prompts:read', 'audit:read'],
        new Date(Date.now() + 86_400_000).toISOString(),
      );
      const { keys, text } = await listed(kit);
      const found = keys.find(({ keyId }) => keyId === made.keyId);
      kit.same(
        [found?.label, found?.scopes, found?.createdAt, found?.expiresAt, found?.revokedAt],
        [made.label, made.scopes, made.createdAt, made.expiresAt, undefined],
        'the key that was just created',
      );
      kit.ok(!text.includes(secret.split('_')[2] ?? secret), 'the response does not contain the secret');
      kit.ok(
        keys.every(({ createdAt }, index) => index === 0 || createdAt >= (keys[index - 1]?.createdAt ?? '')),
        'createdAt never decreases',
      );
    },
    'a revoked key stays in the list, with revokedAt': async (kit) => {
      const { keyId } = await kit.world.key('to be gone', ['prompts:read']);
      const { revokedAt } = (await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked' } }, 200))
        .body;
      const found = (await listed(kit)).keys.find((key) => key.keyId === keyId);
      kit.ok(found?.revokedAt !== undefined && found.revokedAt === revokedAt, 'revokedAt is that of revokeKey', found);
    },
  }),
  ...checksOf('revokeKey', {
    'a caller cannot revoke a key with scopes that the caller lacks': async (kit) => {
      const { world } = kit;
      const { secret } = await world.key('a small administrator', ['keys:admin']);
      const { keyId, secret: greater } = await world.keyToRefuse();
      const { requiredScopes } = await kit.refused(
        'revokeKey',
        { path: { keyId }, body: { reason: 'Checked' }, key: secret },
        403,
        'forbidden',
      );
      kit.ok(
        requiredScopes?.includes('prompts:read') === true,
        'requiredScopes names the missing scope',
        requiredScopes,
      );
      await kit.ask('listPacks', { key: greater }, 200);
    },
    'a reason has 1 to 500 characters and is not blank': async (kit) => {
      const { keyId, secret } = await kit.world.keyToRefuse();
      for (const reason of ['', ' \t', 'x'.repeat(501)])
        await kit.refused('revokeKey', { path: { keyId }, body: { reason } }, 400, 'validation-failed');
      await kit.ask('listPacks', { key: secret }, 200);
    },
    'the key stops working with the next request': async (kit) => {
      const { secret, keyId, label, scopes } = await kit.world.key('to be revoked', ['prompts:read']);
      await kit.ask('listPacks', { key: secret }, 200);
      const first = await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked' } }, 200);
      kit.same(
        [first.body.keyId, first.body.label, first.body.scopes],
        [keyId, label, scopes],
        'keyId, label and scopes are those of the key',
      );
      kit.ok(first.body.revokedAt !== undefined, 'it has revokedAt');
      await kit.refused('listPacks', { key: secret }, 401, 'unauthenticated');
      const again = await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked once more' } }, 200);
      kit.same(again.body.revokedAt, first.body.revokedAt, 'revoking it again succeeds and keeps revokedAt');
      kit.same(
        (await listed(kit)).keys.find((key) => key.keyId === keyId)?.revokedAt,
        first.body.revokedAt,
        'listKeys has the same revokedAt',
      );
    },
    'an unknown key answers 404': (kit) =>
      kit
        .refused('revokeKey', { path: { keyId: 'nobody000000' }, body: { reason: 'Checked' } }, 404, 'key-not-found')
        .then(() => undefined),
  }),
];
