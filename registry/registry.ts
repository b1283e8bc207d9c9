/**
 * The registry: one frozen snapshot that all reads come from, and the commands that lead to the next one.
 *
 * Problem: a rollback must be whole and take effect at once, for every reader, while requests are under way.
 * Rule (SPEC R2, R3): a reader takes `current` once and answers from it. A command is decided, made durable, and then becomes visible by
 * one flip (`state/current.ts`). Reads never wait; only writes, and contents that are not active, do.
 * Example: `registry.getStylePrompt('supportive').version` is '2.0.0'; after `await registry.rollback({reason})` it is '1.1.0'.
 *
 * A command's request, and what it means, are in the folder of its capability (`moves/commands.ts`, `keys/commands.ts`).
 */
import {
  activationAfter,
  confirmedBy,
  activationsIn,
  type Activation,
  type ActivationPage,
  type ActivationQuery,
} from './moves/history.ts';
import { auditEvents, verifyLog, type AuditQuery, type Verification } from './proof/verify.ts';
import { StateProof } from './proof/comparison.ts';
import type { Edition } from './packs/diff.ts';
import { RegistryError, notReady } from './errors.ts';
import type { Event } from './log/event.ts';
import { Instance, type ChangeListener } from './instance/instance.ts';
import type { Health } from './instance/health.ts';
import { contentOf, editionOf } from './instance/editions.ts';
import type { WantedPosition } from './instance/reach.ts';
import { snapshotFor } from './instance/session-snapshot.ts';
import { createKeyCommand, revokeKeyCommand, type CreateKeyRequest, type RevokeKeyRequest } from './keys/commands.ts';
import { cancelledBy, type RevokedKey } from './keys/keys.ts';
import { SYSTEM_ACTOR } from './model.ts';
import { checkOptions, defaultChannelOf, type RegistryOptions } from './instance/options.ts';
import { parsePack } from './packs/pack.ts';
import {
  activateCommand,
  revokeCommand,
  rollbackCommand,
  type ActivateRequest,
  type RevokeRequest,
  type RollbackRequest,
} from './moves/commands.ts';
import { NO_AUDITOR, previewOf, type Preview, type Reader } from './moves/preview.ts';
import { asRegistered } from './packs/publishing.ts';
import { RolloutDesk } from './rollout-desk.ts';
import {
  checkedFor,
  type At,
  type Attribution,
  type PublishRequest,
  type ReadOf,
  type SessionRequest,
} from './requests.ts';
import { revocationOf, type RevocationAnswer } from './moves/revocation.ts';
import { newSessionName } from './sessions/session-ids.ts';
import { sessionOf, type Session } from './sessions/session.ts';
import type { Current } from './state/current.ts';
import { packIn, versionIn, viewIn, type Snapshot } from './state/snapshot.ts';
import { decide, type Command } from './transitions.ts';
import type { KeyRecord, VersionRecord } from './state/records.ts';
import { foreseeMove } from './moves/moving.ts';
import {
  styleIn,
  armFor,
  type ActivePack,
  type ArmView,
  type Assignment,
  type ChannelView,
  type StyleList,
  type StylePrompt,
  type SystemPrompt,
} from './state/views.ts';
import type { MoveCommand } from './moves/move-command.ts';

export type { RegistryOptions };

/** The answer to a command, and whether it is the answer to an earlier one with the same Idempotency-Key (SPEC R6). */
export type Receipt<T> = T & { readonly replayed: boolean };

/** In-process answers carry their age while this instance does not know that it is current (SPEC R10). */
export type Marked<T> = T & { readonly staleSeconds?: number };

/** What operators do with an instance: list and await the others, catch up. */
export type RunningInstance = Pick<Instance, 'id' | 'list' | 'settled' | 'catchUp' | 'stopWaiting'>;

export class Registry {
  readonly channels: readonly string[];
  readonly defaultPack: string;
  readonly defaultChannel: string;
  /** Rollouts, schedules and trials. */
  readonly rollouts: RolloutDesk;
  readonly #instance: Instance;
  readonly #current: Current;

  private constructor(options: RegistryOptions, instance: Instance) {
    this.channels = Object.freeze([...options.channels]);
    this.defaultPack = options.defaultPack;
    this.defaultChannel = defaultChannelOf(options.channels);
    this.#instance = instance;
    this.#current = instance.current;
    this.rollouts = new RolloutDesk(instance, this);
  }

  /**
   * Opens the registry: the last good snapshot if the log still holds its position, then the rest of the log, then what this start adds to
   * it. After that it follows the log. With `failStatic` it also opens while the store is away.
   *
   * @throws StartRefused what is wrong with the options, the shipped packs or the settings; RegistryError `store-unavailable`; LogBroken
   */
  static async open(options: RegistryOptions): Promise<Registry> {
    checkOptions(options);
    return new Registry(options, await Instance.open(options));
  }

  /** The snapshot that answers come from. Take it once per answer. */
  get current(): Snapshot {
    return this.#current.served;
  }

  // ── Reads: synchronous, from the snapshot in force. While a rollout runs, the subject decides which version ──

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `not-ready` */
  activePack(at?: ReadOf): Marked<ActivePack> {
    return this.#marked(this.#armOf(at).activePack);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `not-ready` */
  getSystemPrompt(at?: ReadOf): Marked<SystemPrompt> {
    return this.#marked(this.#armOf(at).systemPrompt);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `not-ready` */
  listStyles(at?: ReadOf): Marked<StyleList> {
    return this.#marked(this.#armOf(at).styleList);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `style-not-found`, `not-ready` */
  getStylePrompt(styleId: string, at?: ReadOf): Marked<StylePrompt> {
    const view = this.#armOf(at);
    return this.#marked(view.stylePrompts.get(styleId) ?? styleIn(view, styleId));
  }

  /**
   * Which arm of the running rollout a subject gets; undefined if none runs.
   * @throws RegistryError `validation-failed`, `pack-not-found`, `channel-not-found`, `not-ready`
   */
  assignment(at: ReadOf): Assignment | undefined {
    const { subject, attributes } = checkedFor(at);
    return armFor(this.view(at), subject, attributes).assignment;
  }

  /**
   * All answers about one channel, from one snapshot.
   * @throws RegistryError `pack-not-found`, `channel-not-found`, `not-ready`
   */
  view(at?: At): ChannelView {
    const { defaultView } = this.#current;
    if (at?.pack === undefined && at?.channel === undefined && defaultView !== undefined) return defaultView;
    if (!this.#instance.ready) throw notReady();
    return viewIn(this.#current.served, at?.pack ?? this.defaultPack, at?.channel ?? this.defaultChannel);
  }

  // ── This instance ──

  get instance(): RunningInstance {
    return this.#instance;
  }

  /** Milliseconds since the epoch, by the clock that events, keys and sessions go by: the store's, if it has one. */
  now(): number {
    return this.#instance.clock.now();
  }

  /** Whole seconds since this instance last knew that it was current; undefined while it still is (SPEC R10). */
  get staleSeconds(): number | undefined {
    return this.#instance.staleSeconds;
  }

  /** `coach@1.0.0` if this instance serves a forced version, whatever the log says. */
  get pinnedVersion(): string | undefined {
    return this.#instance.pinnedVersion;
  }

  /** Whether there is a whole snapshot to answer from. */
  get ready(): boolean {
    return this.#instance.ready;
  }

  health(): Health {
    return this.#instance.health();
  }

  /** Waits until a position in the history is applied here. @throws RegistryError `revision-not-reached`, `revision-unknown` */
  reach(position: WantedPosition): Promise<void> {
    return this.#instance.reach(position);
  }

  /** Calls the listener after each change. Returns a function that stops that. */
  onChange(listener: ChangeListener): () => void {
    return this.#instance.onChange(listener);
  }

  /** Waits for the write under way, gives the lease back, saves the last good snapshot, closes the store. */
  close(): Promise<void> {
    return this.#instance.close();
  }

  // ── Reads that may ask the store ──

  /**
   * A registered version with its texts, active or not.
   *
   * @param reader default: somebody who may not see a revoked version's texts
   * @throws RegistryError `pack-not-found`, `version-not-found`, `content-revoked`, `store-unavailable`
   */
  async version(pack: string, version: string, reader = NO_AUDITOR, snapshot = this.current): Promise<Edition> {
    const record = versionIn(packIn(snapshot, pack), version);
    if (record.revocation !== undefined && !reader.mayAudit) {
      throw new RegistryError(
        'content-revoked',
        `Version ${version} of pack "${pack}" was revoked at ${record.revocation.at}; only auditors may see its texts (audit:read).`,
      );
    }
    return editionOf(record, snapshot, this.#instance.contents);
  }

  /** A page of a pack's pointer moves, the newest first. @throws RegistryError `pack-not-found`, `store-unavailable` */
  async activations(pack: string, page: ActivationQuery, snapshot = this.current): Promise<ActivationPage> {
    packIn(snapshot, pack);
    // SPEC R2: the log may be ahead of this snapshot, and the answer must not show that.
    const before = Math.min(page.before ?? Infinity, snapshot.revision + 1);
    return activationsIn(this.#instance.store, pack, { ...page, before });
  }

  /** A page of events, the oldest first unless the query asks for the newest. @throws RegistryError `store-unavailable` */
  events(query: AuditQuery, snapshot = this.current): Promise<readonly Event[]> {
    return auditEvents(this.#instance.store, query, snapshot.revision);
  }

  /** Checks the whole log, and that it still says what this instance serves (SPEC R11). @throws RegistryError `store-unavailable` */
  verify(): Promise<Verification> {
    const { revision, hash } = this.current;
    return verifyLog(this.#instance.store, [{ revision, hash }], undefined, new StateProof(this.current));
  }

  // ── Commands: durable before visible ──

  /**
   * Points a channel at a version.
   * @throws RegistryError `validation-failed`, what `decide` refuses with, `idempotency-mismatch`, `store-busy`,
   *   `store-unavailable`, `outcome-unknown`
   */
  async activate(request: ActivateRequest): Promise<Receipt<Activation>> {
    return this.#move(activateCommand(request, this), request);
  }

  /**
   * Rolls a channel back: down its stack, or to a version that was active before.
   * @throws RegistryError as `activate`
   */
  async rollback(request: RollbackRequest): Promise<Receipt<Activation>> {
    return this.#move(rollbackCommand(request, this), request);
  }

  /** What an activation would do, without doing it. @throws RegistryError as `activate`, but not `version-revoked` and `policy-violated` */
  async previewActivate(request: ActivateRequest, reader = NO_AUDITOR): Promise<Preview> {
    return this.#previewMove(activateCommand(request, this), reader);
  }

  /** What a rollback would do, without doing it. @throws RegistryError as `previewActivate` */
  async previewRollback(request: RollbackRequest, reader = NO_AUDITOR): Promise<Preview> {
    return this.#previewMove(rollbackCommand(request, this), reader);
  }

  /**
   * Revokes a version permanently. Channels at that version move in the same event.
   * @throws RegistryError as `activate`
   */
  async revoke(request: RevokeRequest): Promise<Receipt<RevocationAnswer>> {
    const { event, snapshot, replayed } = await this.#instance.executor.execute(revokeCommand(request), request);
    return { ...revocationOf(event, versionIn(packIn(snapshot, request.pack), request.version)), replayed };
  }

  /** What a revocation would do, without doing it. @throws RegistryError as `revoke` */
  async previewRevoke(request: RevokeRequest): Promise<RevocationAnswer & { readonly snapshot: Snapshot }> {
    const command = revokeCommand(request);
    const { decided, snapshot } = await this.#instance.executor.preview((base, rules) => decide(base, command, rules));
    const [draft] = decided.events;
    const { pack, version } = request;
    const moves = draft?.type === 'version-revoked' ? draft.data.moves : [];
    return { revision: snapshot.revision, pack, version, moves, snapshot };
  }

  /**
   * Registers a version. Publishing the same version again succeeds and changes nothing.
   * @throws RegistryError `validation-failed`, `version-exists`, `policy-violated`, `idempotency-mismatch`, `store-busy`,
   *   `store-unavailable`, `outcome-unknown`
   */
  async publish(
    request: PublishRequest,
  ): Promise<Receipt<{ record: VersionRecord; snapshot: Snapshot; created: boolean }>> {
    const given = parsePack(request.pack, request.document);
    const { actor = SYSTEM_ACTOR } = request;
    const commandOn = async (base: Snapshot): Promise<Command> => {
      const version = await asRegistered(base, given, (digest) => this.#instance.contents.get(digest));
      return { type: 'publish', version, actor, reason: `Published: ${given.summary}` };
    };
    const { event, snapshot, replayed } = await this.#instance.executor.execute(commandOn, request);
    const record = versionIn(packIn(snapshot, request.pack), given.content.version);
    return { record, snapshot, created: event !== undefined, replayed };
  }

  /**
   * Makes a key. The token is in this answer and nowhere else; a replayed answer has none.
   * @throws RegistryError `validation-failed`, `forbidden`, `idempotency-mismatch`, `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async createKey(request: CreateKeyRequest): Promise<Receipt<{ record: KeyRecord; token: string | undefined }>> {
    const command = createKeyCommand(request, this.now());
    const { event, snapshot, replayed } = await this.#instance.executor.execute(command, request);
    const record = event?.type === 'key-created' ? snapshot.keys.get(event.data.keyId) : undefined;
    if (record === undefined) throw new Error('A key was created, but the snapshot does not have it.');
    return { record, token: replayed ? undefined : command.key.token, replayed };
  }

  /** Revokes a key, from the next request on, and cancels what it has scheduled. @throws RegistryError `key-not-found` and as `createKey` */
  async revokeKey(request: RevokeKeyRequest): Promise<Receipt<RevokedKey>> {
    const { event, snapshot, replayed } = await this.#instance.executor.execute(revokeKeyCommand(request), request);
    const record = snapshot.keys.get(request.keyId);
    if (record === undefined) throw new Error('A key was revoked, but the snapshot does not have it.');
    return { record, cancelled: cancelledBy(event), replayed };
  }

  // ── Sessions ──

  /**
   * Starts a coach session on the version that a channel of the default pack serves now. While a rollout runs, the subject decides which
   * one; without a subject the session is its own. Needs no store.
   * @throws RegistryError `channel-not-found`, `style-not-supported`, `validation-failed`, `not-ready`
   */
  startSession({ styleId, channel, ...given }: SessionRequest = {}): Marked<Session> {
    const { subject, attributes } = checkedFor(given);
    const view = this.view(channel === undefined ? undefined : { channel });
    const { epoch } = this.current;
    const random = newSessionName();
    const { arm, assignment } = armFor(view, subject ?? random, attributes);
    const now = this.now();
    return this.#marked(this.#instance.sessions.start({ view: arm, epoch, assignment, styleId, random, now }));
  }

  /**
   * A session as it was pinned at its start, after any number of flips and restarts. If its version was revoked, the session is answered
   * from the replacement (SPEC R8).
   * @throws RegistryError `session-not-found`, `store-unavailable`, `revision-not-reached`
   */
  async resolveSession(sessionId: string, snapshot?: Snapshot): Promise<Marked<Session>> {
    const base = snapshot ?? (await this.snapshotFor(sessionId));
    const pin = this.#instance.sessions.read(base, sessionId, this.now());
    return this.#marked(
      await sessionOf(sessionId, pin, base, (record) => contentOf(record, base, this.#instance.contents)),
    );
  }

  /** A snapshot that is no older than a session: the given one, or the one that it arrives with. @throws as `resolveSession` */
  snapshotFor(sessionId: string, snapshot = this.current): Promise<Snapshot> {
    return snapshotFor(sessionId, snapshot, this.#instance);
  }

  #armOf(at: ReadOf | undefined): ArmView {
    const view = this.view(at);
    if (at?.subject === undefined && at?.attributes === undefined) return view;
    const { subject, attributes } = checkedFor(at);
    return armFor(view, subject, attributes).arm;
  }

  #marked<T extends object>(answer: T): Marked<T> {
    const staleSeconds = this.#instance.staleSeconds;
    return staleSeconds === undefined ? answer : Object.freeze({ ...answer, staleSeconds });
  }

  async #move(command: MoveCommand, attribution: Attribution): Promise<Receipt<Activation>> {
    const { executor, store } = this.#instance;
    const { event, snapshot, replayed } = await executor.execute(command, attribution);
    if (replayed && event?.type === 'activation-confirmed') return { ...(await confirmedBy(event, store)), replayed };
    return { ...activationAfter(event, command, snapshot), replayed };
  }

  async #previewMove(command: MoveCommand, reader: Reader): Promise<Preview> {
    const { executor, contents } = this.#instance;
    const { decided, snapshot } = await executor.preview((base, rules) => foreseeMove(base, command, rules));
    const active = decided.pointer && versionIn(packIn(snapshot, command.pack), decided.pointer.version);
    return previewOf(
      active && (await editionOf(active, snapshot, contents)),
      await editionOf(decided.record, snapshot, contents),
      reader,
      { rollout: decided.rollout, snapshot },
    );
  }
}
