/**
 * Checks whether the responses read while the registry changed can all be true (SPEC R2, R3, R4).
 *
 * Rule: a response belongs to one version, the log confirms it, no reader goes back, and a request after an acknowledged change sees that
 * change. The `Registry-Revision` of a response says which state to compare it with; while a rollout runs, that state and the subject say
 * which arm it must be of.
 * Example: a system prompt of 1.0.0 in a response for 2.0.0 is `mixed`; an older response after a newer one is `went back`.
 */
import type { Event } from '../../../registry/log/event.ts';
import type { PackContent, PackVersion } from '../../../registry/model.ts';
import type { Assignment, Origin } from '../../../registry/state/views.ts';
import { timelinesOf, type ChannelState } from './channel-timeline.ts';

/** The content of one response. */
export interface Seen {
  /** The reader, which sends one request at a time. */
  readonly reader: string;
  /** The way of reading, for messages. */
  readonly door: string;
  /** The highest revision that had been acknowledged to anybody when the reader asked. */
  readonly acknowledged: number;
  /** The log revision of the snapshot that the answer is made from. */
  readonly snapshot: number;
  /** Which version it says it is of; of a 304 it is channel and revision only. */
  readonly origin: Pick<Origin, 'channel' | 'revision'> & Partial<Origin>;
  /** The texts it carries, by the names that `partsOf` gives them. */
  readonly parts: Readonly<Record<string, string>>;
  /** As it came, where one did. */
  readonly etag?: string | undefined;
  /** For whom it was read. */
  readonly subject?: string | undefined;
  /** What it says about the arm; undefined if no rollout runs. */
  readonly assignment?: Assignment | undefined;
  /** The arm is told, but not whose: a session without a subject is its own. */
  readonly ownSubject?: boolean | undefined;
  /** Every part of the version must be there. */
  readonly whole?: boolean;
  /** The origin is a session's pin: a place in the log, but not where the channel is now. */
  readonly pinned?: boolean;
  /** What a pinned session says of its channel. */
  readonly superseded?: boolean;
}

export type Violation = 'mixed' | 'went back' | 'behind an acknowledgement' | 'not in the log';

/** Every text of a version by name. */
export function partsOf({
  system,
  styles,
  defaultStyle,
}: Pick<PackContent, 'system' | 'styles' | 'defaultStyle'>): Record<string, string> {
  const parts: Record<string, string> = { system, defaultStyle, styles: styles.map(({ id }) => id).join(',') };
  for (const { id, title, text } of styles) Object.assign(parts, { [`title ${id}`]: title, [`text ${id}`]: text });
  return parts;
}

/** What was served to a subject from a snapshot. */
interface Served extends Pick<Seen, 'subject' | 'assignment' | 'snapshot' | 'ownSubject'> {
  readonly channel: string;
  /** Revision and assignment, as a text that can be compared. */
  readonly what: string;
  readonly by: string;
}

const EXAMPLES = 3;

export class ReadChecker {
  /** Responses checked, by way of reading. */
  readonly reads = new Map<string, number>();
  /** How often each kind was found. */
  readonly violations = new Map<Violation, number>();
  /** The first few of each kind, told in full. */
  readonly examples: string[] = [];
  readonly #versions: ReadonlyMap<string, { digest: string; parts: Readonly<Record<string, string>> }>;
  /** The highest revision so far, by reader, and by reader and channel. */
  readonly #last = new Map<string, number>();
  /** By channel and revision: the version that was seen there. */
  readonly #active = new Map<string, { channel: string; revision: number; version: string; by: string }>();
  /** By channel, snapshot and subject: what was served. */
  readonly #served = new Map<string, Served>();
  /** By channel, snapshot and pinned version: what a session said of its channel. */
  readonly #superseded = new Map<
    string,
    { channel: string; snapshot: number; version: string; superseded: boolean; by: string }
  >();

  /** @param versions all that the readers may come across */
  constructor(versions: readonly PackVersion[]) {
    this.#versions = new Map(
      versions.map(({ content, digest }) => [content.version, { digest, parts: partsOf(content) }]),
    );
  }

  /** All responses checked. */
  get total(): number {
    return [...this.reads.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Records a response. Call it as soon as the response is there. */
  record(seen: Seen): void {
    const { reader, door, acknowledged, snapshot, origin, etag } = seen;
    const { channel, revision } = origin;
    const by = `${reader} by ${door}`;
    this.reads.set(door, (this.reads.get(door) ?? 0) + 1);

    if (snapshot < acknowledged)
      this.#found(
        'behind an acknowledgement',
        by,
        `snapshot ${snapshot}, although ${acknowledged} was acknowledged before it asked`,
      );
    this.#neverBack(reader, snapshot, by);
    if (revision > snapshot) this.#found('mixed', by, `revision ${revision} in an answer of snapshot ${snapshot}`);
    if (etag !== undefined && !etag.startsWith(`"${revision}.`))
      this.#found('mixed', by, `ETag ${etag} at revision ${revision}`);
    this.#checkWhole(seen, by);
    if (seen.pinned !== true) {
      const { subject, assignment, ownSubject } = seen;
      // The end of a rollout leads from the candidate back to the revision of the pointer.
      if (assignment?.arm !== 'candidate') this.#neverBack(`${reader}'s ${channel}`, revision, by);
      const what = whatIs(revision, assignment);
      const whose = ownSubject === true ? `a session, ${what}` : (subject ?? 'nobody');
      const served = { channel, snapshot, subject, assignment, ownSubject, what, by };
      this.#agree(this.#served, `${channel} at ${snapshot} for ${whose}`, served, 'what');
    }
  }

  /** Compares all responses with the log, once it is complete. @param events in order of revision */
  verify(events: readonly Event[]): void {
    const timelines = timelinesOf(events);
    const at = (channel: string, revision: number) => timelines.get(channel)?.at(revision);

    for (const { channel, revision, version, by } of this.#active.values()) {
      if (timelines.get(channel)?.begun.get(revision) !== version)
        this.#found('not in the log', by, `revision ${revision} did not bring ${channel} to ${version}`);
    }
    for (const served of this.#served.values()) {
      const { channel, snapshot, what, by } = served;
      const expected = expectedOf(at(channel, snapshot), served);
      if (expected !== what)
        this.#found('not in the log', by, `at ${snapshot}, ${channel} served ${expected}, not ${what}`);
    }
    for (const { channel, snapshot, version, superseded, by } of this.#superseded.values()) {
      const { pointer, rollout } = at(channel, snapshot) ?? {};
      if ((pointer?.version !== version && rollout?.version !== version) !== superseded)
        this.#found('not in the log', by, `superseded is ${superseded} for ${version} in ${channel} at ${snapshot}`);
    }
  }

  #checkWhole({ origin, parts, whole, superseded, snapshot }: Seen, by: string): void {
    const { version, digest, channel, revision } = origin;
    if (version === undefined) return;
    const expected = this.#versions.get(version);
    if (expected?.digest !== digest) this.#found('mixed', by, `digest ${digest} is not that of ${version}`);
    for (const [name, part] of Object.entries(parts)) {
      if (expected?.parts[name] !== part) this.#found('mixed', by, `${name} is not that of ${version}: ${part}`);
    }
    const missing = Object.keys(expected?.parts ?? {}).filter((name) => !(name in parts));
    if (whole === true && missing.length > 0) this.#found('mixed', by, `${missing.join(', ')} of ${version} missing`);
    this.#agree(this.#active, `${channel} revision ${revision}`, { channel, revision, version, by }, 'version');
    if (superseded !== undefined) {
      this.#agree(
        this.#superseded,
        `${channel} at ${snapshot} for ${version}`,
        { channel, snapshot, version, superseded, by },
        'superseded',
      );
    }
  }

  #neverBack(what: string, revision: number, by: string): void {
    const last = this.#last.get(what) ?? 0;
    if (revision < last) this.#found('went back', by, `${revision} after ${last}`);
    else this.#last.set(what, revision);
  }

  /** Two responses about the same position must agree; the log decides later which is true. */
  #agree<T extends { readonly by: string }>(known: Map<string, T>, key: string, said: T, field: keyof T): void {
    const before = known.get(key);
    if (before === undefined) known.set(key, said);
    else if (before[field] !== said[field]) {
      this.#found(
        'mixed',
        said.by,
        `${key}: ${String(field)} is ${String(said[field])}, where ${before.by} saw ${String(before[field])}`,
      );
    }
  }

  #found(kind: Violation, by: string, what: string): void {
    const count = (this.violations.get(kind) ?? 0) + 1;
    this.violations.set(kind, count);
    if (count <= EXAMPLES) this.examples.push(`${kind}: ${by}: ${what}`);
  }
}

function whatIs(revision: number | undefined, assignment: Assignment | undefined): string {
  return assignment === undefined
    ? `revision ${revision}`
    : `revision ${revision} as ${assignment.arm} of rollout ${assignment.rollout}`;
}

/** What the log says that a subject was served. */
function expectedOf(state: ChannelState | undefined, { subject, assignment, ownSubject }: Served): string {
  const { pointer, rollout } = state ?? {};
  if (rollout === undefined) return whatIs(pointer?.revision, undefined);
  const arm = ownSubject === true ? (assignment?.arm ?? 'stable') : rollout.assign(subject);
  return whatIs(arm === 'candidate' ? rollout.id : pointer?.revision, { rollout: rollout.id, arm });
}
