/**
 * What the suite creates on the server: its own pack with a few versions, and keys. Each is created once, when a check first needs it.
 *
 * Rule: the suite never changes what is not its own. Every write is about the pack of this run, or about keys of this run, whose labels begin
 * with the name of the pack. The keys are revoked at the end, even if a response to `createKey` was wrong. The log keeps everything, so checks
 * share what they do not use up.
 * Example: `await world.activate('1.2.0')` makes 1.2.0 active, whatever was active before.
 */
import { randomBytes } from 'node:crypto';
import type { ActivePack, Head, Key, PackDocument, Session, VersionSummary } from './answers.ts';
import type { Connection, Request } from './connection.ts';
import type { Judge } from './document.ts';
import { Asker, Deviation, type Answer } from './asker.ts';
import { documentOf, GROUND, VERSIONS } from './documents.ts';
import { jsonOf, type RawAnswer } from './raw-answer.ts';

export interface WorldOptions {
  /** Name of the pack to create; it must not exist yet. */
  readonly pack: string;
  /** The channel to move. Default: the default channel of the server. */
  readonly channel?: string | undefined;
  /** The operations to check. */
  readonly operations: readonly string[];
  /** Whether checks may publish versions of the default pack of the server, and move it. */
  readonly moveDefaultPack?: boolean;
}

/** Calls `make` once; later calls return the same promise, even if it was rejected. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

export class World {
  readonly asker: Asker;
  /** Prefix of every path of the server, also in its links. */
  readonly prefix: string;
  readonly pack: string;
  readonly channel: string | undefined;
  readonly operations: readonly string[];
  readonly mayMoveDefaultPack: boolean;
  /** Unique to this run, e.g. for Idempotency-Keys. */
  readonly runId = randomBytes(4).toString('hex');
  readonly #keys = new Set<string>();
  /** Published, and not used by a check yet. */
  readonly #unused: string[] = [];
  readonly #callers = new Map<string, Promise<string>>();
  /** What to undo at the end. */
  readonly #undo: (() => Promise<string[]>)[] = [];
  #count = 0;
  #moved = false;

  constructor(
    judge: Judge,
    connection: Connection,
    { pack, channel, operations, moveDefaultPack = false }: WorldOptions,
  ) {
    this.prefix = judge.prefix;
    this.pack = pack;
    this.channel = channel;
    this.operations = operations;
    this.mayMoveDefaultPack = moveDefaultPack;
    this.asker = new Asker(judge, connection, (id, { text }) => {
      const { keyId } = (id === 'createKey' ? (jsonOf(text) as Partial<Key> | null | undefined) : undefined) ?? {};
      if (typeof keyId === 'string') this.#keys.add(keyId);
    });
  }

  /** `{channel}` if one was chosen, for bodies and queries. */
  get chosenChannel(): { channel?: string } {
    return this.channel === undefined ? {} : { channel: this.channel };
  }

  /** Path parameters: the pack, and more names. */
  path(names: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { pack: this.pack, ...names };
  }

  /** A number that is unique in this run. */
  nextNumber(): number {
    this.#count += 1;
    return this.#count;
  }

  /** Publishes `VERSIONS`, which does not activate them. */
  readonly publishAll = once(async () => {
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

  /** A version number that was not published yet. */
  nextVersion(): string {
    return `3.0.${this.nextNumber()}`;
  }

  /** Publishes one more version, for a later `unusedVersion`. */
  async publishAnother(): Promise<void> {
    await this.publishAll();
    const version = this.nextVersion();
    await this.publish(version);
    this.#unused.push(version);
  }

  /** Gives a version to later checks: it has the texts of `documentOf`, and was never active. */
  giveBack(version: string): void {
    this.#unused.push(version);
  }

  /** Adds an event of the pack that does not move the channel. @returns its type */
  async appendEvent(): Promise<'version-published' | 'version-revoked'> {
    const version = this.#unused.pop();
    if (version === undefined) return this.publishAnother().then(() => 'version-published');
    await this.asker.ask(
      'revokeVersion',
      { path: this.path({ version }), body: { reason: `Contract check ${this.runId}` } },
      200,
    );
    return 'version-revoked';
  }

  /** A version that was never active, and that no other check uses. */
  async unusedVersion(): Promise<string> {
    if (this.#unused.length === 0) await this.publishAnother();
    return this.#unused.shift() ?? '';
  }

  /** The version in requests that must be refused. */
  readonly versionToRefuse = once(() => this.unusedVersion());

  /** Activates versions one after the other, whatever is active. */
  async activate(...versions: readonly string[]): Promise<void> {
    await this.publishAll();
    for (const version of this.#moved ? versions : [GROUND, ...versions])
      await this.asker.ask('activateVersion', { path: this.path(), body: this.activationBody(version) }, 200, 201);
    this.#moved = true;
  }

  activationBody(version: string): object {
    return { version, ...this.chosenChannel, reason: `Contract check ${this.runId}` };
  }

  rollbackBody(members: object = {}): object {
    return { ...this.chosenChannel, reason: `Contract check ${this.runId}`, ...members };
  }

  /** Makes sure that some version is active. */
  readonly ensureActive = once(async () => {
    if (!this.#moved) await this.activate('1.0.0', '2.0.0');
  });

  /** A second channel of the server; undefined if it has only one. */
  readonly otherChannel = once(async () => {
    const { channel } = (await this.activePack()).body;
    const unknownChannel = { ...this.activationBody('1.0.0'), channel: `no-such-${this.runId}` };
    const { body } = await this.asker.refused(
      'activateVersion',
      { path: this.path(), body: unknownChannel },
      404,
      'channel-not-found',
    );
    return body.knownChannels?.find((name) => name !== channel);
  });

  async activePack(request: Request = {}): Promise<Answer<ActivePack>> {
    await this.ensureActive();
    return this.asker.ask<ActivePack>(
      'getActivePack',
      { path: this.path(), query: this.chosenChannel, ...request },
      200,
    );
  }

  /** Rolls back until nothing is left to roll back to. @returns the version at the bottom of the stack */
  async rollBackToBottom(): Promise<string> {
    await this.ensureActive();
    await this.asker.ask(
      'rollbackPack',
      { path: this.path(), body: this.rollbackBody({ toVersion: GROUND }) },
      200,
      201,
    );
    const steps = 500;
    for (let step = 0; step < steps; step += 1) {
      const { status } = await this.asker.ask(
        'rollbackPack',
        { path: this.path(), body: this.rollbackBody() },
        201,
        409,
      );
      if (status === 409) return (await this.activePack()).body.version;
    }
    throw new Deviation(
      `rollbackPack: the stack has no bottom after ${steps} rollbacks in a row; a rollback must go down, never forward`,
    );
  }

  /** A revoked version that was never active. */
  readonly revoked = once(async () => {
    const version = await this.unusedVersion();
    await this.asker.ask(
      'revokeVersion',
      { path: this.path({ version }), body: { reason: `Contract check ${this.runId}` } },
      200,
    );
    return version;
  });

  /** Creates a key of this run. */
  async key(what: string, scopes: readonly string[], expiresAt?: string): Promise<Key & { readonly secret: string }> {
    const { body } = await this.asker.ask<Key>(
      'createKey',
      { body: { label: this.label(what), scopes, ...(expiresAt !== undefined && { expiresAt }) } },
      201,
    );
    const { secret } = body;
    if (secret === undefined) throw new Deviation('createKey: the response has no secret');
    return { ...body, secret };
  }

  /** The secret of another caller's key, with this scope and `prompts:read`. */
  otherCaller(scope: string): Promise<string> {
    const made =
      this.#callers.get(scope) ??
      this.key('another caller', [...new Set([scope, 'prompts:read'])]).then(({ secret }) => secret);
    this.#callers.set(scope, made);
    return made;
  }

  /** The key in requests that must be refused. */
  readonly keyToRefuse = once(() => this.key('to be kept', ['prompts:read']));

  label(what: string): string {
    return `${this.pack} ${what} ${this.nextNumber()}`;
  }

  /** The secret of a key that can only read prompts. */
  readonly readerKey = once(async () => (await this.key('reader', ['prompts:read'])).secret);
  /** The secret of a key that can only read metrics. */
  readonly metricsKey = once(async () => (await this.key('meter', ['metrics:read'])).secret);

  readonly session = once(async () => (await this.asker.ask<Session>('startCoachSession', { body: {} }, 201)).body);

  /** The head of the log at the first call. */
  readonly headAtStart = once(async () => (await this.asker.ask<Head>('getAuditHead', {}, 200)).body);

  /** Has something undone at the end, however the run ends. @param undo returns a message for each thing that could not be undone */
  atEnd(undo: () => Promise<string[]>): void {
    this.#undo.push(undo);
  }

  /**
   * Revokes every key of this run, and undoes what else is to be undone.
   * @returns a message for each thing that could not be undone
   */
  async close(): Promise<string[]> {
    await this.asker.stop();
    this.asker.connection.resumeRetries();
    const troubles: string[] = [];
    for (const undo of [...this.#undo, () => this.#revokeKeys()]) troubles.push(...(await undo()));
    return troubles;
  }

  async #revokeKeys(): Promise<string[]> {
    const { connection } = this.asker;
    const troubles: string[] = [];
    if (!connection.sent.has('createKey')) return troubles;
    const listed = await connection.send('listKeys').catch(() => undefined);
    for (const { keyId, label, revokedAt } of keysIn(listed?.text)) {
      if (label.startsWith(`${this.pack} `) && revokedAt === undefined) this.#keys.add(keyId);
      if (revokedAt !== undefined) this.#keys.delete(keyId);
    }
    for (const keyId of this.#keys) {
      const request = { path: { keyId }, body: { reason: `Contract check ${this.runId} is over` } };
      const status = await statusOf(connection.send('revokeKey', request));
      if (status !== 200) troubles.push(`The suite could not revoke its key ${keyId} (${status}). Revoke it by hand.`);
    }
    return troubles;
  }
}

/** Makes something once for each world, when it is first needed. */
export function perWorld<T>(make: (world: World) => Promise<T>): (world: World) => Promise<T> {
  const made = new WeakMap<World, Promise<T>>();
  return (world) => {
    const kept = made.get(world) ?? make(world);
    made.set(world, kept);
    return kept;
  };
}

/** The status of a response, or why there is none. */
export function statusOf(answer: Promise<RawAnswer>): Promise<number | string> {
  return answer.then(
    ({ status }) => status,
    (error: unknown) => (error as Error).message,
  );
}

/** The keys in an unchecked response. */
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
