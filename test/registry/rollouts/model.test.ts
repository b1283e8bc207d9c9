/**
 * Random histories of moves, rollouts, schedules, trials and sessions, compared with a model of a few variables. `decide`, `due`, `seal` and
 * `apply` must match it command by command, and the log must fold to the same state at once.
 *
 * The model holds one channel. Its sessions are moved at once when a move says so; the real ones are walked when they are read.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import { apply, foldFrom } from '../../../registry/events.ts';
import { seal, type Event } from '../../../registry/log/event.ts';
import type { PackContent, SessionPolicy, Step } from '../../../registry/model.ts';
import { due } from '../../../registry/rollouts/due.ts';
import { newSessionKey, newSessionName, Sessions } from '../../../registry/sessions/session-ids.ts';
import { sessionOf } from '../../../registry/sessions/session.ts';
import { EMPTY_SNAPSHOT, viewIn, type Snapshot } from '../../../registry/state/snapshot.ts';
import { armFor } from '../../../registry/state/views.ts';
import { decide, type Command } from '../../../registry/transitions.ts';
import { versionOf } from '../../support/packs/pack-documents.ts';
import { plain } from '../../support/stores/snapshots.ts';

const RUNS: Record<string, number> = { short: 200, faults: 5000, soak: 5000 };
const numRuns = RUNS[process.env['TEST_LENGTH'] ?? 'short'] ?? 200;

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0'] as const;
const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 31);
const WHO = { actor: { keyId: 'operator-1', label: 'Operator on call' }, reason: 'A random history' };
const HERE = { pack: 'coach', channel: 'production' };

interface Plan {
  readonly steps: readonly Step[];
  readonly bake?: string;
  readonly finish: 'promote' | 'wait';
}
const PLANS: readonly Plan[] = [
  {
    steps: [
      { share: 10, hold: '10m' },
      { share: 50, hold: '10m' },
      { share: 90, hold: '20m' },
    ],
    bake: '1h',
    finish: 'promote',
  },
  { steps: [{ share: 1 }, { share: 100 }], finish: 'wait' },
  { steps: [{ share: 20, hold: '10m' }], finish: 'promote' },
  { steps: [{ share: 0 }, { share: 33.333, hold: '30m' }], bake: '10m', finish: 'wait' },
];

interface ModelRollout {
  readonly version: string;
  readonly plan: Plan;
  share: number;
  step: number;
  phase: 'running' | 'baking';
  /** When its wait is over; undefined: there is none. */
  dueAt: number | undefined;
  /** Milliseconds left while it is paused. */
  paused: { left: number | undefined } | undefined;
  end: 'promoted' | 'aborted' | undefined;
}

/** One channel in plain variables. */
class Model {
  now = START;
  stack: string[] = [];
  moves = 0;
  readonly revoked = new Map<string, boolean>();
  rollout: ModelRollout | undefined;
  trialUntil: number | undefined;
  schedule: { version: string; at: number; moves: number; sessions: SessionPolicy }[] = [];
  readonly sessions: { version: string; ended: boolean; readonly id: string }[] = [];

  get top(): string | undefined {
    return this.stack.at(-1);
  }

  get running(): ModelRollout | undefined {
    return this.rollout?.end === undefined ? this.rollout : undefined;
  }

  below(): string | undefined {
    return this.stack.findLast((version) => version !== this.top && !this.revoked.has(version));
  }

  moveTo(version: string, kind: 'push' | 'pop', sessions: SessionPolicy): void {
    const left = this.top;
    const index = kind === 'push' ? -1 : this.stack.lastIndexOf(version, this.stack.length - 2);
    if (index >= 0) this.stack.length = index + 1;
    else this.stack.push(version);
    this.moves += 1;
    this.trialUntil = undefined;
    if (this.running !== undefined) this.running.end = this.running.version === version ? 'promoted' : 'aborted';
    if (left !== undefined) this.send(left, version, sessions);
  }

  send(from: string, to: string, policy: SessionPolicy): void {
    if (policy === 'keep') return;
    for (const session of this.sessions) {
      if (session.ended || session.version !== from) continue;
      if (policy === 'end') session.ended = true;
      else session.version = to;
    }
  }

  abort(sessions: SessionPolicy): void {
    const { running, top } = this;
    if (running === undefined || top === undefined) return;
    running.end = 'aborted';
    this.send(running.version, top, sessions);
  }

  takeStep(rollout: ModelRollout, step: number): void {
    const { share = 0, hold } = rollout.plan.steps[step] ?? {};
    Object.assign(rollout, { step, share, phase: 'running', paused: undefined, dueAt: this.after(hold) });
  }

  after(wait: string | undefined): number | undefined {
    if (wait === undefined) return undefined;
    return this.now + parseInt(wait, 10) * (wait.endsWith('h') ? 60 : 1) * MINUTE;
  }

  next(rollout: ModelRollout): boolean {
    const { plan, step, phase } = rollout;
    if (phase === 'baking') return false;
    if (step + 1 < plan.steps.length) this.takeStep(rollout, step + 1);
    else if (plan.bake === undefined) return false;
    else Object.assign(rollout, { phase: 'baking', paused: undefined, dueAt: this.after(plan.bake) });
    return true;
  }

  /** Does one thing that is due. @returns whether there was one */
  doDue(): boolean {
    const { running: rollout, now } = this;
    if (rollout?.paused === undefined && rollout?.dueAt !== undefined && rollout.dueAt <= now) {
      const last = rollout.plan.steps.length - 1;
      if (rollout.phase === 'running' && rollout.step < last) {
        let [step, at] = [rollout.step + 1, rollout.dueAt];
        while (step < last) {
          const wait = this.after(rollout.plan.steps[step]?.hold);
          if (wait === undefined) break;
          at += wait - now;
          if (at > now) break;
          step += 1;
        }
        this.takeStep(rollout, step);
        return true;
      }
      if (this.next(rollout)) return true;
      if (rollout.plan.finish === 'promote') {
        this.moveTo(rollout.version, 'push', 'keep');
        return true;
      }
    }
    if (this.trialUntil !== undefined && this.trialUntil <= now) {
      const below = this.below();
      if (below === undefined) this.trialUntil = undefined;
      else this.moveTo(below, 'pop', 'keep');
      return true;
    }
    const index = this.schedule.findIndex(({ at }) => at <= now);
    const [scheduled] = index < 0 ? [] : this.schedule.splice(index, 1);
    if (scheduled === undefined) return false;
    const { version, at, moves, sessions } = scheduled;
    const free = this.running === undefined && this.trialUntil === undefined;
    const fits = now - at <= 60 * MINUTE && moves === this.moves && version !== this.top && !this.revoked.has(version);
    if (free && fits) this.moveTo(version, 'push', sessions);
    return true;
  }
}

/** The real thing, without a store. */
class Real {
  snapshot: Snapshot = EMPTY_SNAPSHOT;
  readonly log: Event[] = [];
  readonly contents = new Map<string, PackContent>();
  readonly sessions = new Sessions([newSessionKey(new Date(START).toISOString())], 365 * 1440 * MINUTE);

  constructor() {
    for (const version of VERSIONS) this.run({ type: 'publish', version: versionOf('coach', version), ...WHO }, START);
  }

  /** @returns the code of a refusal, or the type of the event, or `nothing` */
  run(command: Command, now: number): string {
    let decision;
    try {
      decision = decide(this.snapshot, command, { channels: ['production'], now });
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
    for (const { digest, content } of decision.contents) this.contents.set(digest, content);
    const clock = { now: () => now, newId: () => `event-${this.log.length}`, notBefore: this.snapshot.at };
    for (const event of seal(decision.events, this.snapshot, clock)) {
      this.snapshot = apply(this.snapshot, event, this.contents);
      this.log.push(event);
    }
    return decision.events[0]?.type ?? 'nothing';
  }
}

/** A step of a history: what the model says of it, and the command. */
interface Act {
  /** @returns the expected result; it changes the model */
  expected(model: Model): string;
  command(model: Model, real: Real): Command;
}

class Ask implements fc.AsyncCommand<Model, Real> {
  readonly #act: Act;
  readonly #name: string;

  constructor(name: string, act: Act) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const command = this.#act.command(model, real);
    const result = real.run(command, model.now);
    assert.equal(result, this.#act.expected(model), this.toString());
    await same(model, real);
  }

  toString(): string {
    return this.#name;
  }
}

async function same(model: Model, real: Real): Promise<void> {
  const state = real.snapshot.packs.get('coach');
  const plan = state?.plans.get('production');
  assert.deepEqual(state?.pointers.get('production')?.stack ?? [], model.stack, 'the stack');
  const rollout = plan?.rollout;
  const { running } = model;
  assert.deepEqual(
    rollout && {
      version: rollout.version,
      share: rollout.share,
      step: rollout.step,
      state: rollout.state,
      dueAt: rollout.nextAt === undefined ? undefined : Date.parse(rollout.nextAt),
      left: rollout.paused?.remaining,
    },
    running && {
      version: running.version,
      share: Math.round(running.share * 1000),
      step: running.step,
      state: running.paused === undefined ? running.phase : 'paused',
      dueAt: running.paused === undefined ? running.dueAt : undefined,
      left: running.paused?.left,
    },
    'the rollout',
  );
  if (model.rollout?.end !== undefined) assert.equal(plan?.ended[0]?.state, model.rollout.end, 'how it ended');
  assert.equal(plan?.trial === undefined ? undefined : Date.parse(plan.trial.revertAt), model.trialUntil, 'the trial');
  const scheduled = (plan?.schedule ?? []).map(({ version, at }) => ({ version, at: Date.parse(at) }));
  assert.deepEqual(
    scheduled,
    model.schedule.map(({ version, at }) => ({ version, at })),
    'the schedule',
  );
  for (const session of model.sessions)
    assert.equal(await servedTo(session.id, model, real), expectedOf(session, model));
}

async function servedTo(id: string, { now }: Model, { sessions, snapshot, contents }: Real): Promise<string> {
  try {
    const pin = sessions.read(snapshot, id, now);
    const read = async ({ digest }: { digest: string }) => contents.get(digest) ?? assert.fail('no content');
    return (await sessionOf(id, pin, snapshot, read)).promptPack.version;
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

function expectedOf({ version, ended }: Model['sessions'][number], { revoked, top }: Model): string | undefined {
  if (ended || revoked.get(version) === true) return 'session-ended';
  return revoked.has(version) ? top : version;
}

const activate = (version: string, trial: boolean, sessions: SessionPolicy): Act => ({
  command: () => ({
    type: 'activate',
    ...HERE,
    ...WHO,
    version,
    sessions,
    ...(trial && { revertAfter: 30 * MINUTE }),
  }),
  expected(model) {
    if (version === model.top) {
      if (trial) return model.trialUntil === undefined ? 'already-active' : 'trial-running';
      if (model.running !== undefined) return (model.abort(sessions), 'rollout-aborted');
      if (model.trialUntil === undefined) return 'nothing';
      model.trialUntil = undefined;
      return 'activation-confirmed';
    }
    if (model.revoked.has(version)) return 'version-revoked';
    if (trial && model.top === undefined) return 'nothing-to-roll-back-to';
    model.moveTo(version, 'push', sessions);
    if (trial) model.trialUntil = model.now + 30 * MINUTE;
    return 'version-activated';
  },
});

const rollBack = (sessions: SessionPolicy): Act => ({
  command: () => ({ type: 'rollback', ...HERE, ...WHO, sessions }),
  expected(model) {
    if (model.running !== undefined) return (model.abort(sessions), 'rollout-aborted');
    const below = model.below();
    if (below === undefined) return 'nothing-to-roll-back-to';
    model.moveTo(below, 'pop', sessions);
    return 'version-rolled-back';
  },
});

const start = (version: string, plan: Plan): Act => ({
  command: () => ({ type: 'start-rollout', ...HERE, ...WHO, version, ...plan, salt: 'salt', olderInstances: [] }),
  expected(model) {
    if (model.top === undefined) return 'channel-not-found';
    if (model.running !== undefined) return 'rollout-running';
    if (model.trialUntil !== undefined) return 'trial-running';
    if (model.top === version) return 'already-active';
    if (model.revoked.has(version)) return 'version-revoked';
    const rollout: ModelRollout = {
      version,
      plan,
      share: 0,
      step: 0,
      phase: 'running',
      dueAt: undefined,
      paused: undefined,
      end: undefined,
    };
    model.rollout = rollout;
    model.takeStep(rollout, 0);
    return 'rollout-started';
  },
});

type Verb = 'advance-rollout' | 'pause-rollout' | 'resume-rollout' | 'promote-rollout' | 'abort-rollout';

/** @param holds the end of the rollout after which the verb holds already */
const steer = (
  type: Verb,
  does: (rollout: ModelRollout, model: Model) => string,
  more: object = {},
  holds?: 'promoted' | 'aborted',
): Act => ({
  command: (_model, real) => {
    const plan = real.snapshot.packs.get('coach')?.plans.get('production');
    const rollout = plan?.rollout ?? plan?.ended[0];
    return { type, pack: 'coach', rollout: rollout?.id ?? 0, ...WHO, ...more };
  },
  expected(model) {
    const { rollout } = model;
    if (rollout === undefined) return 'rollout-not-found';
    if (rollout.end === undefined) return does(rollout, model);
    return rollout.end === holds ? 'nothing' : 'rollout-ended';
  },
});

const advance = steer('advance-rollout', (rollout, model) => (model.next(rollout) ? 'rollout-advanced' : 'nothing'));

const setShare = (share: number) =>
  steer(
    'advance-rollout',
    (rollout, model) => {
      if (rollout.share === share && rollout.phase === 'running' && rollout.paused === undefined) return 'nothing';
      const step = rollout.plan.steps.filter((each) => each.share <= share).length - 1;
      const dueAt = model.after(rollout.plan.steps[step]?.hold);
      Object.assign(rollout, { share, step, phase: 'running', paused: undefined, dueAt });
      return 'rollout-advanced';
    },
    { share: share * 1000 },
  );

const pause = steer('pause-rollout', (rollout, model) => {
  if (rollout.paused !== undefined) return 'nothing';
  rollout.paused = { left: rollout.dueAt === undefined ? undefined : Math.max(0, rollout.dueAt - model.now) };
  return 'rollout-paused';
});

const resume = steer('resume-rollout', (rollout, model) => {
  if (rollout.paused === undefined) return 'nothing';
  const { left } = rollout.paused;
  rollout.dueAt = left === undefined ? undefined : model.now + left;
  rollout.paused = undefined;
  return 'rollout-resumed';
});

const promote = (sessions: SessionPolicy) =>
  steer(
    'promote-rollout',
    (rollout, model) => (model.moveTo(rollout.version, 'push', sessions), 'version-activated'),
    { sessions },
    'promoted',
  );

const abort = (sessions: SessionPolicy) =>
  steer('abort-rollout', (_rollout, model) => (model.abort(sessions), 'rollout-aborted'), { sessions }, 'aborted');

const revoke = (version: string, sessions: 'next-turn' | 'end'): Act => ({
  command: () => ({ type: 'revoke', pack: 'coach', version, sessions, ...WHO }),
  expected(model) {
    // A revocation is final: a repeat that asks for something else is refused.
    if (model.revoked.has(version))
      return model.revoked.get(version) === (sessions === 'end') ? 'nothing' : 'version-revoked';
    if (model.top === version) {
      const below = model.below();
      if (below === undefined) return 'replacement-required';
      model.revoked.set(version, sessions === 'end');
      model.moveTo(below, 'pop', 'keep');
    }
    model.revoked.set(version, sessions === 'end');
    if (model.running?.version === version) model.running.end = 'aborted';
    return 'version-revoked';
  },
});

const schedule = (version: string, minutes: number, sessions: SessionPolicy): Act => ({
  command: ({ now }) => ({
    type: 'schedule-activation',
    ...HERE,
    ...WHO,
    version,
    sessions,
    at: new Date(now + minutes * MINUTE).toISOString(),
  }),
  expected(model) {
    if (model.revoked.has(version)) return 'version-revoked';
    if (model.schedule.length >= 20) return 'schedule-full';
    model.schedule.push({ version, at: model.now + minutes * MINUTE, moves: model.moves, sessions });
    model.schedule.sort((a, b) => a.at - b.at);
    return 'activation-scheduled';
  },
});

const cancel: Act = {
  command: (_model, real) => {
    const first = real.snapshot.packs.get('coach')?.plans.get('production')?.schedule[0];
    return { type: 'cancel-schedule', pack: 'coach', schedule: first?.id ?? 'none', ...WHO };
  },
  expected: (model) => (model.schedule.shift() === undefined ? 'schedule-not-found' : 'schedule-cancelled'),
};

const confirm: Act = {
  command: () => ({ type: 'confirm-activation', ...HERE, ...WHO }),
  expected(model) {
    if (model.trialUntil === undefined) return 'no-trial';
    model.trialUntil = undefined;
    return 'activation-confirmed';
  },
};

/** Time passes, and everything that is due is done by two instances: the second finds nothing to do. */
class Pass implements fc.AsyncCommand<Model, Real> {
  readonly #minutes: number;

  constructor(minutes: number) {
    this.#minutes = minutes;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    model.now += this.#minutes * MINUTE;
    for (let rounds = 0; ; rounds += 1) {
      assert.ok(rounds < 50, 'what is due comes to an end');
      const [first] = due(real.snapshot, model.now);
      assert.equal(model.doDue(), first !== undefined, `something is due: ${JSON.stringify(first)}`);
      if (first === undefined) break;
      assert.notEqual(real.run(first, model.now), 'nothing');
      if (first.type !== 'keep-plan') assert.equal(real.run(first, model.now), 'nothing', 'once');
      await same(model, real);
    }
  }

  toString(): string {
    return `pass(${this.#minutes})`;
  }
}

class StartSession implements fc.AsyncCommand<Model, Real> {
  readonly #subject: string;

  constructor(subject: string) {
    this.#subject = subject;
  }

  check(model: Model): boolean {
    return model.top !== undefined && model.sessions.length < 10;
  }

  async run(model: Model, real: Real): Promise<void> {
    const view = viewIn(real.snapshot, 'coach', 'production');
    const { arm, assignment } = armFor(view, this.#subject, {});
    const { epoch } = real.snapshot;
    const made = real.sessions.start({ view: arm, epoch, assignment, random: newSessionName(), now: model.now });
    const { version } = made.promptPack;
    assert.equal(version, assignment?.arm === 'candidate' ? model.running?.version : model.top);
    assert.deepEqual(real.sessions.read(real.snapshot, made.sessionId, model.now).assignment, assignment);
    model.sessions.push({ version, ended: false, id: made.sessionId });
  }

  toString(): string {
    return `session(${this.#subject})`;
  }
}

const version = fc.constantFrom(...VERSIONS);
const policy = fc.constantFrom<SessionPolicy>('keep', 'next-turn', 'end');
const named = (name: string, act: Act) => new Ask(name, act);
const commands = [
  fc.tuple(version, fc.boolean(), policy).map((all) => named(`activate(${all.join()})`, activate(...all))),
  policy.map((sessions) => named(`rollBack(${sessions})`, rollBack(sessions))),
  fc
    .tuple(version, fc.nat(PLANS.length - 1))
    .map(([candidate, index]) =>
      named(`start(${candidate}, plan ${index})`, start(candidate, PLANS[index] ?? assert.fail())),
    ),
  fc.constant(named('advance', advance)),
  fc.constantFrom(0, 10, 30, 100).map((share) => named(`setShare(${share})`, setShare(share))),
  fc.constant(named('pause', pause)),
  fc.constant(named('resume', resume)),
  policy.map((sessions) => named(`promote(${sessions})`, promote(sessions))),
  policy.map((sessions) => named(`abort(${sessions})`, abort(sessions))),
  fc
    .tuple(version, fc.constantFrom('next-turn' as const, 'end' as const))
    .map((all) => named(`revoke(${all.join()})`, revoke(...all))),
  fc
    .tuple(version, fc.constantFrom(5, 30, 120), policy)
    .map((all) => named(`schedule(${all.join()})`, schedule(...all))),
  fc.constant(named('cancel', cancel)),
  fc.constant(named('confirm', confirm)),
  fc.constantFrom(1, 10, 25, 90, 1440).map((minutes) => new Pass(minutes)),
  fc.stringMatching(/^[a-z]{1,8}$/u).map((subject) => new StartSession(subject)),
];

t.test('random histories match the model', async (t) => {
  const property = fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (history) => {
    const [model, real] = [new Model(), new Real()];
    await fc.asyncModelRun(() => ({ model, real }), history);
    const fold = foldFrom(EMPTY_SNAPSHOT);
    for (const event of real.log) fold.add(event);
    assert.deepEqual(plain(fold.freeze(real.contents)), plain(real.snapshot), 'the log folds to the same state');
  });
  await t.resolves(fc.assert(property, { numRuns }));
});
