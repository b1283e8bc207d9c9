/**
 * The fold: an event that does not follow the one before is refused. An event of an unknown type only takes its place in the chain. A
 * snapshot never changes, and the parts that an event does not touch are the same objects in the next snapshot.
 */
import t from 'tap';
import { seal, type Event, type EventDraft, type EventType, type Head } from '../../../registry/log/event.ts';
import { apply, foldFrom } from '../../../registry/events.ts';
import { STACK_DEPTH } from '../../../registry/moves/apply.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../../../registry/state/snapshot.ts';
import { newSeed, randomFrom } from '../../support/stores/events.ts';
import { versionOf } from '../../support/packs/pack-documents.ts';
import { policyOf } from '../../support/packs/policies.ts';
import { firstUnfrozen, plain } from '../../support/stores/snapshots.ts';
import { words } from '../../support/process/words.ts';

const NAMES = ['coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'onboarding@1.0.0'];
const VERSIONS = NAMES.map((name) => versionOf(...(name.split('@') as [string, string])));
const CONTENTS = new Map(VERSIONS.map(({ digest, content }) => [digest, content]));

const actor = { keyId: 'operator-1', label: 'Operator on call' };
const digestOf = (pack: string, version: string) => versionOf(pack, version).digest;

function publication(pack: string, version: string): EventDraft {
  const { digest, summary, author, content } = versionOf(pack, version);
  const { defaultStyle, styles, compatibility } = content;
  const titles = styles.map(({ id, title }) => ({ id, title }));
  return {
    type: 'version-published',
    actor: { ...actor },
    reason: 'New',
    pack,
    version,
    data: { digest, summary, author, defaultStyle, styles: titles, compatibility: structuredClone(compatibility) },
  };
}

interface MoveOptions {
  readonly type?: 'version-activated' | 'version-rolled-back';
  readonly pack?: string;
  readonly channel?: string;
  readonly previousVersion?: string;
}

function moveTo(
  version: string,
  { type = 'version-activated', pack = 'coach', channel = 'production', previousVersion }: MoveOptions = {},
): EventDraft {
  return {
    type,
    actor: { ...actor },
    reason: 'Why not',
    pack,
    channel,
    version,
    data: { digest: digestOf(pack, version), previousVersion: previousVersion ?? null },
  };
}

/** As a newer build might write it; `members` may be anything. */
function unknown(members: object = {}): EventDraft {
  return {
    type: 'model-retired' as EventType,
    actor,
    reason: 'Of a newer build',
    data: { anything: [1, { deep: null }] },
    ...members,
  } as unknown as EventDraft;
}

/** Drafts in the log behind a place, as another program reads them: nothing is frozen. */
function logged(drafts: readonly EventDraft[], behind: Head = EMPTY_SNAPSHOT): Event[] {
  let count = 0;
  const clock = { now: () => 1_767_225_600_000, newId: () => `event-${(count += 1)}`, notBefore: '' };
  return structuredClone(seal(drafts, behind, clock));
}

function folded(events: readonly Event[], base: Snapshot = EMPTY_SNAPSHOT): Snapshot {
  const fold = foldFrom(base);
  for (const event of events) fold.add(event);
  return fold.freeze(CONTENTS);
}

const CREATED: EventDraft = {
  type: 'registry-created',
  actor,
  reason: 'First start',
  data: { registryId: 'registry-1', sessionKeyId: 'key-1' },
};
const PUBLISHED = [CREATED, ...NAMES.map((name) => publication(...(name.split('@') as [string, string])))];
const STARTED = folded(
  logged([
    ...PUBLISHED,
    moveTo('1.0.0'),
    moveTo('1.0.0', { channel: 'staging' }),
    moveTo('1.0.0', { pack: 'onboarding' }),
  ]),
);
const coach = (snapshot: Snapshot) => snapshot.packs.get('coach')!;
const pointer = (snapshot: Snapshot, channel = 'production') => coach(snapshot).pointers.get(channel)!;

t.test('a gap, a repeated event and a step back are refused', async (t) => {
  const events = logged([CREATED, publication('coach', '1.0.0'), publication('coach', '1.1.0')]);
  const orders: [string, (Event | undefined)[]][] = [
    ['a gap', [events[0], events[2]]],
    ['no beginning', [events[1]]],
    ['a repetition', [events[0], events[0]]],
    ['a step back', [events[0], events[1], events[0]]],
  ];
  for (const [title, order] of orders)
    t.throws(
      () => folded(order as Event[]),
      { name: 'LogBroken', message: /^Revision \d follows \d; \d should\.$/ },
      title,
    );
  t.equal(folded(events).revision, 3);
});

t.test('an event with the wrong previous hash is refused', async (t) => {
  const events = logged([CREATED, publication('coach', '1.0.0')]);
  const wrong = { name: 'LogBroken', message: 'Revision 2 does not name the hash of the event before it.' };
  t.throws(() => folded([events[0]!, { ...events[1]!, previousHash: '0'.repeat(64) }]), wrong);
  t.throws(() => folded([{ ...events[0]!, hash: 'f'.repeat(64) }, events[1]!]), wrong);
  const [other] = logged([{ ...CREATED, reason: 'Another registry' }]);
  t.throws(() => folded([other!, events[1]!]), wrong, 'of another log');
  t.throws(() => apply(folded([other!]), events[1]!, CONTENTS), wrong, 'the same one by one');
});

t.test('an event that lacks a required name or contradicts the state is refused', async (t) => {
  const head = STARTED;
  const { pack: _pack, ...packless } = moveTo('1.1.0') as EventDraft & { pack: string };
  const { channel: _channel, ...channelless } = moveTo('1.1.0') as EventDraft & { channel: string };
  const { version: _version, ...versionless } = publication('coach', '3.0.0') as EventDraft & { version: string };
  for (const [field, draft] of Object.entries({ pack: packless, channel: channelless, version: versionless })) {
    t.throws(() => folded(logged([draft], head), head), {
      name: 'LogBroken',
      message: new RegExp(`names no ${field}`),
    });
  }
  t.throws(() => folded(logged([publication('coach', '1.0.0')], head), head), {
    name: 'LogBroken',
    message: /publishes coach 1\.0\.0 a second time/,
  });
  const [event] = logged([moveTo('1.1.0')], head);
  t.throws(() => apply(head, event!, new Map()), {
    name: 'LogBroken',
    message: /content of coach 1\.1\.0 .* is not in the store/,
  });
});

t.test('an epoch opens once, and each epoch is higher than the one before', async (t) => {
  const restored = (epoch: number): EventDraft => ({
    type: 'registry-restored',
    actor,
    reason: 'The disk was lost',
    data: { epoch },
  });
  const second = folded(logged([restored(2)], STARTED), STARTED);
  t.match(second, { epoch: 2, epochStart: STARTED.revision + 1 });
  for (const epoch of [1, 2]) {
    t.throws(() => folded(logged([restored(epoch)], second), second), {
      name: 'LogBroken',
      message: new RegExp(`opens epoch ${epoch} in epoch 2`),
    });
  }
});

t.test('an event of an unknown type stays in the chain and has no effect', async (t) => {
  const drafts = [
    unknown(),
    unknown({ pack: 'coach', channel: 'production', version: '2.0.0' }),
    unknown({ pack: 'unpublished' }),
    unknown({ data: null }),
    unknown({ type: 'toString' }),
  ];
  const events = logged([...drafts, moveTo('1.1.0')], STARTED);
  const after = folded(events.slice(0, -1), STARTED);
  t.equal(after.revision, STARTED.revision + drafts.length);
  t.equal(after.hash, events.at(-2)?.hash);
  t.equal(after.packs, STARTED.packs, 'the very same packs');
  t.equal(after.views, STARTED.views, 'the very same views');
  t.equal(pointer(folded(events, STARTED)).revision, after.revision + 1, 'and the log goes on after it');
  t.throws(
    () => folded([...events.slice(0, 1), ...events.slice(2)], STARTED),
    { name: 'LogBroken' },
    'it cannot be left out',
  );
});

t.test('what an activation and a rollback do to a pointer', async (t) => {
  const events = logged(
    [
      moveTo('1.1.0', { previousVersion: '1.0.0' }),
      moveTo('2.0.0', { previousVersion: '1.1.0' }),
      moveTo('1.0.0', { type: 'version-rolled-back', previousVersion: '2.0.0' }),
    ],
    STARTED,
  );
  const [, second, third] = events;
  t.strictSame(plain(pointer(folded(events.slice(0, 2), STARTED))), {
    pack: 'coach',
    channel: 'production',
    version: '2.0.0',
    digest: digestOf('coach', '2.0.0'),
    previousVersion: '1.1.0',
    kind: 'activation',
    revision: second!.revision,
    activatedAt: second!.at,
    activatedBy: actor,
    reason: 'Why not',
    stack: ['1.0.0', '1.1.0', '2.0.0'],
    everActive: ['1.0.0', '1.1.0', '2.0.0'],
  });
  t.match(plain(pointer(folded(events, STARTED))), {
    version: '1.0.0',
    kind: 'rollback',
    revision: third!.revision,
    stack: ['1.0.0'],
    everActive: ['1.0.0', '1.1.0', '2.0.0'],
  });
});

t.test('a view names the event that made it', async (t) => {
  const view = folded(logged([moveTo('2.0.0')], STARTED), STARTED)
    .views.get('coach')!
    .get('production')!;
  const { content, digest } = versionOf('coach', '2.0.0');
  const origin = { pack: 'coach', channel: 'production', version: '2.0.0', digest, revision: STARTED.revision + 1 };
  t.strictSame(plain(view), {
    activePack: {
      ...origin,
      activatedAt: STARTED.at,
      activatedBy: actor,
      reason: 'Why not',
      defaultStyle: 'supportive',
      compatibility: content.compatibility,
      system: content.system,
      styles: content.styles,
    },
    systemPrompt: { ...origin, text: content.system },
    styleList: {
      ...origin,
      defaultStyle: 'supportive',
      styles: content.styles.map(({ id, title }) => ({ id, title })),
    },
    stylePrompts: Object.fromEntries(
      content.styles.map(({ id, title, text }) => [id, { ...origin, styleId: id, title, text }]),
    ),
    rollout: undefined,
    content: plain(content),
  });
});

t.test('versions are in SemVer order, however they were published', async (t) => {
  const order = words`
    2.0.0 10.0.0 1.0.0 2.0.0-rc.1 2.0.0-rc.10 2.0.0-rc.2 2.0.0-alpha 1.10.0 1.9.0
  `;
  const sorted = words`
    10.0.0 2.0.0 2.0.0-rc.10 2.0.0-rc.2 2.0.0-rc.1 2.0.0-alpha 1.10.0 1.9.0 1.0.0
  `;
  const events = logged(order.map((version) => publication('sorted', version)));
  const versionsIn = (snapshot: Snapshot) => [...snapshot.packs.get('sorted')!.versions].map(({ version }) => version);
  t.same(versionsIn(folded(events)), sorted);
  const first = folded(events.slice(0, 4));
  t.same(versionsIn(folded(events.slice(4), first)), sorted, 'in two folds');
});

t.test('the stack is bounded, but every version that was active is remembered', async (t) => {
  const moves = Array.from({ length: STACK_DEPTH + 500 }, (_, index) =>
    moveTo(index === 0 ? '2.0.0' : index % 2 === 0 ? '1.1.0' : '1.0.0'),
  );
  const events = logged(moves, STARTED);
  const { stack, everActive } = pointer(folded(events, STARTED));
  t.equal(stack.length, STACK_DEPTH);
  t.notOk(stack.includes('2.0.0'));
  t.equal(stack.at(-1), '1.0.0', 'the active one is on top');
  t.same([...everActive], ['1.0.0', '2.0.0', '1.1.0']);
  let oneByOne = STARTED;
  for (const event of events) oneByOne = apply(oneByOne, event, CONTENTS);
  t.same(pointer(oneByOne).stack, stack, 'the same one by one');
});

t.test('a fold of all events, one by one or in parts, gives the same stack, below and above its bound', async (t) => {
  const seed = newSeed();
  const random = randomFrom(seed);
  const versions = ['1.0.0', '1.1.0', '2.0.0'];
  const reference = ['1.0.0'];
  // Long climbs and short descents, to pass the bound several times and come near the bottom again.
  const moves = Array.from({ length: 7500 }, (_, index) => {
    const climbs = index % 2500 < 2000 ? 0.98 : 0.3;
    const active = reference.at(-1);
    const type = random() < climbs ? 'version-activated' : 'version-rolled-back';
    const version = versions.filter((each) => each !== active)[Math.floor(random() * 2)]!;
    const below = type === 'version-activated' ? -1 : reference.lastIndexOf(version);
    if (below === -1) reference.push(version);
    else reference.length = below + 1;
    if (reference.length > STACK_DEPTH) reference.shift();
    return moveTo(version, { type });
  });
  const events = logged(moves, STARTED);
  let oneByOne = STARTED;
  let inParts = STARTED;
  for (const event of events) oneByOne = apply(oneByOne, event, CONTENTS);
  for (let start = 0; start < events.length;) {
    const end = start + 1 + Math.floor(random() * 1400);
    inParts = folded(events.slice(start, end), inParts);
    start = end;
  }
  t.same(pointer(folded(events, STARTED)).stack, reference, `TEST_SEED=${seed}`);
  t.strictSame(plain(oneByOne), plain(folded(events, STARTED)), 'one by one');
  t.strictSame(plain(inParts), plain(folded(events, STARTED)), 'in parts');
});

t.test('a snapshot is deeply frozen', async (t) => {
  t.equal(firstUnfrozen(EMPTY_SNAPSHOT), undefined);
  t.equal(firstUnfrozen(STARTED), undefined);
  t.equal(firstUnfrozen(apply(STARTED, logged([moveTo('1.1.0')], STARTED)[0]!, CONTENTS)), undefined, 'after a move');
  t.equal(
    firstUnfrozen(apply(STARTED, logged([publication('coach', '3.0.0')], STARTED)[0]!, CONTENTS)),
    undefined,
    'after a publication',
  );
  const key: EventDraft = {
    type: 'key-created',
    actor: { ...actor },
    reason: 'New',
    data: { keyId: 'key-2', label: 'Web', scopes: ['prompts:read'], secretHash: '00' },
  };
  const changes: EventDraft[] = [
    key,
    { type: 'key-revoked', actor: { ...actor }, reason: 'Leaked', data: { keyId: 'key-2' } } as const,
    {
      type: 'version-revoked',
      actor: { ...actor },
      reason: 'Too blunt',
      pack: 'coach',
      version: '2.0.0',
      data: { moves: [] },
    },
    {
      type: 'policy-changed',
      actor: { ...actor },
      reason: 'New',
      pack: 'coach',
      data: {
        policy: policyOf(),
        digest: 'sha256:0',
        violations: [{ version: '1.1.0', violations: [{ rule: 'limit', detail: 'Too long.' }] }],
      },
    },
  ];
  for (const count of changes.keys())
    t.equal(
      firstUnfrozen(folded(logged(changes.slice(0, count + 1), STARTED), STARTED)),
      undefined,
      `after ${changes[count]?.type}`,
    );
  for (const held of [STARTED.packs, coach(STARTED).versions, pointer(STARTED).everActive])
    t.notOk('set' in held || 'add' in held || 'delete' in held, 'it has nothing to change it by');
});

t.test('parts that an event does not touch are the same objects', async (t) => {
  const moved = folded(logged([moveTo('1.1.0')], STARTED), STARTED);
  t.equal(moved.packs.get('onboarding'), STARTED.packs.get('onboarding'));
  t.equal(moved.views.get('onboarding'), STARTED.views.get('onboarding'));
  t.equal(coach(moved).versions, coach(STARTED).versions);
  t.equal(pointer(moved, 'staging'), pointer(STARTED, 'staging'));
  t.equal(moved.views.get('coach')?.get('staging'), STARTED.views.get('coach')?.get('staging'));
  t.not(pointer(moved), pointer(STARTED));

  const published = folded(logged([publication('coach', '3.0.0')], STARTED), STARTED);
  t.equal(published.packs.get('onboarding'), STARTED.packs.get('onboarding'));
  t.equal(coach(published).pointers, coach(STARTED).pointers);
  t.equal(published.views.get('coach'), STARTED.views.get('coach'));
  t.equal(coach(published).versions.get('1.0.0'), coach(STARTED).versions.get('1.0.0'));

  t.equal(foldFrom(STARTED).freeze(CONTENTS), STARTED, 'and without an event nothing is new');
});

t.test('the old snapshot and the events do not change', async (t) => {
  const events = logged(
    [
      moveTo('1.1.0'),
      publication('coach', '3.0.0'),
      moveTo('2.0.0'),
      moveTo('1.0.0', { type: 'version-rolled-back' }),
      unknown(),
    ],
    STARTED,
  );
  const before = [plain(STARTED), structuredClone(events)];
  let snapshot = STARTED;
  for (const event of events) snapshot = apply(snapshot, event, CONTENTS);
  folded(events, STARTED);
  t.strictSame([plain(STARTED), events], before);
  t.notOk(Object.isFrozen(actorOf(events[0])), "the caller's own objects are not frozen");
  t.strictSame(plain(folded(events, STARTED)), plain(snapshot), 'at once and one by one');
});

const actorOf = (event: Event | undefined) => event?.actor;

t.test('a failed fold changes nothing', async (t) => {
  const [good, , late] = logged([moveTo('1.1.0'), moveTo('2.0.0'), moveTo('1.0.0')], STARTED);
  const before = plain(STARTED);
  const fold = foldFrom(STARTED);
  fold.add(good!);
  t.throws(() => fold.add(late!), { name: 'LogBroken' });
  t.equal(fold.revision, STARTED.revision + 1, 'it still stands behind the last good one');
  t.strictSame(plain(STARTED), before);
});
