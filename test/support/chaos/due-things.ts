/**
 * Things that become due by time, all the time, and a ledger that tells from the log whether each was done once (SPEC R15).
 *
 * Rule: each channel does one kind of thing, again and again: a rollout with two steps and a bake, a trial, or a scheduled activation. The
 * ledger reads only the log. A wait begins with an event that says until when; the next event of the system about it ends it.
 * Example: `const ledger = new DueLedger(); for (const event of log) ledger.add(event); t.same(ledger.faults(), [])`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Event } from '../../../registry/index.ts';
import { until, type Reply } from '../apps/instances.ts';

export type Kind = 'rollout' | 'trial' | 'schedule';

/** A time in which nothing could be done, in milliseconds since the epoch: what was due in it is due at its end. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

interface Wait {
  readonly channel: string;
  readonly dueAt: number;
}

export class DueLedger {
  /** The revision of the last event. */
  revision = 0;
  /** How many things were done, by kind. */
  readonly done: Record<Kind, number> = { rollout: 0, trial: 0, schedule: 0 };
  /** The active version of each channel. */
  readonly active = new Map<string, string>();
  readonly outages: Outage[] = [];
  /** The longest that something was late, in milliseconds, counted from the end of an outage. */
  latest = 0;
  readonly #waits = new Map<string, Wait>();
  readonly #faults: string[] = [];
  readonly #most: number;

  /** @param most how late something may be, in milliseconds. Default: any time */
  constructor(most = Infinity) {
    this.#most = most;
  }

  add(event: Event): void {
    this.revision = event.revision;
    const { pack, channel = '', version = '' } = event;
    if (pack !== 'coach') return;
    if (event.type === 'version-activated' || event.type === 'version-rolled-back') this.active.set(channel, version);
    const answered = answeredBy(event);
    if (answered !== undefined) this.#end(answered, event);
    const [name, until] = beginning(event) ?? [];
    if (name !== undefined && until !== undefined) this.#waits.set(name, { channel, dueAt: Date.parse(until) });
  }

  /** Whether something waits for its time, in one channel or in any. */
  waits(channel?: string): boolean {
    return [...this.#waits.values()].some((wait) => channel === undefined || wait.channel === channel);
  }

  /** When the first of what waits is due, in milliseconds since the epoch; Infinity if nothing waits. */
  get nextDue(): number {
    return Math.min(Infinity, ...[...this.#waits.values()].map(({ dueAt }) => dueAt));
  }

  /** What was done early, late, twice or, so far, never. */
  faults(): string[] {
    return [...this.#faults, ...[...this.#waits.keys()].map((name) => `${name} was never done`)];
  }

  #end(name: string, { type, revision, at }: Event): void {
    const wait = this.#waits.get(name);
    if (wait === undefined) {
      this.#faults.push(`revision ${revision} (${type}) does ${name} again`);
      return;
    }
    this.#waits.delete(name);
    this.done[name.split(' ')[0] as Kind] += 1;
    const [dueAt, doneAt] = [wait.dueAt, Date.parse(at)];
    const possibleFrom = this.outages.reduce(
      (time, { from, to }) => (time <= to && time + this.#most >= from ? to : time),
      dueAt,
    );
    this.latest = Math.max(this.latest, doneAt - possibleFrom);
    if (doneAt < dueAt) this.#faults.push(`revision ${revision} (${type}) does ${name} ${dueAt - doneAt} ms early`);
    if (doneAt - possibleFrom > this.#most)
      this.#faults.push(`revision ${revision} (${type}) does ${name} ${doneAt - possibleFrom} ms late`);
  }
}

/** What an event of the system does because it was due. */
function answeredBy({ type, actor, data }: Event): string | undefined {
  if (actor.keyId !== 'system' || type === 'rollout-started') return undefined;
  for (const kind of ['rollout', 'trial', 'schedule'] as const)
    if (kind in data) return `${kind} ${String((data as Record<string, unknown>)[kind])}`;
  return undefined;
}

/** The wait that an event begins: its name, and until when. */
function beginning({ type, id, revision, data }: Event): readonly [string, string | undefined] | undefined {
  switch (type) {
    case 'rollout-started':
      return [`rollout ${revision}`, data.nextAt];
    case 'rollout-advanced':
      return [`rollout ${data.rollout}`, data.nextAt];
    case 'version-activated':
      return [`trial ${revision}`, data.revertAt];
    case 'activation-scheduled':
      return [`schedule ${id}`, data.at];
    default:
      return undefined;
  }
}

/** A request to some instance that is up, until one answers. */
export type Change = (path: string, body: object) => Promise<Reply>;

const reason = 'Due in a moment';
const SOON = 1200;
/** How long to wait for what is due, in milliseconds: longer than any outage of the tests. */
const PATIENCE = 60_000;
const REQUESTS: Readonly<Record<Kind, (channel: string, version: string) => readonly [path: string, body: object]>> = {
  rollout: (channel, version) => [
    '/v1/packs/coach/rollouts',
    {
      channel,
      version,
      steps: [
        { share: 10, hold: '1s' },
        { share: 50, hold: '1s' },
      ],
      bake: '1s',
      finish: 'promote',
      reason,
    },
  ],
  trial: (channel, version) => ['/v1/packs/coach/activations', { channel, version, revertAfter: '1s', reason }],
  schedule: (channel, version) => [
    '/v1/packs/coach/schedule',
    { channel, version, at: new Date(Date.now() + SOON).toISOString(), reason },
  ],
};

/** Does one kind of thing in a channel, again and again. A request may be refused; the next one follows what the log says then. */
export async function keepBusy(
  { channel, kind }: { readonly channel: string; readonly kind: Kind },
  change: Change,
  ledger: DueLedger,
  goOn: () => boolean,
): Promise<void> {
  while (goOn()) {
    const version = ledger.active.get(channel) === '1.0.0' ? '1.1.0' : '1.0.0';
    const reply = await change(...REQUESTS[kind](channel, version));
    const revision = Number(reply.header('registry-revision'));
    const isDone = () => ledger.revision >= revision && !ledger.waits(channel);
    await until(`what is due in ${channel} is done`, PATIENCE, isDone);
  }
}

/** Brings a ledger up to date, again and again. @param read the events after a revision; it may reject while the store is away */
export async function follow(
  ledger: DueLedger,
  read: (after: number) => Promise<readonly Event[]>,
  goOn: () => boolean,
): Promise<void> {
  while (goOn()) {
    for (const event of await read(ledger.revision).catch(() => [])) ledger.add(event);
    await pause(30);
  }
}
