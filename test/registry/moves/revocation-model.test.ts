/**
 * Random histories of publications, moves, revocations and policy changes, compared with a model made of a few lists (SPEC R7, R8).
 *
 * In every reachable state: no active version is revoked; an active version is below the floor only if the policy changed after its
 * activation; every move leads to a version that may be active; the replacement of a revoked version is not revoked. The log folds to the
 * same state. A failure prints its seed and the shortest failing history.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import { seal, type Event } from '../../../registry/log/event.ts';
import { planStart } from '../../../registry/instance/first-start.ts';
import { newKey } from '../../../registry/keys/keys.ts';
import { SILENT } from '../../../registry/machine/logger.ts';
import type { PackContent } from '../../../registry/model.ts';
import { newSessionKey } from '../../../registry/sessions/session-ids.ts';
import {
  EMPTY_SNAPSHOT,
  isActivatable,
  replacementOf,
  type PackState,
  type Snapshot,
} from '../../../registry/state/snapshot.ts';
import { apply, foldFrom } from '../../../registry/events.ts';
import { decide, type Command } from '../../../registry/transitions.ts';
import { versionOf } from '../../support/packs/pack-documents.ts';
import { floorUnder } from '../../support/packs/policies.ts';
import { plain } from '../../support/stores/snapshots.ts';
import type { Decision } from '../../../registry/log/proposal.ts';
import type { VersionRecord } from '../../../registry/state/records.ts';

const RUNS: Record<string, number> = { short: 200, faults: 2000, soak: 4000 };
const numRuns = RUNS[process.env['TEST_LENGTH'] ?? 'short'] ?? 200;

const CHANNELS = ['production', 'staging'];
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '2.1.0'];
const STARTED = ['1.0.0', '2.0.0'];
const actor = { keyId: 'operator-1', label: 'Operator on call' };

class Model {
  readonly published = new Set<string>();
  /** Version and its replacement. */
  readonly revoked = new Map<string, string | undefined>();
  under = new Set<string>();
  readonly stacks = new Map<string, string[]>();
  readonly #everActive = new Set<string>();

  move(channel: string, stack: string[]): void {
    this.stacks.set(channel, stack);
    this.#everActive.add(`${channel} ${stack.at(-1)}`);
  }

  everActive(channel: string, version: string): boolean {
    return this.#everActive.has(`${channel} ${version}`);
  }

  may(version: string): boolean {
    return this.published.has(version) && !this.revoked.has(version) && !this.under.has(version);
  }

  /** The stack of a channel after this version is removed from its top. */
  below(channel: string): string[] | undefined {
    const stack = this.stacks.get(channel) ?? [];
    const found = stack.findLastIndex((version) => version !== stack.at(-1) && this.may(version));
    return found === -1 ? undefined : stack.slice(0, found + 1);
  }

  /** Why a version may not be made active. */
  refusal(version: string): string | undefined {
    if (this.revoked.has(version)) return 'version-revoked';
    return this.under.has(version) ? 'policy-violated' : undefined;
  }
}

class Real {
  snapshot: Snapshot = EMPTY_SNAPSHOT;
  policyVersion = 0;
  readonly log: Event[] = [];
  readonly contents = new Map<string, PackContent>();

  get coach(): PackState | undefined {
    return this.snapshot.packs.get('coach');
  }

  /** The code it is refused with, `nothing`, or `done`. */
  command(command: Command): string {
    let decision: Decision;
    try {
      decision = decide(this.snapshot, command, { channels: CHANNELS, now: Date.UTC(2026, 0, 31) });
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
    this.take(decision);
    return decision.events.length === 0 ? 'nothing' : 'done';
  }

  /** A start with a policy that these versions violate. */
  async changePolicy(under: readonly string[]): Promise<void> {
    this.policyVersion += 1;
    const options = {
      shipped: [],
      policies: [floorUnder('coach', this.policyVersion, ...under)],
      channels: CHANNELS,
      defaultPack: 'coach',
      defaultVersion: undefined,
    };
    const knownContent = async (digest: string) => this.contents.get(digest) ?? assert.fail(`${digest} is not there`);
    this.take(
      await planStart(this.snapshot, options, {
        newId: () => 'registry-1',
        newSessionKey: () => newSessionKey(''),
        newKey,
        instance: 'a',
        operatorKey: undefined,
        knownContent,
        logger: SILENT,
      }),
    );
  }

  take({ events, contents }: Decision): void {
    for (const { digest, content } of contents) this.contents.set(digest, content);
    const clock = {
      now: () => 1_767_225_600_000,
      newId: () => `event-${this.log.length}`,
      notBefore: this.snapshot.at,
    };
    for (const event of seal(events, this.snapshot, clock)) {
      this.snapshot = apply(this.snapshot, event, this.contents);
      this.log.push(event);
      this.#requireFloor(event);
    }
  }

  /** What must hold after every event. */
  #requireFloor(event: Event): void {
    const state = this.coach;
    if (state === undefined) return;
    for (const pointer of state.pointers.values()) {
      const record: VersionRecord = state.versions.get(pointer.version)!;
      assert.equal(record.revocation, undefined, `${pointer.channel} is at ${pointer.version}, which is revoked`);
      if (pointer.revision === event.revision)
        assert.ok(isActivatable(record), `${event.type} landed on ${pointer.version}`);
      if (record.violations.length > 0)
        assert.ok(
          (state.policy?.revision ?? 0) > pointer.revision,
          `${pointer.version} was below the floor when ${pointer.channel} came to it`,
        );
      assert.equal(
        this.snapshot.views.get('coach')?.get(pointer.channel)?.content.version,
        pointer.version,
        'reads match the pointer',
      );
    }
    for (const revoked of state.versions)
      assert.equal(
        replacementOf(state, revoked)?.revocation,
        undefined,
        `the replacement of ${revoked.version} is revoked`,
      );
  }
}

/** One step: first in the model, then in the service. */
abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const expected = this.expect(model);
    assert.equal(await this.act(real), expected);
    for (const channel of CHANNELS)
      assert.deepEqual(real.coach?.pointers.get(channel)?.stack ?? [], model.stacks.get(channel) ?? [], channel);
    for (const { version, violations, revocation } of real.coach?.versions ?? []) {
      assert.deepEqual(
        [violations.length > 0, revocation?.replacement, revocation !== undefined],
        [model.under.has(version), model.revoked.get(version), model.revoked.has(version)],
        version,
      );
    }
  }

  /** Takes the step in the model. @returns the expected result: a code, `nothing`, or `done` */
  abstract expect(model: Model): string;
  abstract act(real: Real): string | Promise<string>;
  abstract toString(): string;
}

class Publish extends Step {
  readonly version: string;
  readonly belowFloor: 'flag' | 'refuse';

  constructor(version: string, belowFloor: 'flag' | 'refuse') {
    super();
    this.version = version;
    this.belowFloor = belowFloor;
  }

  expect({ published, under }: Model): string {
    if (published.has(this.version)) return 'nothing';
    if (under.has(this.version) && this.belowFloor === 'refuse') return 'policy-violated';
    published.add(this.version);
    return 'done';
  }

  act(real: Real): string {
    return real.command({
      type: 'publish',
      version: versionOf('coach', this.version),
      actor,
      reason: 'New',
      belowFloor: this.belowFloor,
    });
  }

  override toString(): string {
    return `publish ${this.version} (${this.belowFloor})`;
  }
}

class Activate extends Step {
  readonly channel: string;
  readonly version: string;

  constructor(channel: string, version: string) {
    super();
    this.channel = channel;
    this.version = version;
  }

  expect(model: Model): string {
    const stack = model.stacks.get(this.channel) ?? [];
    if (!model.published.has(this.version)) return 'unknown-version';
    if (stack.at(-1) === this.version) return 'nothing';
    const refusal = model.refusal(this.version);
    if (refusal !== undefined) return refusal;
    model.move(this.channel, [...stack, this.version]);
    return 'done';
  }

  act(real: Real): string {
    return real.command({
      type: 'activate',
      pack: 'coach',
      channel: this.channel,
      version: this.version,
      actor,
      reason: 'On',
    });
  }

  override toString(): string {
    return `activate ${this.channel} ${this.version}`;
  }
}

class Rollback extends Step {
  readonly channel: string;
  readonly toVersion: string | undefined;

  constructor(channel: string, toVersion: string | undefined) {
    super();
    this.channel = channel;
    this.toVersion = toVersion;
  }

  expect(model: Model): string {
    const stack = model.stacks.get(this.channel) ?? [];
    if (this.toVersion === undefined) {
      const below = model.below(this.channel);
      if (below === undefined) return 'nothing-to-roll-back-to';
      model.move(this.channel, below);
      return 'done';
    }
    if (!model.published.has(this.toVersion)) return 'unknown-version';
    if (!model.everActive(this.channel, this.toVersion)) return 'never-active';
    if (stack.at(-1) === this.toVersion) return 'nothing';
    const refusal = model.refusal(this.toVersion);
    if (refusal !== undefined) return refusal;
    const index = stack.lastIndexOf(this.toVersion);
    model.move(this.channel, index === -1 ? [...stack, this.toVersion] : stack.slice(0, index + 1));
    return 'done';
  }

  act(real: Real): string {
    return real.command({
      type: 'rollback',
      pack: 'coach',
      channel: this.channel,
      actor,
      reason: 'Back',
      ...(this.toVersion !== undefined && { toVersion: this.toVersion }),
    });
  }

  override toString(): string {
    return `rollback ${this.channel} ${this.toVersion ?? ''}`;
  }
}

class Revoke extends Step {
  readonly version: string;
  readonly replacement: string | undefined;

  constructor(version: string, replacement: string | undefined) {
    super();
    this.version = version;
    this.replacement = replacement;
  }

  expect(model: Model): string {
    const { version, replacement } = this;
    if (!model.published.has(version)) return 'version-not-found';
    if (model.revoked.has(version))
      return replacement === undefined || replacement === model.revoked.get(version) ? 'nothing' : 'version-revoked';
    if (replacement !== undefined) {
      if (replacement === version || !model.published.has(replacement)) return 'unknown-version';
      const refusal = model.refusal(replacement);
      if (refusal !== undefined) return refusal;
    }
    const moved = [...model.stacks].filter(([, stack]) => stack.at(-1) === version);
    const next = moved.map(
      ([channel, stack]) =>
        [channel, replacement === undefined ? model.below(channel) : [...stack.slice(0, -1), replacement]] as const,
    );
    if (next.some(([, stack]) => stack === undefined)) return 'replacement-required';
    for (const [channel, stack] of next) model.move(channel, stack ?? []);
    model.revoked.set(version, replacement);
    return 'done';
  }

  act(real: Real): string {
    return real.command({
      type: 'revoke',
      pack: 'coach',
      version: this.version,
      actor,
      reason: 'Never again',
      ...(this.replacement !== undefined && { replacement: this.replacement }),
    });
  }

  override toString(): string {
    return `revoke ${this.version} -> ${this.replacement ?? 'down'}`;
  }
}

class ChangePolicy extends Step {
  readonly under: readonly string[];

  constructor(under: readonly string[]) {
    super();
    this.under = under;
  }

  expect(model: Model): string {
    model.under = new Set(this.under);
    return 'done';
  }

  async act(real: Real): Promise<string> {
    await real.changePolicy(this.under);
    return 'done';
  }

  override toString(): string {
    return `policy above ${this.under.join(', ')}`;
  }
}

t.test(`${numRuns} random histories never activate a version that is revoked or below the floor`, async (t) => {
  const channel = fc.constantFrom(...CHANNELS);
  const version = fc.constantFrom(...VERSIONS);
  const perhaps = fc.option(version, { nil: undefined });
  const activate = fc.tuple(channel, version).map((args) => new Activate(...args));
  const commands = fc.commands(
    [
      fc.tuple(version, fc.constantFrom('flag' as const, 'refuse' as const)).map((args) => new Publish(...args)),
      ...Array<typeof activate>(4).fill(activate),
      channel.map((name) => new Rollback(name, undefined)),
      fc.tuple(channel, version).map((args) => new Rollback(...args)),
      fc.tuple(version, perhaps).map((args) => new Revoke(...args)),
      fc.subarray(VERSIONS, { maxLength: 2 }).map((under) => new ChangePolicy(under)),
    ],
    { maxCommands: 60, size: 'max' },
  );
  const tally: Record<string, number> = {};
  const history = fc.asyncProperty(commands, async (list) => {
    const [model, real] = [new Model(), new Real()];
    for (const name of STARTED) await new Publish(name, 'flag').run(model, real);
    await fc.asyncModelRun(() => ({ model, real }), list);
    for (const { type } of real.log) tally[type] = (tally[type] ?? 0) + 1;
    const fold = foldFrom(EMPTY_SNAPSHOT);
    for (const event of JSON.parse(JSON.stringify(real.log)) as Event[]) fold.add(event);
    assert.deepEqual(plain(fold.freeze(real.contents)), plain(real.snapshot), 'the log from a disk');
  });
  await t.resolves(fc.assert(history, { numRuns }));
  for (const type of ['version-activated', 'version-rolled-back', 'version-revoked', 'policy-changed'])
    t.ok((tally[type] ?? 0) > numRuns / 4, `${type}: ${tally[type]}`);
});
