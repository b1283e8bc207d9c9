/** Times in requests: every RFC 3339 time that a Date can represent is accepted, and any other one is refused. */
import t from 'tap';
import { openApp } from '../support/apps/app.ts';
import { words } from '../support/process/words.ts';

const { app } = await openApp(t, { store: 'memory' });

const TAKEN = words`
  2026-01-31T09:30:00Z 2026-01-31T09:30:00.123456789Z 2026-01-31T09:30:00+05:30 2026-01-31t09:30:00z
  2024-02-29T23:59:59-23:59 0000-01-01T00:00:00Z 9999-12-31T23:59:59.999Z
`;
const REFUSED = [
  '',
  ...words`
  now 2026-01-31 2026-01-31T09:30 2026-01-31T09:30:00 2026-02-30T00:00:00Z 2026-13-01T00:00:00Z 1998-12-31T23:59:60Z
  2026-01-31T09:30:00+05 9999-12-31T23:59:59-00:01 0000-01-01T00:00:00+00:01 +010000-01-01T00:00:00Z 1767225600
`,
];

for (const path of ['/v1/audit/events?from=', '/v1/audit/events?to=', '/v1/packs/coach/activations?at=']) {
  t.test(path, async (t) => {
    for (const time of TAKEN) t.equal((await app.inject(path + encodeURIComponent(time))).statusCode, 200, time);
    for (const time of REFUSED) {
      const answer = await app.inject(path + encodeURIComponent(time));
      t.match([answer.statusCode, answer.json()], [400, { code: 'validation-failed' }], time);
    }
  });
}

t.test('expiresAt', async (t) => {
  const make = (expiresAt: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/keys',
      payload: { label: 'A service', scopes: ['prompts:read'], expiresAt },
    });
  const made = await make('2999-12-31T23:59:59+02:00');
  t.match([made.statusCode, made.json()], [201, { expiresAt: '2999-12-31T21:59:59.000Z' }]);
  for (const time of [...REFUSED, '2026-01-31T09:30:00Z']) t.equal((await make(time)).statusCode, 400, time);
});
