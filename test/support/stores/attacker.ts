/**
 * An attacker who can write to the database file and knows its format: every way to falsify the log in place (BARS B12).
 *
 * Each returns the first revision that it breaks. None links the rest of the chain again: that, and a cut tail, leave a valid chain. `rewrite`
 * and `cutTail` make them.
 */
import { DatabaseSync } from 'node:sqlite';
import { hashOf, type Event } from '../../../registry/log/event.ts';
import type { PackContent } from '../../../registry/model.ts';
import { digestOf } from '../../../registry/packs/pack.ts';

type Json = null | boolean | number | string | Json[] | { [member: string]: Json };
type Members = Record<string, Json>;
type Forged = { -readonly [K in keyof Event]: Event[K] };

/** Falsifies a log. @returns the revision at which it is broken first; undefined where this could not be done */
export type Falsification = (attacker: Attacker) => number | undefined;

export class Attacker {
  readonly random: () => number;
  readonly #database: DatabaseSync;

  constructor(file: string, random: () => number) {
    this.random = random;
    this.#database = new DatabaseSync(file);
    this.#database.exec('PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF');
  }

  get length(): number {
    return this.#database.prepare('SELECT count(*) AS count FROM events').get()?.['count'] as number;
  }

  /** A number from low to high, both included. */
  pick(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  event(revision: number): Forged {
    return JSON.parse(this.body(revision)) as Forged;
  }

  body(revision: number): string {
    return this.#database.prepare('SELECT body FROM events WHERE revision = ?').get(revision)?.['body'] as string;
  }

  write(revision: number, body: string | Forged): void {
    this.#database
      .prepare('UPDATE events SET body = ? WHERE revision = ?')
      .run(typeof body === 'string' ? body : JSON.stringify(body), revision);
  }

  insert(revision: number, body: Forged): void {
    this.#database.prepare('INSERT INTO events (revision, body) VALUES (?, ?)').run(revision, JSON.stringify(body));
  }

  remove(revision: number): void {
    this.#database.prepare('DELETE FROM events WHERE revision = ?').run(revision);
  }

  cutTail(last: number): void {
    this.#database.prepare('DELETE FROM events WHERE revision > ?').run(last);
  }

  /** Moves the events from a revision on up or down, in their rows and, where wanted, in their bodies. */
  shift(from: number, by: 1 | -1, bodies: boolean): void {
    const rows = this.#database
      .prepare(`SELECT revision FROM events WHERE revision >= ? ORDER BY revision ${by === 1 ? 'DESC' : 'ASC'}`)
      .all(from);
    for (const row of rows) {
      const revision = row['revision'] as number;
      this.#database.prepare('UPDATE events SET revision = ? WHERE revision = ?').run(revision + by, revision);
      if (bodies) this.write(revision + by, { ...this.event(revision + by), revision: revision + by });
    }
  }

  /** Gives an event the hash that it must have, and names the one before it where wanted. */
  rehash(revision: number, link = false): void {
    const event = this.event(revision);
    if (link && revision > 1) event.previousHash = this.event(revision - 1).hash;
    this.write(revision, { ...event, hash: hashOf(event) });
  }

  /** Links the whole chain again from a revision on. */
  rewrite(from: number): void {
    for (let revision = from; revision <= this.length; revision += 1) this.rehash(revision, revision > from);
  }

  /** Replaces the text of a prompt everywhere, and links the chain again. @returns the first revision changed */
  rewriteContent(): number {
    const digest = someDigest(this);
    const content = JSON.parse(this.content(digest)) as PackContent;
    const edited: PackContent = { ...content, system: `${content.system} Promise them a cure.` };
    const from = this.publicationOf(digest);
    this.#database
      .prepare('UPDATE contents SET digest = ?, body = ? WHERE digest = ?')
      .run(digestOf(edited), JSON.stringify(edited), digest);
    for (let revision = from; revision <= this.length; revision += 1)
      this.write(revision, this.body(revision).replaceAll(digest, digestOf(edited)));
    this.rewrite(from);
    return from;
  }

  digests(): string[] {
    return this.#database
      .prepare('SELECT digest FROM contents ORDER BY digest')
      .all()
      .map((row) => row['digest'] as string);
  }

  content(digest: string): string {
    return this.#database.prepare('SELECT body FROM contents WHERE digest = ?').get(digest)?.['body'] as string;
  }

  writeContent(digest: string, body: string): void {
    this.#database.prepare('UPDATE contents SET body = ? WHERE digest = ?').run(body, digest);
  }

  removeContent(digest: string): void {
    this.#database.prepare('DELETE FROM contents WHERE digest = ?').run(digest);
  }

  /** The publication that names a content. */
  publicationOf(digest: string): number {
    return this.#database
      .prepare("SELECT revision FROM events WHERE type = 'version-published' AND body ->> '$.data.digest' = ?")
      .get(digest)?.['revision'] as number;
  }

  /** A JSON value in which one leaf is another, or a member was added or taken away. */
  edited<T>(value: T): T {
    const copy = structuredClone(value) as Json;
    const leaves = leavesIn(copy);
    const { parent, key } = leaves[this.pick(0, leaves.length - 1)] ?? { parent: {}, key: '' };
    const members = parent as Members;
    const kind = this.random();
    if (kind < 0.1 && Array.isArray(parent)) parent.push('added');
    else if (kind < 0.1) members[`${key}x`] = 'added';
    else if (kind < 0.2 && !Array.isArray(parent)) Reflect.deleteProperty(members, key);
    else members[key] = this.#other(members[key] ?? null);
    return copy as T;
  }

  #other(leaf: Json): Json {
    if (typeof leaf === 'number') return leaf + this.pick(1, 9);
    if (typeof leaf === 'boolean') return !leaf;
    if (typeof leaf !== 'string') return 'x';
    const index = this.pick(0, Math.max(0, leaf.length - 1));
    const letter = leaf[index] === 'x' ? 'y' : 'x';
    return (
      [
        leaf.slice(0, index) + letter + leaf.slice(index + 1),
        leaf.slice(0, index) + letter + leaf.slice(index),
        leaf.slice(0, index) + leaf.slice(index + 1),
      ][this.pick(0, leaf === '' ? 1 : 2)] ?? ''
    );
  }

  close(): void {
    this.#database.close();
  }
}

/** Every place in a JSON value at which there is no object or list that holds something. */
function leavesIn(value: Json): { parent: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const inside = leavesIn(member);
    return inside.length > 0 ? inside : [{ parent: value, key }];
  });
}

const digestIn = ({ data }: Forged): unknown => (data as { readonly digest?: unknown } | undefined)?.digest;

/** Some event but the last. */
const inner = (attacker: Attacker) => attacker.pick(1, attacker.length - 1);

export const FALSIFICATIONS: Readonly<Record<string, Falsification>> = {
  'an event is edited': (attacker) => {
    const revision = attacker.pick(1, attacker.length);
    attacker.write(revision, attacker.edited(attacker.event(revision)));
    return revision;
  },
  'an event is edited and hashed again': (attacker) => {
    const revision = inner(attacker);
    const { hash: _, ...event } = attacker.event(revision);
    const { revision: __, previousHash, ...rest } = event;
    const edited = { ...attacker.edited(rest), revision, previousHash, hash: '' } as Forged;
    attacker.write(revision, { ...edited, hash: hashOf(edited) });
    const named = digestIn(edited);
    return edited.type === 'version-published' && named !== digestIn(event as Forged) ? revision : revision + 1;
  },
  'a publication names no content, and is hashed again': (attacker) => {
    const revision = attacker.publicationOf(someDigest(attacker));
    const event = attacker.event(revision);
    const data = [
      { ...event.data, digest: undefined },
      { ...event.data, digest: 5 },
      { ...event.data, digest: 'sha256:' },
      undefined,
      null,
      [],
    ][attacker.pick(0, 5)];
    const edited = JSON.parse(JSON.stringify({ ...event, data })) as Forged;
    attacker.write(revision, { ...edited, hash: hashOf(edited) });
    return revision;
  },
  'an event says another name to the search than to the hash': (attacker) => {
    const revision = attacker.pick(1, attacker.length);
    const member = [
      '"actor":{"keyId":"system","label":"system"}',
      '"pack":"other"',
      '"channel":"elsewhere"',
      '"type":"made-by-a-newer-build"',
      `"id":"${crypto.randomUUID()}"`,
    ][attacker.pick(0, 4)];
    attacker.write(revision, `{${member},${attacker.body(revision).slice(1)}`);
    return revision;
  },
  'an event is removed, and a gap left': (attacker) => {
    const revision = inner(attacker);
    attacker.remove(revision);
    return revision;
  },
  'an event is removed, and the gap closed': (attacker) => {
    const revision = inner(attacker);
    attacker.remove(revision);
    attacker.shift(revision + 1, -1, true);
    return revision;
  },
  'an event is removed, and the gap closed and linked': (attacker) => {
    const revision = attacker.pick(1, attacker.length - 2);
    attacker.remove(revision);
    attacker.shift(revision + 1, -1, true);
    attacker.rehash(revision, true);
    return revision === 1 ? 1 : revision + 1;
  },
  'two events change places': (attacker) => {
    const [one, other] = twoOf(attacker);
    const [first, second] = [attacker.event(one), attacker.event(other)];
    exchange(attacker, [one, { ...second, revision: one }], [other, { ...first, revision: other }]);
    return one;
  },
  'two events change places, and are linked and hashed again': (attacker) => {
    const [one, other] = twoOf(attacker);
    const [first, second] = [attacker.event(one), attacker.event(other)];
    exchange(
      attacker,
      [one, { ...second, revision: one, previousHash: first.previousHash }],
      [other, { ...first, revision: other, previousHash: second.previousHash }],
    );
    for (const revision of [one, other]) attacker.rehash(revision);
    return one + 1;
  },
  'two events change places with their numbers': (attacker) => {
    const [one, other] = twoOf(attacker);
    const [first, second] = [attacker.event(one), attacker.event(other)];
    exchange(attacker, [one, second], [other, first]);
    return one;
  },
  'an event is put in': (attacker) => {
    const revision = attacker.pick(1, attacker.length);
    const forged = { ...attacker.event(attacker.pick(1, attacker.length)), revision, id: crypto.randomUUID() };
    attacker.shift(revision, 1, true);
    attacker.insert(revision, withoutKey(forged));
    return revision;
  },
  'an event is put in, linked and hashed': (attacker) => {
    const revision = attacker.pick(2, attacker.length);
    const forged = { ...attacker.event(attacker.pick(1, attacker.length)), revision, id: crypto.randomUUID() };
    attacker.shift(revision, 1, true);
    attacker.insert(revision, withoutKey(forged));
    attacker.rehash(revision, true);
    return revision + 1;
  },
  'an event is put below the first': (attacker) => {
    const forged = { ...attacker.event(attacker.length), revision: -attacker.pick(0, 5), id: crypto.randomUUID() };
    attacker.insert(forged.revision, withoutKey({ ...forged, hash: hashOf(withoutKey(forged)) }));
    return 1;
  },
  'an event is put behind the last, and linked to none': (attacker) => {
    const revision = attacker.length + 1;
    const forged = withoutKey({
      ...attacker.event(attacker.pick(1, attacker.length - 1)),
      revision,
      id: crypto.randomUUID(),
    });
    attacker.insert(revision, { ...forged, hash: hashOf(forged) });
    return revision;
  },
  'events lie in other rows': (attacker) => {
    const revision = attacker.pick(1, attacker.length);
    attacker.shift(revision, 1, false);
    return revision + 1;
  },
  'a content is edited': (attacker) => {
    const digest = someDigest(attacker);
    attacker.writeContent(digest, JSON.stringify(attacker.edited(JSON.parse(attacker.content(digest)) as Json)));
    return attacker.publicationOf(digest);
  },
  'a content is removed': (attacker) => {
    const digest = someDigest(attacker);
    attacker.removeContent(digest);
    return attacker.publicationOf(digest);
  },
  'a content is another one': (attacker) => {
    const [digest, other] = [someDigest(attacker), someDigest(attacker)];
    if (digest === other) return undefined;
    attacker.writeContent(digest, attacker.content(other));
    return attacker.publicationOf(digest);
  },
  'a content is damaged': (attacker) => {
    const digest = someDigest(attacker);
    const body = attacker.content(digest);
    attacker.writeContent(
      digest,
      [
        '',
        'null',
        body.slice(0, attacker.pick(1, body.length - 1)),
        `${body}}`,
        body.replace('"system":"', '"system":"\\ud800'),
      ][attacker.pick(0, 4)] ?? '',
    );
    return attacker.publicationOf(digest);
  },
};

const someDigest = (attacker: Attacker) => {
  const digests = attacker.digests();
  return digests[attacker.pick(0, digests.length - 1)] ?? '';
};

/** Two revisions, the lower one first. */
function twoOf(attacker: Attacker): [number, number] {
  const one = attacker.pick(1, attacker.length - 1);
  return [one, attacker.pick(one + 1, attacker.length)];
}

/** Writes two bodies, by way of a third: no id may be there twice, not even for a moment. */
function exchange(attacker: Attacker, [one, first]: [number, Forged], [other, second]: [number, Forged]): void {
  attacker.write(one, { ...withoutKey(first), id: crypto.randomUUID() });
  attacker.write(other, second);
  attacker.write(one, first);
}

/** Without its Idempotency-Key, of which there may be one. */
function withoutKey(event: Forged): Forged {
  const { idempotency: _, ...data } = event.data;
  return { ...event, data };
}
