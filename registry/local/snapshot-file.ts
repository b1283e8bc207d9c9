/**
 * The file of the last good snapshot: what its lines say, and how they are read back.
 *
 * Problem: a pack may have thousands of versions, so rewriting the file at each flip costs more with each version. And a file that grows can
 * lose its end in a crash.
 * Rule: the file begins with the whole state, one line for each key, pack and version, and a seal over them. Each following line holds
 * events that were appended to the log since, and a seal that covers the previous seal (`seal.ts`). When the file is read, the code that folds
 * the log folds these events onto the state. An incomplete last line is dropped, which gives an earlier state. Damage anywhere else makes
 * the whole file invalid.
 * Example: `{"format":5,…}`, `{"pack":"coach",…}`, `{"version":{…}}`, `{"seal":"9f2c…"}`, `{"events":[…],"seal":"e40b…"}`.
 */
import { createHash } from 'node:crypto';
import type { Event } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import { FrozenMap, deepFreeze } from '../values/frozen.ts';
import { GrowingSet } from '../values/growing-set.ts';
import { Seal, type SealKey, type SealKind } from './seal.ts';
import { EMPTY_SNAPSHOT, type PackState, type State } from '../state/snapshot.ts';
import type { SessionKey } from '../log/store.ts';
import { Versions } from '../state/versions.ts';
import type { ChannelPlan } from '../state/plans.ts';
import type { KeyRecord, Pointer, PolicyRecord, VersionRecord } from '../state/records.ts';

/** What a file says. */
export interface SavedState {
  readonly state: State;
  readonly sessionKeys: readonly SessionKey[];
  /**
   * A build that knows fewer types of events wrote it, and may have skipped some of the log. So it can be served while the store is away,
   * but never be what the rest of the log is folded onto.
   */
  readonly outdated: boolean;
}

/** To be raised whenever the fold learns a type of event. */
const FORMAT = 5;
/** The older formats that are laid out like this one. */
const OUTDATED: ReadonlySet<number> = new Set([4]);
/** The oldest format: one line for each pack and one digest over all of them, rewritten each time. */
const OLDEST_FORMAT = 3;

/** The first line: what belongs to no pack, and the state's position in the log. */
interface Header extends Omit<State, 'packs' | 'keys'> {
  readonly format: number;
  readonly sealed: SealKind;
  readonly sessionKeys: readonly SessionKey[];
}

/** A pack. Its versions follow in their own lines; in the oldest format they are in this one. */
interface PackLine {
  readonly pack: string;
  readonly policy?: PolicyRecord;
  readonly pointers: readonly (Omit<Pointer, 'everActive'> & { readonly everActive: readonly string[] })[];
  readonly versions?: readonly VersionRecord[];
  readonly plans?: readonly ChannelPlan[];
}

type Line = PackLine | { readonly key: KeyRecord } | { readonly version: VersionRecord };

const EVENTS = '{"events":';
/** What ends a line of events, and how long that is in characters. */
const SEAL = /,"seal":"([0-9a-f]{64})"\}$/u;
const SEAL_LENGTH = 75;

/** The lines of a whole state, without the seal. */
export function* linesOf(
  state: State,
  sessionKeys: readonly SessionKey[],
  sealed: SealKind,
): Generator<string, undefined> {
  const { registryId, epoch, epochStart, revision, hash, at } = state;
  const header: Header = { format: FORMAT, sealed, registryId, epoch, epochStart, revision, hash, at, sessionKeys };
  yield `${JSON.stringify(header)}\n`;
  for (const key of state.keys.values()) yield `${JSON.stringify({ key })}\n`;
  for (const { pack, policy, pointers, versions, plans } of state.packs.values()) {
    yield `${JSON.stringify({ pack, policy, pointers: [...pointers.values()], plans: [...plans.values()] })}\n`;
    for (const version of versions) yield `${JSON.stringify({ version })}\n`;
  }
}

/** The line that ends the state. @param seal updated with all lines before */
export function sealLine(seal: Seal): string {
  return `${JSON.stringify({ seal: seal.close() })}\n`;
}

/** A line of events to append to the file. */
export function eventsLine(events: readonly Event[], seal: Seal): string {
  const text = JSON.stringify(events);
  return `${EVENTS}${text},"seal":"${seal.update(text).close()}"}\n`;
}

/**
 * Reads a file.
 *
 * @param key if given, the file must carry a MAC of this key
 * @throws Error with the reason why the file cannot be used
 */
export function readSnapshotFile(bytes: Buffer, key?: SealKey): SavedState {
  const lines = linesIn(bytes);
  const [first] = lines;
  if (first === undefined) throw new Error('It is empty.');
  const header = JSON.parse(first.toString()) as Header;
  if (header.format === OLDEST_FORMAT && key === undefined) return readOlder(bytes.toString());
  if (header.format !== FORMAT && !OUTDATED.has(header.format))
    throw new Error(
      header.format === OLDEST_FORMAT
        ? 'It carries no MAC, but SNAPSHOT_KEY_FILE is set.'
        : `It has format ${header.format}, from another build; this build reads ${FORMAT}.`,
    );
  const seal = new Seal(key);
  if (header.sealed !== seal.kind)
    throw new Error(
      key === undefined
        ? 'It carries the MAC of a key, but SNAPSHOT_KEY_FILE is not set.'
        : 'It carries no MAC, but SNAPSHOT_KEY_FILE is set.',
    );

  const end = lines.findIndex((line, index) => index > 0 && line.subarray(0, 8).toString() === '{"seal":');
  if (end < 0) throw new Error('It is cut short.');
  for (const line of lines.slice(0, end)) seal.update(line).update('\n');
  if (!seal.closesWith((JSON.parse(String(lines[end])) as { seal: string }).seal))
    throw new Error(
      key === undefined
        ? 'Its digest does not match.'
        : 'Its MAC does not match: it was changed, or made with another key.',
    );
  const saved = stateOf(
    header,
    lines.slice(1, end).map((line) => JSON.parse(line.toString()) as Line),
  );
  return { ...saved, state: folded(saved.state, lines.slice(end + 1), seal) };
}

/** The lines of a file. Text after the last line end counts as a line: one that was cut off. */
function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    lines.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

/** The state with the events after it. Each line was synced before the next was written, so only the last can be incomplete. */
function folded(state: State, lines: readonly Buffer[], seal: Seal): State {
  const fold = foldFrom({ ...state, views: EMPTY_SNAPSHOT.views });
  for (const [index, line] of lines.entries()) {
    const text = line.toString();
    const proof = text.startsWith(EVENTS) && !line.includes(0) ? SEAL.exec(text)?.[1] : undefined; // blocks that a crash kept from being written read as zeros
    if (proof === undefined && index === lines.length - 1) break;
    const body = line.subarray(EVENTS.length, -SEAL_LENGTH);
    if (proof === undefined || !seal.update(body).closesWith(proof)) throw new Error('Events in it were changed.');
    for (const event of JSON.parse(body.toString()) as Event[]) fold.add(event);
  }
  return Object.freeze(fold.state());
}

function stateOf(header: Header, lines: readonly Line[]): SavedState {
  const { format, sealed: _, sessionKeys, ...position } = header;
  const keys: [string, KeyRecord][] = [];
  const packs: { readonly line: PackLine; versions: Versions }[] = [];
  for (const line of lines) {
    deepFreeze(line);
    const latest = packs.at(-1);
    if ('key' in line) keys.push([line.key.keyId, line.key]);
    else if ('pack' in line) packs.push({ line, versions: Versions.NONE });
    else if (latest !== undefined) latest.versions = latest.versions.with(line.version);
  }
  const states = packs.map(({ line, versions }): [string, PackState] => [line.pack, packOf(line, versions)]);
  return {
    state: Object.freeze({ ...position, packs: new FrozenMap(states), keys: new FrozenMap(keys) }),
    sessionKeys: deepFreeze(sessionKeys),
    outdated: format !== FORMAT,
  };
}

function packOf({ pack, policy, pointers, plans = [] }: PackLine, versions: Versions): PackState {
  const byChannel = pointers.map((pointer): [string, Pointer] => [
    pointer.channel,
    Object.freeze({ ...pointer, everActive: new GrowingSet(pointer.everActive) }),
  ]);
  return Object.freeze({
    pack,
    versions,
    pointers: new FrozenMap(byChannel),
    policy,
    plans: new FrozenMap(plans.map((plan) => [plan.channel, plan] as const)),
  });
}

/** A file of the oldest format. @throws Error */
function readOlder(text: string): SavedState {
  const [first = '', ...rest] = text.split('\n');
  if (rest.pop() !== '') throw new Error('It is cut short.');
  const {
    format: _,
    digest,
    ...common
  } = JSON.parse(first) as Omit<Header, 'sealed'> & { readonly digest: string; readonly keys: readonly KeyRecord[] };
  if (digestOver([JSON.stringify(common), ...rest.map((line) => digestOver([line]))]) !== digest)
    throw new Error('Its digest does not match.');
  const { keys, ...header } = common;
  const lines = rest.flatMap((line): Line[] => {
    const pack = JSON.parse(line) as PackLine;
    return [pack, ...(pack.versions ?? []).map((version) => ({ version }))];
  });
  return stateOf({ ...header, format: OLDEST_FORMAT, sealed: 'sha-256' }, [...keys.map((key) => ({ key })), ...lines]);
}

function digestOver(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
