/**
 * Load shedding: while the event loop lags, reads are refused at once, but probes and moves still work.
 *
 * The test really blocks the event loop. The server and its callers share the process, so the lag is there when requests arrive.
 */
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { KeepAlive, type Answer } from '../../support/http/keep-alive.ts';
import { faultsOf } from '../../support/http/openapi.ts';

/** Longer than the highest acceptable lag and than the warm-up after a start, in milliseconds. */
const BLOCKED = 1500;
const WARM = 3000;

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

async function blocked(
  t: Test,
  ask: (connection: KeepAlive, headers: Record<string, string>) => Promise<Answer[]>,
): Promise<Answer[]> {
  const { app, key } = await openApp(t, { store: 'memory' });
  const connection = new KeepAlive(await listen(app));
  t.teardown(() => connection.close());
  const headers = { authorization: `Bearer ${key}` };
  if ((await connection.one({ path: '/v1/packs', headers })).status !== 200) t.fail('at rest it is answered');
  block(WARM);
  // The lag is measured twice a second: until it was, the loop is blocked again and again.
  for (let round = 0; round < 20; round += 1) {
    const [probe] = await connection.all([{ path: '/v1/packs', headers }]);
    if (probe?.status === 503) return ask(connection, headers);
    block(BLOCKED);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.fail('it was never overloaded');
  return [];
}

t.test('reads are refused; probes, rollbacks, activations and revocations are not', async (t) => {
  const body = { reason: 'An incident' };
  const [read, live, ready, activated, rolledBack, revoked, prompt, session] = await blocked(t, (connection, headers) =>
    connection.all([
      { path: '/v1/packs/coach/active', headers },
      { path: '/livez' },
      { path: '/readyz' },
      { method: 'POST', path: '/v1/packs/coach/activations', headers, body: { ...body, version: '1.1.0' } },
      { method: 'POST', path: '/v1/packs/coach/rollback', headers, body },
      { method: 'POST', path: '/v1/packs/coach/versions/1.0.0/revoke', headers, body },
      { path: '/v1/prompts/system', headers },
      { method: 'POST', path: '/v1/coach/sessions', headers, body: {} },
    ]),
  );
  t.equal(read?.status, 503);
  t.match(JSON.parse(read?.text ?? ''), { code: 'overloaded', status: 503, type: '/problems/overloaded' });
  t.match(read?.header('retry-after'), /^[1-9]\d*$/u);
  const names = ['content-type', 'retry-after', 'registry-revision'];
  t.strictSame(
    faultsOf('getActivePack', {
      statusCode: 503,
      body: read?.text ?? '',
      headers: Object.fromEntries(names.map((name) => [name, read?.header(name)])),
    }),
    [],
    'as declared',
  );
  t.equal(live?.status, 200, '/livez');
  t.equal(ready?.status, 200, '/readyz');
  t.equal(activated?.status, 201, 'an activation');
  t.equal(rolledBack?.status, 201, 'a rollback');
  t.equal(revoked?.status, 200, 'a revocation');
  t.equal(prompt?.status, 503);
  t.equal(session?.status, 503);
});

t.test('reads work again after the lag', async (t) => {
  const answers = await blocked(t, async (connection, headers) => {
    for (;;) {
      const answer = await connection.one({ path: '/v1/packs', headers });
      if (answer.status !== 503) return [answer];
      await new Promise((resolve) => setTimeout(resolve, 20)); // a loop at rest is what is waited for
    }
  });
  t.equal(answers[0]?.status, 200);
});
