/**
 * Activations at a time, and activations that end automatically, over HTTP.
 *
 * The clock is the test's: what is due happens when the test lets time go by.
 */
import t, { type Test } from 'tap';
import { HOUR, MINUTE, openTimed, type TimedApp } from '../support/apps/timed-app.ts';
import { addPack } from '../support/apps/app.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Request } from '../support/http/openapi.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';
import { until } from '../support/process/until.ts';

const reason = 'When the team is awake';
const DAY = 24 * HOUR;
const CHANNEL = { channel: 'production' };

const schedule = (t: Test, { ask, at }: TimedApp, body: object = {}, request: Request = {}) =>
  ask(t, 'scheduleActivation', { body: { version: '2.0.0', at: at(MINUTE), reason, ...body }, ...request });

const pending = async (t: Test, { ask }: TimedApp) =>
  ((await ask(t, 'listSchedule', { query: CHANNEL })).body.scheduled as { id: string }[]).map(({ id }) => id);

const active = async (t: Test, { ask }: TimedApp) => (await ask(t, 'getActivePack')).body.version as string;

/** The newest event. */
const newest = async ({ app: { registry } }: TimedApp) =>
  (await registry.events({ after: registry.current.revision - 1, limit: 1 }))[0];

t.test('a version is activated at its time', async (t) => {
  const timed = await openTimed(t);
  const { ask, at, later, key } = timed;
  const { statusCode, body, headers } = await schedule(t, timed, { sessions: 'next-turn' });
  t.equal(statusCode, 201);
  t.equal(headers['location'], '/v1/packs/coach/schedule?channel=production');
  t.match(body, {
    ...{ pack: 'coach', ...CHANNEL, version: '2.0.0', at: at(MINUTE), sessions: 'next-turn', reason },
    ...{ scheduledAt: at(0), scheduledBy: { label: 'operator' } },
  });
  const sooner = (await schedule(t, timed, { version: '1.1.0', at: '2026-01-31T01:00:30+01:00' })).body;
  t.equal(sooner.at, '2026-01-31T00:00:30.000Z', 'in UTC');
  const { scheduled } = (await ask(t, 'listSchedule', { query: CHANNEL })).body;
  t.strictSame(scheduled, [sooner, body], 'the earliest first');
  const cancelled = await ask(t, 'cancelScheduledActivation', {
    ...{ path: { id: sooner.id as string }, body: { reason: 'Not ready' } },
  });
  t.match([cancelled.statusCode, cancelled.body], [200, { id: sooner.id }]);
  t.strictSame(await pending(t, timed), [body.id]);

  const session = (await ask(t, 'startCoachSession', { body: {} })).body.sessionId as string;
  await later(MINUTE);
  t.equal(await active(t, timed), '2.0.0');
  t.strictSame(await pending(t, timed), []);
  const event = await newest(timed);
  t.match(event, {
    ...{ type: 'version-activated', actor: { keyId: 'system' }, reason, version: '2.0.0', at: at(0) },
    data: { schedule: body.id, scheduledBy: { keyId: key.split('_')[1] }, previousVersion: '1.0.0' },
  });
  t.match((await ask(t, 'getCoachSession', { path: { sessionId: session } })).body, {
    promptPack: { version: '2.0.0' },
  });
});

t.test('it may be the first version of its channel', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, later } = timed;
  const path = { pack: 'fresh' };
  await addPack(app, 'fresh', '1.0.0');
  const { body } = await schedule(t, timed, { version: '1.0.0' }, { path });
  t.match(
    (await ask(t, 'listSchedule', { path, query: CHANNEL })).body,
    { scheduled: [{ id: body.id }] },
    'it is listed',
  );
  await later(MINUTE);
  t.match((await ask(t, 'getActivePack', { path })).body, { version: '1.0.0' });
});

t.test('it is skipped, with an event that says why', async (t) => {
  const skips: Readonly<Record<string, (registry: Registry, pack: string) => Promise<unknown>>> = {
    moved: (registry, pack) => registry.activate({ pack, version: '1.1.0', reason }),
    returned: async (registry, pack) => {
      await registry.activate({ pack, version: '1.1.0', reason });
      await registry.rollback({ pack, reason });
    },
    active: (registry, pack) => registry.activate({ pack, version: '2.0.0', reason }),
    tried: (registry, pack) => registry.activate({ pack, version: '1.1.0', revertAfter: '1h', reason }),
    rolled: (registry, pack) =>
      registry.rollouts.start({ pack, version: '1.1.0', steps: [{ share: 1 }], finish: 'wait', reason }),
    revoked: (registry, pack) => registry.revoke({ pack, version: '2.0.0', reason }),
  };
  const packs = Object.keys(skips);
  const shipped = packs.flatMap((pack) => shippedOf(`${pack}@1.0.0`, `${pack}@1.1.0`, `${pack}@2.0.0`));
  const timed = await openTimed(t, {
    registry: { channels: ['production'], shipped: [...shipped, ...shippedOf('coach@1.0.0')] },
  });
  const { app, later, key } = timed;
  const ids = new Map<string, unknown>();
  for (const [pack, meanwhile] of Object.entries(skips)) {
    await app.registry.activate({ pack, version: '1.0.0', reason });
    ids.set(pack, (await schedule(t, timed, {}, { path: { pack } })).body.id);
    await meanwhile(app.registry, pack);
  }
  const { revision } = app.registry.current;
  await later(MINUTE);
  await until(() => app.registry.current.revision === revision + packs.length);
  const events = await app.registry.events({ after: revision, limit: 20 });
  t.match(
    events.map(({ type, pack, actor, data }) => ({ type, pack, actor, data })),
    Object.entries({
      ...{ moved: 'pointer-moved', returned: 'pointer-moved', active: 'already-active', tried: 'trial-running' },
      ...{ rolled: 'rollout-running', revoked: 'version-revoked' },
    }).map(([pack, why]) => ({
      ...{ type: 'schedule-skipped', pack, actor: { keyId: 'system' } },
      data: { schedule: ids.get(pack), why, scheduledBy: { keyId: key.split('_')[1] } },
    })),
  );
  for (const pack of packs) t.strictSame(app.registry.rollouts.scheduled({ pack }), []);
});

t.test('a start finds what was due while nothing ran', async (t) => {
  const restarted = async (downtime: number, registry: object = {}) => {
    const before = await openTimed(t);
    const { id } = (await schedule(t, before)).body as { id: string };
    await before.app.close();
    const after = await openTimed(t, { after: before, registry }, before.clock.time + downtime);
    await after.looked();
    return { after, id };
  };
  t.test('at most an hour late: it is activated', async (t) => {
    const { after } = await restarted(HOUR);
    t.equal(await active(t, after), '2.0.0');
  });
  t.test('later: it is skipped', async (t) => {
    const { after, id } = await restarted(HOUR + 2 * MINUTE);
    t.match(await newest(after), { type: 'schedule-skipped', data: { schedule: id, why: 'too-late' } });
    t.equal(await active(t, after), '1.0.0');
  });
  t.test('below the floor of a new policy: it is skipped', async (t) => {
    const { after, id } = await restarted(HOUR, { policies: [floorUnder('coach', 1, '2.0.0')] });
    t.match(await newest(after), { type: 'schedule-skipped', data: { schedule: id, why: 'policy-violated' } });
  });
});

t.test('what cannot be scheduled, and what would be right', async (t) => {
  const timed = await openTimed(t, {
    registry: {
      shipped: shippedOf('coach@1.0.0', 'coach@2.0.0', 'coach@3.0.0', 'coach@4.0.0'),
      policies: [floorUnder('coach', 1, '4.0.0')],
    },
    earlier: { policies: [] },
  });
  const { app, ask, at } = timed;
  await app.registry.revoke({ pack: 'coach', version: '3.0.0', reason: 'Dangerous' });
  const { revision } = app.registry.current;
  const wrongTime = (detail: RegExp) => ({ status: 400, code: 'validation-failed', errors: [{ detail }] });
  const rows: readonly (readonly [body: object, refusal: object])[] = [
    [{ at: at(0) }, wrongTime(/^Must be in the future; the registry's clock says 2026-01-31T00:00:00\.000Z\.$/u)],
    [{ at: at(-MINUTE) }, wrongTime(/in the future/u)],
    [{ at: at(90 * DAY + 1) }, wrongTime(/at most 90 days ahead/u)],
    [{ at: '2026-02-01T06:00:00' }, wrongTime(/RFC 3339/u)],
    [{ at: 'tomorrow' }, wrongTime(/RFC 3339/u)],
    [
      { version: '9.9.9' },
      { status: 422, code: 'unknown-version', knownVersions: ['4.0.0', '3.0.0', '2.0.0', '1.0.0'] },
    ],
    [{ version: '3.0.0' }, { status: 409, code: 'version-revoked' }],
    [{ version: '4.0.0' }, { status: 422, code: 'policy-violated' }],
    [{ channel: 'nightly' }, { status: 404, code: 'channel-not-found' }],
    [{ sessions: 'sometimes' }, { status: 400, code: 'validation-failed' }],
  ];
  for (const [body, refusal] of rows) t.match((await schedule(t, timed, body)).body, refusal);
  t.equal(app.registry.current.revision, revision);
  t.equal((await schedule(t, timed, { at: at(90 * DAY) })).statusCode, 201, 'as far ahead as can be');
  const unknown = { path: { id: 'none-such' }, body: { reason } };
  t.match((await ask(t, 'cancelScheduledActivation', unknown)).body, {
    ...{ status: 404, code: 'schedule-not-found' },
    detail: /no pending activation "none-such": it was made, skipped or cancelled, or never existed\. `listSchedule`/u,
  });
  t.match((await ask(t, 'listSchedule', { query: { channel: 'nightly' } })).body, { code: 'channel-not-found' });
});

t.test('at most twenty are pending; a repeat has no effect', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, at } = timed;
  const headers = { 'idempotency-key': 'the first' };
  const body = { at: at(2 * MINUTE) };
  const first = await schedule(t, timed, body, { headers });
  const again = await schedule(t, timed, body, { headers });
  t.strictSame([again.statusCode, again.body], [201, first.body]);
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.match((await schedule(t, timed, { at: at(MINUTE) }, { headers })).body, {
    status: 422,
    code: 'idempotency-mismatch',
  });
  for (let count = 1; count < 20; count += 1)
    await app.registry.rollouts.schedule({ version: '2.0.0', at: at(count * HOUR), reason });
  t.match((await schedule(t, timed)).body, {
    ...{ status: 409, code: 'schedule-full' },
    detail: 'Channel "production" of pack "coach" has 20 scheduled activations; 20 are the most. Cancel one first.',
  });
  const cancel = { path: { id: first.body.id as string }, body: { reason }, headers: { 'idempotency-key': 'cancel' } };
  const cancelled = await ask(t, 'cancelScheduledActivation', cancel);
  t.strictSame((await ask(t, 'cancelScheduledActivation', cancel)).body, cancelled.body, 'a repeat');
  t.equal((await schedule(t, timed)).statusCode, 201);
});

t.test('a key that is revoked takes along what it has scheduled, and the answer says so', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, later } = timed;
  const { record, token = '' } = await app.registry.createKey({ label: 'ci', scopes: ['packs:activate'] });
  const mine = (await schedule(t, timed, { version: '1.1.0' }, { headers: { authorization: `Bearer ${token}` } })).body;
  t.match(mine, { scheduledBy: { keyId: record.keyId, label: 'ci' } });
  const other = (await schedule(t, timed)).body;
  const request = {
    path: { keyId: record.keyId },
    body: { reason: 'Left the team' },
    headers: { 'idempotency-key': 'k' },
  };
  const revoked = await ask(t, 'revokeKey', request);
  t.match(revoked.body, { keyId: record.keyId, cancelled: [{ pack: 'coach', ...CHANNEL, id: mine.id }] });
  t.strictSame((await ask(t, 'revokeKey', request)).body, revoked.body, 'a repeat');
  t.strictSame((await ask(t, 'revokeKey', { ...request, headers: {} })).body.cancelled, [], 'it was revoked already');
  t.strictSame(await pending(t, timed), [other.id]);
  await later(MINUTE);
  t.equal(await active(t, timed), '2.0.0');
});

t.test('a trial', async (t) => {
  const open = (t: Test) => openTimed(t, { store: 'memory' });
  const activate = (t: Test, { ask }: TimedApp, body: object = {}) =>
    ask(t, 'activateVersion', { body: { version: '1.1.0', revertAfter: '2m', reason, ...body } });
  const confirm = (t: Test, { ask }: TimedApp, request: Request = {}) =>
    ask(t, 'confirmActivation', { path: CHANNEL, body: { reason: 'No complaints' }, ...request });
  const trialOf = async (t: Test, { ask }: TimedApp) =>
    (await ask(t, 'getChannel', { path: CHANNEL })).body.trial as object | undefined;

  t.test('ends automatically', async (t) => {
    const timed = await open(t);
    const { at, later } = timed;
    t.match((await activate(t, timed)).body, { kind: 'activation', version: '1.1.0', changed: true });
    t.match(await trialOf(t, timed), { version: '1.1.0', revertAt: at(2 * MINUTE), startedBy: { label: 'operator' } });
    await later(2 * MINUTE - 1);
    t.equal(await active(t, timed), '1.1.0');
    await later(1);
    t.equal(await active(t, timed), '1.0.0');
    t.equal(await trialOf(t, timed), undefined);
    t.match(await newest(timed), {
      type: 'version-rolled-back',
      actor: { keyId: 'system' },
      at: at(0),
      data: { trial: /./u },
    });
    t.match((await confirm(t, timed)).body, { status: 404, code: 'no-trial', detail: /No version is on trial/u });
  });

  t.test('is confirmed', async (t) => {
    for (const how of ['confirmActivation', 'activateVersion']) {
      const timed = await open(t);
      const { revision } = (await activate(t, timed)).body as { revision: number };
      const { ask, later } = timed;
      const once = { body: { version: '1.1.0', reason }, headers: { 'idempotency-key': 'a' } };
      if (how === 'activateVersion')
        t.match(
          (await ask(t, how, once)).body,
          { version: '1.1.0', revision, changed: false },
          'it was active already',
        );
      else {
        const refused = await confirm(t, timed, { headers: { 'if-match': '"1"' } });
        t.match(refused.body, { status: 412, code: 'revision-conflict' });
        const headers = { 'if-match': `"${revision}"`, 'idempotency-key': 'c', prefer: 'wait=5' };
        const answer = await confirm(t, timed, { headers });
        t.match([answer.statusCode, answer.body], [200, { version: '1.1.0', instances: { pending: [] } }]);
        t.match((await confirm(t, timed, { headers })).body, { version: '1.1.0', revision: answer.body.revision });
      }
      t.equal(await trialOf(t, timed), undefined, how);
      await later(2 * MINUTE);
      t.equal(await active(t, timed), '1.1.0');
      t.match((await newest(timed))?.type, 'activation-confirmed');
      if (how === 'confirmActivation') continue;
      await ask(t, how, { body: { version: '2.0.0', reason } });
      const { statusCode, body } = await ask(t, how, once);
      t.match([statusCode, body], [200, { version: '1.1.0', revision, changed: false }], 'a repeat, later on');
    }
  });

  t.test('ends with any other move', async (t) => {
    const timed = await open(t);
    const { ask, later } = timed;
    for (const [operation, body] of [
      ['activateVersion', { version: '2.0.0' }],
      ['rollbackPack', {}],
    ] as const) {
      await activate(t, timed);
      await ask(t, operation, { body: { reason, ...body } });
      t.equal(await trialOf(t, timed), undefined, operation);
      const version = await active(t, timed);
      await later(2 * MINUTE);
      t.equal(await active(t, timed), version);
    }
  });

  t.test('stays where nothing below may be active, with an alarm', async (t) => {
    const timed = await open(t);
    const { app, later } = timed;
    await activate(t, timed);
    await app.registry.activate({ version: '2.0.0', channel: 'staging', reason });
    await app.registry.revoke({ pack: 'coach', version: '1.0.0', reason: 'Dangerous' });
    await later(2 * MINUTE);
    t.equal(await active(t, timed), '1.1.0');
    t.match(await newest(timed), {
      type: 'trial-stayed',
      version: '1.1.0',
      reason: /no earlier version to go back to/u,
    });
    t.equal(await trialOf(t, timed), undefined);
    const { revision } = app.registry.current;
    await later(2 * MINUTE);
    t.equal(app.registry.current.revision, revision, 'said once');
  });

  t.test('is refused where it makes no sense', async (t) => {
    const timed = await open(t);
    const { app, ask, at } = timed;
    t.match((await activate(t, timed, { version: '1.0.0' })).body, {
      ...{ status: 409, code: 'already-active', activeVersion: '1.0.0' },
      detail: /is active in channel .*, so it cannot begin a trial\. Nothing was changed\.$/u,
    });
    for (const revertAfter of ['0s', '91d', '5 minutes', '-1m', ''])
      t.match(
        (await activate(t, timed, { revertAfter })).body,
        { status: 400, code: 'validation-failed' },
        revertAfter,
      );
    await activate(t, timed);
    for (const dryRun of [true, false])
      t.match((await activate(t, timed, { dryRun })).body, {
        status: 409,
        code: 'trial-running',
        revertAt: at(2 * MINUTE),
      });
    await app.registry.publish({ pack: 'fresh', document: documentOf('fresh', '1.0.0') });
    for (const dryRun of [true, false])
      t.match(
        (
          await ask(t, 'activateVersion', {
            path: { pack: 'fresh' },
            body: { version: '1.0.0', revertAfter: '1h', reason, dryRun },
          })
        ).body,
        {
          status: 409,
          code: 'nothing-to-roll-back-to',
          detail: /Activate the first version without "revertAfter"\.$/u,
        },
      );
  });
});

t.test('a clock that jumps: nothing is done, and /readyz says why', async (t) => {
  const timed = await openTimed(t);
  const { ask, clock, looked } = timed;
  await schedule(t, timed);
  clock.time += 6 * MINUTE;
  await looked();
  t.equal(await active(t, timed), '1.0.0');
  const ready = await ask(t, 'ready');
  t.match(
    [ready.statusCode, ready.body.conditions],
    [
      200,
      [
        {
          name: 'clock-in-doubt',
          detail: /^The clock has jumped by more than 5 minutes\..* Steps, schedules and trials wait\.$/u,
        },
      ],
    ],
  );
});
