/**
 * What an application asks in process is held to what the log must have, also where no TypeScript has looked: an event stays as it was
 * appended, and every instance answers with it.
 */
import t from 'tap';
import { documentOf } from '../support/pack-documents.ts';
import { openRegistry } from '../support/registries.ts';

const reason = 'Users report that answers are too blunt';
const actor = { keyId: 'k1', label: 'Operator' };

t.test('a change without a reason, or by nobody, is refused, and nothing changes', async (t) => {
  const registry = await openRegistry(t);
  const { revision } = registry.current;
  const refused = async (asked: Promise<unknown>, ...parameters: readonly string[]) => t.rejects(asked, { name: 'RegistryError', code: 'validation-failed', members: { errors: parameters.map((parameter) => ({ parameter })) } }, parameters.join());
  const without = (members: object) => members as never;

  await refused(registry.activate(without({ version: '1.0.0', actor })), 'reason');
  await refused(registry.activate(without({ reason, actor })), 'version');
  await refused(registry.rollback(without({ actor })), 'reason');
  await refused(registry.revoke(without({ pack: 'coach', version: '1.0.0', actor })), 'reason');
  await refused(registry.createKey(without({ scopes: ['prompts:read'] })), 'label');
  await refused(registry.revokeKey(without({ keyId: 'k1' })), 'reason');
  for (const [wrong, ...parameters] of [
    ['anna', 'actor'],
    [null, 'actor'],
    [{ keyId: 'k1' }, 'actor.label'],
    [{ keyId: 7, label: 'Operator' }, 'actor.keyId'],
    [{ ...actor, password: 'hunter2' }, 'actor.password'],
    [{ keyId: 'k1\0', label: '\ud800' }, 'actor.keyId', 'actor.label'],
  ] as const) {
    const by = { actor: wrong as never };
    await refused(registry.activate({ version: '1.0.0', reason, ...by }), ...parameters);
    await refused(registry.rollback({ reason, ...by }), ...parameters);
    await refused(registry.revoke({ pack: 'coach', version: '1.0.0', reason, ...by }), ...parameters);
    await refused(registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0'), ...by }), ...parameters);
    await refused(registry.createKey({ label: 'A key', scopes: ['prompts:read'], ...by }), ...parameters);
    await refused(registry.revokeKey({ keyId: 'k1', reason, ...by }), ...parameters);
  }
  t.equal(registry.current.revision, revision);

  t.equal((await registry.activate({ version: '1.0.0', reason, actor })).revision, revision + 1, 'control');
});
