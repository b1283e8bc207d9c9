/**
 * A proxy between one server process and PostgreSQL that breaks their connections as a network does.
 *
 * Problem: a store becomes unreachable in many ways (refused, silent, slow, in one direction, after the commit), and the test chooses when.
 * Rule: one proxy per instance. From `set` on, a mode applies to open and new connections. A connection that has lost bytes is reset as soon as
 * bytes would pass again in that direction. One that has lost none continues unharmed. Bytes that were held back arrive late, as after a
 * partition that TCP survives.
 * Example: `const proxy = await startFaultProxy(t, postgres); proxy.set('black-hole'); …; proxy.set('pass')`.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { randomFrom } from '../stores/events.ts';
import { CommitLoser, Conversation, type Answer } from './postgres-wire.ts';

/**
 * What happens to connections:
 *
 * - `pass`: nothing.
 * - `refuse`: open ones are reset; new ones too, once they are accepted (so they can be counted).
 * - `black-hole`: they are accepted and kept open, but nothing arrives on either side, not even a close.
 * - `drop-up`, `drop-down`: the same from the client to the server only, from the server to the client only.
 * - `hold`, `hold-up`, `hold-down`: like these three, but the bytes arrive once the mode changes; up to 1 MB per direction is read.
 * - `deaf`: notifications (NotificationResponse) are dropped, everything else passes.
 * - `reset`: open ones are reset, once; then `pass`.
 */
export type PlainMode =
  'pass' | 'refuse' | 'black-hole' | 'drop-up' | 'drop-down' | 'hold' | 'hold-up' | 'hold-down' | 'deaf' | 'reset';

/** Everything arrives in order, `ms` to `ms + jitter` milliseconds late. The seed decides how late, by connection and direction. */
export interface Latency {
  readonly kind: 'latency';
  readonly ms: number;
  readonly jitter?: number;
  readonly seed?: number;
}

/** Everything arrives in pieces of at most this many bytes: messages are split across TCP segments. */
export interface Slice {
  readonly kind: 'slice';
  readonly bytes: number;
}

/**
 * The next commit in which a statement with the marker in its text was executed is lost: the server has committed, its answer is
 * dropped, and the connection is reset. Once; then `pass`. What was rolled back or refused with an error does not count.
 */
export interface LoseCommit {
  readonly kind: 'lose-commit';
  /** Default: `WRITES_HEAD`. */
  readonly marker?: string | RegExp;
}

export type Mode = PlainMode | Latency | Slice | LoseCommit;

type Direction = 'up' | 'down';
type Way = 'pass' | 'drop' | 'hold';
type Item = { bytes: Buffer; readonly due: number } | 'end' | 'reset';

/** The statement with which every append moves the head of the log. */
export const WRITES_HEAD = /\b(update|insert\s+into)\s+\S*log_head\b/iu;

/** The most bytes to read ahead. */
const READ_AHEAD = 1024 * 1024;

const LOSSY: Readonly<Partial<Record<PlainMode, Readonly<Partial<Record<Direction, Way>>>>>> = {
  'black-hole': { up: 'drop', down: 'drop' },
  'drop-up': { up: 'drop' },
  'drop-down': { down: 'drop' },
  hold: { up: 'hold', down: 'hold' },
  'hold-up': { up: 'hold' },
  'hold-down': { down: 'hold' },
};

const wayOf = (mode: Mode, direction: Direction): Way =>
  (typeof mode === 'string' ? LOSSY[mode]?.[direction] : undefined) ?? 'pass';

/** Starts a proxy on a free port; it is closed with the test. */
export async function startFaultProxy(
  t: Test,
  target: { readonly host: string; readonly port: number },
): Promise<FaultProxy> {
  const proxy = new FaultProxy(target);
  t.teardown(() => proxy.close());
  await proxy.listen();
  return proxy;
}

export class FaultProxy {
  readonly host = '127.0.0.1';
  /** How many commits `lose-commit` has lost. */
  struck = 0;
  /** How many notifications were dropped. */
  silenced = 0;
  readonly #attempts: number[] = [];
  readonly #links = new Set<Link>();
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  #mode: Mode = 'pass';

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** `attempts`: when each connection came in, by `performance.now()`. `open`: those that neither side has ended, as the client sees them. */
  get connections(): { readonly attempts: readonly number[]; readonly open: number } {
    return { attempts: this.#attempts, open: [...this.#links].filter((link) => link.open).length };
  }

  /** Connections that the client has closed, but not the server: what was sent on them may still arrive. */
  get givenUp(): readonly { readonly gone: boolean }[] {
    return [...this.#links].filter((link) => !link.open);
  }

  /** Switches to a mode. */
  set(mode: Mode): void {
    this.#mode = mode === 'reset' ? 'pass' : mode;
    for (const link of [...this.#links]) {
      if (mode === 'reset' || mode === 'refuse') link.reset();
      else link.changed();
    }
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, this.host, resolve);
    });
  }

  /** Resets all connections, and accepts no more. */
  async close(): Promise<void> {
    this.set('refuse');
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.#attempts.push(performance.now());
    client.on('error', () => undefined); // the link handles it; a refused client has no link
    if (this.#mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const { host, port } = this.#target;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const link: Link = new Link(client, server, this.#attempts.length, {
      mode: () => this.#mode,
      struck: () => {
        this.struck += 1;
        this.set('pass');
      },
      silenced: () => (this.silenced += 1),
      closed: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }
}

/** The most connections that came in within any period of this many milliseconds. */
export function mostWithin(attempts: readonly number[], ms: number): number {
  let from = 0;
  let most = 0;
  for (const [index, at] of attempts.entries()) {
    while (at - (attempts[from] ?? at) > ms) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

/** What a link knows of its proxy. */
interface Faults {
  mode(): Mode;
  struck(): void;
  silenced(): void;
  closed(): void;
}

/** The connection of a client, and its connection to the server. */
class Link {
  /** As the client sees it, neither side has ended it. */
  open = true;
  /** Both sides are closed. */
  gone = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #up: Pipe;
  readonly #down: Pipe;
  readonly #conversation = new Conversation();
  readonly #faults: Faults;
  #loser: { readonly mode: Mode; readonly commits: CommitLoser } | undefined;

  constructor(client: Socket, server: Socket, number: number, faults: Faults) {
    this.#client = client;
    this.#server = server;
    this.#faults = faults;
    const reset = () => this.reset();
    this.#up = new Pipe('up', client, server, number, faults, reset);
    this.#down = new Pipe('down', server, client, number, faults, reset);

    const over = () => {
      this.open = false;
    };
    client.on('data', (chunk: Buffer) => {
      this.#conversation.said(chunk);
      this.#up.push(chunk);
    });
    client.on('end', () => (over(), this.#up.push('end')));
    client.on('error', () => (over(), this.#up.push('reset')));
    server.on('data', (chunk: Buffer) => {
      for (const answer of this.#conversation.heard(chunk)) this.#answered(answer);
    });
    server.on('end', () => this.#down.push('end'));
    server.on('error', () => this.#down.push('reset'));
    client.on('close', () => (over(), this.#closed()));
    server.on('close', () => this.#closed());
  }

  /** Resets the connection on both sides (RST), as if the machine between them had forgotten it. */
  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket.destroyed) continue;
      // libuv refuses to reset a socket that is shutting down, and Node then never closes it: the process would spin at its end.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy(); // once it is connected, if it is not yet
    }
  }

  /** The mode has changed. */
  changed(): void {
    if (this.#up.broken || this.#down.broken) {
      this.reset();
      return;
    }
    if (this.#loser !== undefined && this.#loser.mode !== this.#faults.mode()) {
      for (const { bytes } of this.#loser.commits.release()) this.#down.push(bytes);
      this.#loser = undefined;
    }
    this.#up.pump();
    this.#down.pump();
  }

  #answered(answer: Answer): void {
    const mode = this.#faults.mode();
    if (this.#client.destroyed) return;
    if (mode === 'deaf' && answer.type === 'A') {
      this.#faults.silenced();
      return;
    }
    if (typeof mode === 'string' || mode.kind !== 'lose-commit') {
      this.#down.push(answer.bytes);
      return;
    }
    this.#loser ??= { mode, commits: new CommitLoser(mode.marker ?? WRITES_HEAD) };
    const passed = this.#loser.commits.take(answer);
    if (passed === 'lost') {
      this.#loser = undefined;
      this.reset();
      this.#faults.struck();
    } else for (const { bytes } of passed) this.#down.push(bytes);
  }

  #closed(): void {
    if (!this.#client.destroyed || !this.#server.destroyed) return;
    this.gone = true;
    this.#up.stop();
    this.#down.stop();
    this.#faults.closed();
  }
}

/** One direction of a link: the bytes that came in and were not passed on yet, in order. */
class Pipe {
  readonly #direction: Direction;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #number: number;
  readonly #faults: Faults;
  readonly #reset: () => void;
  #queue: Item[] = [];
  #queued = 0;
  #writing = false;
  #lost = false;
  #timer: NodeJS.Timeout | undefined;
  #delays: { readonly mode: Latency; readonly random: () => number; last: number } | undefined;

  constructor(direction: Direction, source: Socket, sink: Socket, number: number, faults: Faults, reset: () => void) {
    this.#direction = direction;
    this.#source = source;
    this.#sink = sink;
    this.#number = number;
    this.#faults = faults;
    this.#reset = reset;
  }

  /** Bytes were lost, and the next ones would pass. */
  get broken(): boolean {
    return this.#lost && wayOf(this.#faults.mode(), this.#direction) === 'pass';
  }

  push(item: Buffer | 'end' | 'reset'): void {
    this.#queue.push(typeof item === 'string' ? item : { bytes: item, due: this.#due() });
    if (typeof item !== 'string') this.#queued += item.length;
    this.pump();
  }

  /** Passes on what the mode lets pass. */
  pump(): void {
    if (this.#writing) return;
    clearTimeout(this.#timer);
    const mode = this.#faults.mode();
    const way = wayOf(mode, this.#direction);
    if (way === 'drop' && this.#queue.length > 0) {
      this.#lost = true;
      this.#queue = [];
      this.#queued = 0;
    }
    if (this.#queued > READ_AHEAD) this.#source.pause();
    else if (this.#source.isPaused()) this.#source.resume();

    const [item] = this.#queue;
    if (way === 'hold' || item === undefined) return;
    if (item === 'reset') this.#reset();
    else if (item === 'end') {
      this.#queue.shift();
      this.#sink.end();
    } else this.#write(item, mode);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #write(item: { bytes: Buffer; readonly due: number }, mode: Mode): void {
    const kind = typeof mode === 'string' ? mode : mode.kind;
    const wait = kind === 'latency' ? item.due - performance.now() : 0;
    if (wait > 0) {
      this.#timer = setTimeout(() => this.pump(), Math.ceil(wait));
      return;
    }
    const piece = typeof mode !== 'string' && mode.kind === 'slice' ? item.bytes.subarray(0, mode.bytes) : item.bytes;
    item.bytes = item.bytes.subarray(piece.length);
    if (item.bytes.length === 0) this.#queue.shift();
    this.#queued -= piece.length;
    this.#writing = true;
    this.#sink.write(piece, () => {
      this.#writing = false;
      // A turn of the event loop between two pieces, so that the other side can read one before the next arrives.
      if (kind === 'slice') setImmediate(() => setImmediate(() => this.pump()));
      else this.pump();
    });
  }

  /** When to pass on what comes in now. */
  #due(): number {
    const mode = this.#faults.mode();
    if (typeof mode === 'string' || mode.kind !== 'latency') return 0;
    const { ms, jitter = 0, seed = 1 } = mode;
    if (this.#delays?.mode !== mode)
      this.#delays = {
        mode,
        random: randomFrom(seed + 2 * this.#number + (this.#direction === 'up' ? 0 : 1)),
        last: 0,
      };
    this.#delays.last = Math.max(this.#delays.last, performance.now() + ms + this.#delays.random() * jitter);
    return this.#delays.last;
  }
}
