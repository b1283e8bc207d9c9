/**
 * The registry: one frozen snapshot that all reads come from, and the commands that lead to the next one.
 *
 * Problem: a rollback must be whole and at once, for every reader, while requests are under way.
 * Rule (SPEC R2, R3): a reader takes `current` once and answers from it; a command is decided, made durable, and then becomes
 * visible by one assignment. Reads never wait; only writes and contents that are not active do.
 * Example: `registry.getStylePrompt('supportive').version` is '2.0.0'; after `await registry.rollback({reason})` it is '1.1.0'.
 */
import { Contents } from './contents.ts';
import { invalidInput, type InputFault } from './errors.ts';
import type { Event } from './event.ts';
import { Fold, viewOf } from './fold.ts';
import { planStart } from './first-start.ts';
import { FrozenMap } from './frozen-map.ts';
import { LastGood, type SavedSnapshot } from './last-good.ts';
import { SILENT, type Log } from './log.ts';
import { ChannelName, PackName, Reason, SYSTEM_ACTOR, Version, type Actor, type PackContent } from './model.ts';
import { parsePack, schemaFaults, unfitText } from './pack.ts';
import type { ShippedVersion } from './pack-folder.ts';
import { newSessionKey, sessionOf, Sessions, type Session } from './sessions.ts';
import {
  EMPTY_SNAPSHOT,
  packIn,
  styleIn,
  versionIn,
  viewIn,
  type ActivePack,
  type ChannelView,
  type Pointer,
  type Snapshot,
  type StyleList,
  type StylePrompt,
  type SystemPrompt,
  type VersionRecord,
} from './snapshot.ts';
import type { Store } from './store.ts';
import { activationOf, activationsIn, type Activation } from './activations.ts';
import { decide, type ActivateCommand, type Precondition, type RollbackCommand } from './transitions.ts';
import { SYSTEM_CLOCK, Writer, type Clock } from './writer.ts';

export interface RegistryOptions {
  /** Owned by the registry from here on: `close` closes it. */
  readonly store: Store;
  /** The channels there are; the first is the default one. At least one. */
  readonly channels: readonly string[];
  /** The pack that reads and sessions mean where none is named. */
  readonly defaultPack: string;
  /** Activated at the first start, where `defaultPack` has no pointer yet. */
  readonly defaultVersion?: string | undefined;
  /** How long a session may run, in milliseconds. */
  readonly sessionTtl: number;
  /** Versions to register at the start (`readPackFolders`). */
  readonly shipped?: readonly ShippedVersion[];
  /** Where the last good snapshot is kept: an existing, private folder. None is kept without it. */
  readonly dataDir?: string;
  readonly log?: Log;
  readonly clock?: Clock;
}

/** Which pointer a read means; the default pack and channel where it says nothing. */
export interface At {
  readonly pack?: string | undefined;
  readonly channel?: string | undefined;
}

export interface ActivateRequest extends At {
  readonly version: string;
  readonly reason: string;
  readonly actor?: Actor;
  readonly precondition?: Precondition | undefined;
}

export interface RollbackRequest extends At {
  readonly reason: string;
  readonly toVersion?: string | undefined;
  readonly fromVersion?: string | undefined;
  readonly actor?: Actor;
  readonly precondition?: Precondition | undefined;
}

export interface PublishRequest {
  readonly pack: string;
  /** Untrusted; a pack document. */
  readonly document: unknown;
  readonly actor?: Actor;
}

/** Hears of changes after they are visible. It must not throw; what it throws is logged. */
export type ChangeListener = (events: readonly Event[], snapshot: Snapshot) => void;

export class Registry {
  readonly channels: readonly string[];
  readonly defaultPack: string;
  readonly defaultChannel: string;
  readonly #store: Store;
  readonly #contents: Contents;
  readonly #sessions: Sessions;
  readonly #writer: Writer;
  readonly #lastGood: LastGood | undefined;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #listeners = new Set<ChangeListener>();
  #current: Snapshot;
  #defaultView: ChannelView | undefined;

  private constructor(options: RegistryOptions, parts: { snapshot: Snapshot; contents: Contents; sessions: Sessions; lastGood: LastGood | undefined }) {
    this.channels = Object.freeze([...options.channels]);
    this.defaultPack = options.defaultPack;
    this.defaultChannel = defaultChannelOf(options.channels);
    this.#store = options.store;
    this.#contents = parts.contents;
    this.#sessions = parts.sessions;
    this.#lastGood = parts.lastGood;
    this.#log = options.log ?? SILENT;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#current = EMPTY_SNAPSHOT;
    this.#show(parts.snapshot);
    this.#writer = new Writer(parts.snapshot, this.#writerOptions());
  }

  /**
   * Opens the registry: the last good snapshot where the log still holds its place, the rest of the log, then what this start
   * adds to it.
   *
   * @throws StartRefused what is wrong with the shipped packs or the settings; RegistryError `store-unavailable`; LogBroken
   */
  static async open(options: RegistryOptions): Promise<Registry> {
    const log = options.log ?? SILENT;
    const clock = options.clock ?? SYSTEM_CLOCK;
    const contents = new Contents(options.store);
    const lastGood = options.dataDir === undefined ? undefined : new LastGood(options.dataDir, log);

    let snapshot = await readLog(options.store, contents, await lastGood?.load(), log);
    const starter = new Writer(snapshot, { store: options.store, contents, clock, log, publish: (next) => (snapshot = next) });
    try {
      await starter.commit((base) =>
        planStart(
          base,
          { shipped: options.shipped ?? [], channels: options.channels, defaultPack: options.defaultPack, defaultVersion: options.defaultVersion },
          {
            newId: () => clock.newId(),
            newSessionKey: () => newSessionKey(new Date(clock.now()).toISOString()),
            knownContent: (digest) => contents.get(digest),
            log,
          },
        ),
      );
    } finally {
      await starter.close();
    }
    const sessions = new Sessions(await options.store.sessionKeys(), options.sessionTtl);
    return new Registry(options, { snapshot, contents, sessions, lastGood });
  }

  /** The snapshot that answers are computed from. Take it once per answer. */
  get current(): Snapshot {
    return this.#current;
  }

  // ── Reads: synchronous, from the snapshot in force ──

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  activePack(at: At = {}): ActivePack {
    return this.view(at).activePack;
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  getSystemPrompt(at?: At): SystemPrompt {
    return this.view(at).systemPrompt;
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found` */
  listStyles(at?: At): StyleList {
    return this.view(at).styleList;
  }

  /** @throws RegistryError `pack-not-found`, `channel-not-found`, `style-not-found` */
  getStylePrompt(styleId: string, at?: At): StylePrompt {
    const view = this.view(at);
    return view.stylePrompts.get(styleId) ?? styleIn(view, styleId);
  }

  /**
   * All answers that hang on one pointer, from one snapshot.
   * @throws RegistryError `pack-not-found`, `channel-not-found`
   */
  view(at?: At): ChannelView {
    if (at === undefined && this.#defaultView !== undefined) return this.#defaultView;
    return viewIn(this.#current, at?.pack ?? this.defaultPack, at?.channel ?? this.defaultChannel);
  }

  /**
   * A registered version with its texts, active or not.
   * @throws RegistryError `pack-not-found`, `version-not-found`, `store-unavailable`
   */
  async version(pack: string, version: string, snapshot = this.#current): Promise<{ record: VersionRecord; content: PackContent }> {
    const record = versionIn(packIn(snapshot, pack), version);
    return { record, content: await this.#contentOf(record, snapshot) };
  }

  /**
   * A page of a pack's pointer moves, the newest first.
   * @throws RegistryError `pack-not-found`, `store-unavailable`
   */
  async activations(
    pack: string,
    page: { readonly channel?: string | undefined; readonly before?: number | undefined; readonly limit: number },
    snapshot = this.#current,
  ): Promise<Activation[]> {
    packIn(snapshot, pack);
    // SPEC R2: the log may be ahead of what is visible, and an answer made from this snapshot tells nothing of that.
    const before = Math.min(page.before ?? Infinity, snapshot.revision + 1);
    return activationsIn(this.#store, pack, { ...page, before });
  }

  // ── Commands: durable before visible ──

  /**
   * Points a channel at a version.
   * @throws RegistryError `validation-failed` and what `decide` refuses with; `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async activate(request: ActivateRequest): Promise<Activation> {
    const { version, actor = SYSTEM_ACTOR, reason, precondition } = request;
    check([['version', Version, version]], request);
    const command: ActivateCommand = { type: 'activate', ...this.#placeOf(request), version, actor, reason, ...(precondition && { precondition }) };
    return this.#move(command, 'activation');
  }

  /**
   * Rolls a channel back: down its stack, or to a version that was active before.
   * @throws RegistryError as `activate`
   */
  async rollback(request: RollbackRequest): Promise<Activation> {
    const { actor = SYSTEM_ACTOR, reason, toVersion, fromVersion, precondition } = request;
    check([['toVersion', Version, toVersion], ['fromVersion', Version, fromVersion]], request);
    const optional = { ...(toVersion !== undefined && { toVersion }), ...(fromVersion !== undefined && { fromVersion }), ...(precondition && { precondition }) };
    const command: RollbackCommand = { type: 'rollback', ...this.#placeOf(request), actor, reason, ...optional };
    return this.#move(command, 'rollback');
  }

  /**
   * Registers a version; the same again is a success without effect.
   * @throws RegistryError `validation-failed`, `version-exists`, `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async publish({ pack, document, actor = SYSTEM_ACTOR }: PublishRequest): Promise<{ record: VersionRecord; snapshot: Snapshot; created: boolean }> {
    const version = parsePack(pack, document);
    const { events, snapshot } = await this.#writer.commit((base) =>
      decide(base, { type: 'publish', version, actor, reason: `Published: ${version.summary}` }, this),
    );
    return { record: versionIn(packIn(snapshot, pack), version.content.version), snapshot, created: events.length > 0 };
  }

  /**
   * Starts a coach session on what is active now in a channel of the default pack. Needs no store.
   * @throws RegistryError `channel-not-found`, `style-not-supported`
   */
  startSession({ styleId, channel }: { readonly styleId?: string | undefined; readonly channel?: string | undefined } = {}): Session {
    return this.#sessions.start(this.view(channel === undefined ? undefined : { channel }), styleId, this.#clock.now());
  }

  /**
   * A session as pinned at its start, after any number of flips and restarts (SPEC R8).
   * @throws RegistryError `session-not-found`, `store-unavailable`
   */
  async resolveSession(sessionId: string, snapshot = this.#current): Promise<Session> {
    const pin = this.#sessions.read(snapshot, sessionId, this.#clock.now());
    return sessionOf(sessionId, pin, await this.#contentOf(pin.record, snapshot), snapshot);
  }

  /** Calls the listener after each change. Returns what ends that. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the writes under way, saves the last good snapshot, closes the store. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#lastGood?.flush();
    await this.#store.close();
  }

  #placeOf({ pack, channel }: At): { pack: string; channel: string } {
    return { pack: pack ?? this.defaultPack, channel: channel ?? this.defaultChannel };
  }

  async #move(command: ActivateCommand | RollbackCommand, kind: 'activation' | 'rollback'): Promise<Activation> {
    const { events, snapshot } = await this.#writer.commit((base) => decide(base, command, this));
    const [event] = events;
    if (event !== undefined) return activationOf(event, command.channel);
    return unchanged(snapshot.packs.get(command.pack)?.pointers.get(command.channel), kind);
  }

  /** Active contents hang on the snapshot; others come through the bounded memory. */
  async #contentOf(record: VersionRecord, snapshot: Snapshot): Promise<PackContent> {
    const active = activeContent(record, snapshot);
    if (active !== undefined) return active;
    return this.#contents.get(record.digest);
  }

  #writerOptions(): ConstructorParameters<typeof Writer>[1] {
    return {
      ...{ store: this.#store, contents: this.#contents, clock: this.#clock, log: this.#log },
      publish: (next, events) => {
        this.#show(next);
        for (const listener of this.#listeners) {
          try {
            listener(events, next);
          } catch (error) {
            this.#log.error({ err: error, revision: next.revision }, 'A listener to changes failed; the change itself is made.');
          }
        }
      },
    };
  }

  /** The atomic flip: from here on every read answers from `next`. */
  #show(next: Snapshot): void {
    this.#current = next;
    this.#defaultView = next.views.get(this.defaultPack)?.get(this.defaultChannel);
    this.#lastGood?.save(next);
  }
}

function defaultChannelOf(channels: readonly string[]): string {
  const [first] = channels;
  if (first === undefined) throw new RangeError('There must be at least one channel.');
  return first;
}

/** Events read from the log at once: few enough to be garbage before the collector would move them. */
const PAGE = 2000;

/** The state of the log: from the saved snapshot where the log holds its place, else from its first event. */
async function readLog(store: Store, contents: Contents, saved: SavedSnapshot | undefined, log: Log): Promise<Snapshot> {
  let snapshot = EMPTY_SNAPSHOT;
  if (saved !== undefined) {
    const [place] = await store.events({ after: saved.revision - 1, order: 'ascending', limit: 1 });
    if (place?.hash === saved.hash) snapshot = await restored(saved, contents);
    else log.warn({ revision: saved.revision, registryId: saved.registryId }, 'The last good snapshot is not a place in this log; the log is folded from its first event instead.');
  }
  const fold = new Fold(snapshot);
  for (;;) {
    const page = await store.events({ after: fold.revision, order: 'ascending', limit: PAGE });
    for (const event of page) fold.add(event);
    if (page.length < PAGE) break;
  }
  return fold.freeze(await contents.all(fold.movedDigests()));
}

async function restored(saved: SavedSnapshot, contents: Contents): Promise<Snapshot> {
  const views = new Map<string, FrozenMap<string, ChannelView>>();
  for (const [pack, { pointers }] of saved.packs) {
    const byChannel: [string, ChannelView][] = [];
    for (const [channel, pointer] of pointers) byChannel.push([channel, viewOf(pointer, await contents.get(pointer.digest))]);
    if (byChannel.length > 0) views.set(pack, new FrozenMap(byChannel));
  }
  return Object.freeze({ ...saved, views: new FrozenMap(views) });
}

function activeContent({ pack, version, digest }: VersionRecord, snapshot: Snapshot): PackContent | undefined {
  for (const { activePack } of snapshot.views.get(pack)?.values() ?? []) {
    if (activePack.digest === digest) {
      const { system, styles, defaultStyle, compatibility } = activePack;
      return { pack, version, system, styles, defaultStyle, compatibility };
    }
  }
  return undefined;
}

/** The move in force, told again: the channel is already where it was asked to be. */
function unchanged(pointer: Pointer | undefined, asked: 'activation' | 'rollback'): Activation {
  if (pointer === undefined) throw new Error(`A ${asked} without effect on a channel without a pointer.`);
  const { revision, kind, pack, channel, version, digest, previousVersion, activatedBy, reason, activatedAt } = pointer;
  return { revision, kind, pack, channel, version, digest, previousVersion, actor: activatedBy, reason, activatedAt, changed: false };
}

/** In-process callers are held to the same words as HTTP ones. */
function check(fields: readonly (readonly [string, typeof Version, string | undefined])[], { pack, channel, reason }: At & { readonly reason: string }): void {
  const faults: InputFault[] = [];
  for (const [parameter, schema, value] of [...fields, ['pack', PackName, pack], ['channel', ChannelName, channel]] as const) {
    if (value !== undefined) faults.push(...schemaFaults(schema, value).map(({ detail }) => ({ parameter, detail })));
  }
  const unfit = typeof reason === 'string' ? unfitText(reason) : undefined;
  faults.push(...schemaFaults(Reason, reason).map(({ detail }) => ({ parameter: 'reason', detail })));
  if (unfit !== undefined) faults.push({ parameter: 'reason', detail: `The text ${unfit}.` });
  if (faults.length > 0) throw invalidInput('The request breaks its schema.', faults);
}

