/**
 * The reference: the fastest Fastify server that still uses Fastify's reply. One route for each answer, no schema, no hook, and no
 * headers except ETag and content type; a matching `If-None-Match` gets 304. It reads the answers from stdin.
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
