/**
 * The fold: what each event does to the state. Boot, live writes and peers all come through here.
 *
 * Problem: a snapshot must never change, yet folding a log of a million events over frozen maps would take minutes.
 * Rule: a fold copies what it touches once, changes the copy while events come, and freezes it once at the end; `apply` is a
 * fold of one event. So there is one code that says what an event means.
 * Example: `new Fold(snapshot)`, `add` a thousand events, `freeze(contents)`: one new snapshot; the old one is as it was.
 */
import type { Event, Move } from '../log/event.ts';
import { FrozenMap, deepFreeze } from '../values/frozen.ts';
import { GrowingSet } from '../values/growing-set.ts';
import type { MoveKind, PackContent } from '../model.ts';
import type { PackState, Snapshot, State } from './snapshot.ts';
import { Versions } from './versions.ts';
import { LogBroken } from '../errors.ts';
import type { KeyRecord, Pointer, PolicyRecord, VersionRecord } from './records.ts';
import { type ChannelView, viewOf, freezeActor } from './views.ts';

/** How far down a rollback can walk. Deeper entries fall off; `toVersion` still reaches every version that was active. */
export const STACK_DEPTH = 1000;

interface PointerDraft {
  /** The latest move; undefined before the first one. */
  last: Omit<Pointer, 'stack' | 'everActive'> | undefined;
  /** Begins at `bottom`; what lies below has fallen off and is cut away only now and then, as a cut copies the rest. */
  readonly stack: string[];
  bottom: number;
  everActive: GrowingSet<string>;
}

interface PackDraft {
  readonly pack: string;
  versions: Versions;
  readonly pointers: Map<string, PointerDraft>;
  policy: PolicyRecord | undefined;
  readonly base: PackState | undefined;
}

export class Fold {
  readonly #base: Snapshot;
  readonly #drafts = new Map<string, PackDraft>();
  /** Those that were made or changed. */
  readonly #keys = new Map<string, KeyRecord>();
  #registryId: string;
  #epoch: number;
  #epochStart: number;
  #revision: number;
  #hash: string;
  #at: string;

  constructor(base: Snapshot) {
    this.#base = base;
    this.#registryId = base.registryId;
    this.#epoch = base.epoch;
    this.#epochStart = base.epochStart;
    this.#revision = base.revision;
    this.#hash = base.hash;
    this.#at = base.at;
  }

  get revision(): number {
    return this.#revision;
  }

  get hash(): string {
    return this.#hash;
  }

  /**
   * Takes the next event in.
   * @throws LogBroken where it does not follow the one before (SPEC R4, R11) or contradicts the state
   */
  add(event: Event): void {
    if (event.revision !== this.#revision + 1)
      throw new LogBroken(`Revision ${event.revision} follows ${this.#revision}; ${this.#revision + 1} should.`);
    if (event.previousHash !== this.#hash)
      throw new LogBroken(`Revision ${event.revision} does not name the hash of the event before it.`);
    this.#change(event);
    this.#revision = event.revision;
    this.#hash = event.hash;
    this.#at = event.at;
  }

  /** The digests of the versions that pointers moved to: what `freeze` needs the contents of. */
  movedDigests(): Set<string> {
    const digests = new Set<string>();
    for (const { pointers } of this.#drafts.values()) {
      for (const { last } of pointers.values()) if (last !== undefined) digests.add(last.digest);
    }
    return digests;
  }

  /**
   * The state as a snapshot. What did not change is the same object as in the base.
   *
   * @param contents of every pointer that moved, by digest
   * @throws LogBroken where one is missing
   */
  freeze(contents: { get(digest: string): PackContent | undefined }): Snapshot {
    if (this.#revision === this.#base.revision) return this.#base;
    const state = this.state();
    const { views } = this.#base;
    const moved: [string, FrozenMap<string, ChannelView>][] = [];
    for (const draft of this.#drafts.values()) {
      const pack = state.packs.get(draft.pack);
      if (pack !== undefined && draft.pointers.size > 0)
        moved.push([draft.pack, freezeViews(pack, draft, views.get(draft.pack), contents)]);
    }
    return Object.freeze({ ...state, views: moved.length > 0 ? views.with(moved) : views });
  }

  /** The state without the answers that are made of contents. */
  state(): State {
    const packs =
      this.#drafts.size === 0
        ? this.#base.packs
        : this.#base.packs.with([...this.#drafts.values()].map((draft) => [draft.pack, freezePack(draft)] as const));
    const keys = this.#keys.size === 0 ? this.#base.keys : this.#base.keys.with(this.#keys);
    return {
      registryId: this.#registryId,
      epoch: this.#epoch,
      epochStart: this.#epochStart,
      revision: this.#revision,
      hash: this.#hash,
      at: this.#at,
      packs,
      keys,
    };
  }

  #change(event: Event): void {
    switch (event.type) {
      case 'registry-created':
        this.#registryId = event.data.registryId;
        return;
      case 'version-published':
        this.#publish(event);
        return;
      case 'version-activated':
      case 'version-rolled-back': {
        const draft = this.#draftOf(event);
        const move = { channel: named(event, 'channel'), version: named(event, 'version'), ...event.data };
        movePointer(draft, move, event, event.type === 'version-activated' ? 'activation' : 'rollback');
        return;
      }
      case 'version-revoked': {
        const draft = this.#draftOf(event);
        const { replacement, moves } = event.data;
        replaceRecord(draft, named(event, 'version'), event, {
          revocation: Object.freeze({
            revision: event.revision,
            at: event.at,
            by: freezeActor(event.actor),
            reason: event.reason,
            replacement,
          }),
        });
        for (const move of moves) movePointer(draft, move, event, 'revocation');
        return;
      }
      case 'policy-changed': {
        const draft = this.#draftOf(event);
        const { policy, digest, violations } = event.data;
        draft.policy = Object.freeze({
          policy: deepFreeze(policy),
          digest,
          revision: event.revision,
          changedAt: event.at,
          changedBy: freezeActor(event.actor),
        });
        const found = new Map(deepFreeze(violations).map((entry) => [entry.version, entry.violations]));
        for (const { version, violations: before } of draft.versions) {
          const now = found.get(version) ?? [];
          if (before.length > 0 || now.length > 0) replaceRecord(draft, version, event, { violations: now });
        }
        return;
      }
      case 'key-created': {
        const { keyId, label, scopes, expiresAt, secretHash } = event.data;
        const record = {
          keyId,
          label,
          scopes: deepFreeze(scopes),
          createdAt: event.at,
          createdBy: freezeActor(event.actor),
          expiresAt,
          revokedAt: undefined,
          secretHash,
        };
        this.#keys.set(keyId, Object.freeze(record));
        return;
      }
      case 'key-revoked': {
        const { keyId } = event.data;
        const record = this.#keys.get(keyId) ?? this.#base.keys.get(keyId);
        if (record === undefined)
          throw new LogBroken(`Revision ${event.revision} revokes the key ${keyId}, which no event made.`);
        this.#keys.set(keyId, Object.freeze({ ...record, revokedAt: event.at }));
        return;
      }
      case 'registry-restored':
        if (event.data.epoch <= this.#epoch)
          throw new LogBroken(`Revision ${event.revision} opens epoch ${event.data.epoch} in epoch ${this.#epoch}.`);
        this.#epoch = event.data.epoch;
        this.#epochStart = event.revision;
        return;
      default:
        // A newer build's event: kept in the log and in the chain, without effect here (rolling deploys).
        event satisfies never;
    }
  }

  #publish(event: Extract<Event, { type: 'version-published' }>): void {
    const draft = this.#draftOf(event);
    const version = named(event, 'version');
    if (draft.versions.has(version)) {
      throw new LogBroken(`Revision ${event.revision} publishes ${draft.pack} ${version} a second time.`); // SPEC R1
    }
    const { digest, summary, author, defaultStyle, styles, compatibility, violations = [] } = event.data;
    const record = Object.freeze({
      pack: draft.pack,
      version,
      digest,
      summary,
      author,
      defaultStyle,
      styles: deepFreeze(styles),
      compatibility: deepFreeze(compatibility),
      violations: deepFreeze(violations),
      publishedAt: event.at,
      publishedBy: freezeActor(event.actor),
    });
    draft.versions = draft.versions.with(record);
  }

  #draftOf(event: Event): PackDraft {
    const pack = named(event, 'pack');
    let draft = this.#drafts.get(pack);
    if (draft === undefined) {
      const base = this.#base.packs.get(pack);
      draft = { pack, versions: base?.versions ?? Versions.NONE, pointers: new Map(), policy: base?.policy, base };
      this.#drafts.set(pack, draft);
    }
    return draft;
  }
}

/**
 * The snapshot after one more event. Pure; the same code at boot and on peers.
 *
 * @param contents holds at least the content of each version that the event makes active
 * @throws LogBroken
 */
export function apply(
  snapshot: Snapshot,
  event: Event,
  contents: { get(digest: string): PackContent | undefined },
): Snapshot {
  const fold = new Fold(snapshot);
  fold.add(event);
  return fold.freeze(contents);
}

function named(event: Event, field: 'pack' | 'channel' | 'version'): string {
  const value = event[field];
  if (value === undefined) throw new LogBroken(`Revision ${event.revision} (${event.type}) names no ${field}.`);
  return value;
}

function replaceRecord(draft: PackDraft, version: string, event: Event, change: Partial<VersionRecord>): void {
  const before = draft.versions.get(version);
  if (before === undefined)
    throw new LogBroken(
      `Revision ${event.revision} (${event.type}) names ${draft.pack} ${version}, which no event published.`,
    );
  draft.versions = draft.versions.with(Object.freeze({ ...before, ...change }));
}

/**
 * SPEC R4: an activation pushes, a rollback pops; either way the pointer gets the event's revision. A revocation pops down to what
 * is left, or puts the replacement in the revoked version's place.
 */
function movePointer(draft: PackDraft, move: Move, event: Event, kind: MoveKind): void {
  const { channel, version, digest, previousVersion } = move;
  let pointer = draft.pointers.get(channel);
  if (pointer === undefined) {
    const base = draft.base?.pointers.get(channel);
    pointer = {
      last: undefined,
      bottom: 0,
      stack: [...(base?.stack ?? [])],
      everActive: base?.everActive ?? new GrowingSet(),
    };
    draft.pointers.set(channel, pointer);
  }
  const { stack } = pointer;
  const replaced = event.type === 'version-revoked' && event.data.replacement === version;
  if (replaced) stack.pop();
  const below = kind === 'activation' || replaced ? -1 : stack.lastIndexOf(version, stack.length - 2);
  if (below >= pointer.bottom && stack.length > 1) stack.length = below + 1;
  else stack.push(version);
  if (stack.length - pointer.bottom > STACK_DEPTH) pointer.bottom += 1;
  if (pointer.bottom > STACK_DEPTH) {
    stack.splice(0, pointer.bottom);
    pointer.bottom = 0;
  }
  pointer.everActive = pointer.everActive.with(version);
  pointer.last = {
    pack: draft.pack,
    channel,
    version,
    digest,
    previousVersion,
    kind,
    revision: event.revision,
    activatedAt: event.at,
    activatedBy: event.actor,
    reason: event.reason,
  };
}

function freezePack(draft: PackDraft): PackState {
  const { pack, base } = draft;
  let pointers = base?.pointers ?? new FrozenMap<string, Pointer>();
  if (draft.pointers.size > 0) {
    const next: [string, Pointer][] = [];
    for (const [channel, { last, stack, bottom, everActive }] of draft.pointers) {
      if (last === undefined) continue;
      next.push([
        channel,
        Object.freeze({
          ...last,
          activatedBy: freezeActor(last.activatedBy),
          stack: Object.freeze(stack.slice(bottom)),
          everActive,
        }),
      ]);
    }
    pointers = pointers.with(next);
  }
  return Object.freeze({ pack, versions: draft.versions, pointers, policy: draft.policy });
}

function freezeViews(
  state: PackState,
  draft: PackDraft,
  before: FrozenMap<string, ChannelView> | undefined,
  contents: { get(digest: string): PackContent | undefined },
): FrozenMap<string, ChannelView> {
  const next: [string, ChannelView][] = [];
  for (const channel of draft.pointers.keys()) {
    const pointer = state.pointers.get(channel);
    if (pointer === undefined) continue;
    const content = contents.get(pointer.digest);
    if (content === undefined)
      throw new LogBroken(`The content of ${pointer.pack} ${pointer.version} (${pointer.digest}) is not in the store.`);
    next.push([channel, viewOf(pointer, content)]);
  }
  return (before ?? new FrozenMap<string, ChannelView>()).with(next);
}
