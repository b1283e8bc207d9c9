/**
 * In-process requests are checked like those over HTTP, even without TypeScript, so that every event in the log is valid: it stays as it was
 * appended, and every instance answers with it.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RegistryError } from '../../registry/index.ts';
import { checkedFor, checkRequest, type For } from '../../registry/requests.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { openRegistry } from '../support/apps/registries.ts';

const reason = 'Users report that answers are too blunt';
/** A text for a title, in ASCII. */
const escape = (text: string) =>
  JSON.stringify(text).replace(/[^ -~]/gu, (character) => `\\u${character.codePointAt(0)?.toString(16)}`);
const actor = { keyId: 'k1', label: 'Operator' };

t.test('a change without a reason or an actor is refused, and nothing changes', async (t) => {
  const registry = await openRegistry(t);
  const { revision } = registry.current;
  const refused = async (asked: Promise<unknown>, ...parameters: readonly string[]) =>
    t.rejects(
      asked,
      {
        name: 'RegistryError',
        code: 'validation-failed',
        members: { errors: parameters.map((parameter) => ({ parameter })) },
      },
      parameters.join(),
    );
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

t.test('texts that the log keeps must have visible characters', async (t) => {
  const registry = await openRegistry(t);
  const { revision } = registry.current;
  for (const unseen of [
    '\u200b',
    '\u3164',
    '\u2800',
    '\u00ad',
    '\u0007',
    ' \u2800\u200d\ufe0f\n',
    '\u{e0041}',
    '\u{1d159}',
  ]) {
    const refused = (asked: Promise<unknown>, fault: object) =>
      t.rejects(
        asked,
        {
          code: 'validation-failed',
          members: {
            errors: [{ ...fault, detail: 'This text has no visible character; write at least one.' }],
          },
        },
        escape(unseen),
      );
    await refused(registry.activate({ version: '1.0.0', reason: unseen }), { parameter: 'reason' });
    await refused(registry.rollback({ reason: unseen }), { parameter: 'reason' });
    await refused(registry.revoke({ pack: 'coach', version: '1.0.0', reason: unseen }), { parameter: 'reason' });
    await refused(registry.createKey({ label: unseen, scopes: ['prompts:read'] }), { parameter: 'label' });
    await refused(registry.revokeKey({ keyId: 'k1', reason: unseen }), { parameter: 'reason' });
    const good = documentOf('coach', '3.0.0');
    const [style] = good.styles;
    const compatibility = { ...good.compatibility, models: [{ provider: unseen, family: 'claude' }] };
    for (const [pointer, members] of Object.entries({
      '/system': { system: unseen },
      '/summary': { summary: unseen },
      '/author': { author: unseen },
      '/compatibility/models/0/provider': { compatibility },
      '/styles/0/title': { styles: [{ ...style!, title: unseen }] },
      '/styles/0/text': { styles: [{ ...style!, text: unseen }] },
    })) {
      await refused(registry.publish({ pack: 'coach', document: { ...good, ...members } }), { pointer });
    }
  }
  t.equal(registry.current.revision, revision);
  for (const seen of ['.', '\u200d👩', 'ا', '\u0600', '…'])
    t.ok(
      (
        await registry.activate({
          version: seen === '.' ? '1.0.0' : registry.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0',
          reason: seen,
        })
      ).changed,
      escape(seen),
    );
});

t.test('a page of the log ends at the snapshot of its request, even if the log has moved on (SPEC R2)', async (t) => {
  const registry = await openRegistry(t);
  await registry.activate({ version: '1.0.0', reason });
  const seen = registry.current;
  await registry.activate({ version: '1.1.0', reason });
  const { activations } = await registry.activations('coach', { channel: 'production', limit: 1 }, seen);
  t.match(activations, [{ version: '1.0.0', revision: seen.revision }]);
  t.equal((await registry.events({ limit: 1000 }, seen)).at(-1)?.revision, seen.revision);
  t.match(await registry.activations('coach', { channel: 'production', limit: 1 }), {
    activations: [{ version: '1.1.0' }],
  });
});

t.test('a subject and attributes that can only be right skip the full check, and nothing else does', async (t) => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9_]{1,4}$/u),
    fc.constantFrom('', 'n'.repeat(63), 'n'.repeat(64), 'constructor'),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'é'.repeat(201), '😀'.repeat(200), '\ud800'),
  );
  const value = fc.oneof(text, fc.double(), fc.boolean(), fc.constantFrom<unknown>(undefined, null, [], {}));
  const attributes = fc.oneof(
    fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }),
    fc.constantFrom<unknown>(null, 'a', 1),
  );
  const property = fc.property(text, attributes, (subject, attributes) => {
    const asked = { subject, attributes } as For;
    const faults = [faultOf(() => checkRequest({ subject })), faultOf(() => checkRequest({ attributes }))];
    const [fault] = faults.filter((each) => each !== undefined);
    assert.equal(
      faultOf(() => checkedFor(asked)),
      fault,
    );
    if (fault !== undefined) return;
    const texts = Object.entries(attributes as object).map(([each, is]) => [each, String(is)]);
    assert.deepEqual(checkedFor(asked), { subject, attributes: Object.fromEntries(texts) as object });
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, 'x']));
  t.throws(() => checkedFor({ attributes: many }), { code: 'validation-failed' });
});

function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return JSON.stringify(error.members);
  }
}
