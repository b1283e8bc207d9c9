/**
 * Hostile clients without a key, in their own process: they open sockets, never close their side, and send what makes a server wait.
 *
 * Problem: a client in the test's own process closes its side as soon as the server does, and takes descriptors from the test.
 * Rule: a stranger never closes its side. With `again`, a closed socket is reopened, so that the crowd keeps its size.
 * Example: `const crowd = await strangers(t, address, { kinds: ['silent'], count: 1000 })`; later `crowd.leave()`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** What a stranger sends, at once and then every half second, and whether it reads. */
interface Kind {
  readonly first?: string;
  readonly piece?: string;
  readonly deaf?: true;
}

const HEAD = 'Host: registry\r\n';
const LARGE = `GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\n${HEAD}\r\n`;

export const KINDS = {
  silent: {},
  'half a header': { first: `GET /livez HTTP/1.1\r\n${HEAD}X-Half: ` },
  'dripping headers': { first: `GET /livez HTTP/1.1\r\n${HEAD}X-Slow: `, piece: 'a' },
  'dripping bodies': {
    first: `POST /v1/packs/coach/rollback HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n`,
    piece: ' ',
  },
  'idle after an answer': { first: `GET /livez HTTP/1.1\r\n${HEAD}\r\n` },
  'idle after the last answer': { first: `GET /livez HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, piece: 'a' },
  'no HTTP': { first: 'Hello!\r\n\r\n', piece: 'a' },
  'headers too large': { first: `GET /livez HTTP/1.1\r\n${HEAD}X-Large: ${'a'.repeat(20_000)}\r\n\r\n`, piece: 'a' },
  'reading nothing of what they ask for': { first: LARGE.repeat(20), piece: '\r\n', deaf: true },
} as const satisfies Readonly<Record<string, Kind>>;
export type KindName = keyof typeof KINDS;

export interface StrangersOptions {
  readonly kinds: readonly KindName[];
  /** The number of all sockets. */
  readonly count: number;
  readonly again?: boolean;
}

export interface Strangers {
  /** Ends the process and all its sockets. */
  leave(): Promise<void>;
}

/** Starts strangers; resolves once each is connected or refused. They end with the test. */
export async function strangers(
  t: Test,
  address: string,
  { kinds, count, again = false }: StrangersOptions,
): Promise<Strangers> {
  const child = spawn(
    '/usr/bin/env',
    ['-i', process.execPath, fileURLToPath(import.meta.url), JSON.stringify({ address, kinds, count, again })],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const over = once(child, 'close');
  const leave = async () => {
    child.kill('SIGKILL');
    await over;
  };
  t.teardown(leave);
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    over.then(() => ['ended']),
  ]);
  if (line !== 'there') throw new Error(`The strangers ended before they were there.`);
  return { leave };
}

/** The sockets that a process has open, listening ones included. Only Linux tells. */
function openSockets(pid: number): ReadonlySet<string> {
  const sockets = new Set<string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${name}`);
      if (target.startsWith('socket:')) sockets.add(target);
    } catch {
      // It was closed meanwhile.
    }
  }
  return sockets;
}

/**
 * How long the sockets of a process stay open, in milliseconds, each counted from when it was first seen. A client can take itself for
 * connected seconds before the server accepts it, so the client's clock does not tell.
 */
export class SocketAges {
  readonly #pid: number;
  readonly #atRest: ReadonlySet<string>;
  #seenAt: ReadonlyMap<string, number> = new Map();

  constructor(pid: number) {
    this.#pid = pid;
    this.#atRest = openSockets(pid);
  }

  /** How many there are besides those that were open at first, and the age of the oldest of them. */
  look(): { readonly count: number; readonly oldest: number } {
    const now = performance.now();
    const added = [...openSockets(this.#pid)].filter((socket) => !this.#atRest.has(socket));
    this.#seenAt = new Map(added.map((socket) => [socket, this.#seenAt.get(socket) ?? now]));
    return { count: added.length, oldest: now - Math.min(now, ...this.#seenAt.values()) };
  }
}

/**
 * How many come at once. The next come when these are connected: otherwise the process is so busy that it sends a socket's first bytes
 * seconds after the server has accepted it, and the socket looks as if the server had left it open for longer.
 */
const WAVE = 200;

/** The process of the strangers. */
function crowd({
  address,
  kinds,
  count,
  again,
}: {
  readonly address: string;
  readonly kinds: readonly KindName[];
  readonly count: number;
  readonly again: boolean;
}): void {
  const { hostname, port } = new URL(address);
  let [coming, there] = [0, 0];
  const wave = () => {
    const first = coming;
    coming = Math.min(count, first + WAVE);
    for (let index = first; index < coming; index += 1) come(index);
  };
  const come = (index: number) => {
    const kind: Kind = KINDS[kinds[index % kinds.length] ?? 'silent'];
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
    const timer = setInterval(() => kind.piece !== undefined && socket.writable && socket.write(kind.piece), 500);
    let isThere = false;
    const arrive = () => {
      if (isThere) return;
      isThere = true;
      there += 1;
      if (there === count) process.stdout.write('there\n');
      else if (there === coming) wave();
    };
    socket
      .on('error', () => undefined)
      .on('connect', () => {
        arrive();
        if (kind.first !== undefined) socket.write(kind.first);
      });
    if (again) socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(timer);
      arrive();
      if (again) setTimeout(() => come(index), 100);
    });
    if (kind.deaf === true) socket.pause();
    else socket.resume();
  };
  wave();
  process.stdin.on('end', () => process.exit()).resume();
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  crowd(JSON.parse(process.argv[2] ?? '') as Parameters<typeof crowd>[0]);
