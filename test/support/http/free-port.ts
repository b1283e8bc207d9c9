/** A free TCP port, for a program that cannot choose one itself. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** @returns a port of 127.0.0.1 on which nothing listens now; another program may still take it */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
