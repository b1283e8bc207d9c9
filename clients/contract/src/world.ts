/**
 * What the suite makes at the server, each thing once and only where a check needs it: a pack of its own with a few versions, and keys.
 *
 * Rule: nothing of anybody else's is moved: every write is about the pack of this run or about keys of this run, whose labels begin with
 * the pack's name. Keys are revoked at the end, also those whose making was not answered as it should be. What is made stays in the log for
 * good, so checks share what they do not use up.
 * Example: `await world.at('1.2.0')` has the channel at 1.2.0, whatever the check before left it at.
 */
import { randomBytes } from 'node:crypto';
import type { ActivePack, Head, Key, PackDocument, Session, VersionSummary } from './answers.ts';
import type { Connection, Request } from './connection.ts';
import type { Judge } from './document.ts';
import { Asker, Deviation, type Answer } from './asker.ts';
import { documentOf, GROUND, VERSIONS } from './documents.ts';
import { jsonOf } from './raw-answer.ts';

export interface WorldOptions {
  /** Name of the pack to make; it must not be there yet. */
  readonly pack: string;
  /** The channel to move; the server's default one where not given. */
  readonly channel?: string | undefined;
}

/** Makes a thing at the first call; later ones get the same, its failure included. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

export class World {
  readonly asker: Asker;
  /** What stands before every path of the server, also in its links. */
  readonly prefix: string;
  readonly pack: string;
  readonly channel: string | undefined;
  /** Tells this run from others, e.g. in Idempotency-Keys. */
  readonly run = randomBytes(4).toString('hex');
  readonly #keys = new Set<string>();
  /** Published, and handed out to no check yet. */
  readonly #unused: string[] = [];
  readonly #callers = new Map<string, Promise<string>>();
  #count = 0;
  #moved = false;

  constructor(judge: Judge, connection: Connection, { pack, channel }: WorldOptions) {
    this.prefix = judge.prefix;
    this.pack = pack;
    this.channel = channel;
    this.asker = new Asker(judge, connection, (id, { text }) => {
      const { keyId } = (id === 'createKey' ? (jsonOf(text) as Partial<Key> | null | undefined) : undefined) ?? {};
      if (typeof keyId === 'string') this.#keys.add(keyId);
    });
  }

  /** `{channel}` where one was chosen, for bodies and queries. */
  get there(): { channel?: string } {
    return this.channel === undefined ? {} : { channel: this.channel };
  }

  /** A path of the pack, with more names in it. */
  path(names: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { pack: this.pack, ...names };
  }

  /** A number that was not given yet. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** The pack with its versions (`VERSIONS`), none of them active by this. */
  readonly published = once(async () => {
    for (const version of VERSIONS) await this.publish(version);
  });

  async publish(version: string, members: Partial<PackDocument> = {}): Promise<VersionSummary> {
    const { body } = await this.asker.ask<VersionSummary>(
      'publishVersion',
      { path: this.path(), body: { ...documentOf(this.pack, version), ...members } },
      201,
    );
    return body;
  }

  /** A version that nobody has published yet. */
  freshVersion(): string {
    return `3.0.${this.next()}`;
  }

  /** Publishes one more version. A later `fresh` is given it. */
  async more(): Promise<void> {
    await this.published();
    const version = this.freshVersion();
    await this.publish(version);
    this.#unused.push(version);
  }

  /** A version is there that its check is done with: it has the texts of `documentOf`, and was never active. */
  leave(version: string): void {
    this.#unused.push(version);
  }

  /** Makes an event of the pack that moves nothing. @returns its type */
  async goOn(): Promise<'version-published' | 'version-revoked'> {
    const version = this.#unused.pop();
    if (version === undefined) return this.more().then(() => 'version-published');
    await this.asker.ask(
      'revokeVersion',
      { path: this.path({ version }), body: { reason: `Contract check ${this.run}` } },
      200,
    );
    return 'version-revoked';
  }

  /** A version that was never active, and that no other check has. */
  async fresh(): Promise<string> {
    if (this.#unused.length === 0) await this.more();
    return this.#unused.shift() ?? '';
  }

  /** A version that requests name which are to be refused. */
  readonly spare = once(() => this.fresh());

  /** Activates versions one after the other, whatever was active. */
  async at(...versions: readonly string[]): Promise<void> {
    await this.published();
    for (const version of this.#moved ? versions : [GROUND, ...versions])
      await this.asker.ask('activateVersion', { path: this.path(), body: this.moveTo(version) }, 200, 201);
    this.#moved = true;
  }

  moveTo(version: string): object {
    return { version, ...this.there, reason: `Contract check ${this.run}` };
  }

  back(members: object = {}): object {
    return { ...this.there, reason: `Contract check ${this.run}`, ...members };
  }

  /** At whatever version is active; one is activated where none is. */
  readonly active = once(async () => {
    if (!this.#moved) await this.at('1.0.0', '2.0.0');
  });

  /** Another channel of the server than the one that is moved; undefined where it has but one. */
  readonly elsewhere = once(async () => {
    const { channel } = (await this.activePack()).body;
    const nowhere = { ...this.moveTo('1.0.0'), channel: `no-such-${this.run}` };
    const { body } = await this.asker.refused(
      'activateVersion',
      { path: this.path(), body: nowhere },
      404,
      'channel-not-found',
    );
    return body.knownChannels?.find((name) => name !== channel);
  });

  async activePack(request: Request = {}): Promise<Answer<ActivePack>> {
    await this.active();
    return this.asker.ask<ActivePack>('getActivePack', { path: this.path(), query: this.there, ...request }, 200);
  }

  /** Rolls back to the version that was active first, and on until there is nothing to roll back to. @returns the version at the bottom */
  async bottom(): Promise<string> {
    await this.active();
    await this.asker.ask('rollbackPack', { path: this.path(), body: this.back({ toVersion: GROUND }) }, 200, 201);
    const steps = 500;
    for (let step = 0; step < steps; step += 1) {
      const { status } = await this.asker.ask('rollbackPack', { path: this.path(), body: this.back() }, 201, 409);
      if (status === 409) return (await this.activePack()).body.version;
    }
    throw new Deviation(
      `rollbackPack: the stack has no bottom after ${steps} rollbacks in a row: a rollback goes down, never forward`,
    );
  }

  /** A version that is revoked, and was never active. */
  readonly revoked = once(async () => {
    const version = await this.fresh();
    await this.asker.ask(
      'revokeVersion',
      { path: this.path({ version }), body: { reason: `Contract check ${this.run}` } },
      200,
    );
    return version;
  });

  /** A new key of this run. */
  async key(what: string, scopes: readonly string[], expiresAt?: string): Promise<Key & { readonly secret: string }> {
    const { body } = await this.asker.ask<Key>(
      'createKey',
      { body: { label: this.label(what), scopes, ...(expiresAt !== undefined && { expiresAt }) } },
      201,
    );
    const { secret } = body;
    if (secret === undefined) throw new Deviation('createKey: the answer to a new key has no secret');
    return { ...body, secret };
  }

  /** The secret of a key with this scope and `prompts:read`, for who is anybody else. */
  caller(scope: string): Promise<string> {
    const made =
      this.#callers.get(scope) ??
      this.key('another caller', [...new Set([scope, 'prompts:read'])]).then(({ secret }) => secret);
    this.#callers.set(scope, made);
    return made;
  }

  /** A key that requests name which are to be refused. */
  readonly kept = once(() => this.key('to be kept', ['prompts:read']));

  label(what: string): string {
    return `${this.pack} ${what} ${this.next()}`;
  }

  /** The secret of a key that may read prompts and nothing else. */
  readonly reader = once(async () => (await this.key('reader', ['prompts:read'])).secret);
  /** The secret of a key that may read metrics and nothing else. */
  readonly meter = once(async () => (await this.key('meter', ['metrics:read'])).secret);

  readonly session = once(async () => (await this.asker.ask<Session>('startCoachSession', { body: {} }, 201)).body);

  /** The head of the log when it was first asked for. */
  readonly begun = once(async () => (await this.asker.ask<Head>('getAuditHead', {}, 200)).body);

  /**
   * Revokes every key of this run.
   * @returns what could not be revoked, in words
   */
  async close(): Promise<string[]> {
    const { connection } = this.asker;
    const troubles: string[] = [];
    await this.asker.stop();
    connection.haveTime();
    if (!connection.sent.has('createKey')) return troubles;
    const listed = await connection.send('listKeys').catch(() => undefined);
    for (const { keyId, label, revokedAt } of keysIn(listed?.text)) {
      if (label.startsWith(`${this.pack} `) && revokedAt === undefined) this.#keys.add(keyId);
      if (revokedAt !== undefined) this.#keys.delete(keyId);
    }
    for (const keyId of this.#keys) {
      const status = await connection
        .send('revokeKey', { path: { keyId }, body: { reason: `Contract check ${this.run} is over` } })
        .then(
          ({ status }) => status,
          (error: unknown) => (error as Error).message,
        );
      if (status !== 200)
        troubles.push(`Key ${keyId}, which the suite made, could not be revoked (${status}). Revoke it by hand.`);
    }
    return troubles;
  }
}

/** Keys of an answer that may be of any shape. */
function keysIn(text: string | undefined): Pick<Key, 'keyId' | 'label' | 'revokedAt'>[] {
  const { keys } = (jsonOf(text ?? '') ?? {}) as { keys?: unknown };
  return Array.isArray(keys)
    ? (keys as (Partial<Key> | null)[]).flatMap((key) =>
        typeof key?.keyId === 'string' && typeof key.label === 'string'
          ? [{ keyId: key.keyId, label: key.label, ...(key.revokedAt !== undefined && { revokedAt: key.revokedAt }) }]
          : [],
      )
    : [];
}
