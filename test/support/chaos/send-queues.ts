/**
 * How much of a server's answers the operating system holds for each of its clients, and since when it took no more.
 *
 * Problem: over loopback it takes megabytes for a client that reads nothing, in seconds, where the machine's memory is slow: until it is
 * full, such a client looks to the server as if it read.
 * Rule: it is asked again and again; a queue that does not grow any more is full. Where it cannot be asked (it is no Linux), nobody's
 * is ever said to have grown.
 * Example: `const queues = watchSendQueues(address)`; later `queues.fullSince(socket.localPort)`, and `await queues.stop()`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

export interface SendQueues {
  /** When the queue of the client with this port last grew, as `performance.now()` tells it; undefined where it never did. */
  fullSince(port: number): number | undefined;
  /** @throws Error where the operating system's answer could not be read */
  stop(): Promise<void>;
}

/** Between two looks, in milliseconds. */
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
