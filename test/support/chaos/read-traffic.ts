/**
 * Readers and writers for `ReadChecker`: every way of reading the active version, over HTTP and in process, while pointers move.
 *
 * Example: `await Promise.all([readOverHttp(…), readInProcess(…), flip(…)])`; each goes on until its `goOn` says no.
 */
import { setImmediate } from 'node:timers/promises';
import {
  RegistryError,
  type ActivePack,
  type Assignment,
  type Registry,
  type Session,
  type StyleList,
  type StylePrompt,
} from '../../../registry/index.ts';
import { partsOf, type ReadChecker, type Seen } from './read-checker.ts';
import type { Answer, Ask, KeepAlive } from '../http/keep-alive.ts';

/** The state that all readers and writers of a run share. */
export interface Run {
  readonly checker: ReadChecker;
  readonly random: () => number;
  readonly channels: readonly string[];
  goOn(): boolean;
  /** The highest revision that was acknowledged to any writer so far. */
  acknowledged: number;
  /** Pointer moves that were acknowledged. */
  flips: number;
}

type Said = Pick<Seen, 'origin' | 'parts'> & Partial<Seen>;

/** The state of a reader between its requests. */
interface Memory {
  readonly sessions: string[];
  readonly etags: Map<string, string>;
}

/** The members of all the bodies. */
type Body = ActivePack & StylePrompt & StyleList & Session;

interface Door {
  readonly ask: (channel: string, memory: Memory, subject: string | undefined) => Ask;
  readonly said: (body: Body) => Said;
}

/** The style that every version has. */
export const COMMON = 'supportive';

/** For whom to read: several subjects in each arm, and nobody. */
const SUBJECTS = [undefined, ...Array.from({ length: 12 }, (_, index) => `user-${index}`)];

/** Every operation that reads the active version or a session pinned to it. */
const DOORS = {
  getActivePack: {
    ask: (channel) => ({ path: `/v1/packs/coach/active?channel=${channel}` }),
    said: (body) => ({ origin: body, parts: partsOf(body), whole: true }),
  },
  getSystemPrompt: {
    ask: (channel) => ({ path: `/v1/prompts/system?channel=${channel}` }),
    said: (body) => ({ origin: body, parts: { system: body.text } }),
  },
  getStylePrompt: {
    ask: (channel) => ({ path: `/v1/prompts/styles/${COMMON}?channel=${channel}` }),
    said: (body) => ({ origin: body, parts: { [`title ${COMMON}`]: body.title, [`text ${COMMON}`]: body.text } }),
  },
  listStyles: {
    ask: (channel) => ({ path: `/v1/prompts/styles?channel=${channel}` }),
    said: (body) => ({ origin: body, parts: stylesOf(body) }),
  },
  startCoachSession: {
    ask: (channel, _memory, subject) => ({
      method: 'POST',
      path: '/v1/coach/sessions',
      body: { channel, ...(subject !== undefined && { subject }) },
    }),
    said: sessionSaid,
  },
  getCoachSession: {
    ask: (_channel, { sessions }) => ({ path: `/v1/coach/sessions/${sessions[0]}` }),
    said: (body) => ({ ...sessionSaid(body), pinned: true }),
  },
} satisfies Record<string, Door>;

/** By operation. */
export type DoorName = keyof typeof DOORS;

/** Concurrent requests of one reader on its connection. */
const BATCH = 12;

/**
 * Reads over one connection, a batch of requests at a time, by all doors or by those named.
 *
 * Requests of one batch are under way together, so each place in the batch is a separate reader.
 */
export async function readOverHttp(
  run: Run,
  reader: string,
  connection: Pick<KeepAlive, 'all'>,
  doors: readonly DoorName[] = Object.keys(DOORS) as DoorName[],
): Promise<void> {
  const memory: Memory = { sessions: [], etags: new Map() };
  while (run.goOn()) {
    const { acknowledged } = run;
    const asked = Array.from({ length: BATCH }, () => {
      const channel = oneOf(run, run.channels);
      let door = oneOf(run, doors);
      if (door === 'getCoachSession' && memory.sessions.length === 0) door = 'startCoachSession';
      const subject = oneOf(run, SUBJECTS);
      const ask = askFor(run, (DOORS[door] as Door).ask(channel, memory, subject), subject);
      const etag = run.random() < 0.3 ? memory.etags.get(nameOf(ask)) : undefined;
      const headers = { ...ask.headers, ...(etag !== undefined && { 'if-none-match': etag }) };
      return { door, channel, subject, ask: { ...ask, headers } };
    });
    const answers = await connection.all(asked.map(({ ask }) => ask));
    for (const [index, answer] of answers.entries()) {
      const { door, channel, subject, ask } = asked[index]!;
      run.checker.record({
        reader: `${reader}.${index}`,
        door: `HTTP ${door}`,
        acknowledged,
        subject,
        ownSubject: door === 'startCoachSession' && subject === undefined,
        snapshot: Number(answer.header('registry-revision')),
        ...saidBy(door, channel, ask, answer, memory),
      });
    }
  }
}

/** Of a read for a subject: in the query or in the header. A session names its subject in the body. */
function askFor(run: Run, ask: Ask, subject: string | undefined): Ask {
  if (subject === undefined || ask.method === 'POST' || !ask.path.includes('?')) return ask;
  return run.random() < 0.5
    ? { ...ask, path: `${ask.path}&subject=${subject}` }
    : { ...ask, headers: { 'registry-subject': subject } };
}

/** The name under which an ETag is kept: each subject has its own. */
function nameOf({ path, headers }: Ask): string {
  return `${path} ${headers?.['registry-subject'] ?? ''}`;
}

function saidBy(door: DoorName, channel: string, ask: Ask, answer: Answer, memory: Memory): Said {
  const etag = answer.header('etag');
  if (etag !== undefined) memory.etags.set(nameOf(ask), etag);
  const assignment = assignmentIn(answer.header('registry-assignment'));
  if (answer.status === 304)
    return { origin: { channel, revision: parseInt(etag?.slice(1) ?? '', 10) }, parts: {}, etag, assignment };
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`${ask.path}: ${answer.status} ${answer.text}`);
  const body = JSON.parse(answer.text) as Body;
  if (body.sessionId !== undefined) remember(memory, body.sessionId);
  return { assignment, ...(DOORS[door] as Door).said(body), etag };
}

/** `rollout=12; arm=candidate` */
function assignmentIn(header: string | undefined): Assignment | undefined {
  const [, rollout, arm] = /^rollout=(\d+); arm=(stable|candidate)$/u.exec(header ?? '') ?? [];
  return rollout === undefined ? undefined : { rollout: Number(rollout), arm: arm as Assignment['arm'] };
}

/** Reads in process: all that can be read in one go, and a session that is resolved over a wait. */
export async function readInProcess(run: Run, reader: string, registry: Registry): Promise<void> {
  const memory: Memory = { sessions: [], etags: new Map() };
  while (run.goOn()) {
    const channel = oneOf(run, run.channels);
    readAllInProcess(run, reader, registry, channel, memory);
    const { acknowledged } = run;
    const snapshot = registry.current;
    const session = await registry.resolveSession(memory.sessions[0] ?? '', snapshot);
    run.checker.record({
      reader: `${reader}, sessions`,
      door: 'resolveSession',
      acknowledged,
      snapshot: snapshot.revision,
      ...sessionSaid(session),
      pinned: true,
    });
    await setImmediate();
  }
}

/** All synchronous reads, once. */
export function readAllInProcess(
  run: Run,
  reader: string,
  registry: Registry,
  channel: string,
  memory: Memory = { sessions: [], etags: new Map() },
): void {
  // What is read without saying where comes another way than what is asked for by name.
  const subject = oneOf(run, SUBJECTS);
  const place = channel === registry.defaultChannel && run.random() < 0.5 ? undefined : { channel };
  const at = subject === undefined ? place : { ...place, subject };
  const session = registry.startSession(at);
  remember(memory, session.sessionId);
  const active = registry.activePack(at);
  const system = registry.getSystemPrompt(at);
  const style = registry.getStylePrompt(COMMON, at);
  const list = registry.listStyles(at);
  const assignment = registry.assignment(at ?? {});
  const said: Record<string, Said> = {
    activePack: { origin: active, parts: partsOf(active), whole: true },
    getSystemPrompt: { origin: system, parts: { system: system.text } },
    getStylePrompt: { origin: style, parts: { [`title ${COMMON}`]: style.title, [`text ${COMMON}`]: style.text } },
    listStyles: { origin: list, parts: stylesOf(list) },
    startSession: sessionSaid(session),
  };
  for (const [door, each] of Object.entries(said)) {
    run.checker.record({
      reader,
      door,
      acknowledged: run.acknowledged,
      snapshot: registry.current.revision,
      subject,
      ownSubject: door === 'startSession' && subject === undefined,
      assignment,
      ...each,
    });
  }
}

/** Moves a pointer. @returns the acknowledged revision; undefined if nothing moved */
export type Move = (channel: string, to: string | undefined) => Promise<number | undefined>;

/** Moves pointers until the end of the run: two thirds activations, one third rollbacks. */
export async function flip(run: Run, versions: readonly string[], move: Move): Promise<void> {
  while (run.goOn()) {
    const channel = oneOf(run, run.channels);
    const to = run.random() < 1 / 3 ? undefined : oneOf(run, versions);
    const revision = await move(channel, to);
    if (revision !== undefined) {
      run.acknowledged = Math.max(run.acknowledged, revision);
      run.flips += 1;
    }
    await setImmediate();
  }
}

/** Moves over its own connection. */
export function moveOverHttp(connection: KeepAlive): Move {
  return async (channel, to) => {
    const body = { channel, reason: 'Flipped by the test', ...(to !== undefined && { version: to }) };
    const answer = await connection.one({
      method: 'POST',
      path: `/v1/packs/coach/${to === undefined ? 'rollback' : 'activations'}`,
      body,
    });
    const { revision, code } = JSON.parse(answer.text) as { revision?: number; code?: string };
    if (answer.status !== 201 && answer.status !== 200 && code !== 'nothing-to-roll-back-to')
      throw new Error(`${answer.status} ${answer.text}`);
    return answer.status === 201 ? revision : undefined;
  };
}

/** Starts rollouts and steers them at random until the end of the run, over its own connection. */
export async function rollOut(run: Run, versions: readonly string[], connection: KeepAlive): Promise<void> {
  const reason = 'Rolled out by the test';
  const steps = [{ share: 20 }, { share: 50 }, { share: 90 }];
  while (run.goOn()) {
    const channel = oneOf(run, run.channels);
    const started = await steered(run, connection, '', {
      channel,
      version: oneOf(run, versions),
      steps,
      finish: 'wait',
      reason,
    });
    for (let verb = 0; started !== undefined && verb < 6 && run.goOn(); verb += 1) {
      const share = Math.floor(run.random() * 100_001) / 1000;
      const [name, body] = oneOf(run, [
        ['advance', { share }],
        ['advance', {}],
        ['pause', {}],
        ['resume', {}],
        ['advance', { share }],
        [run.random() < 0.5 ? 'abort' : 'promote', {}],
      ] as const);
      await steered(run, connection, `/${started}/${name}`, { ...body, reason });
      await setImmediate();
    }
  }
}

/** A change of a rollout, which another writer may have ended. @returns the id of the rollout; undefined if it was refused */
async function steered(run: Run, connection: KeepAlive, path: string, body: object): Promise<number | undefined> {
  const answer = await connection.one({ method: 'POST', path: `/v1/packs/coach/rollouts${path}`, body });
  const { id, changed, code } = JSON.parse(answer.text) as { id?: number; changed?: boolean; code?: string };
  if (code !== undefined && !['rollout-running', 'rollout-ended', 'already-active'].includes(code))
    throw new Error(`${answer.status} ${answer.text}`);
  if (code !== undefined || changed === false) return id;
  run.acknowledged = Math.max(run.acknowledged, Number(answer.header('registry-revision')));
  run.flips += 1;
  return id;
}

/** Moves in process. */
export function moveInProcess(registry: Registry): Move {
  return async (channel, to) => {
    try {
      const reason = 'Flipped by the test';
      const { revision, changed } = await (to === undefined
        ? registry.rollback({ channel, reason })
        : registry.activate({ channel, version: to, reason }));
      return changed ? revision : undefined;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'nothing-to-roll-back-to') return undefined;
      throw error;
    }
  };
}

function oneOf<T>({ random }: Run, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** Keeps the latest session and a few earlier ones: the first in the list is read next. */
function remember({ sessions }: Memory, sessionId: string): void {
  sessions.push(sessionId);
  if (sessions.length > 20) sessions.shift();
}

function sessionSaid({ promptPack, prompt, superseded, assignment }: Session): Said {
  const { id, title, text } = prompt.style;
  return {
    assignment,
    origin: promptPack,
    parts: { system: prompt.system, [`title ${id}`]: title, [`text ${id}`]: text },
    superseded,
  };
}

function stylesOf({ styles, defaultStyle }: Pick<StyleList, 'styles' | 'defaultStyle'>): Record<string, string> {
  return {
    defaultStyle,
    styles: styles.map(({ id }) => id).join(','),
    ...Object.fromEntries(styles.map(({ id, title }) => [`title ${id}`, title])),
  };
}
