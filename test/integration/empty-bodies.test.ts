/**
 * A request that announces a body and sends none is answered at once, for every method, with or without a length.
 *
 * The test writes bytes to a real connection, because `inject` bypasses Node's HTTP server, and clients add a length.
 */
import t from 'tap';
import { openApp } from '../support/apps/app.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';

const ROLLBACK = '/v1/packs/coach/rollback';
const JSON_TYPE = 'content-type: application/json';

t.test('a body that is announced and never sent', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const ask = async (start: string, headers: readonly string[] = [], body = '') => {
    const text = await exchange(
      url,
      [
        `${start} HTTP/1.1`,
        'host: registry',
        `authorization: Bearer ${key}`,
        'connection: close',
        ...headers,
        '',
        body,
      ].join('\r\n'),
    );
    const { statusCode, body: answer } = answerIn(text);
    return { statusCode, code: (JSON.parse(answer) as { code?: string }).code };
  };

  t.match(
    await ask(`POST ${ROLLBACK}`, [JSON_TYPE]),
    { statusCode: 400, code: 'validation-failed' },
    'a type and no length',
  );
  t.match(
    await ask(`POST ${ROLLBACK}`, [JSON_TYPE, 'content-length: 0']),
    { statusCode: 400, code: 'validation-failed' },
    'a length of 0',
  );
  t.match(await ask(`POST ${ROLLBACK}`), { statusCode: 400, code: 'validation-failed' }, 'neither');
  t.match(
    await ask(`POST ${ROLLBACK}`, ['content-type: text/plain']),
    { statusCode: 415, code: 'unsupported-media-type' },
    'another type',
  );
  t.match(await ask(`PUT ${ROLLBACK}`, [JSON_TYPE]), { statusCode: /^40[05]$/ }, 'a method that is not allowed');
  t.match(await ask('DELETE /nowhere', [JSON_TYPE]), { statusCode: /^40[04]$/ }, 'a place that is not there');
  t.match(await ask('GET /v1/packs/coach/active', [JSON_TYPE]), { statusCode: 200 }, 'a read');
  t.match(
    await ask(`POST ${ROLLBACK}`, [JSON_TYPE, 'content-length: 29'], '{"reason":"It is too blunt."}'),
    { statusCode: 409, code: 'nothing-to-roll-back-to' },
    'and one that comes',
  );
});
