/**
 * The reference: the fastest that Fastify gives without giving up its own reply. One route an answer, no schema, no hook, no
 * header but the ETag and the content type; a matching `If-None-Match` gets 304. It reads what to answer on stdin.
 */
import { json } from 'node:stream/consumers';
import Fastify from 'fastify';
import type { BareAnswer } from './processes.ts';

const app = Fastify();
for (const { path, etag, contentType, body } of (await json(process.stdin)) as readonly BareAnswer[]) {
  const bytes = Buffer.from(body);
  app.get(path, (request, reply) => {
    void reply.header('etag', etag);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.header('content-type', contentType).send(bytes);
  });
}
const address = await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`Listening at ${address}\n`);
