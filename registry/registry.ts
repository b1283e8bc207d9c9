/**
 * The registry: one frozen snapshot that all reads come from, and the commands that lead to the next one.
 *
 * Problem: a rollback must be whole and at once, for every reader, while requests are under way.
 * Rule (SPEC R2, R3): a reader takes `current` once and answers from it; a command is decided, made durable, and then becomes
 * visible by one assignment. Reads never wait; only writes and contents that are not active do.
 * Example: `registry.getStylePrompt('supportive').version` is '2.0.0'; after `await registry.rollback({reason})` it is '1.1.0'.
 */
import {
  activationOf,
  activationsIn,
  unchanged,
  type Activation,
  type ActivationPage,
  type ActivationQuery,
} from './moves/history.ts';
import { auditEvents, verifyLog, type AuditQuery, type Verification } from './proof/verify.ts';
import { StateProof } from './proof/comparison.ts';
import type { Edition } from './packs/diff.ts';
import { RegistryError, notReady } from './errors.ts';
import type { Event } from './log/event.ts';
import { replayable } from './writing/idempotency.ts';
import { Instance, type ChangeListener, type Health, type InstanceRecord } from './instance/instance.ts';
import type { Reach } from './following/instances.ts';
import { newKey } from './keys/keys.ts';
import { SCOPES, SYSTEM_ACTOR, type PackContent } from './model.ts';
import { checkOptions, defaultChannelOf, type RegistryOptions } from './instance/options.ts';
import { parsePack } from './packs/pack.ts';
import { NO_AUDITOR, previewOf, type Preview, type Reader } from './moves/preview.ts';
import { asRegistered } from './packs/publishing.ts';
import {
  checkNewKey,
  checkRequest,
  type ActivateRequest,
  type At,
  type Attribution,
  type CreateKeyRequest,
  type PublishRequest,
  type RevokeKeyRequest,
  type RevokeRequest,
  type RollbackRequest,
} from './requests.ts';
import { revocationOf, type RevocationAnswer } from './moves/revocation.ts';
import { sessionOf, type Session } from './sessions/session.ts';
import { packIn, versionIn, viewIn, type Snapshot } from './state/snapshot.ts';
import type { Store } from './log/store.ts';
import { decide, type Command } from './transitions.ts';
import type { KeyRecord, VersionRecord } from './state/records.ts';
import { aim, type MoveCommand } from './moves/moving.ts';
import {
  styleIn,
  type ActivePack,
  type ChannelView,
  type StyleList,
  type StylePrompt,
  type SystemPrompt,
} from './state/views.ts';

export type { Preview, Reader, RegistryOptions };

/** The answer to a command, and whether it is an earlier one told again (SPEC R6). */
export type Receipt<T> = T & { readonly replayed: boolean };

/** In-process answers carry the age of what they say, where this instance does not know that it is current (SPEC R10). */
export type Marked<T> = T & { readonly staleSeconds?: number };

export class Registry {
  readonly channels: readonly string[];
  readonly defaultPack: string;
  readonly defaultChannel: string;
  readonly #instance: Instance;
  readonly #store: Store;
  #current: Snapshot;
  #defaultView: ChannelView | undefined;

  private constructor(options: RegistryOptions, instance: Instance) {
    this.channels = Object.freeze([...options.channels]);
    this.defaultPack = options.defaultPack;
    this.defaultChannel = defaultChannelOf(options.channels);
    this.#instance = instance;
    this.#store = instance.store;
    this.#current = instance.current;
    // The atomic flip: from here on every read answers from `current`.
    instance.onShow((current) => {
      this.#current = current;
      this.#defaultView = current.views.get(this.defaultPack)?.get(this.defaultChannel);
    });
  }

  /**
   * Opens the registry: the last good snapshot where the log still holds its place, the rest of the log, then what this start
   * adds to it; then it follows the log. With `failStatic` it opens also where the store is away.
   *
   * @throws StartRefused what is wrong with the options, the shipped packs or the settings; RegistryError `store-unavailable`; LogBroken
   */
  static async open(options: RegistryOptions): Promise<Registry> {
    checkOptions(options);
    return new Registry(options, await Instance.open(options));
  }

  /** The snapshot that answers are computed from. Take it once per answer. */
  get current(): Snapshot {
    return this.#current;
  }

  // ── Reads: synchronous, from the snapshot in force ──

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  activePack(at?: At): Marked<ActivePack> {
    return this.#marked(this.view(at).activePack);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  getSystemPrompt(at?: At): Marked<SystemPrompt> {
    return this.#marked(this.view(at).systemPrompt);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  listStyles(at?: At): Marked<StyleList> {
    return this.#marked(this.view(at).styleList);
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `style-not-found` */
  getStylePrompt(styleId: string, at?: At): Marked<StylePrompt> {
    const view = this.view(at);
    return this.#marked(view.stylePrompts.get(styleId) ?? styleIn(view, styleId));
  }

  /**
   * All answers that hang on one pointer, from one snapshot.
   * @throws RegistryError `pack-not-found`, `channel-not-found`, `not-ready`
   */
  view(at?: At): ChannelView {
    if (at === undefined && this.#defaultView !== undefined) return this.#defaultView;
    if (!this.#instance.ready) throw notReady();
    return viewIn(this.#current, at?.pack ?? this.defaultPack, at?.channel ?? this.defaultChannel);
  }

  // ── This instance, and the others (`instance.ts`) ──

  get instanceId(): string {
    return this.#instance.id;
  }

  /** Milliseconds since the epoch, by the clock that events and the ends of keys and sessions go by: the store's, where it has one. */
  now(): number {
    return this.#instance.clock.now();
  }

  /** Whole seconds since this instance last knew that it was current; undefined where it still does (SPEC R10). */
  get staleSeconds(): number | undefined {
    return this.#instance.staleSeconds;
  }

  /** `coach@1.0.0` where this instance serves a version of its own, whatever the log says. */
  get pinnedVersion(): string | undefined {
    return this.#instance.pinnedVersion;
  }

  /** Whether there is a whole snapshot to answer from. */
  get ready(): boolean {
    return this.#instance.ready;
  }

  /** How this instance is. */
  health(): Health {
    return this.#instance.health();
  }

  /** Every instance that has a lease. */
  instances(): InstanceRecord[] {
    return this.#instance.list();
  }

  /** Waits until a place in the history is applied here. @throws RegistryError `revision-not-reached`, `revision-unknown` */
  reach(position: { readonly epoch?: number | undefined; readonly revision: number }): Promise<void> {
    return this.#instance.reach(position);
  }

  /** Waits until every live instance has applied a revision, `seconds` at most. */
  settled(revision: number, seconds: number): Promise<Reach> {
    return this.#instance.settled(revision, seconds);
  }

  /** Applies what the log holds beyond the current snapshot. @throws RegistryError `store-unavailable`; LogBroken */
  catchUp(): Promise<void> {
    return this.#instance.catchUp();
  }

  /** Calls the listener after each change. Returns what ends that. */
  onChange(listener: ChangeListener): () => void {
    return this.#instance.onChange(listener);
  }

  /** Ends waits for other instances; who had applied the move by then is their answer. Before the server is closed. */
  stopWaiting(): void {
    this.#instance.stopWaiting();
  }

  /** Ends the writes under way, gives the lease back, saves the last good snapshot, closes the store. */
  close(): Promise<void> {
    return this.#instance.close();
  }

  // ── Reads that may ask the store ──

  /**
   * A registered version with its texts, active or not.
   *
   * @param reader nobody who may see a revoked version's texts, where not given
   * @throws RegistryError `pack-not-found`, `version-not-found`, `content-revoked`, `store-unavailable`
   */
  async version(
    pack: string,
    version: string,
    reader: Reader = NO_AUDITOR,
    snapshot = this.#current,
  ): Promise<Edition> {
    const record = versionIn(packIn(snapshot, pack), version);
    if (record.revocation !== undefined && !reader.mayAudit) {
      throw new RegistryError(
        'content-revoked',
        `Version ${version} of pack "${pack}" was revoked at ${record.revocation.at}; its texts are for auditors only (audit:read).`,
      );
    }
    return this.#editionOf(record, snapshot);
  }

  /** A page of a pack's pointer moves, the newest first. @throws RegistryError `pack-not-found`, `store-unavailable` */
  async activations(pack: string, page: ActivationQuery, snapshot = this.#current): Promise<ActivationPage> {
    packIn(snapshot, pack);
    // SPEC R2: the log may be ahead of what is visible, and an answer made from this snapshot tells nothing of that.
    const before = Math.min(page.before ?? Infinity, snapshot.revision + 1);
    return activationsIn(this.#store, pack, { ...page, before });
  }

  /** A page of events, the oldest first unless the query asks for the newest. @throws RegistryError `store-unavailable` */
  events(query: AuditQuery, snapshot = this.#current): Promise<readonly Event[]> {
    return auditEvents(this.#store, query, snapshot.revision);
  }

  /** Checks the whole log, and that it still says what this instance serves (SPEC R11). @throws RegistryError `store-unavailable` */
  verify(): Promise<Verification> {
    const { revision, hash } = this.#current;
    return verifyLog(this.#store, [{ revision, hash }], undefined, new StateProof(this.#current));
  }

  // ── Commands: durable before visible ──

  /**
   * Points a channel at a version.
   * @throws RegistryError `validation-failed`, what `decide` refuses with, `idempotency-mismatch`, `store-busy`,
   *   `store-unavailable`, `outcome-unknown`
   */
  async activate(request: ActivateRequest): Promise<Receipt<Activation>> {
    return this.#move(this.#activateCommand(request), request);
  }

  /**
   * Rolls a channel back: down its stack, or to a version that was active before.
   * @throws RegistryError as `activate`
   */
  async rollback(request: RollbackRequest): Promise<Receipt<Activation>> {
    return this.#move(this.#rollbackCommand(request), request);
  }

  /** What an activation would do, without doing it. @throws RegistryError as `activate`, but for `version-revoked`, `policy-violated` */
  previewActivate(request: ActivateRequest, reader: Reader = NO_AUDITOR): Promise<Preview> {
    return this.#preview(this.#activateCommand(request), reader);
  }

  /** What a rollback would do, without doing it. @throws RegistryError as `previewActivate` */
  previewRollback(request: RollbackRequest, reader: Reader = NO_AUDITOR): Promise<Preview> {
    return this.#preview(this.#rollbackCommand(request), reader);
  }

  /**
   * Revokes a version for good; channels at it move in the same event.
   * @throws RegistryError as `activate`
   */
  async revoke(request: RevokeRequest): Promise<Receipt<RevocationAnswer>> {
    const { event, snapshot, replayed } = await this.#execute(this.#revokeCommand(request), request);
    return { ...revocationOf(event, versionIn(packIn(snapshot, request.pack), request.version)), replayed };
  }

  /** What a revocation would do, without doing it. @throws RegistryError as `revoke` */
  async previewRevoke(request: RevokeRequest): Promise<RevocationAnswer & { readonly snapshot: Snapshot }> {
    const command = this.#revokeCommand(request);
    const { seen, snapshot } = await this.#instance.foreseen((base) => decide(base, command, this));
    const [draft] = seen.events;
    const { pack, version } = request;
    return {
      revision: snapshot.revision,
      pack,
      version,
      moves: draft?.type === 'version-revoked' ? draft.data.moves : [],
      snapshot,
    };
  }

  /**
   * Registers a version; the same again is a success without effect.
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
    const { event, snapshot, replayed } = await this.#execute(commandOn, request);
    return {
      record: versionIn(packIn(snapshot, request.pack), given.content.version),
      snapshot,
      created: event !== undefined,
      replayed,
    };
  }

  /**
   * Makes a key. The token is in this answer and nowhere else; a replayed answer has none.
   * @throws RegistryError `validation-failed`, `forbidden`, `idempotency-mismatch`, `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async createKey(request: CreateKeyRequest): Promise<Receipt<{ record: KeyRecord; token: string | undefined }>> {
    const { label, scopes, expiresAt, actor = SYSTEM_ACTOR, heldScopes = SCOPES } = request;
    checkRequest({ label, expiresAt });
    checkNewKey(scopes, expiresAt, this.now());
    const key = newKey();
    const command: Command = {
      type: 'create-key',
      key,
      label,
      scopes,
      actor,
      heldScopes,
      ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    };
    const { event, snapshot, replayed } = await this.#execute(command, request);
    const record = event?.type === 'key-created' ? snapshot.keys.get(event.data.keyId) : undefined;
    if (record === undefined) throw new Error('A key was made, but the snapshot does not have it.');
    return { record, token: replayed ? undefined : key.token, replayed };
  }

  /** Revokes a key, from the next request on. @throws RegistryError `key-not-found` and as `createKey` */
  async revokeKey(request: RevokeKeyRequest): Promise<Receipt<{ record: KeyRecord }>> {
    const { keyId, reason, actor = SYSTEM_ACTOR, heldScopes = SCOPES } = request;
    checkRequest({ reason });
    const { snapshot, replayed } = await this.#execute(
      { type: 'revoke-key', keyId, reason, actor, heldScopes },
      request,
    );
    const record = snapshot.keys.get(keyId);
    if (record === undefined) throw new Error('A key was revoked, but the snapshot does not have it.');
    return { record, replayed };
  }

  /**
   * Starts a coach session on what is active now in a channel of the default pack. Needs no store.
   * @throws RegistryError `channel-not-found`, `style-not-supported`
   */
  startSession({
    styleId,
    channel,
  }: { readonly styleId?: string | undefined; readonly channel?: string | undefined } = {}): Marked<Session> {
    return this.#marked(
      this.#instance.sessions.start(this.view(channel === undefined ? undefined : { channel }), styleId, this.now()),
    );
  }

  /**
   * A session as pinned at its start, after any number of flips and restarts; where its version was revoked, as answered from
   * what stands in for it (SPEC R8).
   * @throws RegistryError `session-not-found`, `store-unavailable`, `revision-not-reached`
   */
  async resolveSession(sessionId: string, snapshot?: Snapshot): Promise<Marked<Session>> {
    const seen = snapshot ?? (await this.snapshotFor(sessionId));
    const pin = this.#instance.sessions.read(seen, sessionId, this.now());
    return this.#marked(await sessionOf(sessionId, pin, seen, (record) => this.#contentOf(record, seen)));
  }

  /**
   * A snapshot that is no older than a session: the one given, or, where another instance has started the session at a revision that has
   * not arrived here, the one that it arrives with (SPEC R10).
   * @throws RegistryError `session-not-found`, `revision-not-reached`
   */
  async snapshotFor(sessionId: string, snapshot = this.#current): Promise<Snapshot> {
    const sessions = this.#instance.sessions;
    let unknown: unknown;
    try {
      // A session that began later than what is known here is known all the same; where this instance is cut off, that has to do (SPEC R9).
      if (
        sessions.read(snapshot, sessionId, this.now()).revision <= snapshot.revision ||
        this.staleSeconds !== undefined
      )
        return snapshot;
    } catch (error) {
      unknown = error;
    }
    const revision = sessions.revisionOf(sessionId);
    if (revision === undefined || revision <= snapshot.revision) throw unknown;
    await this.reach({ revision }).catch((refusal: unknown) => {
      const restoredOver = refusal instanceof RegistryError && refusal.code === 'revision-unknown';
      if (unknown !== undefined && !restoredOver) throw refusal;
    });
    return this.#current;
  }

  #marked<T extends object>(answer: T): Marked<T> {
    const staleSeconds = this.#instance.staleSeconds;
    return staleSeconds === undefined ? answer : Object.freeze({ ...answer, staleSeconds });
  }

  #activateCommand({
    version,
    reason,
    pack,
    channel,
    actor = SYSTEM_ACTOR,
    precondition,
  }: ActivateRequest): MoveCommand {
    checkRequest({ version, reason, pack, channel });
    return {
      type: 'activate',
      ...this.#channelRef({ pack, channel }),
      version,
      actor,
      reason,
      ...(precondition && { precondition }),
    };
  }

  #rollbackCommand({
    reason,
    toVersion,
    fromVersion,
    pack,
    channel,
    actor = SYSTEM_ACTOR,
    precondition,
  }: RollbackRequest): MoveCommand {
    checkRequest({ toVersion, fromVersion, reason, pack, channel });
    const guards = {
      ...(toVersion !== undefined && { toVersion }),
      ...(fromVersion !== undefined && { fromVersion }),
      ...(precondition && { precondition }),
    };
    return { type: 'rollback', ...this.#channelRef({ pack, channel }), actor, reason, ...guards };
  }

  #revokeCommand({ pack, version, replacement, reason, actor = SYSTEM_ACTOR }: RevokeRequest): Command {
    checkRequest({ pack, version, replacement, reason });
    return { type: 'revoke', pack, version, actor, reason, ...(replacement !== undefined && { replacement }) };
  }

  #channelRef({ pack, channel }: At): { pack: string; channel: string } {
    return { pack: pack ?? this.defaultPack, channel: channel ?? this.defaultChannel };
  }

  /** The event that a command made, now or at its first coming; none where nothing had to change. */
  async #execute(
    command: Command | ((base: Snapshot) => Promise<Command>),
    { actor = SYSTEM_ACTOR, idempotency }: Attribution,
  ): Promise<{ event: Event | undefined; snapshot: Snapshot; replayed: boolean }> {
    checkRequest({ actor });
    const request = replayable(this.#store, actor, idempotency);
    const { events, snapshot } = await this.#instance.commit((base) =>
      request.first(async () => decide(base, typeof command === 'function' ? await command(base) : command, this)),
    );
    const replay = request.replay();
    return { event: replay ?? events[0], snapshot, replayed: replay !== undefined };
  }

  async #move(command: MoveCommand, attribution: Attribution): Promise<Receipt<Activation>> {
    const { event, snapshot, replayed } = await this.#execute(command, attribution);
    if (event !== undefined) return { ...activationOf(event, command.channel), replayed };
    return { ...unchanged(snapshot.packs.get(command.pack)?.pointers.get(command.channel)), replayed };
  }

  async #preview(command: MoveCommand, reader: Reader): Promise<Preview> {
    const { seen, snapshot } = await this.#instance.foreseen((base) => aim(base, command, this));
    const { record, pointer } = seen;
    const active =
      pointer === undefined
        ? undefined
        : await this.#editionOf(versionIn(packIn(snapshot, command.pack), pointer.version), snapshot);
    return previewOf(active, await this.#editionOf(record, snapshot), reader, snapshot);
  }

  async #editionOf(record: VersionRecord, snapshot: Snapshot): Promise<Edition> {
    return { record, content: await this.#contentOf(record, snapshot) };
  }

  /** Active contents hang on the snapshot; others come through the bounded memory. */
  async #contentOf(record: VersionRecord, snapshot: Snapshot): Promise<PackContent> {
    for (const { content } of snapshot.views.get(record.pack)?.values() ?? [])
      if (content.version === record.version) return content;
    return this.#instance.contents.get(record.digest);
  }
}
