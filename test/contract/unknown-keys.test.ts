/**
 * Keys that an instance does not know yet: a valid key is never kept out, whatever strangers send, and strangers cause no load on the store.
 *
 * Two applications share one store. The second gets no notifications, so only a request can have made it look.
 */
import t, { type Test } from 'tap';
import { newKey } from '../../registry/keys/keys.ts';
import { openPair, type Pair } from '../support/apps/late-app.ts';
import { askOf, type Answer } from '../support/http/openapi.ts';

const { quick, late, reads, move } = await openPair(t);

type AskedFor = Readonly<Record<string, string>>;
const read = (t: Test, token: string, headers: AskedFor = {}): Promise<Answer> =>
  askOf(late.app)(t, 'getActivePack', { headers: { authorization: `Bearer ${token}`, ...headers } });

async function make({ quick: { app } }: Pick<Pair, 'quick'>): Promise<{ token: string; seen: AskedFor }> {
  const { token = '' } = await app.registry.createKey({ label: 'reader', scopes: ['prompts:read'] });
  return { token, seen: { 'registry-min-revision': String(app.registry.current.revision) } };
}

t.test(
  'a key that another instance has just created is accepted, even if an unknown key was looked up a moment ago',
  async (t) => {
    for (const passedOn of [true, false]) {
      t.match(await read(t, newKey().token), { statusCode: 401, body: { code: 'unauthenticated' } });
      const { token, seen } = await make({ quick });
      const strangers = Array.from({ length: 20 }, () => read(t, newKey().token));
      t.match(
        await read(t, token, passedOn ? seen : {}),
        { statusCode: 200, revision: quick.app.registry.current.revision },
        passedOn ? 'with the revision it saw' : 'without',
      );
      for (const answer of await Promise.all(strangers)) t.equal(answer.statusCode, 401);
    }
  },
);

t.test('unknown keys cause at most one read of the log per second', async (t) => {
  const [from, before] = [performance.now(), reads()];
  const stranger = async () => {
    for (let tries = 0; tries < 3; tries += 1)
      t.equal((await read(t, newKey().token, { 'registry-min-revision': '999999' })).statusCode, 401);
  };
  await Promise.all(Array.from({ length: 50 }, stranger));
  const most = 1 + Math.ceil((performance.now() - from) / 1000);
  t.ok(reads() - before <= most, `${reads() - before} readings for 150 tokens`);
  const then = reads();
  for (const token of ['garbage', 'prk_a_b', `${newKey().token}x`]) t.equal((await read(t, token)).statusCode, 401);
  const [, id = ''] = late.key.split('_');
  t.equal((await read(t, `prk_${id}_${'a'.repeat(43)}`)).statusCode, 401);
  t.equal(reads(), then, 'a token that cannot be a new key is not looked up');
});

t.test('while the log cannot be read, a caller who has seen a later revision does not get "unknown key"', async (t) => {
  for (const name of ['refused', 'hanging'] as const) {
    const back = Promise.withResolvers<undefined>();
    t.teardown(() => back.resolve(undefined));
    await move(name === 'refused' ? '1.0.0' : '1.1.0');
    const { token, seen } = await make({ quick });
    const { revision } = late.app.registry.current;
    late.fail(name === 'refused' ? () => 'rejects' : () => back.promise);
    const [ahead, level, silent, elsewhere] = await Promise.all([
      read(t, token, seen),
      read(t, token, { 'registry-min-revision': String(revision) }),
      read(t, token),
      read(t, token, { ...seen, 'registry-epoch': '2' }),
    ]);
    t.match(
      ahead,
      {
        statusCode: 503,
        body: { code: 'revision-not-reached', currentRevision: revision },
        headers: { 'retry-after': /^\d+$/u },
      },
      name,
    );
    t.match(elsewhere, { statusCode: 503 });
    for (const answer of [level, silent]) t.match(answer, { statusCode: 401, body: { code: 'unauthenticated' } });
    t.equal((await read(t, late.key)).statusCode, 200, 'a key that is known is asked nothing');
    late.fail();
    back.resolve(undefined);
    t.match(await read(t, token, seen), { statusCode: 200 }, 'once it is back');
  }
});
