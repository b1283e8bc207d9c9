/** An HTTP server of a test's own. Example: `const url = await stubServer(t, (_, response) => response.end('{}'))`. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** Starts one on a free port; it closes with the test. @returns its origin, e.g. `http://127.0.0.1:40123` */
export async function stubServer(t: Pick<Test, 'teardown'>, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  server.keepAliveTimeout = 60_000; // by default 5 s, which this process can be busy for: a request would be reset
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
