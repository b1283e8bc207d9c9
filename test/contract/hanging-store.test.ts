/**
 * A store that neither answers nor fails. A read that needs it gets `overloaded` within the time of a handler. A write fails sooner: not
 * written, or unknown (staleness.test.ts has the limit). Other requests are answered meanwhile. The test takes the fifteen seconds of a
 * handler, mostly spent waiting.
 */
import t from 'tap';
import { askOf, operation, OPERATIONS, type Answer } from '../support/http/openapi.ts';
import { FROM_STORE } from './cases/general.ts';
import { openWorld, validRequest } from './cases/kit.ts';

/** Its timeout is ten minutes, for long logs; this test does not wait for it. */
const PATIENT = 'verifyAudit';
/** The response comes before the handler's timeout. */
const WRITES = FROM_STORE.filter((id) => operation(id).method === 'POST');

t.test('503 overloaded if the store hangs; other requests are answered', async (t) => {
  const world = await openWorld(t);
  const ask = askOf(world.app);
  const before = world.app.registry.current;
  const back = Promise.withResolvers<void>();
  t.teardown(() => back.resolve());
  world.fail(async () => {
    await back.promise;
    return undefined;
  });

  let answered = 0;
  const writing = WRITES.map(async (id) => ({ id, ...(await ask(t, id, validRequest(id, world))) }));
  const hanging = FROM_STORE.filter((id) => id !== PATIENT && !WRITES.includes(id)).map(async (id): Promise<Answer> => {
    const answer = await ask(t, id, validRequest(id, world));
    answered += 1;
    return answer;
  });
  for (const id of OPERATIONS.keys()) {
    if (!FROM_STORE.includes(id))
      t.ok((await ask(t, id, validRequest(id, world))).statusCode < 300, `${id} is answered meanwhile`);
  }
  for (const { id, statusCode, body, headers } of await Promise.all(writing)) {
    t.match([statusCode, body.code, headers['retry-after']], [503, /^(store-unavailable|outcome-unknown)$/u, '1'], id);
  }
  t.equal(answered, 0, 'the readers still wait');
  for (const { statusCode, body, headers } of await Promise.all(hanging)) {
    t.match(
      { statusCode, body, headers },
      { statusCode: 503, body: { code: 'overloaded' }, headers: { 'retry-after': '1' } },
    );
  }
  t.equal(world.app.registry.current, before, 'nothing was changed');
});
