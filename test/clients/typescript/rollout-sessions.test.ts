/** Sessions of subjects under a rollout, and what moves do to sessions that a client answers itself (SPEC R13, R16). */
import type { CoachSession } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { readPin, signPin } from '../../../clients/typescript/src/local-session.ts';
import { listen, openApp } from '../../support/apps/app.ts';
import { openSource, readsChannel } from '../../support/clients/prompt-sources.ts';
import { startFront } from '../../support/http/http-front.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
const HALF = { steps: [{ share: 50 }], bake: '1h', finish: 'wait', reason } as const;

/** A registry on 1.0.0 with a rollout of 2.0.0 to half of all, and a source that knows. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const { registry } = app;
  await registry.activate({ version: '1.0.0', reason });
  const { rollout } = await registry.rollouts.start({ version: '2.0.0', ...HALF });
  const front = await startFront(t, await listen(app));
  const { source } = openSource(t, { url: front.url, key, timeout: 5000 });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const subjectOn = (arm: string) => {
    const names = Array.from({ length: 100 }, (_, index) => `größe-${index}`);
    return names.find((subject) => registry.assignment({ subject })?.arm === arm) ?? '';
  };
  const away = async () => {
    front.plan = () => 'reset';
    front.cut();
    await until(() => source.status().connection === 'disconnected');
  };
  const back = async () => {
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  };
  const onCandidate = source.for({ subject: subjectOn('candidate') });
  const steer = (verb: 'abort-rollout' | 'promote-rollout', sessions: 'keep' | 'next-turn' | 'end') =>
    registry.rollouts.steer(verb, { pack: 'coach', rollout: rollout.id, reason, sessions });
  const ended = () => until(() => source.status().rollout === undefined);
  return { app, registry, rollout, front, source, subjectOn, onCandidate, away, back, steer, ended };
}

t.test('the registry starts a session on the arm of its subject', async (t) => {
  const { source, rollout, subjectOn, front } = await setUp(t);
  for (const [arm, version] of [
    ['candidate', '2.0.0'],
    ['stable', '1.0.0'],
  ]) {
    const session = await source.for({ subject: subjectOn(arm ?? ''), attributes: { age: 30 } }).startSession();
    t.match(session, {
      local: false,
      promptPack: { version },
      assignment: { rollout: rollout.id, arm },
      superseded: false,
    });
    t.match(await source.resolveSession(session.sessionId), { promptPack: { version }, assignment: { arm } });
  }
  t.equal(front.requests.filter((each) => each.includes('/v1/coach/')).length, 4);
});

t.test('a rollout that the client does not know yet decides, too', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const { registry } = app;
  await registry.activate({ version: '1.0.0', reason });
  const front = await startFront(t, await listen(app));
  const bodies: string[] = [];
  const noting = async (request: Request, init?: RequestInit) => {
    if (request.method === 'POST') bodies.push(await request.clone().text());
    return fetch(request, init);
  };
  const { source } = openSource(t, { url: front.url, key, timeout: 5000, fetch: noting });
  await source.ready();
  const whom = source.for({ subject: 'somebody', attributes: { country: 'de' } });
  t.match(await whom.startSession(), { promptPack: { version: '1.0.0' }, local: false });
  t.strictSame(bodies, ['{"channel":"production"}'], 'the subject is not sent while there is nothing to decide');
  front.plan = (request) => (readsChannel(request) || request.url?.includes('/v1/events') ? 'hang' : undefined);
  front.cut();
  await registry.rollouts.start({ version: '2.0.0', ...HALF, steps: [{ share: 100 }] });
  t.equal(source.status().rollout, undefined);
  t.match(await whom.startSession(), {
    promptPack: { version: '2.0.0' },
    assignment: { arm: 'candidate' },
    local: false,
  });
  t.match(bodies.at(-1), /"subject":"somebody","attributes":\{"country":"de"\}/u);
});

t.test('during an outage a session starts on the arm of its subject, and keeps it', async (t) => {
  const { source, rollout, registry, onCandidate, subjectOn, away, back, steer, ended } = await setUp(t);
  await away();
  const session = await onCandidate.startSession({ styleId: 'concise' });
  const expected = {
    local: true,
    promptPack: { version: '2.0.0', revision: rollout.id },
    prompt: { style: { id: 'concise' } },
  };
  t.match(session, { ...expected, assignment: { rollout: rollout.id, arm: 'candidate' }, superseded: false });
  t.match(await source.for({ subject: subjectOn('stable') }).startSession(), {
    promptPack: { version: '1.0.0' },
    assignment: { arm: 'stable' },
  });
  t.match(await source.startSession(), { promptPack: { version: '1.0.0' } }, 'without a subject: stable');
  t.ok(session.sessionId.length <= 200, session.sessionId);
  await steer('abort-rollout', 'keep');
  await back();
  await ended();
  t.match(await source.resolveSession(session.sessionId), { ...expected, superseded: true, movedFrom: undefined });
  await registry.activate({ version: '1.1.0', reason });
});

t.test('an older instance that knows no subjects leaves the decision to the client', async (t) => {
  const { front, onCandidate } = await setUp(t);
  const body = JSON.stringify({
    type: '/problems/validation-failed',
    title: 'x',
    status: 400,
    detail: 'x',
    code: 'validation-failed',
  });
  front.plan = ({ method }) => (method === 'POST' ? { status: 400, body } : undefined);
  t.match(await onCandidate.startSession(), {
    local: true,
    promptPack: { version: '2.0.0' },
    assignment: { arm: 'candidate' },
  });
});

t.test('a session that this client answers follows the moves that concern it', async (t) => {
  const { source, registry, onCandidate, away, back, steer, ended } = await setUp(t);
  const known = await onCandidate.startSession({ styleId: 'concise' });
  t.equal(known.local, false);
  await away();
  const local = await onCandidate.startSession({ styleId: 'concise' });
  await back();
  const other = registry.startSession({ subject: 'nobody' });
  await steer('abort-rollout', 'next-turn');
  await ended();
  const moved = { promptPack: { version: '1.0.0' }, movedFrom: { version: '2.0.0', styleId: 'concise' } };
  t.match(await source.resolveSession(local.sessionId), { ...moved, local: true });
  await away();
  t.match(
    await source.resolveSession(known.sessionId),
    { ...moved, local: true },
    'also in an outage, before the registry said so',
  );
  t.match(await source.resolveSession(known.sessionId), moved, 'and again');
  await back();
  t.match(await source.resolveSession(known.sessionId), { ...moved, local: false }, 'the registry says the same');
  t.match(await source.resolveSession(other.sessionId), { local: false });
});

t.test('a session that a move ended is not answered', async (t) => {
  const { source, registry, rollout, onCandidate, away, back, steer, ended } = await setUp(t);
  const sessions: CoachSession[] = [await onCandidate.startSession(), await onCandidate.startSession()];
  await away();
  sessions.push(await onCandidate.startSession());
  await back();
  await steer('abort-rollout', 'end');
  await ended();
  const refused = {
    code: 'session-ended',
    message: new RegExp(`revision ${registry.current.revision}: ${reason}`, 'u'),
  };
  const [asked, other, local] = sessions.map(({ sessionId }) => sessionId);
  t.ok(registry.current.revision > rollout.id);
  await t.rejects(source.resolveSession(asked ?? ''), { ...refused, status: 410 });
  await t.rejects(source.resolveSession(local ?? ''), refused, 'started here');
  await away();
  await t.rejects(source.resolveSession(asked ?? ''), refused, 'the registry has said so');
  await t.rejects(source.resolveSession(other ?? ''), refused, 'the move has said so');
});

t.test('a rollback that ends sessions', async (t) => {
  const { source, registry, away, back, steer } = await setUp(t);
  await steer('promote-rollout', 'keep');
  await until(() => source.activePack().version === '2.0.0');
  await away();
  const local = await source.startSession();
  await back();
  await registry.rollback({ reason, sessions: 'end' });
  await until(() => source.activePack().version === '1.0.0');
  await t.rejects(source.resolveSession(local.sessionId), { code: 'session-ended' });
});

t.test('a revocation that ends sessions, of a version that is no longer active', async (t) => {
  const { source, registry, away, back, steer } = await setUp(t);
  await steer('promote-rollout', 'keep');
  await until(() => source.activePack().version === '2.0.0');
  await away();
  const local = await source.startSession();
  await back();
  await registry.activate({ version: '1.0.0', reason });
  await until(() => source.activePack().version === '1.0.0');
  t.match(await source.resolveSession(local.sessionId), { promptPack: { version: '2.0.0' } });
  const { revision } = await registry.revoke({
    pack: 'coach',
    version: '2.0.0',
    replacement: '1.1.0',
    reason,
    sessions: 'end',
  });
  const outcome = () =>
    source.resolveSession(local.sessionId).then(
      () => undefined,
      (error: unknown) => error,
    );
  let failure = await outcome();
  while (failure === undefined) failure = await outcome(); // the client learns it from its stream
  t.match(failure, { code: 'session-ended', message: new RegExp(`revision ${revision}`, 'u') });
});

t.test('ids of local sessions', async (t) => {
  const pin = {
    channel: 'production',
    version: '2.0.0',
    styleId: 'concise',
    digestPrefix: '0123456789abcdef',
    revision: 7,
  };
  const times = { startedAt: Date.now(), expiresAt: Date.now() + 60_000 };
  const read = async (more: { epoch: number; assignment?: { rollout: number; arm: 'stable' | 'candidate' } }) => {
    const id = await signPin({ ...pin, ...times, ...more }, 'coach', ['key']);
    t.match(await readPin(id, 'coach', ['key']), { ...pin, ...more });
    return id.split('.').slice(1, -1).join('.').split('~').length;
  };
  t.equal(await read({ epoch: 1 }), 7, 'as those of before');
  t.equal(await read({ epoch: 2 }), 8);
  t.equal(await read({ epoch: 1, assignment: { rollout: 5, arm: 'candidate' } }), 8);
  t.equal(await read({ epoch: 12, assignment: { rollout: 123_456, arm: 'stable' } }), 8);
});
