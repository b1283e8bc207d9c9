/**
 * Clients that move and read one channel of `coach` at several instances, and write down what they asked and were told.
 *
 * Problem: if an answer is lost, only the log knows what the write did, and the maker of an event must be certain.
 * Rule: every write has a unique reason, which finds its event after the run. A write that is repeated under its Idempotency-Key, at any
 * instance, is one operation from its first attempt. But a no-op and a refusal are decided again each time, and a stopped instance may
 * still execute a request that was cut, once. So after a cut attempt they are a separate operation, and the attempts before have an
 * unknown outcome.
 * Example: `const clients = new PointerClients({ … }); await Promise.all(clients.run(10)); check({ operations: clients.history(events), … })`.
 */
import type { Event } from '../../registry/log/event.ts';
import type { Answer, Ask } from '../support/http/keep-alive.ts';
import { ATTEMPT, type Roaming } from '../support/chaos/roaming.ts';
import type { History, Operation, Told } from './checker.ts';
import type { MoveEvent } from './pointer-log.ts';

export interface PointerClientsOptions {
  readonly instances: number;
  readonly random: () => number;
  readonly versions: readonly string[];
  readonly channel: string;
  /** Another channel, whose moves are not recorded: the log moves on without the pointer. */
  readonly otherChannel: string;
  /** How many operations to record. */
  readonly wanted: number;
  /** What a strong read carries; see `History`. */
  readonly strongReadsKnow: NonNullable<History['strongReadsKnow']>;
  /** The head of the log at the start. */
  readonly since: number;
  /** Makes reasons and Idempotency-Keys other than those of other runs on the same log. */
  readonly run: string;
}

/** An operation, and the reason in its event if it may have made one. */
type Recorded = Operation & { readonly reason?: string };

interface Client {
  readonly name: string;
  readonly roaming: Roaming;
  /** The highest log revision that this client was told. */
  seen: number;
  at: number;
  /** The instance that failed it last. */
  shunned: number | undefined;
}

/** The outcome of one attempt. */
type Verdict = 'made' | 'changed nothing' | 'refused' | 'not sent' | 'unknown' | 'cut';

const TRIES = 4;
const REFUSALS: ReadonlySet<string> = new Set([
  'nothing-to-roll-back-to',
  'never-active',
  'not-active',
  'already-active',
  'rollout-running',
  'rollout-ended',
  'rollout-not-found',
]);

/** The revision of the end of a rollout, until the log is known. */
const ENDED = -1;

/** Everything that a client asks for except reads. */
type Change = Exclude<Operation['kind'], 'read'>;

export class PointerClients {
  readonly recorded: Recorded[] = [];
  /** Answers that no client should ever be given. */
  readonly surprises: string[] = [];
  /** How often a client asked another instance than the time before, and tries that were repeats. */
  hops = 0;
  repeats = 0;
  replays = 0;
  readonly #options: PointerClientsOptions;
  /** The rollout that an answer named last. */
  #rollout: number | undefined;
  #highest: number;
  #acknowledged: number;
  #number = 0;

  constructor(options: PointerClientsOptions) {
    this.#options = options;
    this.#highest = options.since;
    this.#acknowledged = options.since;
  }

  get done(): boolean {
    return this.recorded.length >= this.#options.wanted;
  }

  /** One client's life; resolves when all together have done enough. */
  async run(name: string, roaming: Roaming): Promise<void> {
    const { random, instances, since } = this.#options;
    const client: Client = { name, roaming, seen: since, at: Math.floor(random() * instances), shunned: undefined };
    while (!this.done) {
      if (random() < 0.3) this.#hop(client);
      const kind = random();
      if (kind < 0.6) await this.#read(client);
      else if (kind < 0.72) await this.#move(client, 'activate', { version: this.#oneOf(this.#options.versions) });
      else if (kind < 0.8) await this.#move(client, 'start', { version: this.#oneOf(this.#options.versions) });
      else if (kind < 0.84 && this.#rollout !== undefined)
        await this.#move(client, 'abort', { rollout: this.#rollout });
      else if (kind < 0.95)
        await this.#move(
          client,
          'rollback',
          random() < 0.3
            ? { toVersion: this.#oneOf(this.#options.versions) }
            : random() < 0.3
              ? { fromVersion: this.#oneOf(this.#options.versions) }
              : {},
        );
      else await this.#moveOther(client);
    }
  }

  /** What was recorded, each write with the event that it made. @throws where one made two */
  history(events: readonly Event[]): Operation[] {
    const made = new Map<string, Event>();
    for (const event of events) {
      const { reason, revision } = event;
      if (made.has(reason) && reason.startsWith('Operation '))
        throw new Error(`"${reason}" had two effects, the second at revision ${revision}.`);
      made.set(reason, event);
    }
    return this.recorded.map(({ reason, ...operation }) => {
      const event = reason === undefined ? undefined : made.get(reason);
      if (event === undefined) return operation;
      const { result } = operation;
      const found = result?.revision === ENDED ? { result: { ...result, revision: event.revision } } : {};
      return { ...operation, eventId: event.id, ...found };
    });
  }

  async #read(client: Client): Promise<void> {
    const { channel, random, strongReadsKnow } = this.#options;
    const minRevision = Math.max(client.seen, strongReadsKnow === 'answers' ? this.#highest : this.#acknowledged);
    const strong = random() < 0.9;
    const invokedAt = performance.now();
    const headers: Record<string, string> = strong ? { 'registry-min-revision': String(minRevision) } : {};
    const ofPointer = random() < 0.5;
    const path = ofPointer ? `/v1/packs/coach/active?channel=${channel}` : `/v1/packs/coach/channels/${channel}`;
    const answer = await this.#ask(client, { path, headers });
    const returnedAt = performance.now();
    const said = {
      client: client.name,
      instance: String(client.at),
      kind: 'read' as const,
      invokedAt,
      returnedAt,
      arguments: strong ? { minRevision } : {},
    };
    if (answer?.status === 200) {
      const told = ofPointer ? { ofPointer, ...pointerIn(answer) } : this.#channelIn(answer);
      this.#record({ ...said, outcome: 'ok', result: { ...told, logRevision: this.#learn(client, answer) } });
    } else {
      if (answer !== undefined && answer.status !== 503) this.#surprise(answer);
      this.#record({ ...said, outcome: 'refused' });
      this.#shun(client);
    }
  }

  /** What `getChannel` tells. */
  #channelIn({ text }: Answer): Pick<Told, 'revision' | 'version' | 'candidate'> {
    const { revision, stable, rollout } = JSON.parse(text) as {
      revision: number;
      stable: { version: string };
      rollout?: { id: number; candidate: { version: string } };
    };
    this.#rollout = rollout?.id ?? this.#rollout;
    return { revision, version: stable.version, candidate: rollout?.candidate.version ?? null };
  }

  async #move(client: Client, kind: Change, given: Operation['arguments']): Promise<void> {
    const { channel, random } = this.#options;
    this.#number += 1;
    const reason = `Operation ${this.#number} of ${this.#options.run}`;
    const ask = this.#moveAsk(kind, channel, reason, given);
    const said = { client: client.name, kind, arguments: given };
    const begunAt = performance.now();
    const tried = new Set<Verdict>();
    let instance: number;
    let answeredAt: number;
    for (let tries = 1; ; tries += 1) {
      instance = client.at;
      const invokedAt = performance.now();
      const answer = await this.#ask(client, ask, random() < 0.3 ? ATTEMPT / 4 : ATTEMPT);
      const returnedAt = performance.now();
      answeredAt = returnedAt;
      const verdict = this.#verdictOf(answer);
      tried.add(verdict);
      if (verdict === 'made' || verdict === 'changed nothing' || verdict === 'refused') {
        if (answer?.header('idempotency-replayed') === 'true') this.replays += 1;
        // What is aborted already may have been so at any time before.
        const outcome = verdict === 'refused' || (kind === 'abort' && verdict !== 'made') ? 'refused' : 'ok';
        const result = outcome === 'ok' ? { result: this.#toldBy(client, answer!) } : {};
        const told = { ...said, instance: String(instance), returnedAt, outcome, ...result } as const;
        if (verdict === 'made') this.#record({ ...told, invokedAt: begunAt, reason });
        else if (!tried.has('cut')) this.#record({ ...told, invokedAt, reason });
        else {
          this.#record({
            ...said,
            instance: String(instance),
            invokedAt: begunAt,
            returnedAt: Infinity,
            outcome: 'unknown',
            reason,
          });
          this.#record({ ...told, invokedAt });
        }
        return;
      }
      this.#shun(client);
      if (tries === TRIES || random() < 0.2) break;
      this.repeats += 1;
    }
    const unknown = tried.has('unknown') || tried.has('cut');
    const told = tried.has('unknown') && !tried.has('cut') ? { toldAt: answeredAt } : {};
    this.#record({
      ...said,
      instance: String(instance),
      invokedAt: begunAt,
      returnedAt: unknown ? Infinity : performance.now(),
      outcome: unknown ? 'unknown' : 'refused',
      reason,
      ...told,
    });
  }

  /** A move of the other channel; nobody asks what came of it. */
  async #moveOther(client: Client): Promise<void> {
    const { otherChannel, versions } = this.#options;
    const answer = await this.#ask(
      client,
      this.#moveAsk('activate', otherChannel, 'Other', { version: this.#oneOf(versions) }),
    );
    if (answer === undefined || answer.status === 503) this.#shun(client);
    else this.#learn(client, answer);
  }

  #moveAsk(kind: Change, channel: string, reason: string, { rollout, ...given }: Operation['arguments']): Ask {
    const headers: Record<string, string> = reason === 'Other' ? {} : { 'idempotency-key': `"${reason}"` };
    const plan = { steps: [{ share: 50 }], finish: 'wait' };
    const body = { reason, ...given, ...(kind !== 'abort' && { channel }), ...(kind === 'start' && plan) };
    const path = {
      activate: 'activations',
      rollback: 'rollback',
      start: 'rollouts',
      abort: `rollouts/${rollout}/abort`,
    }[kind];
    return { method: 'POST', path: `/v1/packs/coach/${path}`, body, headers };
  }

  #verdictOf(answer: Answer | undefined): Verdict {
    if (answer === undefined) return 'cut';
    const { changed, code, eventId } = JSON.parse(answer.text) as {
      changed?: boolean;
      code?: string;
      eventId?: string;
    };
    if (answer.status === 201 || changed === true) return 'made';
    if (answer.status === 200 && changed === false) return 'changed nothing';
    if (code !== undefined && REFUSALS.has(code)) return 'refused';
    // Without an event it would have been refused, or have changed nothing, after others of its batch (SPEC R5).
    if (code === 'outcome-unknown') return eventId === undefined ? 'not sent' : 'unknown';
    if (code !== 'store-unavailable' && code !== 'store-busy') this.#surprise(answer);
    return 'not sent';
  }

  #toldBy(client: Client, answer: Answer): Told {
    const { id, stableVersion, ...body } = JSON.parse(answer.text) as Told & { id?: number; stableVersion?: string };
    if (id !== undefined) return this.#toldOfRollout(client, answer, id, stableVersion ?? '');
    const { revision, version, previousVersion, changed } = body;
    if (changed !== false) this.#acknowledged = Math.max(this.#acknowledged, revision);
    const ofPointer = changed === false;
    return { revision, version, previousVersion, changed, ofPointer, logRevision: this.#learn(client, answer) };
  }

  /** The start of a rollout, or its end: `history` finds the revision of an end. */
  #toldOfRollout(client: Client, answer: Answer, id: number, version: string): Told {
    const started = answer.status === 201;
    if (started) this.#rollout = id;
    const logRevision = this.#learn(client, answer);
    this.#acknowledged = Math.max(this.#acknowledged, started ? id : logRevision);
    return { revision: started ? id : ENDED, version, changed: true, logRevision };
  }

  /** @returns the log revision of the answer, which has been seen now */
  #learn(client: Client, answer: Answer): number {
    const revision = Number(answer.header('registry-revision'));
    client.seen = Math.max(client.seen, revision);
    this.#highest = Math.max(this.#highest, revision);
    return revision;
  }

  async #ask(client: Client, ask: Ask, patience = ATTEMPT): Promise<Answer | undefined> {
    return client.roaming.attempt(client.at, ask, patience);
  }

  #hop(client: Client): void {
    const { instances, random } = this.#options;
    const before = client.at;
    do client.at = Math.floor(random() * instances);
    while (client.at === client.shunned && random() < 0.9);
    if (client.at !== before) this.hops += 1;
  }

  #shun(client: Client): void {
    client.shunned = client.at;
    this.#hop(client);
  }

  #record(operation: Recorded): void {
    this.recorded.push(operation);
  }

  #surprise({ status, text }: Answer): void {
    this.surprises.push(`${status} ${text}`);
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#options.random() * list.length)]!;
  }
}

/** What `getActivePack` tells. */
function pointerIn({ text }: Answer): Pick<Told, 'revision' | 'version'> {
  const { revision, version } = JSON.parse(text) as Told;
  return { revision, version };
}

/** The moves of a channel of `coach` and its rollouts, as the checker takes them. */
export function movesOf(events: readonly Event[], channel: string): MoveEvent[] {
  return events.flatMap((event): MoveEvent[] => {
    const { revision, id, version = '' } = event;
    if (event.pack !== 'coach' || event.channel !== channel) return [];
    const common = { revision, id, version };
    switch (event.type) {
      case 'version-activated':
      case 'version-rolled-back':
        return [{ ...common, type: event.type, previousVersion: event.data.previousVersion }];
      case 'rollout-started':
        return [{ ...common, type: event.type, previousVersion: event.data.stable.version }];
      case 'rollout-aborted': {
        const { stable, by, rollout } = event.data;
        return [{ ...common, type: event.type, previousVersion: stable.version, by, rollout }];
      }
      default:
        return [];
    }
  });
}

/** Strong reads that show their own client less than it was shown before, by whichever instance; empty where none does. */
export function goneBack(operations: readonly Operation[]): string[] {
  const highest = new Map<string, { readonly revision: number; readonly instance: string }>();
  const back: string[] = [];
  for (const {
    client,
    instance,
    kind,
    outcome,
    result,
    arguments: { minRevision },
  } of operations) {
    if (outcome !== 'ok' || result === undefined) continue;
    const revision = result.logRevision ?? result.revision;
    const before = highest.get(client);
    if (before === undefined || before.revision <= revision) highest.set(client, { revision, instance });
    else if (kind === 'read' && minRevision !== undefined)
      back.push(
        `Client ${client} was shown revision ${revision} by instance ${instance} after ${before.revision} by instance ${before.instance}.`,
      );
  }
  return back;
}
