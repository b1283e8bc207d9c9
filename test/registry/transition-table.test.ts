/**
 * The tables of transitions in registry/SPEC.md, executed: each row sets up its stack, runs its command through the real `decide`, and
 * compares the result and the stack after it.
 */
import t from 'tap';
import { RegistryError } from '../../registry/errors.ts';
import { seal } from '../../registry/log/event.ts';
import type { PackContent, Policy } from '../../registry/model.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../../registry/state/snapshot.ts';
import { apply } from '../../registry/events.ts';
import { due } from '../../registry/rollouts/due.ts';
import { decide, type Command } from '../../registry/transitions.ts';
import { sectionOf, textOf } from '../support/docs/pages.ts';
import { versionOf } from '../support/packs/pack-documents.ts';
import { words } from '../support/process/words.ts';

/** What the letters of the tables stand for; `x` is the version that is not registered. */
const VERSIONS = { a: '1.0.0', b: '1.1.0', c: '2.0.0', d: '2.1.0', e: '3.0.0', x: '9.0.0' } as const;
type Letter = keyof typeof VERSIONS;
const REGISTERED: readonly Letter[] = ['a', 'b', 'c', 'd', 'e'];

const CHANNELS = ['production'];
const BY = { actor: { keyId: 'operator-1', label: 'Operator on call' }, reason: 'A row of the table' };
const MOVE = { pack: 'coach', channel: 'production', ...BY };
/** A floor that no version of these tests satisfies. */
const FLOOR: Policy = {
  version: 1,
  clauses: [{ id: 'clause', text: 'A sentence that no prompt has.' }],
  forbidden: [],
  requiredStyles: [],
  limits: {},
};

interface Row {
  readonly stack: string;
  readonly given: string;
  readonly command: string;
  readonly result: string;
  readonly after: string;
}

/** The rows of all tables of the section; code marks are removed. */
function rowsOf(spec: string): Row[] {
  return [...sectionOf(spec, 'Transitions').matchAll(/^\|(.*)\|(.*)\|(.*)\|(.*)\|(.*)\|$/gmu)]
    .map((row) => row.slice(1).map((cell) => cell.replaceAll('`', '').trim()))
    .filter(([first = '']) => first !== 'stack' && !first.startsWith('---'))
    .map(([stack = '', given = '', command = '', result = '', after = '']) => ({
      stack,
      given,
      command,
      result,
      after,
    }));
}

const versionNamed = (letter: string | undefined) => VERSIONS[letter as Letter];
const publish = (letter: string | undefined, members: object = {}): Command => ({
  type: 'publish',
  version: versionOf('coach', versionNamed(letter), members),
  ...BY,
});
const activate = (letter: string | undefined): Command => ({
  type: 'activate',
  version: versionNamed(letter),
  ...MOVE,
});

/** A registry without a store. */
class World {
  snapshot: Snapshot = EMPTY_SNAPSHOT;
  now = Date.UTC(2026, 0, 31);
  readonly #contents = new Map<string, PackContent>();
  #events = 0;

  /** @returns the type of the event, or `nothing` */
  run(command: Command): string {
    const { events, contents } = decide(this.snapshot, command, { channels: CHANNELS, now: this.now });
    for (const { digest, content } of contents) this.#contents.set(digest, content);
    const time = {
      now: () => 1_767_225_600_000 + this.#events,
      newId: () => `event-${(this.#events += 1)}`,
      notBefore: this.snapshot.at,
    };
    for (const event of seal(events, this.snapshot, time)) this.snapshot = apply(this.snapshot, event, this.#contents);
    return events.map(({ type }) => type).join(', ') || 'nothing';
  }

  get #plan() {
    return this.snapshot.packs.get('coach')?.plans.get('production');
  }

  /** The rollout that runs, or that ended last; 0 if there was none. */
  get rollout(): number {
    return (this.#plan?.rollout ?? this.#plan?.ended[0])?.id ?? 0;
  }

  /** The pending activation; `none` if there is none. */
  get scheduled(): string {
    return this.#plan?.schedule[0]?.id ?? 'none';
  }

  get stack(): string {
    const stack = this.snapshot.packs.get('coach')?.pointers.get('production')?.stack ?? [];
    return stack.map((version) => REGISTERED.find((letter) => VERSIONS[letter] === version) ?? '?').join(' ');
  }
}

/** A registry as a row begins: the versions registered, the stack walked through, and what is given besides. */
function worldOf({ stack, given }: Row): World {
  const world = new World();
  const [, belowFloor] = /^(\w) is below the floor$/u.exec(given) ?? [];
  for (const letter of REGISTERED) {
    const command = publish(letter);
    world.run(letter === belowFloor ? ({ ...command, policy: FLOOR, belowFloor: 'flag' } as Command) : command);
  }
  for (const letter of stack.split(' ').filter(Boolean)) world.run(activate(letter));
  const [, wasActive] = /^(\w) was active$/u.exec(given) ?? [];
  if (wasActive !== undefined)
    for (const command of [activate(wasActive), rollBackTo(stack.at(-1))]) world.run(command);
  const [, scheduled] = /(\w) is scheduled\b/u.exec(given) ?? [];
  if (scheduled !== undefined) world.run(schedule(scheduled, world));
  const [, onTrial] = /(\w) is on trial$/u.exec(given) ?? [];
  if (onTrial !== undefined) for (const command of [rollBackTo(stack.at(-3)), onTrialOf(onTrial)]) world.run(command);
  const [, rolledOut] = /(\w) is rolled out$/u.exec(given) ?? /^the rollout of (\w) was aborted$/u.exec(given) ?? [];
  if (rolledOut !== undefined) world.run(startRollout(rolledOut));
  const [, revoked] = /^(\w) is revoked\b/u.exec(given) ?? [];
  if (revoked !== undefined) world.run({ type: 'revoke', pack: 'coach', version: versionNamed(revoked), ...BY });
  if (given.endsWith('was aborted')) world.run({ type: 'rollback', ...MOVE });
  return world;
}

const HOUR = 3_600_000;
const onTrialOf = (letter: string | undefined): Command => ({
  type: 'activate',
  version: versionNamed(letter),
  revertAfter: HOUR,
  ...MOVE,
});
const startRollout = (letter: string | undefined, olderInstances: readonly string[] = []): Command => ({
  type: 'start-rollout',
  version: versionNamed(letter),
  steps: [{ share: 10 }, { share: 50 }],
  finish: 'wait',
  salt: 'salt',
  olderInstances,
  ...MOVE,
});
const schedule = (letter: string | undefined, { now }: World): Command => ({
  type: 'schedule-activation',
  version: versionNamed(letter),
  at: new Date(now + HOUR).toISOString(),
  ...MOVE,
});

const rollBackTo = (letter: string | undefined): Command => ({
  type: 'rollback',
  toVersion: versionNamed(letter),
  ...MOVE,
});

/** The command of a row. */
function commandOf({ given, command }: Row, world: World): Command {
  const move = {
    ...MOVE,
    ...(given.includes('the pack and the channel are unknown') && { pack: 'unknown', channel: 'unknown' }),
    ...(given.startsWith('the channel is unknown') && { channel: 'unknown' }),
    ...(given.includes('If-Match names another revision') && { precondition: () => false }),
  };
  const [, verb = '', , letter, rest = ''] =
    /^(publish|activate|roll back|revoke|start a rollout of|schedule|advance|pause|resume|promote|abort|confirm|cancel it|its time is over)( (\w)\b)?(.*)$/u.exec(
      command,
    ) ?? [];
  switch (verb) {
    case 'publish':
      if (rest === ' below the floor') return { ...publish(letter), policy: FLOOR } as Command;
      return publish(letter, {
        ...(rest === ' with another content' && { system: 'Another text.' }),
        ...(rest === ' with another summary' && { summary: 'Another summary.' }),
        ...(rest === ' with another author' && { author: 'Another author' }),
      });
    case 'activate':
      if (rest === ' on trial') return onTrialOf(letter);
      return { type: 'activate', version: versionNamed(letter), ...move };
    case 'roll back': {
      const [, from] = / from (\w)/u.exec(command) ?? [];
      const [, to] = / to (\w)$/u.exec(command) ?? [];
      const guards = { ...(from && { fromVersion: versionNamed(from) }), ...(to && { toVersion: versionNamed(to) }) };
      return { type: 'rollback', ...move, ...guards };
    }
    case 'revoke': {
      const [, by] = /^, replaced by (\w)$/u.exec(rest) ?? [];
      const replacement = by === undefined ? {} : { replacement: versionNamed(by) };
      return { type: 'revoke', pack: 'coach', version: versionNamed(letter), ...replacement, ...BY };
    }
    case 'start a rollout of':
      return startRollout(letter, given === 'an older instance runs' ? ['old-1'] : []);
    case 'schedule':
      return schedule(letter, world);
    case 'advance':
    case 'pause':
    case 'resume':
    case 'promote':
    case 'abort':
      return { type: `${verb}-rollout`, pack: 'coach', rollout: world.rollout, ...BY };
    case 'confirm':
      return { type: 'confirm-activation', ...MOVE };
    case 'cancel it':
      return { type: 'cancel-schedule', pack: 'coach', schedule: world.scheduled, ...BY };
    case 'its time is over': {
      world.now += HOUR;
      const [command = t.fail('nothing is due')] = due(world.snapshot, world.now);
      return command as Command;
    }
    default:
      throw new Error(`"${command}" is not a command that this test knows.`);
  }
}

function resultOf(world: World, command: Command): string {
  try {
    return world.run(command);
  } catch (error) {
    if (error instanceof RegistryError) return `refused: ${error.code}`;
    throw error;
  }
}

const ROWS = rowsOf(textOf('registry/SPEC.md'));

t.test('decide does what every row says', async (t) => {
  t.ok(ROWS.length >= 40, 'the tables are found');
  for (const row of ROWS) {
    const title = [row.stack, row.given, row.command].filter(Boolean).join(' | ');
    const world = worldOf(row);
    t.equal(world.stack, row.stack, `${title}: the stack before`);
    t.equal(resultOf(world, commandOf(row, world)), row.result, title);
    t.equal(world.stack, row.after === '-' ? row.stack : row.after, `${title}: the stack after`);
  }
});

t.test('every refusal of a move has a row', async (t) => {
  const named = new Set(ROWS.map(({ result }) => result));
  for (const code of words`
    version-exists pack-not-found channel-not-found unknown-version revision-conflict not-active never-active
    nothing-to-roll-back-to version-revoked policy-violated version-not-found replacement-required already-active
    rollout-running rollout-not-found rollout-ended trial-running no-trial schedule-not-found older-instances
  `)
    t.ok(named.has(`refused: ${code}`), code);
});
