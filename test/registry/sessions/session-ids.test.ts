/**
 * Coach sessions: an id has at most 200 characters, and only this registry can issue it. Until it expires it is answered from its pin,
 * through any number of moves, restarts and key rotations (SPEC R8).
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { seal, type EventDraft } from '../../../registry/log/event.ts';
import { foldFrom } from '../../../registry/events.ts';
import { SYSTEM_ACTOR, type Style } from '../../../registry/model.ts';
import { Registry } from '../../../registry/registry.ts';
import { newSessionKey, newSessionName, SESSION_ID_LENGTH, Sessions } from '../../../registry/sessions/session-ids.ts';
import { EMPTY_SNAPSHOT, viewIn, type Snapshot } from '../../../registry/state/snapshot.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { batchAfter, drafts } from '../../support/stores/events.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { shipped, versionOf } from '../../support/packs/pack-documents.ts';
import { DAY, openRegistry, optionsOf } from '../../support/apps/registries.ts';
import { sessionOf } from '../../../registry/sessions/session.ts';
import { words } from '../../support/process/words.ts';

const NOW = Date.parse('2026-01-31T09:30:00.000Z');
const NOT_FOUND = { name: 'RegistryError', code: 'session-not-found', message: /^There is no such session: / };
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A clock that stands until a test moves it. */
function heldClock() {
  const clock = { time: NOW, now: () => clock.time, newId: () => crypto.randomUUID() };
  return clock;
}

/** A part of a token. */
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const headerOf = (sessionId: string) =>
  JSON.parse(Buffer.from(sessionId.split('.')[0] ?? '', 'base64url').toString()) as { alg: string; kid: string };

/** Versions with style sets that differ, as the shipped ones do. */
function withStyles(version: string, defaultStyle: string, ...ids: string[]) {
  const styles: Style[] = ids.map((id) => ({ id, title: id.toUpperCase(), text: `${version}: ${id}` }));
  return shipped(versionOf('coach', version, { styles, defaultStyle }));
}
const SHIPPED = [
  withStyles('1.0.0', 'supportive', 'supportive', 'direct'),
  withStyles('1.1.0', 'supportive', 'direct', 'supportive', 'socratic'),
  withStyles('2.0.0', 'reflective', 'reflective', 'socratic', 'concise'),
];

t.test('even the longest names, versions, revisions and lifetimes give an id of at most 200 characters', async (t) => {
  const long = 'n'.repeat(63);
  const styles = Array.from({ length: 50 }, (_, index) => ({
    id: `${'s'.repeat(61)}${String(index).padStart(2, '0')}`,
    title: 'x'.repeat(120),
    text: 'y',
  }));
  const version = versionOf(long, `999999999999999.999999999999999.999999999999999-${'z'.repeat(16)}`, {
    styles,
    defaultStyle: styles[0]!.id,
  });
  const { digest, content, summary, author } = version;
  const target = { pack: long, version: content.version, actor: SYSTEM_ACTOR, reason: 'x' };
  const started: EventDraft[] = [
    {
      type: 'version-published',
      ...target,
      data: {
        digest,
        summary,
        author,
        defaultStyle: content.defaultStyle,
        styles: content.styles,
        compatibility: content.compatibility,
      },
    },
    { type: 'version-activated', ...target, channel: long, data: { digest, previousVersion: null } },
  ];
  const snapshotAt = (revision: number): Snapshot => {
    const fold = foldFrom({ ...EMPTY_SNAPSHOT, revision: revision - started.length });
    for (const event of seal(
      started,
      { ...EMPTY_SNAPSHOT, revision: revision - started.length },
      { ...heldClock(), notBefore: '' },
    ))
      fold.add(event);
    return fold.freeze(new Map([[digest, content]]));
  };
  const key = newSessionKey(new Date(NOW).toISOString());
  const lastYear = Date.parse('9998-12-30T00:00:00Z');
  let longest = 0;
  const roundTrip = async (revision: number, style: string, ttl: number, now: number) => {
    const sessions = new Sessions([key], ttl);
    const snapshot = snapshotAt(revision);
    const view = viewIn(snapshot, long, long);
    const session = sessions.start({ view, epoch: 1, styleId: style, random: newSessionName(), now });
    longest = Math.max(longest, session.sessionId.length);
    const pin = sessions.read(snapshot, session.sessionId, now);
    assert.deepEqual(await sessionOf(session.sessionId, pin, snapshot, async () => content), session);
    return session.sessionId.length <= SESSION_ID_LENGTH && /^[\w.-]+$/u.test(session.sessionId);
  };
  t.ok(await roundTrip(Number.MAX_SAFE_INTEGER, styles.at(-1)!.id, 365 * DAY, lastYear), 'all at their longest');
  const property = fc.asyncProperty(
    ...([
      fc.integer({ min: started.length, max: Number.MAX_SAFE_INTEGER }),
      fc.constantFrom(...styles.map(({ id }) => id)),
    ] as const),
    ...([fc.integer({ min: 1000, max: 365 * DAY }), fc.integer({ min: NOW, max: lastYear })] as const),
    roundTrip,
  );
  await t.resolves(fc.assert(property, { numRuns: 200 }));
  t.ok(longest > 150 && longest <= 200, `the longest had ${longest} characters`);
  t.equal(SESSION_ID_LENGTH, 200);
});

t.test('an id with one character changed, removed or added is refused', async (t) => {
  const registry = await openRegistry(t);
  const { sessionId } = registry.startSession();
  t.match(await registry.resolveSession(sessionId), { sessionId }, 'the id itself is one');
  const dots = [...sessionId].flatMap((character, index) => (character === '.' ? [index] : []));
  const forged = new Set<string>();
  for (let index = 0; index < sessionId.length; index += 1) {
    const before = sessionId.slice(0, index);
    const after = sessionId.slice(index + 1);
    // base64url leaves bits of a part's last character unused, so there every other character is tried.
    const ends = index === sessionId.length - 1 || dots.includes(index + 1);
    for (const character of ends ? BASE64URL : ['A', 'z', '.', '%', '=', ' ']) forged.add(before + character + after);
    forged.add(before + after);
    forged.add(before);
    forged.add(`${before}=${sessionId.slice(index)}`);
  }
  for (const tail of ['A', '=', '.', '.A', ' ', '\n', '\0', 'é', 'x'.repeat(1_000_000)]) forged.add(sessionId + tail);
  for (const nonsense of [
    sessionId.toUpperCase(),
    ` ${sessionId}`,
    ...words`
    .. ... a.b.c . null {} __proto__
  `,
  ])
    forged.add(nonsense);
  forged.delete(sessionId);
  const taken: string[] = [];
  for (const id of forged) {
    const answer = await registry.resolveSession(id).catch((error: unknown) => error);
    if ((answer as { code?: unknown }).code !== 'session-not-found') taken.push(id);
  }
  t.same(taken, [], `of ${forged.size}`);
  await t.rejects(registry.resolveSession(''), NOT_FOUND);
});

t.test('a token with any other signature is refused', async (t) => {
  const store = new MemoryStore();
  const registry = await openRegistry(t, { store });
  const { sessionId } = registry.startSession();
  // Without the random part, so that a longer signature still fits.
  const { exp, p } = JSON.parse(Buffer.from(sessionId.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
    p: string;
  };
  const payload = encoded({ exp, p: p.split('.').slice(0, -1).join('.') });
  const { kid } = headerOf(sessionId);
  const secret = Buffer.from((await store.sessionKeys())[0]!.secret, 'base64url');
  const signed = (header: unknown, hash = 'sha256', key: Buffer | string = secret) => {
    const text = `${encoded(header)}.${payload}`;
    return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
  };
  t.match(
    await registry.resolveSession(signed({ alg: 'HS256', kid })),
    { superseded: false },
    'a token that is signed like the registry signs is accepted',
  );

  const cases: Record<string, string> = {
    'none without a signature': `${encoded({ alg: 'none', kid })}.${payload}.`,
    'none with the old signature': `${encoded({ alg: 'none', kid })}.${payload}.${sessionId.split('.')[2]}`,
    'None in other letters': `${encoded({ alg: 'nOnE', kid })}.${payload}.`,
    'no algorithm': signed({ kid }),
    'HS384 with the right key': signed({ alg: 'HS384', kid }, 'sha384'),
    'HS512 with the right key': signed({ alg: 'HS512', kid }, 'sha512'),
    'HS256 said, HS384 made': signed({ alg: 'HS256', kid }, 'sha384'),
    'RS256 said': signed({ alg: 'RS256', kid }),
    'an empty key': signed({ alg: 'HS256', kid }, 'sha256', ''),
    'the key as text': signed({ alg: 'HS256', kid }, 'sha256', secret.toString('base64url')),
    'the key id as key': signed({ alg: 'HS256', kid }, 'sha256', kid),
    'no key id': signed({ alg: 'HS256' }),
    'an unknown key id': signed({ alg: 'HS256', kid: '000000' }),
    'a key id that is an object': signed({ alg: 'HS256', kid: { toString: kid } }),
    'a key id of every object': signed({ alg: 'HS256', kid: '__proto__' }),
    'a key id that is a list': signed({ alg: 'HS256', kid: [kid] }),
    'a header that is a list': signed([]),
  };
  for (const [title, id] of Object.entries(cases)) await t.rejects(registry.resolveSession(id), NOT_FOUND, title);
  t.ok(signed({ alg: 'HS384', kid }, 'sha384').length <= SESSION_ID_LENGTH, 'not only for its length');
});

t.test('a session of another registry is refused', async (t) => {
  const [here, there] = [await openRegistry(t), await openRegistry(t)];
  await t.rejects(here.resolveSession(there.startSession().sessionId), NOT_FOUND);
});

t.test('a session expires on time, to the second', async (t) => {
  const clock = heldClock();
  const registry = await openRegistry(t, { clock, sessionTtl: 90_000 });
  clock.time = NOW + 999;
  const { sessionId, startedAt, expiresAt } = registry.startSession();
  t.same([startedAt, expiresAt], ['2026-01-31T09:30:00.000Z', '2026-01-31T09:31:30.000Z']);
  clock.time = Date.parse(expiresAt) - 1;
  t.match(await registry.resolveSession(sessionId), { startedAt, expiresAt });
  clock.time = Date.parse(expiresAt);
  await t.rejects(registry.resolveSession(sessionId), NOT_FOUND);
});

t.test('no two sessions have the same id', async (t) => {
  const registry = await openRegistry(t, { clock: heldClock() });
  const ids = Array.from({ length: 1000 }, () => registry.startSession().sessionId);
  t.equal(new Set(ids).size, ids.length);
});

t.test('keys rotate: the newest signs, all verify, a removed one does not', async (t) => {
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const open = () => openRegistry(t, { store: new FailingStore(store) });
  const rotate = async (createdAt: string) => {
    const key = newSessionKey(createdAt);
    const carrier = drafts().slice(-1); // an event without effect, of a type that this build does not know
    const head = await store.head();
    t.equal(await store.append(batchAfter(head, carrier, { sessionKeys: [key] }), head?.revision ?? 0), 'done');
    return key;
  };
  const first = (await open()).startSession();
  const second = await rotate('2099-01-01T00:00:00.000Z');
  const rotated = await open();
  const later = rotated.startSession();
  t.equal(headerOf(later.sessionId).kid, second.keyId);
  t.not(headerOf(first.sessionId).kid, second.keyId);
  for (const session of [first, later])
    t.match(await rotated.resolveSession(session.sessionId), { sessionId: session.sessionId, prompt: session.prompt });

  const keys = await store.sessionKeys();
  const onlyNew = new Sessions(keys.slice(1), DAY);
  t.throws(() => onlyNew.read(rotated.current, first.sessionId, Date.now()), NOT_FOUND, 'the old key was taken away');
  t.throws(() => new Sessions([], DAY), /no session key/);
});

t.test('a session stays on its pin through activations, rollbacks and a restart', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const open = async () =>
    Registry.open(optionsOf({ store: await openSqliteStore({ file }), shipped: SHIPPED, defaultVersion: '1.1.0' }));
  let registry = await open();
  t.teardown(() => registry.close());
  const session = registry.startSession({ styleId: 'socratic' });
  const { revision } = registry.activePack();
  t.match(session, {
    promptPack: { pack: 'coach', channel: 'production', version: '1.1.0', revision },
    prompt: { style: { id: 'socratic', text: '1.1.0: socratic' } },
    superseded: false,
  });

  const held = async (superseded: boolean, title: string) =>
    t.strictSame(await registry.resolveSession(session.sessionId), { ...session, superseded }, title);
  await registry.activate({ version: '2.0.0', reason: 'Try it' });
  await held(true, 'after an activation');
  await registry.activate({ version: '1.0.0', reason: 'A version without that style' });
  await held(true, 'after another');
  await registry.activate({ version: '1.0.0', channel: 'staging', reason: 'Another channel' });
  await registry.close();
  registry = await open();
  await held(true, 'after a restart');
  await registry.rollback({ toVersion: '1.1.0', reason: 'Back' });
  t.not(registry.activePack().revision, revision, 'the pointer has a new revision');
  await held(false, 'when the channel is back at its version');
  for (let flip = 0; flip < 50; flip += 1)
    await registry.activate({ version: flip % 2 === 0 ? '2.0.0' : '1.0.0', reason: 'Flip' });
  await held(true, 'after many flips');
});

t.test('a session of another channel is pinned, and superseded, by that channel', async (t) => {
  const registry = await openRegistry(t, { shipped: SHIPPED });
  await registry.activate({ version: '1.0.0', channel: 'staging', reason: 'Try it' });
  const session = registry.startSession({ channel: 'staging' });
  t.match(session.promptPack, { channel: 'staging', version: '1.0.0' });
  await registry.activate({ version: '1.1.0', reason: 'Production only' });
  t.equal((await registry.resolveSession(session.sessionId)).superseded, false);
  await registry.activate({ version: '1.1.0', channel: 'staging', reason: 'Staging too' });
  t.equal((await registry.resolveSession(session.sessionId)).superseded, true);
  t.throws(() => registry.startSession({ channel: 'nowhere' }), {
    name: 'RegistryError',
    code: 'channel-not-found',
    members: { knownChannels: ['production', 'staging'] },
  });
});

t.test(
  'without a style a session gets the default style; an unknown style is refused with the list of styles',
  async (t) => {
    const registry = await openRegistry(t, { shipped: SHIPPED });
    t.equal(registry.startSession().prompt.style.id, 'reflective');
    t.equal(registry.startSession({ styleId: 'concise' }).prompt.style.id, 'concise');
    for (const styleId of ['direct', 'nowhere', '', '__proto__']) {
      t.throws(() => registry.startSession({ styleId }), {
        name: 'RegistryError',
        code: 'style-not-supported',
        members: { supportedStyles: ['reflective', 'socratic', 'concise'], defaultStyle: 'reflective' },
        message:
          /^Version 2\.0\.0 of pack "coach" has no style ".*"\. Use one of: reflective, socratic, concise; or leave the style out to get "reflective"\.$/,
      });
    }
    await registry.activate({ version: '1.0.0', reason: 'Back' });
    t.equal(registry.startSession().prompt.style.id, 'supportive', 'the default is the version’s own');
    t.ok(registry.startSession({ styleId: 'direct' }));
  },
);

t.test('starting a session, or reading one on the active version, does not use the store', async (t) => {
  let away = false;
  const store = new FailingStore(new MemoryStore(), () => (away ? 'rejects' : undefined));
  const registry = await openRegistry(t, { store, shipped: SHIPPED });
  away = true;
  const calls = store.calls.length;
  const { sessionId } = registry.startSession();
  t.match(await registry.resolveSession(sessionId), { promptPack: { version: '2.0.0' } });
  t.equal(store.calls.length, calls);
});
