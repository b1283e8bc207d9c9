/** A TCP port for a program that cannot be told to choose one itself. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** @returns a port of 127.0.0.1 that nothing listens on now; another program may still take it before you do */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
