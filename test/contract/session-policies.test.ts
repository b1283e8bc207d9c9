/**
 * What happens to running sessions when their channel moves (SPEC R16): they keep their version, move along at the next turn, or end.
 * On both stores.
 */
import t, { type Test } from 'tap';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { openApp, type TestApp } from '../support/apps/app.ts';
import { askOf, type Answer } from '../support/http/openapi.ts';
import { documentOf, shipped, shippedOf, versionOf } from '../support/packs/pack-documents.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const reason = 'Answers were too blunt';
/** 3.0.0 has one style only. */
const gentle = { styles: documentOf('coach', '3.0.0').styles.slice(0, 1) };
const PACKS = [...shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0'), shipped(versionOf('coach', '3.0.0', gentle))];

interface Stage extends TestApp {
  readonly ask: ReturnType<typeof askOf>;
  /** Starts a session. @returns its id */
  readonly begin: (body?: object) => Promise<string>;
  /** The next turn of a session. */
  readonly turn: (sessionId: string) => Promise<Answer>;
}

async function openStage(t: Test, options: Parameters<typeof openApp>[1]): Promise<Stage> {
  const opened = await openApp(t, { ...options, registry: { shipped: PACKS, defaultVersion: '1.0.0' } });
  const ask = askOf(opened.app);
  return {
    ...opened,
    ask,
    begin: async (body = {}) => (await ask(t, 'startCoachSession', { body })).body.sessionId as string,
    turn: (sessionId) => ask(t, 'getCoachSession', { path: { sessionId } }),
  };
}

const on = (version: string, more: object = {}) => ({ statusCode: 200, body: { promptPack: { version }, ...more } });

/** The session was ended by a move. */
const ended = (revision: number, why = reason) => ({
  statusCode: 410,
  body: {
    ...{ status: 410, code: 'session-ended', reason: why, revision },
    detail: `The session was ended at revision ${revision}: ${why}. Start a new session.`,
  },
});

const stores = {
  sqlite: async () => ({}),
  postgres: async (t: Test) => {
    const server = await startPostgres(t);
    return { store: openPostgresStore({ url: await server.database() }) };
  },
};

for (const [name, storeOf] of Object.entries(stores))
  t.test(`with the store ${name}`, async (t) => {
    const stage = await openStage(t, await storeOf(t));
    t.test('a move keeps sessions unless it says otherwise', (t) => moves(t, stage));
    t.test('a rollout', (t) => rollouts(t, stage));
    t.test('a revocation', (t) => revocations(t, stage));
  });

async function moves(t: Test, { app, ask, begin, turn }: Stage): Promise<void> {
  const move = async (operation: string, body: object) => {
    const { revision } = (await ask(t, operation, { body: { reason, ...body } })).body as { revision: number };
    return revision;
  };
  const old = await begin({ styleId: 'direct' });
  const { p } = JSON.parse(Buffer.from(old.split('.')[1] ?? '', 'base64url').toString()) as { p: string };
  t.equal(p.split('.').length, 6, 'without a rollout, an id is as older builds make it');

  await move('activateVersion', { version: '1.1.0' });
  await move('activateVersion', { version: '2.0.0', sessions: 'keep' });
  t.match(await turn(old), on('1.0.0', { superseded: true }));
  t.notOk('movedFrom' in (await turn(old)).body);

  const young = await begin({ styleId: 'direct' });
  const revision = await move('activateVersion', { version: '3.0.0', sessions: 'next-turn' });
  t.match(await turn(young), {
    body: {
      promptPack: { version: '3.0.0', revision },
      ...{ movedFrom: { version: '2.0.0', styleId: 'direct' }, superseded: false },
      prompt: { system: 'coach 3.0.0: the system prompt.', style: { id: 'supportive' } },
    },
  });
  t.match(await turn(old), on('1.0.0'), 'it was not on the version that the move left');
  await move('rollbackPack', { sessions: 'next-turn' });
  t.match(
    await turn(young),
    on('2.0.0', { prompt: { style: { id: 'direct' } } }),
    'moved on, and back to its own style',
  );

  const last = await move('rollbackPack', { sessions: 'end', reason: 'Enough' });
  t.match(await turn(young), ended(last, 'Enough'));
  t.match(await turn(await begin()), on('1.1.0'), 'new sessions begin');
  t.match(await turn(old), on('1.0.0'));
  const { body } = await ask(t, 'rollbackPack', { body: { reason, sessions: 'sometimes' } });
  t.match(body, { status: 400, errors: [{ pointer: '/sessions', detail: /keep, next-turn, end/u }] });
  t.equal(app.registry.current.revision, last);
}

async function rollouts(t: Test, { app, ask, begin, turn }: Stage): Promise<void> {
  const [stableVersion, version] = ['1.1.0', '2.0.0'];
  const audience = { subjects: ['tester'], conditions: [{ attribute: 'beta', operator: 'equals', values: ['true'] }] };
  const plan = { version, steps: [{ share: 100 }], finish: 'wait', reason, audience };
  const start = async () => {
    const id = (await ask(t, 'startRollout', { body: plan })).body.id as number;
    const tester = await begin({ subject: 'tester' });
    const other = await begin({ subject: 'anybody' });
    t.match(await turn(tester), on(version, { assignment: { rollout: id, arm: 'candidate' }, superseded: false }));
    t.match(await turn(other), on(stableVersion, { assignment: { rollout: id, arm: 'stable' }, superseded: false }));
    t.match(await turn(await begin({ subject: 'a', attributes: { beta: true } })), on(version));
    t.ok(tester.length <= 200 && other.length <= 200);
    const end = async (operation: string, body: object) => {
      const path = { rollout: String(id) };
      const isMove = operation === 'rollbackPack' || operation === 'activateVersion';
      await ask(t, operation, { ...(!isMove && { path }), body: { reason, ...body } });
      return app.registry.current.revision;
    };
    return { id, tester, other, end };
  };

  for (const operation of ['abortRollout', 'rollbackPack']) {
    const keeping = await start();
    await keeping.end(operation, {});
    t.match(
      await turn(keeping.tester),
      on(version, { superseded: true, assignment: { rollout: keeping.id } }),
      operation,
    );
    const moving = await start();
    const revision = await moving.end(operation, { sessions: 'next-turn' });
    t.match(await turn(moving.tester), on(stableVersion, { movedFrom: { version }, promptPack: { revision } }));
    t.match(await turn(moving.other), on(stableVersion));
    t.notOk('movedFrom' in (await turn(moving.other)).body);
    const ending = await start();
    const last = await ending.end(operation, { sessions: 'end' });
    t.match(await turn(ending.tester), ended(last));
    t.match(await turn(ending.other), on(stableVersion));
    t.match(await turn(keeping.tester), on(stableVersion), 'the move before this one had sent it to stable');
  }

  const back = () => ask(t, 'rollbackPack', { body: { reason } });
  for (const operation of ['promoteRollout', 'activateVersion']) {
    const body = operation === 'activateVersion' ? { version } : {};
    const moving = await start();
    await moving.end(operation, { ...body, sessions: 'next-turn' });
    t.match(await turn(moving.other), on(version, { movedFrom: { version: stableVersion } }), operation);
    t.match(await turn(moving.tester), on(version));
    await back();
    const ending = await start();
    const last = await ending.end(operation, { ...body, sessions: 'end' });
    t.match(await turn(ending.other), ended(last));
    t.match(await turn(ending.tester), on(version));
    await back();
  }
}

async function revocations(t: Test, { app, ask, begin, turn }: Stage): Promise<void> {
  const revoke = async (version: string, body: object) =>
    (await ask(t, 'revokeVersion', { path: { version }, body: { reason, ...body } })).body as { revision: number };
  for (const channel of ['production', 'staging'])
    await ask(t, 'activateVersion', { body: { version: '3.0.0', channel, reason } });
  const [here, there] = [await begin(), await begin({ channel: 'staging' })];
  const { revision } = await revoke('3.0.0', { sessions: 'end', dryRun: true });
  t.equal(revision, app.registry.current.revision, 'a dry run');
  t.match(await turn(here), on('3.0.0'));
  const revoked = await revoke('3.0.0', { sessions: 'end' });
  for (const session of [here, there]) t.match(await turn(session), ended(revoked.revision), 'in every channel');

  await ask(t, 'activateVersion', { body: { version: '2.0.0', reason } });
  const moving = await begin({ styleId: 'direct' });
  await revoke('2.0.0', { sessions: 'next-turn', replacement: '1.0.0' });
  t.match(await turn(moving), on('1.0.0', { movedFrom: { version: '2.0.0', styleId: 'direct' } }), 'as SPEC R8 says');
  t.match(await turn(here), ended(revoked.revision), 'for good');
}
