/**
 * `decide`, case by case: every refusal, every command without effect, and the exact events of all others.
 *
 * The table of refusals has a row for each code of `decide`, so that a new code without a case does not compile.
 */
import t from 'tap';
import type { RegistryErrorCode } from '../../registry/errors.ts';
import { seal, type Event } from '../../registry/log/event.ts';
import { STACK_DEPTH } from '../../registry/moves/apply.ts';
import type { PackContent } from '../../registry/model.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../../registry/state/snapshot.ts';
import { apply } from '../../registry/events.ts';
import { decide, type Command } from '../../registry/transitions.ts';
import { versionOf } from '../support/packs/pack-documents.ts';
import { plain } from '../support/stores/snapshots.ts';
import type { Decision } from '../../registry/log/proposal.ts';
import type { ActivateCommand, RollbackCommand } from '../../registry/moves/move-command.ts';
import type { PublishCommand } from '../../registry/packs/publishing.ts';

const RULES = { channels: ['production', 'staging'], now: Date.UTC(2026, 0, 31) };
const actor = { keyId: 'operator-1', label: 'Operator on call' };
const reason = 'Users report that answers are too blunt';

const publish = (pack: string, version: string, members: object = {}): PublishCommand => ({
  type: 'publish',
  version: versionOf(pack, version, members),
  actor,
  reason,
});
const activate = (version: string, members: Partial<ActivateCommand> = {}): ActivateCommand => ({
  type: 'activate',
  pack: 'coach',
  channel: 'production',
  version,
  actor,
  reason,
  ...members,
});
const rollback = (members: Partial<RollbackCommand> = {}): RollbackCommand => ({
  type: 'rollback',
  pack: 'coach',
  channel: 'production',
  actor,
  reason,
  ...members,
});

/** A registry without a store: each command decided and applied to the one before. */
class History {
  snapshot: Snapshot = EMPTY_SNAPSHOT;
  readonly events: Event[] = [];
  readonly #contents = new Map<string, PackContent>();

  constructor(...commands: readonly Command[]) {
    for (const command of commands) this.take(command);
  }

  take(command: Command): Decision {
    const decision = decide(this.snapshot, command, RULES);
    for (const { digest, content } of decision.contents) this.#contents.set(digest, content);
    const time = {
      now: () => 1_767_225_600_000 + this.events.length,
      newId: () => `event-${this.events.length + 1}`,
      notBefore: this.snapshot.at,
    };
    for (const event of seal(decision.events, this.snapshot, time)) {
      this.snapshot = apply(this.snapshot, event, this.#contents);
      this.events.push(event);
    }
    return decision;
  }

  pointer(channel = 'production') {
    return this.snapshot.packs.get('coach')?.pointers.get(channel);
  }
}

const PUBLISHED = [
  publish('coach', '1.0.0'),
  publish('coach', '1.1.0'),
  publish('coach', '2.0.0'),
  publish('onboarding', '1.0.0'),
];
const published = () => new History(...PUBLISHED);
const active = (...versions: string[]) => new History(...PUBLISHED, ...versions.map((version) => activate(version)));

type Refusal = Extract<
  RegistryErrorCode,
  | 'version-exists'
  | 'pack-not-found'
  | 'channel-not-found'
  | 'unknown-version'
  | 'revision-conflict'
  | 'not-active'
  | 'never-active'
  | 'nothing-to-roll-back-to'
>;

/** A history, a command, and the message and members of the refusal. */
type Case = readonly [title: string, there: History, asked: Command, message: RegExp, members?: object];

const REFUSALS: Readonly<Record<Refusal, readonly Case[]>> = {
  'version-exists': [
    [
      'another content',
      published(),
      publish('coach', '1.0.0', { system: 'Other.' }),
      /differs in: content\. Publish the change as a new version/,
      { digest: versionOf('coach', '1.0.0').digest, differing: ['content'] },
    ],
  ],
  'pack-not-found': [
    [
      'activation',
      published(),
      activate('1.0.0', { pack: 'coch' }),
      /no pack "coch"\. Packs here: coach, onboarding/,
      { knownPacks: ['coach', 'onboarding'] },
    ],
    [
      'rollback',
      published(),
      rollback({ pack: '__proto__' }),
      /no pack "__proto__"/,
      { knownPacks: ['coach', 'onboarding'] },
    ],
    ['in an empty registry', new History(), activate('1.0.0'), /Packs here: none/, { knownPacks: [] }],
  ],
  'channel-not-found': [
    [
      'activation',
      published(),
      activate('1.0.0', { channel: 'prod' }),
      /no channel "prod"\. Channels here: production, staging/,
      { knownChannels: ['production', 'staging'] },
    ],
  ],
  'unknown-version': [
    [
      'activation',
      published(),
      activate('9.9.9'),
      /no version "9\.9\.9"\. Versions here, highest first: 2\.0\.0, 1\.1\.0, 1\.0\.0/,
      { knownVersions: ['2.0.0', '1.1.0', '1.0.0'] },
    ],
    [
      'a version of another pack',
      new History(publish('coach', '1.0.0'), publish('other', '3.0.0')),
      activate('3.0.0'),
      /no version "3\.0\.0"/,
      { knownVersions: ['1.0.0'] },
    ],
    [
      'rollback to it',
      active('1.0.0', '1.1.0'),
      rollback({ toVersion: '9.9.9' }),
      /no version "9\.9\.9"/,
      { knownVersions: ['2.0.0', '1.1.0', '1.0.0'] },
    ],
  ],
  'revision-conflict': [
    [
      'activation',
      active('1.0.0'),
      activate('1.1.0', { precondition: () => false }),
      /Channel "production" of pack "coach" has moved: it is at 1\.0\.0 since revision 5/,
      { currentRevision: 5 },
    ],
    [
      'if there is no pointer',
      published(),
      activate('1.0.0', { precondition: (view) => view !== undefined }),
      /has no active version, so no If-Match can match/,
      { currentRevision: 0 },
    ],
  ],
  'not-active': [
    [
      'another is active',
      active('1.0.0', '1.1.0'),
      rollback({ fromVersion: '1.0.0' }),
      /"fromVersion" is 1\.0\.0, but channel "production" of pack "coach" is now at 1\.1\.0/,
      { activeVersion: '1.1.0' },
    ],
    [
      'no version is active',
      published(),
      rollback({ fromVersion: '1.0.0' }),
      /is now at no version/,
      { activeVersion: null },
    ],
    [
      'before anything else',
      active('1.0.0'),
      rollback({ fromVersion: '2.0.0', toVersion: '9.9.9' }),
      /"fromVersion" is 2\.0\.0/,
      { activeVersion: '1.0.0' },
    ],
  ],
  'never-active': [
    [
      'in this channel',
      active('1.0.0', '1.1.0'),
      rollback({ toVersion: '2.0.0' }),
      /never active in channel "production".*Versions that were active here: 1\.0\.0, 1\.1\.0/,
      { everActive: ['1.0.0', '1.1.0'] },
    ],
    [
      'but in another',
      new History(...PUBLISHED, activate('1.0.0'), activate('2.0.0', { channel: 'staging' })),
      rollback({ toVersion: '2.0.0' }),
      /never active in channel "production"/,
      { everActive: ['1.0.0'] },
    ],
    ['no version was', published(), rollback({ toVersion: '1.0.0' }), /active here: none/, { everActive: [] }],
  ],
  'nothing-to-roll-back-to': [
    ['one activation', active('1.0.0'), rollback(), /no earlier version to roll back to; 1\.0\.0 stays active/],
    ['the same twice', active('1.0.0', '1.0.0'), rollback(), /1\.0\.0 stays active/],
    ['none', published(), rollback(), /no earlier version to roll back to\.$/],
    [
      'at the bottom',
      new History(...PUBLISHED, activate('1.0.0'), activate('1.1.0'), rollback()),
      rollback(),
      /1\.0\.0 stays active/,
    ],
  ],
};

for (const [code, cases] of Object.entries(REFUSALS)) {
  t.test(`${code} is refused, and nothing changes`, async (t) => {
    for (const [title, history, command, message, members = {}] of cases) {
      const before = plain(history.snapshot);
      t.throws(() => history.take(command), { name: 'RegistryError', code, message, members }, title);
      t.strictSame(plain(history.snapshot), before);
    }
  });
}

t.test('the exact events of each command', async (t) => {
  const version = versionOf('coach', '1.0.0');
  const history = new History();
  t.strictSame(history.take({ type: 'publish', version, actor, reason }), {
    events: [
      {
        type: 'version-published',
        actor,
        reason,
        pack: 'coach',
        version: '1.0.0',
        data: {
          digest: version.digest,
          summary: 'Edition 1.0.0.',
          author: 'Coaching content team',
          defaultStyle: 'supportive',
          styles: [
            { id: 'supportive', title: 'Supportive' },
            { id: 'direct', title: 'Direct' },
          ],
          compatibility: version.content.compatibility,
        },
      },
    ],
    contents: [{ digest: version.digest, content: version.content }],
  });
  const { digest } = versionOf('coach', '1.1.0');
  history.take(publish('coach', '1.1.0'));
  t.strictSame(history.take(activate('1.0.0')).events, [
    {
      type: 'version-activated',
      actor,
      reason,
      pack: 'coach',
      channel: 'production',
      version: '1.0.0',
      data: { digest: version.digest, previousVersion: null },
    },
  ]);
  t.strictSame(history.take(activate('1.1.0')).events, [
    {
      type: 'version-activated',
      actor,
      reason,
      pack: 'coach',
      channel: 'production',
      version: '1.1.0',
      data: { digest, previousVersion: '1.0.0' },
    },
  ]);
  t.strictSame(history.take(rollback({ fromVersion: '1.1.0' })).events, [
    {
      type: 'version-rolled-back',
      actor,
      reason,
      pack: 'coach',
      channel: 'production',
      version: '1.0.0',
      data: { digest: version.digest, previousVersion: '1.1.0' },
    },
  ]);
  t.notMatch(JSON.stringify(history.events), /the system prompt|the direct style/, 'no prompt text is in the log');
});

t.test('the precondition sees the active version of its channel', async (t) => {
  const history = new History(...PUBLISHED, activate('1.0.0'), activate('1.1.0', { channel: 'staging' }));
  const seen: (string | undefined)[] = [];
  const precondition: ActivateCommand['precondition'] = (view) => seen.push(view?.activePack.version) > 0;
  for (const channel of ['production', 'staging']) history.take(activate('2.0.0', { channel, precondition }));
  history.take(activate('1.0.0', { pack: 'onboarding', precondition }));
  t.same(seen, ['1.0.0', '1.1.0', undefined]);
});

t.test('a channel with a pointer can still move after it was removed from the settings', async (t) => {
  const history = active('1.0.0');
  const decision = decide(history.snapshot, activate('1.1.0'), { channels: ['staging'], now: Date.UTC(2026, 0, 31) });
  t.equal(decision.events.length, 1);
  t.throws(
    () =>
      decide(history.snapshot, activate('1.1.0', { channel: 'other' }), {
        channels: ['staging'],
        now: Date.UTC(2026, 0, 31),
      }),
    {
      name: 'RegistryError',
      members: { knownChannels: ['staging', 'production'] },
    },
  );
});

t.test('toVersion reaches every version that was ever active', async (t) => {
  const history = active('2.0.0');
  for (let turn = 0; turn < STACK_DEPTH; turn += 1) history.take(activate(turn % 2 === 0 ? '1.0.0' : '1.1.0'));
  t.notOk(history.pointer()?.stack.includes('2.0.0'), 'it fell off the stack');
  history.take(rollback({ toVersion: '2.0.0' }));
  t.match(history.pointer(), { version: '2.0.0', kind: 'rollback', previousVersion: '1.1.0' });
});
