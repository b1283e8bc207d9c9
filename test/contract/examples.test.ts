/**
 * Trying an operation with the example of the document changes nothing: Swagger UI fills the examples in, and Execute is one click away.
 * An example of a change is a dry run, or fails until it is completed.
 */
import t from 'tap';
import { openApp } from '../support/apps/app.ts';
import { faultsOf, OPENAPI, OPERATIONS, send, type Operation } from '../support/http/openapi.ts';

/** It appends no event. */
const CHANGES_NOTHING = 'startCoachSession';

/** The bodies that the document shows for an operation. */
function bodiesOf({ requestBody }: Operation): readonly unknown[] {
  const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? '';
  return (OPENAPI.components.schemas[name] as { examples?: unknown[] } | undefined)?.examples ?? [];
}

const pathOf = ({ parameters = [] }: Operation) =>
  Object.fromEntries(
    parameters.filter((parameter) => parameter.in === 'path').map(({ name, example }) => [name, String(example)]),
  );

const CHANGES = [...OPERATIONS.values()].filter(
  ({ method, operationId }) => method === 'POST' && operationId !== CHANGES_NOTHING,
);

for (const operation of CHANGES) {
  t.test(`${operation.operationId}: the unchanged example changes nothing`, async (t) => {
    const { app, store } = await openApp(t, { store: 'memory' });
    const before = await store.head();
    const bodies = bodiesOf(operation);
    t.not(bodies.length, 0, 'there is an example');
    for (const body of bodies) {
      const answer = await send(app, operation.operationId, { path: pathOf(operation), body });
      t.strictSame(faultsOf(operation.operationId, answer), [], 'as declared');
      const { dryRun } = body as { dryRun?: boolean };
      t.ok(dryRun === true || answer.statusCode >= 400, `${answer.statusCode}: ${answer.body.slice(0, 200)}`);
      t.strictSame(await store.head(), before, 'the log is as it was');
    }
  });
}

t.test('examples of moves are dry runs and name the channel', (t) => {
  for (const id of ['activateVersion', 'rollbackPack']) {
    for (const body of bodiesOf(OPERATIONS.get(id) as Operation))
      t.match(body, { channel: 'production', dryRun: true }, id);
  }
  t.end();
});
