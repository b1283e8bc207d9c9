/**
 * How much the operating system buffers for each client of a server, and since when its buffer is full.
 *
 * Problem: over loopback it buffers megabytes for a client that never reads, which can take seconds. Until the buffer is full, the server
 * thinks that the client reads.
 * Rule: poll it; a queue that has stopped growing is full. On systems other than Linux no queue ever grows.
 * Example: `const queues = watchSendQueues(address)`; later `queues.fullSince(socket.localPort)`, and `await queues.stop()`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

export interface SendQueues {
  /** When the queue of the client with this port last grew, by `performance.now()`; undefined if never. */
  fullSince(port: number): number | undefined;
  /** @throws Error if the answer of the operating system could not be read */
  stop(): Promise<void>;
}

/** Between two polls, in milliseconds. */
const PAUSE = 100;

/** An established connection, as proc(5) shows it: the ports of both ends, and the bytes that wait at this end, all hexadecimal. */
const CONNECTION = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) 01 ([0-9A-F]{8}):/gmu;

export function watchSendQueues(address: string): SendQueues {
  const { hostname, port } = new URL(address);
  const file = hostname.includes(':') ? '/proc/net/tcp6' : '/proc/net/tcp';
  const queues = new Map<number, { bytes: number; grewAt: number }>();
  let stopped = false;
  const look = async () => {
    const table = await readFile(file, 'latin1');
    const now = performance.now();
    for (const [, here = '', there = '', waiting = ''] of table.matchAll(CONNECTION)) {
      if (parseInt(here, 16) !== Number(port)) continue;
      const client = parseInt(there, 16);
      const bytes = parseInt(waiting, 16);
      const before = queues.get(client);
      if (before === undefined || bytes > before.bytes) queues.set(client, { bytes, grewAt: now });
      else before.bytes = bytes;
    }
  };
  const watching = (async () => {
    while (!stopped && process.platform === 'linux') {
      await look();
      await setTimeout(PAUSE);
    }
  })();
  watching.catch(() => undefined); // told by `stop`
  return {
    fullSince: (client) => queues.get(client)?.grewAt,
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}
