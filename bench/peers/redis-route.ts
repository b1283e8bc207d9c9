/** A Fastify route that asks Redis for the document at each request. Requests of one turn of the event loop go out together (pipelined). */
import { createRequire } from 'node:module';
import { json } from 'node:stream/consumers';
import Fastify from 'fastify';

/** What is used of `ioredis`, which is installed in tools/bench-peers. */
interface Redis {
  set(key: string, value: string): Promise<unknown>;
  getBuffer(key: string): Promise<Buffer | null>;
}

interface Told {
  readonly modules: string;
  readonly path: string;
  readonly port: number;
  readonly document: string;
}

const { modules, path, port, document } = (await json(process.stdin)) as Told;
const { Redis } = createRequire(modules)('ioredis') as { readonly Redis: new (options: object) => Redis };
const redis = new Redis({ port, host: '127.0.0.1', enableAutoPipelining: true });
await redis.set('coach', document);

const app = Fastify();
app.get(path, async (_request, reply) =>
  reply.header('content-type', 'application/json').send(await redis.getBuffer('coach')),
);
process.stdout.write(`Listening at ${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
