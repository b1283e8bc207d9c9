/** API keys: `listKeys`, `createKey`, `revokeKey`. Each that is made here is revoked when the suite is over. */
import type { Key } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';

async function listed(kit: Kit): Promise<{ keys: readonly Key[]; text: string }> {
  const { body, text } = await kit.ask<{ keys: readonly Key[] }>('listKeys', {}, 200);
  return { keys: body.keys, text };
}

export const keyChecks = [
  ...checksOf('createKey', {
    'the secret is the whole token; the key does what its scopes say and nothing else': async (kit) => {
      const { world } = kit;
      const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
      const label = world.label('created');
      const { body, headers } = await kit.ask<Key>(
        'createKey',
        { body: { label, scopes: ['prompts:read'], expiresAt } },
        201,
      );
      kit.ok(headers.get('location') !== null, 'Location');
      kit.same(
        [body.label, body.scopes, Date.parse(body.expiresAt ?? '')],
        [label, ['prompts:read'], Date.parse(expiresAt)],
        'label, scopes and end',
      );
      kit.same(
        (await listed(kit)).keys.find(({ keyId }) => keyId === body.keyId)?.createdAt,
        body.createdAt,
        'createdAt, as listKeys has it',
      );
      const { secret = '' } = body;
      kit.ok(
        new RegExp(`^prk_${body.keyId}_[0-9A-Za-z]{20,}$`, 'u').test(secret),
        'the secret is prk_<keyId>_<secret>',
      );
      await kit.ask('listPacks', { key: secret }, 200);
      const { requiredScopes } = await kit.refused(
        'createKey',
        { body: { label, scopes: ['prompts:read'] }, key: secret },
        403,
        'forbidden',
      );
      kit.same(requiredScopes, ['keys:admin'], 'elsewhere it is refused; requiredScopes');
    },
    'a key can grant only scopes that its maker holds': async (kit) => {
      const { secret } = await kit.world.key('an administrator of keys', ['keys:admin']);
      const { requiredScopes } = await kit.refused(
        'createKey',
        { body: { label: kit.world.label('too much'), scopes: ['packs:publish'] }, key: secret },
        403,
        'forbidden',
      );
      kit.ok(
        requiredScopes?.includes('packs:publish') === true,
        'requiredScopes names what is missing',
        requiredScopes,
      );
    },
    'an end that has passed, no scope, and a scope that is none are refused': async (kit) => {
      const label = kit.world.label('wrong');
      await kit.refused(
        'createKey',
        { body: { label, scopes: ['prompts:read'], expiresAt: '2020-01-01T00:00:00Z' } },
        400,
        'validation-failed',
      );
      await kit.refused('createKey', { body: { label, scopes: [] } }, 400, 'validation-failed');
      await kit.refused('createKey', { body: { label, scopes: ['everything'] } }, 400, 'validation-failed');
      kit.ok(!(await listed(kit)).keys.some((key) => key.label === label), 'no key was made');
    },
  }),
  ...checksOf('listKeys', {
    'createdBy is the key that made it': async (kit) => {
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
        'keyId and label of its maker',
      );
    },
    'every key stands there, in order of creation, never with its secret': async (kit) => {
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
        'the key that was just made',
      );
      kit.ok(!text.includes(secret.split('_')[2] ?? secret), 'no secret');
      kit.ok(
        keys.every(({ createdAt }, index) => index === 0 || createdAt >= (keys[index - 1]?.createdAt ?? '')),
        'in order of creation',
      );
    },
    'a revoked key stays there, and says since when': async (kit) => {
      const { keyId } = await kit.world.key('to be gone', ['prompts:read']);
      const { revokedAt } = (await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked' } }, 200))
        .body;
      const found = (await listed(kit)).keys.find((key) => key.keyId === keyId);
      kit.ok(found?.revokedAt !== undefined && found.revokedAt === revokedAt, 'revokedAt', found);
    },
  }),
  ...checksOf('revokeKey', {
    'a key that can do more than the caller cannot be revoked': async (kit) => {
      const { world } = kit;
      const { secret } = await world.key('a small administrator', ['keys:admin']);
      const { keyId, secret: greater } = await world.kept();
      const { requiredScopes } = await kit.refused(
        'revokeKey',
        { path: { keyId }, body: { reason: 'Checked' }, key: secret },
        403,
        'forbidden',
      );
      kit.ok(requiredScopes?.includes('prompts:read') === true, 'requiredScopes names what is missing', requiredScopes);
      await kit.ask('listPacks', { key: greater }, 200);
    },
    'a reason has 1 to 500 characters and is not blank': async (kit) => {
      const { keyId, secret } = await kit.world.kept();
      for (const reason of ['', ' \t', 'x'.repeat(501)])
        await kit.refused('revokeKey', { path: { keyId }, body: { reason } }, 400, 'validation-failed');
      await kit.ask('listPacks', { key: secret }, 200);
    },
    'it stops working with the next request, for good': async (kit) => {
      const { secret, keyId, label, scopes } = await kit.world.key('to be revoked', ['prompts:read']);
      await kit.ask('listPacks', { key: secret }, 200);
      const first = await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked' } }, 200);
      kit.same([first.body.keyId, first.body.label, first.body.scopes], [keyId, label, scopes], 'the key');
      kit.ok(first.body.revokedAt !== undefined, 'revokedAt says when');
      await kit.refused('listPacks', { key: secret }, 401, 'unauthenticated');
      const again = await kit.ask<Key>('revokeKey', { path: { keyId }, body: { reason: 'Checked once more' } }, 200);
      kit.same(again.body.revokedAt, first.body.revokedAt, 'again: a success without effect');
      kit.same(
        (await listed(kit)).keys.find((key) => key.keyId === keyId)?.revokedAt,
        first.body.revokedAt,
        'listKeys says so',
      );
    },
    'a key that is not there is 404': (kit) =>
      kit
        .refused('revokeKey', { path: { keyId: 'nobody000000' }, body: { reason: 'Checked' } }, 404, 'key-not-found')
        .then(() => undefined),
  }),
];
