/**
 * Records what writers requested and what the server acknowledged, to compare it with the log (BARS B2).
 *
 * Each request has a unique reason, by which its event is found.
 * Rule: every acknowledged write is in the log, at its revision and as requested. Nothing is there twice or without a request. The chain is
 * valid. An unanswered request may be in the log or not.
 */
import type { Event } from '../../../registry/log/event.ts';
import { SYSTEM_ACTOR } from '../../../registry/model.ts';
import type { Session } from '../../../registry/sessions/session.ts';
import { firstBroken } from '../stores/events.ts';
import type { Answer, KeepAlive } from '../http/keep-alive.ts';
import { shippedPacks } from '../apps/app.ts';

/** An acknowledged write, as its event must say it. */
export interface Acknowledged {
  readonly type: Event['type'];
  /** If the response does not name a revision, the highest possible one: the state of the response. */
  readonly revision: number;
  readonly reason: string;
  readonly pack?: string;
  readonly channel?: string;
  readonly version?: string;
  readonly digest?: string;
}

/** A write with an Idempotency-Key, as sent. */
interface Sent {
  readonly reason: string;
  readonly path: string;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** A connection, or a client of several instances. */
export type Sender = Pick<KeepAlive, 'one'>;

/** What a channel of a pack points at: `coach production` → version and revision. */
export type Pointers = ReadonlyMap<string, { readonly version: string; readonly revision: number }>;

/** What is published: above the floor, as a shipped version is. */
const base = await baseDocument();

async function baseDocument(): Promise<object> {
  const found = (await shippedPacks()).find(
    ({ version: { content } }) => content.pack === 'coach' && content.version === '2.0.0',
  );
  if (found === undefined) throw new Error('coach 2.0.0 is not shipped.');
  const { author, content } = found.version;
  const { pack: _, ...document } = content;
  return { ...document, author };
}

/** What answers with the state that it is in, not with its event's revision. */
const UPPER_BOUND: ReadonlySet<string> = new Set(['version-published', 'key-created', 'key-revoked']);
/** Refusals that concurrent writers cause each other. */
const REFUSED: ReadonlySet<string> = new Set(['nothing-to-roll-back-to', 'version-revoked']);

export class WriteLedger {
  /** Reasons of all requests that were sent. */
  readonly asked = new Set<string>();
  readonly acknowledged: Acknowledged[] = [];
  readonly sessions: Session[] = [];
  /** Versions that may be activated: shipped, or published and acknowledged. */
  readonly versions: string[];
  /** Keys that may be revoked. */
  readonly keys: string[] = [];
  readonly #unanswered = new Map<string, readonly [Event['type'], Sent]>();
  #number = 0;

  constructor(shipped: readonly string[]) {
    this.versions = [...shipped];
  }

  /** Sends one write and records the outcome. @throws if the connection breaks or the answer does not fit */
  async write(connection: Sender, random: () => number): Promise<void> {
    this.#number += 1;
    const kind = random();
    const channel = random() < 0.5 ? 'production' : 'staging';
    const reason = `Request ${this.#number}`;
    const version = this.versions[Math.floor(random() * this.versions.length)] ?? '';
    if (kind < 0.25) await this.#publish(connection, `7.0.${this.#number}`);
    else if (kind < 0.35)
      await this.#send(connection, 'key-created', {
        reason: `Key for ${reason}`,
        path: '/v1/keys',
        body: { label: reason, scopes: ['prompts:read'] },
      });
    else if (kind < 0.4 && this.keys.length > 0)
      await this.#send(connection, 'key-revoked', {
        reason,
        path: `/v1/keys/${this.keys.shift()}/revoke`,
        body: { reason },
      });
    else if (kind < 0.45 && this.versions.length > 5) {
      const [revoked = ''] = this.versions.splice(3, 1); // never one that is shipped
      await this.#send(connection, 'version-revoked', {
        reason,
        path: `/v1/packs/coach/versions/${revoked}/revoke`,
        body: { reason, replacement: '1.1.0' },
      });
    } else if (kind < 0.65)
      await this.#send(connection, 'version-rolled-back', {
        reason,
        path: '/v1/packs/coach/rollback',
        body: { channel, reason },
      });
    else
      await this.#send(connection, 'version-activated', {
        reason,
        path: '/v1/packs/coach/activations',
        body: { version, channel, reason },
      });
  }

  /**
   * Sends again what was sent and not answered: whether it took effect before or does now, there is one.
   * @returns how many had taken effect
   */
  async repeat(connection: Sender): Promise<number> {
    let replayed = 0;
    for (const [type, sent] of [...this.#unanswered.values()]) {
      const answer = await this.#send(connection, type, sent);
      if (answer.header('idempotency-replayed') === 'true') replayed += 1;
    }
    return replayed;
  }

  async #publish(connection: Sender, version: string): Promise<void> {
    const summary = `Edition ${version} of request ${this.#number}.`;
    const answer = await this.#send(connection, 'version-published', {
      reason: `Published: ${summary}`,
      path: '/v1/packs/coach/versions',
      body: { ...base, version, summary },
    });
    if (answer.status === 201) this.versions.push(version);
  }

  async #send(
    connection: Sender,
    type: Event['type'],
    { reason, path, body, headers = { 'idempotency-key': `"${reason}"` } }: Omit<Sent, 'headers'> & Partial<Sent>,
  ): Promise<Answer> {
    this.asked.add(reason);
    this.#unanswered.set(reason, [type, { reason, path, body, headers }]);
    const answer = await connection.one({ method: 'POST', path, body, headers });
    this.#unanswered.delete(reason);
    const told = JSON.parse(answer.text) as {
      revision?: number;
      pack?: string;
      channel?: string;
      version?: string;
      digest?: string;
      code?: string;
      keyId?: string;
      changed?: boolean;
    };
    if (told.changed === false || REFUSED.has(told.code ?? '')) return answer; // it was there already, or there is no way
    if (answer.status !== 200 && answer.status !== 201)
      throw new Error(`${path} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
    if (type === 'key-created' && told.keyId !== undefined) this.keys.push(told.keyId);
    const { revision = Number(answer.header('registry-revision')), pack, channel, version, digest } = told;
    this.acknowledged.push({ type, reason, revision, ...(pack !== undefined && { pack, channel, version, digest }) });
    return answer;
  }

  /** What is wrong with a log, given all requests and acknowledgements; undefined if nothing is. */
  faultOf(events: readonly Event[]): string | undefined {
    return firstBroken(events) ?? this.#firstLost(events) ?? this.#firstUnrequested(events);
  }

  #firstLost(events: readonly Event[]): string | undefined {
    const byReason = new Map(events.map((event) => [event.reason, event]));
    for (const wanted of this.acknowledged) {
      const event = byReason.get(wanted.reason);
      const name = `revision ${wanted.revision} (${wanted.type} ${wanted.version}, "${wanted.reason}") was acknowledged`;
      if (event === undefined) return `${name} and is lost`;
      const asAcknowledged = UPPER_BOUND.has(wanted.type)
        ? event.revision <= wanted.revision
        : event.revision === wanted.revision;
      if (!asAcknowledged) return `${name} and is at ${event.revision}`;
      const digest = 'digest' in event.data ? event.data.digest : undefined;
      for (const [field, is] of Object.entries({
        type: event.type,
        pack: event.pack,
        channel: event.channel,
        version: event.version,
        digest,
      })) {
        if (
          field in wanted &&
          wanted[field as keyof Acknowledged] !== undefined &&
          wanted[field as keyof Acknowledged] !== is
        )
          return `${name} and now says ${field} ${is}`;
      }
    }
    return undefined;
  }

  #firstUnrequested(events: readonly Event[]): string | undefined {
    const seen = new Set<string>();
    for (const { revision, reason, actor } of events) {
      if (actor.keyId === SYSTEM_ACTOR.keyId) continue;
      if (!this.asked.has(reason)) return `nobody asked for revision ${revision} ("${reason}")`;
      if (seen.has(reason)) return `"${reason}" is in the log twice, the second time as revision ${revision}`;
      seen.add(reason);
    }
    return undefined;
  }
}

/** The state of a log, computed without the service's own fold. */
export function meaningOf(events: readonly Event[]): {
  readonly revision: number;
  readonly pointers: Pointers;
  readonly versions: ReadonlyMap<string, ReadonlySet<string>>;
} {
  const pointers = new Map<string, { version: string; revision: number }>();
  const versions = new Map<string, Set<string>>();
  for (const event of events) {
    const { type, pack = '', version = '', revision } = event;
    if (type === 'version-published') versions.set(pack, (versions.get(pack) ?? new Set()).add(version));
    for (const moved of moves(event)) pointers.set(`${pack} ${moved.channel}`, { version: moved.version, revision });
  }
  return { revision: events.at(-1)?.revision ?? 0, pointers, versions };
}

/** Where an event points channels. */
function moves(event: Event): readonly { readonly channel: string; readonly version: string }[] {
  if (event.type === 'version-revoked') return event.data.moves;
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') return [];
  return [{ channel: event.channel ?? '', version: event.version ?? '' }];
}
