/**
 * A fault proxy with a client and a server at its ends, which record what they receive.
 *
 * To prove that something does not arrive, a test waits for a round trip through another proxy, which ends later (`settled`).
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Test } from 'tap';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

/** One end of a connection, and what it has received. */
export class End {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  /** Resolves once the connection is closed in both directions, or reset. */
  readonly gone: Promise<void>;
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.chunks.push(chunk));
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = error));
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        this.closed = true;
        resolve();
      });
    });
  }

  get heard(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.endsWith(text)) await once(this.socket, 'data');
  }
}

export interface Stage {
  readonly proxy: FaultProxy;
  /** A new connection: the client's end and the server's. */
  readonly open: () => Promise<{ client: End; server: End }>;
  /** A new connection that the server does not notice. */
  readonly dial: () => End;
  /** Resolves when everything sent before has arrived, as far as it can. */
  readonly settled: () => Promise<void>;
}

async function target(t: Test): Promise<{ host: string; port: number; accept: () => Promise<End> }> {
  const waiting: End[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    waiting.push(new End(socket));
    server.emit('accepted');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  const accept = async () => {
    while (waiting.length === 0) await once(server, 'accepted');
    return waiting.shift()!;
  };
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, accept };
}

export async function stage(t: Test): Promise<Stage> {
  const server = await target(t);
  const witness = await target(t);
  const proxy = await startFaultProxy(t, server);
  const passing = await startFaultProxy(t, witness);
  const dialled = (to: FaultProxy) => {
    const socket = connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true });
    t.teardown(() => socket.destroy());
    return new End(socket);
  };
  const asked = dialled(passing);
  const answering = await witness.accept();
  return {
    proxy,
    dial: () => dialled(proxy),
    open: async () => {
      const client = dialled(proxy);
      return { client, server: await server.accept() };
    },
    settled: async () => {
      for (let trip = 0; trip < 3; trip += 1) {
        asked.socket.write(`there ${trip}`);
        await answering.hears(`there ${trip}`);
        answering.socket.write(`back ${trip}`);
        await asked.hears(`back ${trip}`);
      }
    },
  };
}
