/**
 * Revocation (SPEC R7, R8): every channel at the version moves in the same event. After the answer nothing leads back to it: no read,
 * activation, rollback, session or restart.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../../registry/log/event.ts';
import type { Style } from '../../../registry/model.ts';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { documentOf, shipped, shippedOf, versionOf } from '../../support/packs/pack-documents.ts';
import { floorUnder } from '../../support/packs/policies.ts';
import { openRegistry, optionsOf } from '../../support/apps/registries.ts';
import { plain } from '../../support/stores/snapshots.ts';

const actor = { keyId: 'operator-1', label: 'Operator on call' };
const reason = 'Leaves out the crisis wording';
/** How a refusal must look. */
type Refusal = { readonly name: string; readonly code: string; readonly message?: RegExp; readonly members?: object };
const refused = (code: string, more: Pick<Refusal, 'message' | 'members'> = {}): Refusal => ({
  name: 'RegistryError',
  code,
  ...more,
});

/** A registry whose production went through these versions, the last one active. */
async function active(t: Test, versions: readonly string[], options: Partial<RegistryOptions> = {}): Promise<Registry> {
  const [first, ...rest] = versions;
  const registry = await openRegistry(t, { channels: ['production'], defaultVersion: first, ...options });
  for (const version of rest) await registry.activate({ version, reason });
  return registry;
}

const revoke = (registry: Registry, version: string, replacement?: string) =>
  registry.revoke({ pack: 'coach', version, replacement, reason, actor });
const pointer = (registry: Registry, channel = 'production') =>
  registry.current.packs.get('coach')?.pointers.get(channel);

/** Asserts that a call is refused and changes nothing. */
async function refuses(
  t: Test,
  registry: Registry,
  call: () => Promise<unknown>,
  error: Refusal,
  title: string,
): Promise<void> {
  const before = registry.current;
  await t.rejects(call(), error, title);
  t.equal(registry.current, before, 'nothing changed');
}

t.test('every channel at the version moves to the replacement, in one event and at once', async (t) => {
  const registry = await openRegistry(t, { channels: ['production', 'staging', 'canary'] });
  await registry.activate({ version: '1.0.0', channel: 'canary', reason });
  const canary = pointer(registry, 'canary');
  const heard: (readonly Event[])[] = [];
  registry.onChange((events) => {
    heard.push(events);
    for (const channel of ['production', 'staging']) t.equal(registry.activePack({ channel }).version, '1.1.0');
  });
  const { revision } = registry.current;
  const { digest } = versionOf('coach', '1.1.0');
  const moves = ['production', 'staging'].map((channel) => ({
    channel,
    version: '1.1.0',
    digest,
    previousVersion: '2.0.0',
  }));
  t.strictSame(await revoke(registry, '2.0.0', '1.1.0'), {
    revision: revision + 1,
    pack: 'coach',
    version: '2.0.0',
    moves,
    replayed: false,
  });

  t.match(heard, [
    [
      {
        type: 'version-revoked',
        revision: revision + 1,
        actor,
        reason,
        pack: 'coach',
        version: '2.0.0',
        data: { replacement: '1.1.0', moves },
      },
    ],
  ]);
  t.equal(heard.flat().length, 1);
  for (const channel of ['production', 'staging']) {
    t.match(pointer(registry, channel), {
      version: '1.1.0',
      kind: 'revocation',
      revision: revision + 1,
      previousVersion: '2.0.0',
      activatedBy: actor,
      reason,
    });
    t.equal(registry.getSystemPrompt({ channel }).text, 'coach 1.1.0: the system prompt.');
  }
  t.equal(pointer(registry, 'canary'), canary, 'a channel at another version is left, the very same object');
});

t.test('revoked versions and those below the floor are skipped on the way down', async (t) => {
  const store = await openSqliteStore({ file: join(t.testdir(), 'registry.db') });
  const versions = ['1.0.0', '1.1.0', '1.2.0', '2.0.0'];
  const options = { store, shipped: shippedOf(...versions.map((version) => `coach@${version}`)) };
  const before = await active(t, versions, options);
  await revoke(before, '1.2.0');
  await before.close();
  const again = await openSqliteStore({ file: store.file });
  const registry = await openRegistry(t, {
    ...options,
    store: again,
    channels: ['production'],
    policies: [floorUnder('coach', 1, '1.1.0')],
  });
  t.match(await revoke(registry, '2.0.0'), { moves: [{ version: '1.0.0' }] });
});

t.test('if nothing is left, the refusal lists possible replacements, and nothing is revoked', async (t) => {
  const versions = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@1.2.0', 'coach@2.0.0', 'coach@3.0.0-rc.1');
  const registry = await openRegistry(t, {
    channels: ['production'],
    defaultVersion: '2.0.0',
    shipped: versions,
    policies: [floorUnder('coach', 1, '1.1.0')],
  });
  await revoke(registry, '1.2.0');
  const candidates = ['3.0.0-rc.1', '1.0.0'];
  const required = refused('replacement-required', {
    members: { channel: 'production', candidates },
    message:
      /Channel "production" of pack "coach" is at 2\.0\.0 and has no earlier version.*possible versions: 3\.0\.0-rc\.1, 1\.0\.0\.$/,
  });
  await refuses(t, registry, () => revoke(registry, '2.0.0'), required, 'the highest first');
  await refuses(
    t,
    registry,
    () => registry.previewRevoke({ pack: 'coach', version: '2.0.0', reason }),
    required,
    'a dry run says the same',
  );
  for (const candidate of candidates)
    t.match(
      await registry.previewRevoke({ pack: 'coach', version: '2.0.0', replacement: candidate, reason }),
      { moves: [{ version: candidate }] },
      'and each of them would do',
    );

  const lonely = await openRegistry(t, { channels: ['production'], shipped: shippedOf('coach@1.0.0') });
  await refuses(
    t,
    lonely,
    () => revoke(lonely, '1.0.0'),
    refused('replacement-required', { members: { candidates: [] }, message: /possible versions: none\.$/ }),
    'the only version there is',
  );
});

t.test('an unsuitable replacement is refused, even if no channel needs it', async (t) => {
  const versions = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@1.2.0', 'coach@2.0.0');
  const registry = await openRegistry(t, { shipped: versions, policies: [floorUnder('coach', 1, '1.1.0')] });
  await revoke(registry, '1.2.0', '1.0.0');
  for (const version of ['2.0.0', '1.0.0']) {
    const cases: [title: string, replacement: string, error: Refusal][] = [
      [
        'unknown',
        '9.9.9',
        refused('unknown-version', { members: { knownVersions: ['2.0.0', '1.2.0', '1.1.0', '1.0.0'] } }),
      ],
      ['itself', version, refused('unknown-version', { message: /cannot replace itself/ })],
      ['revoked', '1.2.0', refused('version-revoked', { members: { replacement: '1.0.0' } })],
      ['below the floor', '1.1.0', refused('policy-violated', { members: { violations: [{ id: 'not-1-1-0' }] } })],
      [
        'no version at all',
        '1.x',
        refused('validation-failed', { members: { errors: [{ parameter: 'replacement' }] } }),
      ],
    ];
    for (const [title, replacement, error] of cases)
      await refuses(t, registry, () => revoke(registry, version, replacement), error, `${version}: ${title}`);
  }
});

t.test('repeating a revocation changes nothing; a different one is refused', async (t) => {
  const registry = await active(t, ['1.0.0', '2.0.0']);
  const first = await revoke(registry, '2.0.0', '1.1.0');
  await registry.activate({ version: '1.0.0', reason });
  const before = registry.current;
  for (const replacement of [undefined, '1.1.0'])
    t.strictSame(await revoke(registry, '2.0.0', replacement), { ...first, moves: [] }, 'it returns the first one');
  t.equal(registry.current, before);
  await refuses(
    t,
    registry,
    () => revoke(registry, '2.0.0', '1.0.0'),
    refused('version-revoked', { message: /already revoked, replaced by 1\.1\.0; that cannot change/ }),
    'another replacement',
  );
  await revoke(registry, '1.1.0');
  await refuses(
    t,
    registry,
    () => revoke(registry, '1.1.0', '1.0.0'),
    refused('version-revoked', { message: /without a replacement/ }),
    'a replacement for a revocation without one',
  );
  await refuses(
    t,
    registry,
    () => registry.revoke({ pack: 'coach', version: '1.1.0', sessions: 'end', reason }),
    refused('version-revoked', { message: /its sessions go on with what replaces it; that cannot change/ }),
    'an end of its sessions, which the first one did not ask for',
  );
  const ended = await active(t, ['1.0.0', '2.0.0']);
  await ended.revoke({ pack: 'coach', version: '2.0.0', sessions: 'end', reason });
  await refuses(
    t,
    ended,
    () => ended.revoke({ pack: 'coach', version: '2.0.0', sessions: 'next-turn', reason }),
    refused('version-revoked', { message: /its sessions have ended; that cannot change/ }),
    'sessions that go on after all',
  );
  await refuses(
    t,
    registry,
    () => registry.revoke({ pack: 'coach', version: '1.0.0', sessions: 'keep' as 'end', reason }),
    refused('validation-failed', { members: { errors: [{ parameter: 'sessions' }] } }),
    'sessions that keep a revoked version',
  );
});

t.test('no activation and no rollback reaches a revoked version', async (t) => {
  const registry = await active(t, ['1.0.0', '2.0.0', '1.1.0'], { channels: ['production', 'staging'] });
  await revoke(registry, '2.0.0', '1.1.0');
  const members = { revokedAt: registry.current.at, replacement: '1.1.0' };
  for (const channel of ['production', 'staging']) {
    await refuses(
      t,
      registry,
      () => registry.activate({ version: '2.0.0', channel, reason }),
      refused('version-revoked', {
        members,
        message: /revoked at .* \(Leaves out the crisis wording\) and is not served again/,
      }),
      channel,
    );
  }
  await refuses(
    t,
    registry,
    () => registry.rollback({ toVersion: '2.0.0', reason }),
    refused('version-revoked', { members }),
    'a rollback to it',
  );
  t.match(
    await registry.previewActivate({ version: '2.0.0', reason }),
    { wouldActivate: '2.0.0', problems: [{ rule: 'revoked', detail: /Leaves out the crisis wording/ }] },
    'a dry run says why',
  );
  t.match(
    await registry.rollback({ reason }),
    { version: '1.0.0', previousVersion: '1.1.0' },
    'a rollback passes over it',
  );
  t.match(
    await registry.publish({ pack: 'coach', document: documentOf('coach', '2.0.0') }),
    { created: false },
    'publishing it again does not bring it back',
  );
  t.ok(registry.current.packs.get('coach')?.versions.get('2.0.0')?.revocation);
});

t.test('after the answer nobody gets it, even with simultaneous activations', async (t) => {
  const registry = await openRegistry(t, { channels: ['production', 'staging'] });
  const moves = Array.from({ length: 40 }, (_, index) =>
    registry.activate({
      version: ['1.0.0', '2.0.0'][index % 2] ?? '',
      channel: ['production', 'staging'][index % 3 === 0 ? 1 : 0],
      reason,
    }),
  );
  const revoked = revoke(registry, '2.0.0', '1.1.0').then(() => {
    for (const channel of ['production', 'staging'])
      t.not(registry.activePack({ channel }).version, '2.0.0', `${channel} at the answer`);
  });
  const late = Array.from({ length: 20 }, () => registry.activate({ version: '2.0.0', reason }));
  const outcomes = await Promise.allSettled([...moves, ...late]);
  await revoked;
  t.ok(
    outcomes.slice(0, 40).every(({ status }) => status === 'fulfilled'),
    'earlier requests succeeded',
  );
  t.ok(
    outcomes
      .slice(40)
      .every(
        (outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code === 'version-revoked',
      ),
    'later requests did not',
  );
});

// ── Sessions: R8 ──

function withStyles(version: string, defaultStyle: string, ...ids: string[]) {
  const styles: Style[] = ids.map((id) => ({ id, title: id.toUpperCase(), text: `${version}: ${id}` }));
  return shipped(versionOf('coach', version, { styles, defaultStyle }));
}
const STYLED = [
  withStyles('1.0.0', 'supportive', 'supportive', 'direct'),
  withStyles('1.1.0', 'supportive', 'direct', 'supportive', 'socratic'),
  withStyles('2.0.0', 'reflective', 'reflective', 'socratic', 'concise'),
  withStyles('2.1.0', 'reflective', 'reflective', 'socratic', 'concise'),
  withStyles('3.0.0', 'warm', 'warm'),
];

t.test('a session pinned on it gets the replacement, and names its original pin', async (t) => {
  const registry = await active(t, ['2.0.0'], { shipped: STYLED });
  const kept = registry.startSession({ styleId: 'socratic' });
  const lost = registry.startSession({ styleId: 'concise' });
  await revoke(registry, '2.0.0', '1.1.0');
  const { sessionId, startedAt, expiresAt } = kept;
  t.strictSame(await registry.resolveSession(sessionId), {
    sessionId,
    startedAt,
    expiresAt,
    promptPack: {
      pack: 'coach',
      channel: 'production',
      version: '1.1.0',
      digest: registry.activePack().digest,
      revision: registry.current.revision,
    },
    prompt: {
      system: 'coach 1.1.0: the system prompt.',
      style: { id: 'socratic', title: 'SOCRATIC', text: '1.1.0: socratic' },
    },
    superseded: false,
    movedFrom: { version: '2.0.0', styleId: 'socratic' },
  });
  t.match(
    await registry.resolveSession(lost.sessionId),
    {
      prompt: { style: { id: 'supportive', text: '1.1.0: supportive' } },
      movedFrom: { version: '2.0.0', styleId: 'concise' },
    },
    'a style that it lacks becomes its default one',
  );
  await registry.activate({ version: '1.0.0', reason });
  t.match(
    await registry.resolveSession(sessionId),
    { promptPack: { version: '1.1.0' }, superseded: true },
    'and it stays there when the channel moves on',
  );
});

t.test('a chain of replacements is followed to its end', async (t) => {
  const registry = await active(t, ['2.0.0'], { shipped: STYLED });
  const { sessionId } = registry.startSession({ styleId: 'concise' });
  await revoke(registry, '2.0.0', '2.1.0');
  t.match(await registry.resolveSession(sessionId), {
    promptPack: { version: '2.1.0' },
    prompt: { style: { id: 'concise' } },
  });
  await registry.activate({ version: '3.0.0', reason });
  await revoke(registry, '2.1.0', '1.1.0');
  const { revision } = registry.current;
  t.match(
    await registry.resolveSession(sessionId),
    {
      promptPack: { version: '1.1.0', revision },
      prompt: { style: { id: 'supportive' } },
      superseded: true,
      movedFrom: { version: '2.0.0', styleId: 'concise' },
    },
    'wherever the channel is',
  );
  await registry.activate({ version: '1.0.0', reason });
  t.equal(
    (await registry.resolveSession(sessionId)).promptPack.revision,
    revision,
    'since the revocation that moved it last, not since the move of the channel',
  );
  await revoke(registry, '1.1.0', '1.0.0');
  t.match(
    await registry.resolveSession(sessionId),
    { promptPack: { version: '1.0.0' }, movedFrom: { version: '2.0.0', styleId: 'concise' } },
    'it names its first version, not the previous one',
  );
});

t.test('without a replacement, the session gets the active version of its channel', async (t) => {
  const registry = await active(t, ['1.0.0', '2.0.0'], { shipped: STYLED, channels: ['production', 'staging'] });
  await registry.activate({ version: '2.0.0', channel: 'staging', reason });
  const sessions = { production: registry.startSession(), staging: registry.startSession({ channel: 'staging' }) };
  await revoke(registry, '2.0.0');
  await registry.activate({ version: '1.1.0', channel: 'staging', reason });
  for (const [channel, version] of [
    ['production', '1.0.0'],
    ['staging', '1.1.0'],
  ] as const) {
    const { revision } = registry.activePack({ channel });
    t.match(
      await registry.resolveSession(sessions[channel].sessionId),
      {
        promptPack: { channel, version, revision },
        superseded: false,
        movedFrom: { version: '2.0.0', styleId: 'reflective' },
      },
      channel,
    );
  }
  await registry.activate({ version: '1.1.0', reason });
  t.match(
    await registry.resolveSession(sessions.production.sessionId),
    { promptPack: { version: '1.1.0' } },
    'and it goes with the channel',
  );
});

t.test('a chain that ends without a replacement leads to the active version', async (t) => {
  const registry = await active(t, ['1.0.0', '2.0.0'], { shipped: STYLED });
  const { sessionId } = registry.startSession();
  await revoke(registry, '2.0.0', '2.1.0');
  await registry.activate({ version: '1.1.0', reason });
  t.match(await registry.resolveSession(sessionId), { promptPack: { version: '2.1.0' }, superseded: true });
  await revoke(registry, '2.1.0');
  t.match(await registry.resolveSession(sessionId), {
    promptPack: { version: '1.1.0' },
    superseded: false,
    movedFrom: { version: '2.0.0' },
  });
});

t.test('sessions on other versions do not move', async (t) => {
  const registry = await active(t, ['1.0.0', '2.0.0'], { shipped: STYLED });
  await registry.activate({ version: '1.1.0', reason });
  const session = registry.startSession();
  await revoke(registry, '2.0.0', '1.0.0');
  t.strictSame(await registry.resolveSession(session.sessionId), session);
});

t.test('it stays revoked after a restart, from the log or the last good snapshot, and is never chosen', async (t) => {
  for (const dataDir of [undefined, t.testdir({ data: {} })]) {
    const file = join(t.testdirName, `${dataDir === undefined ? 'log' : 'snapshot'}.db`);
    const open = async (options: Partial<RegistryOptions>) =>
      Registry.open(
        optionsOf({
          shipped: STYLED.slice(0, -1),
          ...options,
          ...(dataDir !== undefined && { dataDir }),
          store: await openSqliteStore({ file }),
        }),
      );
    const first = await open({ channels: ['production'] });
    const { sessionId } = first.startSession({ styleId: 'concise' });
    await revoke(first, '2.1.0', '2.0.0');
    const before = plain(first.current.packs);
    await first.close();

    const second = await open({ channels: ['production', 'canary'], defaultVersion: '2.1.0' });
    t.teardown(() => second.close());
    t.equal(
      second.activePack({ channel: 'canary' }).version,
      '2.0.0',
      'a new channel gets the highest that is not revoked',
    );
    t.strictSame(
      (before as { coach: { versions: object } }).coach.versions,
      (plain(second.current.packs) as { coach: { versions: object } }).coach.versions,
    );
    t.match(await second.resolveSession(sessionId), {
      promptPack: { version: '2.0.0' },
      movedFrom: { version: '2.1.0', styleId: 'concise' },
    });
    await t.rejects(
      second.activate({ version: '2.1.0', reason }),
      refused('version-revoked', { members: { replacement: '2.0.0' } }),
    );
    const moves = await second.activations('coach', { channel: 'production', limit: 10 });
    t.match(
      moves.activations.map(({ kind, version }) => `${kind} ${version}`),
      ['revocation 2.0.0', 'activation 2.1.0'],
      'its history shows it',
    );
  }
});
