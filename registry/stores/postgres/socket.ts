/**
 * A socket to the server, with TLS if the URL asks for it.
 *
 * Problem: the driver half-closes sockets, which stay open for a quarter of an hour if the server is unreachable, and its TLS options have
 * no `prefer`. It throws on a message that it does not know, in a listener, so that no caller can catch it.
 * Rule: the socket is opened here, within a time limit. The caller owns it and can destroy it at any time.
 * Example: an SSLRequest is answered by `S`, and the handshake begins
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL).
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Target, Tls } from './url.ts';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
/** How long a connection is silent before the kernel sends a keep-alive probe, in milliseconds. */
const KEEP_ALIVE = 5000;

/**
 * Connects.
 * @param limit milliseconds
 * @throws Error if there is no connection within the limit, or none with the required TLS
 */
export async function openSocket({ host, port, path, tls }: Target, limit: number): Promise<Socket> {
  const settings = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
  const plain = path === undefined ? connect({ host, port, ...settings }) : connect({ path });
  let timer: NodeJS.Timeout | undefined;
  let secured: Socket | undefined;
  try {
    return await new Promise<Socket>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(why));
      timer = setTimeout(() => fail(`no connection within ${Math.round(limit)} ms`), limit);
      plain.on('error', reject).once('close', () => fail('the server closed the connection'));
      plain.once('connect', () => {
        if (tls === undefined) return resolve(plain);
        plain.write(SSL_REQUEST);
        plain.once('data', (answer) => {
          // More than one byte would mean that an attacker put data before the encrypted part (CVE-2021-23222).
          if (answer.length !== 1) return fail('the reply to the TLS request is not from PostgreSQL');
          if (answer[0] !== 0x53) return tls.optional ? resolve(plain) : fail('the server offers no TLS');
          const socket = secure(plain, host, tls);
          socket.on('error', reject).once('secureConnect', () => resolve(socket));
          secured = socket;
        });
      });
    });
  } catch (error) {
    secured?.destroy();
    plain.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function secure(socket: Socket, host: string, { options }: Tls): TLSSocket {
  const name = isIP(host) === 0 ? { servername: host } : { host }; // an address is compared with the certificate, but never sent as a name
  return connectTls({ socket, ...name, ...options });
}

/**
 * The socket as a stream that the driver connects, which is already done. What a listener of the driver throws ends the connection, with
 * that as the error.
 */
export function connectedStream(socket: Socket): Socket {
  const emit = socket.emit.bind(socket) as (...event: unknown[]) => boolean;
  return Object.assign(socket, {
    connect: () => {
      process.nextTick(emit, 'connect');
      return socket;
    },
    emit: (...event: unknown[]) => {
      try {
        return emit(...event);
      } catch (error) {
        socket.destroy(error as Error);
        return true;
      }
    },
  });
}
