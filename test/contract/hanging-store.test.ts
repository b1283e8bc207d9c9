/**
 * A store that neither answers nor fails: whoever asks it hears `overloaded` within the time that a handler has, and whoever does
 * not need it is answered meanwhile. It takes the handler's fifteen seconds, nearly all of them spent waiting.
 */
import t from 'tap';
import { askOf, OPERATIONS, type Answer } from '../support/openapi.ts';
import { FROM_STORE } from './cases/general.ts';
import { openWorld, validRequest } from './cases/kit.ts';

/** It may take ten minutes, since a long log does; nobody waits for that here. */
const PATIENT = 'verifyAudit';

t.test('503 overloaded where the store hangs; all else is answered', async (t) => {
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
  const hanging = FROM_STORE.filter((id) => id !== PATIENT).map(async (id): Promise<Answer> => {
    const answer = await ask(t, id, validRequest(id, world));
    answered += 1;
    return answer;
  });
  for (const id of OPERATIONS.keys()) {
    if (!FROM_STORE.includes(id)) t.ok((await ask(t, id, validRequest(id, world))).statusCode < 300, `${id} is answered meanwhile`);
  }
  t.equal(answered, 0, 'the others still wait');
  for (const { statusCode, body, headers } of await Promise.all(hanging)) {
    t.match({ statusCode, body, headers }, { statusCode: 503, body: { code: 'overloaded' }, headers: { 'retry-after': '1' } });
  }
  t.equal(world.app.registry.current, before, 'nothing was changed');
});
