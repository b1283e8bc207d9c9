/**
 * Hostile clients: connections that occupy the sockets of a server.
 *
 * Example: `const crowd = gather(address, 200, (socket) => socket.write('GET / HTTP/1.1\r\n'))`, then `await crowd.cut` for when the
 * server has ended them all.
 */
import { connect, type Socket } from 'node:net';

export interface Crowd {
  readonly sockets: readonly Socket[];
  /** Resolves once all are connected. */
  readonly connected: Promise<unknown>;
  /** Resolves once the server has closed all of them: milliseconds from when all were connected until the last was closed. */
  readonly cut: Promise<number>;
  /** What the server sent to each. */
  readonly said: readonly string[];
  leave(): void;
}

/** Opens the connections, and calls a function with each once it is connected. */
export function gather(address: string, count: number, hostile: (socket: Socket) => void): Crowd {
  const { hostname, port } = new URL(address);
  const said = Array.from({ length: count }, () => '');
  const sockets = said.map((_, index) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('error', () => undefined); // a reset is an end like any other
    socket.on('data', (chunk) => {
      said[index] += chunk.toString('latin1');
    });
    return socket;
  });
  const connected = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  let from = 0;
  void connected.then(() => {
    from = performance.now();
    for (const socket of sockets) hostile(socket);
  });
  return {
    sockets,
    connected,
    said,
    cut: closed.then(() => performance.now() - from),
    leave: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
