/**
 * Random histories of commands, compared with a model made of a few lists. `decide`, `seal` and `apply` must match the model command by
 * command, and the resulting log must fold to the same state at once, in two parts, and from its stored form.
 *
 * In every history: after activations of two different versions, a rollback is possible and leads to the first; revisions only grow;
 * repeated rollbacks go down, never forward, and end; inputs do not change. A failure prints its seed and the shortest failing history.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RegistryError, type RegistryErrorCode } from '../../registry/errors.ts';
import { hashOf, seal, type Event } from '../../registry/log/event.ts';
import type { PackContent } from '../../registry/model.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '../../registry/state/snapshot.ts';
import { apply, foldFrom } from '../../registry/events.ts';
import { decide, type Command } from '../../registry/transitions.ts';
import { versionOf } from '../support/packs/pack-documents.ts';
import { firstUnfrozen, plain } from '../support/stores/snapshots.ts';
import type { Decision } from '../../registry/log/proposal.ts';

const RUNS: Record<string, number> = { short: 100, faults: 2000, soak: 2000 };
const numRuns = RUNS[process.env['TEST_LENGTH'] ?? 'short'] ?? 100;

const PACKS = ['coach', 'onboarding'];
const CHANNELS = ['production', 'staging'];
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0-rc.1', '2.0.0'];
const RULES = { channels: CHANNELS, now: Date.UTC(2026, 0, 31) };
const actor = { keyId: 'operator-1', label: 'Operator on call' };

interface Channel {
  readonly stack: string[];
  readonly everActive: Set<string>;
}

/** What is published and where channels point, in plain lists. */
class Model {
  readonly packs = new Map<
    string,
    { readonly versions: Map<string, boolean>; readonly channels: Map<string, Channel> }
  >();
  revision = 0;

  channel(pack: string, name: string): Channel {
    return this.packs.get(pack)?.channels.get(name) ?? { stack: [], everActive: new Set() };
  }
}

/** The real thing: a snapshot, its log and its contents. */
class Registry {
  snapshot: Snapshot = EMPTY_SNAPSHOT;
  readonly log: Event[] = [];
  readonly contents = new Map<string, PackContent>();

  /** The result of a command, decided twice on the same input. */
  decide(command: Command): Decision | RegistryErrorCode {
    const [before, asked] = [plain(this.snapshot), plain(command)];
    const [first, second] = [this.#decideOnce(command), this.#decideOnce(command)];
    assert.deepEqual(first, second, 'the same input gives the same decision');
    assert.deepEqual([plain(this.snapshot), plain(command)], [before, asked], 'the input did not change');
    return first;
  }

  /** Makes a decision the next state, each event applied twice to the same snapshot. */
  take({ events, contents }: Decision): void {
    for (const { digest, content } of contents) this.contents.set(digest, content);
    const clock = {
      now: () => 1_767_225_600_000 - this.log.length,
      newId: () => `event-${this.log.length}`,
      notBefore: this.snapshot.at,
    };
    for (const event of seal(events, this.snapshot, clock)) {
      const base = this.snapshot;
      const before = plain(base);
      const next = apply(base, event, this.contents);
      assert.deepEqual(plain(apply(base, event, this.contents)), plain(next), 'the same event gives the same state');
      assert.deepEqual(plain(base), before, 'the old snapshot did not change');
      assert.equal(firstUnfrozen(next), undefined, 'the next one is frozen');
      assert.ok(next.revision > base.revision && next.at >= base.at, 'revisions and times only grow');
      this.snapshot = next;
      this.log.push(event);
    }
  }

  #decideOnce(command: Command): Decision | RegistryErrorCode {
    try {
      return decide(this.snapshot, command, RULES);
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
  }
}

/** What the model says of a command: refused, nothing to do, or the stack that follows. */
type Expected = RegistryErrorCode | 'nothing' | readonly string[];

abstract class Move implements fc.Command<Model, Registry> {
  readonly pack: string;
  readonly channel: string;

  constructor(pack: string, channel: string) {
    this.pack = pack;
    this.channel = channel;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Registry): void {
    const known = model.packs.get(this.pack);
    const { stack, everActive } = model.channel(this.pack, this.channel);
    const expected =
      known === undefined
        ? 'pack-not-found'
        : CHANNELS.includes(this.channel)
          ? this.expected(stack, known.versions, everActive)
          : 'channel-not-found';
    const decision = real.decide(this.command());
    if (typeof expected === 'string') {
      assert.deepEqual(typeof decision === 'string' ? decision : decision.events.length === 0 && 'nothing', expected);
      return;
    }
    if (typeof decision === 'string') assert.fail(`refused as ${decision}`);
    real.take(decision);
    model.revision += 1;
    known?.channels.set(this.channel, {
      stack: [...expected],
      everActive: new Set([...everActive, expected.at(-1) ?? '']),
    });
    const pointer = real.snapshot.packs.get(this.pack)?.pointers.get(this.channel);
    assert.deepEqual(pointer?.stack, expected);
    assert.deepEqual([pointer?.revision, real.snapshot.revision], [model.revision, model.revision]);
    assert.equal(pointer?.previousVersion, stack.at(-1) ?? null);
    this.afterwards(real, stack.at(-1));
  }

  abstract command(): Command;
  abstract expected(
    stack: readonly string[],
    versions: ReadonlyMap<string, boolean>,
    everActive: ReadonlySet<string>,
  ): Expected;

  /** What else must hold now. @param before the version that was active before this move */
  afterwards(_real: Registry, _before: string | undefined): void {
    // nothing more, unless a kind of move says so
  }

  toString(): string {
    return `${this.pack}/${this.channel}`;
  }
}

class Publish implements fc.Command<Model, Registry> {
  readonly pack: string;
  readonly version: string;
  readonly edited: boolean;

  constructor(pack: string, version: string, edited: boolean) {
    this.pack = pack;
    this.version = version;
    this.edited = edited;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Registry): void {
    const version = versionOf(this.pack, this.version, this.edited ? { system: 'Edited.' } : {});
    const decision = real.decide({ type: 'publish', version, actor, reason: 'New' });
    const known = model.packs.get(this.pack)?.versions.get(this.version);
    if (known !== undefined) {
      assert.deepEqual(decision, known === this.edited ? { events: [], contents: [] } : 'version-exists');
      return;
    }
    assert.ok(typeof decision !== 'string');
    real.take(decision);
    model.revision += 1;
    const pack = model.packs.get(this.pack) ?? {
      versions: new Map<string, boolean>(),
      channels: new Map<string, Channel>(),
    };
    pack.versions.set(this.version, this.edited);
    model.packs.set(this.pack, pack);
    assert.equal(real.snapshot.packs.get(this.pack)?.versions.get(this.version)?.digest, version.digest);
  }

  toString(): string {
    return `publish ${this.pack} ${this.version}${this.edited ? ' edited' : ''}`;
  }
}

class Activate extends Move {
  readonly version: string;

  constructor(pack: string, channel: string, version: string) {
    super(pack, channel);
    this.version = version;
  }

  command(): Command {
    return { type: 'activate', pack: this.pack, channel: this.channel, version: this.version, actor, reason: 'On' };
  }

  expected(stack: readonly string[], versions: ReadonlyMap<string, boolean>): Expected {
    if (!versions.has(this.version)) return 'unknown-version';
    return stack.at(-1) === this.version ? 'nothing' : [...stack, this.version];
  }

  override afterwards(real: Registry, before: string | undefined): void {
    if (before === undefined) return;
    const decision = real.decide({
      type: 'rollback',
      pack: this.pack,
      channel: this.channel,
      fromVersion: this.version,
      actor,
      reason: 'Back',
    });
    assert.ok(typeof decision !== 'string', 'after two activations of different versions a rollback is possible');
    assert.equal(decision.events[0]?.version, before, 'and leads to the first');
  }

  override toString(): string {
    return `activate ${super.toString()} ${this.version}`;
  }
}

class Rollback extends Move {
  readonly toVersion: string | undefined;
  readonly fromVersion: string | undefined;

  constructor(pack: string, channel: string, toVersion: string | undefined, fromVersion: string | undefined) {
    super(pack, channel);
    this.toVersion = toVersion;
    this.fromVersion = fromVersion;
  }

  command(): Command {
    const { pack, channel, toVersion, fromVersion } = this;
    return {
      type: 'rollback',
      pack,
      channel,
      actor,
      reason: 'Back',
      ...(toVersion !== undefined && { toVersion }),
      ...(fromVersion !== undefined && { fromVersion }),
    };
  }

  expected(
    stack: readonly string[],
    versions: ReadonlyMap<string, boolean>,
    everActive: ReadonlySet<string>,
  ): Expected {
    const active = stack.at(-1);
    if (this.fromVersion !== undefined && this.fromVersion !== active) return 'not-active';
    if (this.toVersion === undefined) return poppedOnce(stack) ?? 'nothing-to-roll-back-to';
    if (!versions.has(this.toVersion)) return 'unknown-version';
    if (!everActive.has(this.toVersion)) return 'never-active';
    if (this.toVersion === active) return 'nothing';
    const below = stack.slice(0, -1).lastIndexOf(this.toVersion);
    return below === -1 ? [...stack, this.toVersion] : stack.slice(0, below + 1);
  }

  override toString(): string {
    return `rollback ${super.toString()} to=${this.toVersion} from=${this.fromVersion}`;
  }
}

/** Presses rollback until it is refused. */
class RollbackToTheBottom extends Move {
  override run(model: Model, real: Registry): void {
    const { stack } = model.channel(this.pack, this.channel);
    const press = new Rollback(this.pack, this.channel, undefined, undefined);
    const visited: string[] = [];
    for (let expected = poppedOnce(stack); expected !== undefined; expected = poppedOnce(expected)) {
      press.run(model, real);
      visited.push(real.snapshot.packs.get(this.pack)?.pointers.get(this.channel)?.version ?? '');
    }
    const end = real.decide(press.command());
    assert.ok(
      typeof end === 'string' && ['nothing-to-roll-back-to', 'channel-not-found'].includes(end),
      'in the end there is nothing more',
    );
    assert.deepEqual(
      visited,
      [...stack]
        .reverse()
        .slice(1)
        .filter((version, index, all) => version !== (all[index - 1] ?? stack.at(-1))),
      'down the stack, each step once',
    );
  }

  command(): Command {
    return new Rollback(this.pack, this.channel, undefined, undefined).command();
  }

  expected(): Expected {
    return 'nothing';
  }

  override toString(): string {
    return `rollback to the bottom ${super.toString()}`;
  }
}

/** The stack after a rollback: cut down to the highest entry that is not the active version. */
function poppedOnce(stack: readonly string[]): readonly string[] | undefined {
  const found = stack.findLastIndex((version) => version !== stack.at(-1));
  return found === -1 ? undefined : stack.slice(0, found + 1);
}

function folded(events: readonly Event[], contents: ReadonlyMap<string, PackContent>, base = EMPTY_SNAPSHOT): Snapshot {
  const fold = foldFrom(base);
  for (const event of events) fold.add(event);
  return fold.freeze(contents);
}

t.test(`${numRuns} random histories match the model`, async (t) => {
  const pack = fc.constantFrom(...PACKS);
  const channel = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...CHANNELS) },
    { weight: 1, arbitrary: fc.constant('nowhere') },
  );
  const version = fc.constantFrom(...VERSIONS);
  const perhaps = fc.option(version, { nil: undefined });
  const publish = fc.tuple(pack, version, fc.boolean()).map((args) => new Publish(...args));
  const activate = fc.tuple(pack, channel, version).map((args) => new Activate(...args));
  const commands = fc.commands(
    [
      publish,
      ...Array<typeof activate>(3).fill(activate),
      fc.tuple(pack, channel).map((args) => new Rollback(...args, undefined, undefined)),
      fc.tuple(pack, channel, perhaps, perhaps).map((args) => new Rollback(...args)),
      fc.tuple(pack, channel).map((args) => new RollbackToTheBottom(...args)),
    ],
    { maxCommands: 80, size: 'max' },
  );
  const tally = { events: 0, rollbacks: 0 };
  const history = fc.property(commands, fc.nat(), (list, pick) => {
    const real = new Registry();
    // Most histories would die at `pack-not-found`: each begins with one version of each pack.
    const model = new Model();
    for (const name of PACKS) new Publish(name, '1.0.0', false).run(model, real);
    fc.modelRun(() => ({ model, real }), list);

    const { log, contents, snapshot } = real;
    tally.events += log.length;
    tally.rollbacks += log.filter(({ type }) => type === 'version-rolled-back').length;
    const expected = plain(snapshot);
    const cut = pick % (log.length + 1);
    assert.deepEqual(plain(folded(log, contents)), expected, 'the log at once');
    assert.deepEqual(
      plain(folded(log.slice(cut), contents, folded(log.slice(0, cut), contents))),
      expected,
      'the log in two',
    );
    assert.deepEqual(
      plain(folded(JSON.parse(JSON.stringify(log)) as Event[], contents)),
      expected,
      'the log from a disk',
    );
    assert.ok(
      log.every((event, index) => event.revision === index + 1 && event.hash === hashOf(event)),
      'no gap, and each hash fits',
    );
  });
  t.doesNotThrow(() => fc.assert(history, { numRuns }));
  t.ok(
    tally.events > numRuns * 5 && tally.rollbacks > numRuns,
    `they were not idle: ${tally.events} events, ${tally.rollbacks} rollbacks`,
  );
});
