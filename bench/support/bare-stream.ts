/**
 * The reference for streams: node:http alone. A GET opens a stream; `POST /flip?id=N` writes one message to all of them, in one loop.
 * The message is as long as the service's.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const open = new Set<ServerResponse>();
const move = { channel: 'production', version: '1.1.0', previousVersion: '1.0.0', digest: `sha256:${'4f'.repeat(32)}` };

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const revision = Number(new URL(request.url ?? '', 'http://bare').searchParams.get('id'));
    const data = {
      epoch: 1,
      revision,
      type: 'version-activated',
      pack: 'coach',
      moves: [move],
      at: '2026-01-31T09:30:00.000Z',
    };
    const chunk = Buffer.from(`id: ${revision}\nevent: version-activated\ndata: ${JSON.stringify(data)}\n\n`);
    response.end();
    for (const stream of open) stream.write(chunk);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'private, no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.write('id: 0\nevent: revision\ndata: {"epoch":1,"revision":0}\n\n');
  open.add(response);
  response.once('close', () => open.delete(response));
});
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
);
