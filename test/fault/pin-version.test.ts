/**
 * Break-glass (`PIN_VERSION`): one instance serves a fixed version whatever the log says, and every response says so.
 *
 * Problem: an operator who cannot roll back must be able to pin, and nobody may mistake a pinned instance for one that follows the log.
 * Rule: a pin that may not be served (unknown, revoked, below the floor) is refused at the start with exit code 78. If it becomes forbidden while
 * the instance runs, it is dropped, with an error in the log. Pinning works without PostgreSQL, from the instance's own disk.
 * Example: the log says 2.0.0, p answers 1.0.0, marked `Registry-Pinned: coach@1.0.0`.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newFolder } from '../support/process/folder.ts';
import { startInstances, until, type TestInstance } from '../support/apps/instances.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import { entries, ROOT, runServer } from '../support/apps/server-process.ts';

const PIN = 'coach@1.0.0';
t.setTimeout(120_000);

t.test('PIN_VERSION', async (t) => {
  const { instances } = await startInstances(t, { count: 2 });
  const [a, p] = instances as [TestInstance, TestInstance];
  await p.restart({ more: { PIN_VERSION: PIN } });

  t.test('is marked on every answer', async (t) => {
    const { body: session } = await p.ask('/v1/coach/sessions', {});
    const { body: older } = await a.ask('/v1/coach/sessions', {});
    const active = await p.ask('/v1/packs/coach/active');
    t.same(
      [active.body['version'], (await a.ask('/v1/packs/coach/active')).body['version']],
      ['1.0.0', '2.0.0'],
      'it serves the pinned version, others what the log says',
    );
    const etag = active.header('etag') ?? '';
    const asked: readonly (readonly [status: number, ...Parameters<TestInstance['ask']>])[] = [
      [200, '/v1/packs/coach/active'],
      [304, '/v1/packs/coach/active', undefined, { 'if-none-match': etag }],
      [200, '/v1/packs/coach/active?channel=staging'],
      [200, '/v1/packs/onboarding/active'],
      [200, '/v1/prompts/system'],
      [200, '/v1/prompts/styles'],
      [200, '/v1/packs'],
      [200, '/v1/packs/coach/versions/2.0.0'],
      [200, `/v1/coach/sessions/${String(session['sessionId'])}`],
      [200, `/v1/coach/sessions/${String(older['sessionId'])}`],
      [201, '/v1/coach/sessions', {}],
      [200, '/v1/instances'],
      [200, '/v1/audit/head'],
      [200, '/livez'],
      [200, '/readyz'],
      [404, '/v1/packs/none/active'],
      [404, '/nothing'],
      [405, '/v1/packs', {}],
      [401, '/v1/packs', undefined, { authorization: '' }],
      [401, '/v1/packs', undefined, { authorization: 'Bearer prk_nobody_nothing' }],
      [400, '/v1/packs?unknown=1'],
      [412, '/v1/packs', undefined, { 'registry-min-revision': '100000' }],
      [201, '/v1/packs/coach/activations', { version: '1.1.0', reason: 'A write by a pinned instance' }],
      [201, '/v1/packs/coach/rollback', { reason: 'Another' }],
      [422, '/v1/packs/coach/activations', { version: '9.9.9', reason: 'No such version' }],
    ];
    for (const [status, ...request] of asked) {
      const reply = await p.ask(...request);
      t.same(
        [reply.status, reply.header('registry-pinned')],
        [status, PIN],
        `${request[1] === undefined ? 'GET' : 'POST'} ${request[0]}: ${status}, marked`,
      );
    }
    t.equal((await a.ask('/v1/packs/coach/active')).header('registry-pinned'), undefined, 'another instance is not');
    t.match(await p.ask('/readyz'), { body: { pinned: PIN, conditions: [{ name: 'pinned' }] } }, '/readyz says it');
    await until('listInstances says it', 5000, async () => {
      const list = (await a.ask('/v1/instances')).body['instances'] as { id: string; pinnedVersion?: string }[];
      return (
        list.length === 2 && list.every(({ id, pinnedVersion }) => pinnedVersion === (id === p.id ? PIN : undefined))
      );
    });
    t.ok(
      entries(p.server.lines).some(({ level, msg }) => level === 40 && msg.includes(PIN)),
      'and so does the log of the start',
    );
    t.equal((await p.ask('/v1/packs/coach/active')).body['version'], '1.0.0', 'pointers move without it');
  });

  t.test('its ETag is valid for If-Match of a move on it', async (t) => {
    const etagThere = async () => (await p.ask('/v1/packs/coach/active')).header('etag') ?? '';
    const [seen, move] = [await etagThere(), { version: '1.1.0', reason: 'Seen under the pin' }];
    t.equal((await p.ask('/v1/packs/coach/activations', move, { 'if-match': seen })).status, 201, 'its own ETag');
    t.equal(
      (await p.ask('/v1/packs/coach/rollback', { reason: 'Once more' }, { 'if-match': seen })).status,
      412,
      'not after a move',
    );
    t.equal(
      (await p.ask('/v1/packs/coach/rollback', { reason: 'Back' }, { 'if-match': await etagThere() })).status,
      201,
    );
  });

  t.test('is refused if the version may not be served', async (t) => {
    const revoked = await a.ask('/v1/packs/coach/versions', {
      ...(await published(a, '2.0.0')),
      version: '3.0.0-rc.1',
    });
    t.equal(revoked.status, 201, revoked.text.slice(0, 300));
    await a.ask('/v1/packs/coach/versions/3.0.0-rc.1/revoke', { reason: 'Never meant for anybody' });
    const packs = join(newFolder(t), 'packs');
    cpSync(join(ROOT, 'packs'), packs, { recursive: true });
    writePackFolder(packs, 'coach', documentOf('coach', '0.9.0')); // which holds none of the clauses
    const refusals: readonly (readonly [pin: string, why: RegExp])[] = [
      ['coach@9.9.9', /PIN_VERSION is "coach@9\.9\.9".*9\.9\.9/u],
      ['none@1.0.0', /there is no pack "none"/u],
      ['coach@3.0.0-rc.1', /was revoked at .*Never meant for anybody/u],
      ['coach@0.9.0', /0\.9\.0 is below the floor: .*You are a coach, not a therapist/u],
      ['coach@next', /PIN_VERSION="coach@next" is wrong/u],
    ];
    const ends = await Promise.all(
      refusals.map(([pin], index) =>
        runServer(t, { ...a.settings, DATA_DIR: `${a.dataDir}-${index}`, PACKS_DIR: packs, PIN_VERSION: pin }),
      ),
    );
    for (const [index, [pin, why]] of refusals.entries()) {
      t.equal(ends[index]?.code, 78, pin);
      t.match(ends[index]?.stderr, why);
    }
  });

  t.test('works without PostgreSQL', async (t) => {
    await p.server.kill();
    p.proxy.set('refuse');
    await p.start({ identify: false, more: { PIN_VERSION: PIN } });
    const active = await p.ask('/v1/packs/coach/active');
    t.match([active.status, active.body['version'], active.header('registry-pinned')], [200, '1.0.0', PIN]);
    t.ok(active.header('registry-stale') !== undefined, 'also marked as stale');
    t.match(
      await p.ask('/v1/coach/sessions', {}),
      { status: 201, body: { promptPack: { version: '1.0.0' } } },
      'sessions are started on it',
    );
    p.proxy.set('pass');
    await until('current, and still pinned', 5000, async () => {
      const reply = await p.ask('/v1/packs/coach/active');
      return (
        reply.header('registry-stale') === undefined &&
        reply.header('registry-pinned') === PIN &&
        reply.body['version'] === '1.0.0'
      );
    });
  });

  t.test('is dropped once the version is revoked, with an error in the log', async (t) => {
    const { status, body } = await a.ask(
      '/v1/packs/coach/versions/1.0.0/revoke',
      { reason: 'A wrong text' },
      { prefer: 'wait=5' },
    );
    t.equal(status, 200);
    const active = await p.ask('/v1/packs/coach/active', undefined, {
      'registry-min-revision': String(body['revision']),
    });
    t.same(
      [active.body['version'], active.header('registry-pinned')],
      [(await a.ask('/v1/packs/coach/active')).body['version'], undefined],
      'it serves the version of the log again',
    );
    t.match((await p.ask('/readyz')).body, { conditions: [] });
    t.ok(
      entries(p.server.lines).some(
        ({ level, msg }) => level === 50 && msg.includes(PIN) && msg.includes('may not be served any more'),
      ),
      'and the log says so as an error',
    );
    const again = await runServer(t, { ...p.settings, DATA_DIR: `${p.dataDir}-again`, PIN_VERSION: PIN });
    t.match(again, { code: 78, stderr: /was revoked at .*A wrong text/u }, 'nor can it be pinned again');
  });
});

/** A version in the form that is published. */
async function published(instance: TestInstance, version: string): Promise<object> {
  const { summary, author, system, styles, defaultStyle, compatibility } = (
    await instance.ask(`/v1/packs/coach/versions/${version}`)
  ).body;
  return { summary, author, system, styles, defaultStyle, compatibility };
}
