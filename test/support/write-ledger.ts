/**
 * What writers asked of a server and what it acknowledged, to be held against the log that it left behind (BARS B2).
 *
 * Each request says a reason of its own, by which its event can be told.
 * Rule: what was acknowledged is in the log, at its revision and as it was asked; nothing is there twice, or that nobody asked
 * for; the chain is whole. What was asked and not answered may be there or not.
 */
import type { Event } from '../../registry/event.ts';
import { SYSTEM_ACTOR } from '../../registry/model.ts';
import type { Session } from '../../registry/sessions.ts';
import { firstBroken } from './events.ts';
import type { KeepAlive } from './keep-alive.ts';
import { documentOf } from './pack-documents.ts';

/** An acknowledged write, as its event must say it. */
export interface Acknowledged {
  readonly type: Event['type'];
  /** Of a publication it is the highest it can be: the answer names the state that it is in. */
  readonly revision: number;
  readonly reason: string;
  readonly pack: string;
  readonly channel?: string;
  readonly version: string;
  readonly digest: string;
}

/** What a channel of a pack points at: `coach production` → version and revision. */
export type Pointers = ReadonlyMap<string, { readonly version: string; readonly revision: number }>;

export class WriteLedger {
  /** Reasons of all requests that were sent. */
  readonly asked = new Set<string>();
  readonly acknowledged: Acknowledged[] = [];
  readonly sessions: Session[] = [];
  /** Versions that may be activated: shipped, or published and acknowledged. */
  readonly versions: string[];
  #number = 0;

  constructor(shipped: readonly string[]) {
    this.versions = [...shipped];
  }

  /** Sends one write and notes what came of it. @throws where the connection breaks, or the answer is none that fits */
  async write(connection: KeepAlive, random: () => number): Promise<void> {
    this.#number += 1;
    const kind = random();
    if (kind < 0.25) await this.#publish(connection, `7.0.${this.#number}`);
    else if (kind < 0.5) await this.#move(connection, random, 'rollback', {});
    else await this.#move(connection, random, 'activations', { version: this.versions[Math.floor(random() * this.versions.length)] });
  }

  async #publish(connection: KeepAlive, version: string): Promise<void> {
    const summary = `Edition ${version} of request ${this.#number}.`;
    const reason = `Published: ${summary}`;
    this.asked.add(reason);
    const answer = await connection.one({ method: 'POST', path: '/v1/packs/coach/versions', body: documentOf('coach', version, { summary }) });
    if (answer.status !== 201) throw new Error(`publish ${version}: ${answer.status} ${answer.text}`);
    const { digest } = JSON.parse(answer.text) as { digest: string };
    this.acknowledged.push({ type: 'version-published', revision: Number(answer.header('registry-revision')), reason, pack: 'coach', version, digest });
    this.versions.push(version);
  }

  async #move(connection: KeepAlive, random: () => number, path: 'activations' | 'rollback', body: object): Promise<void> {
    const reason = `Request ${this.#number}`;
    const channel = random() < 0.5 ? 'production' : 'staging';
    this.asked.add(reason);
    const answer = await connection.one({ method: 'POST', path: `/v1/packs/coach/${path}`, body: { ...body, channel, reason } });
    const { revision, version, digest, code } = JSON.parse(answer.text) as { revision: number; version: string; digest: string; code?: string };
    if (answer.status === 200 || code === 'nothing-to-roll-back-to') return; // it was there already, or there is no way down
    if (answer.status !== 201) throw new Error(`${path} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
    const type = path === 'rollback' ? 'version-rolled-back' : 'version-activated';
    this.acknowledged.push({ type, revision, reason, pack: 'coach', channel, version, digest });
  }

  /** What is wrong with a log, given all that was asked and acknowledged; undefined where nothing is. */
  faultOf(events: readonly Event[]): string | undefined {
    return firstBroken(events) ?? this.#firstLost(events) ?? this.#firstUnasked(events);
  }

  #firstLost(events: readonly Event[]): string | undefined {
    const byReason = new Map(events.map((event) => [event.reason, event]));
    for (const wanted of this.acknowledged) {
      const event = byReason.get(wanted.reason);
      const name = `revision ${wanted.revision} (${wanted.type} ${wanted.version}, "${wanted.reason}") was acknowledged`;
      if (event === undefined) return `${name} and is lost`;
      const place = wanted.type === 'version-published' ? event.revision <= wanted.revision : event.revision === wanted.revision;
      if (!place) return `${name} and is at ${event.revision}`;
      const digest = 'digest' in event.data ? event.data.digest : undefined;
      for (const [field, is] of Object.entries({ type: event.type, pack: event.pack, channel: event.channel, version: event.version, digest })) {
        if (wanted[field as keyof Acknowledged] !== is) return `${name} and now says ${field} ${is}`;
      }
    }
    return undefined;
  }

  #firstUnasked(events: readonly Event[]): string | undefined {
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

/** The state that a log means, told without the service's own fold. */
export function meaningOf(events: readonly Event[]): { readonly revision: number; readonly pointers: Pointers; readonly versions: ReadonlyMap<string, ReadonlySet<string>> } {
  const pointers = new Map<string, { version: string; revision: number }>();
  const versions = new Map<string, Set<string>>();
  for (const { type, pack = '', channel = '', version = '', revision } of events) {
    if (type === 'version-published') versions.set(pack, (versions.get(pack) ?? new Set()).add(version));
    if (type === 'version-activated' || type === 'version-rolled-back') pointers.set(`${pack} ${channel}`, { version, revision });
  }
  return { revision: events.at(-1)?.revision ?? 0, pointers, versions };
}
