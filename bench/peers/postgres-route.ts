/** A Fastify route that asks PostgreSQL for the document at each request, with the driver's defaults (ten connections, prepared). */
import { createRequire } from 'node:module';
import { json } from 'node:stream/consumers';
import Fastify from 'fastify';

/** What is used of `postgres`. It is installed in tools/bench-peers under another name, and does not change with the registry's own driver. */
type Sql = (parts: TemplateStringsArray, ...values: string[]) => Promise<{ readonly document: string }[]>;

interface Told {
  readonly modules: string;
  readonly path: string;
  readonly database: string;
  readonly document: string;
}

const { modules, path, database, document } = (await json(process.stdin)) as Told;
const postgres = createRequire(modules)('postgres-driver') as (url: string) => Sql;
const sql = postgres(database);
await sql`CREATE TABLE packs (name text PRIMARY KEY, document text NOT NULL)`;
await sql`INSERT INTO packs VALUES ('coach', ${document})`;

const app = Fastify();
app.get(path, async (_request, reply) => {
  const [row] = await sql`SELECT document FROM packs WHERE name = ${'coach'}`;
  return reply.header('content-type', 'application/json').send(row?.document);
});
process.stdout.write(`Listening at ${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
