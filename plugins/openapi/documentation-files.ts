/**
 * What Swagger UI is made of, answered from memory.
 *
 * Problem: a file server opens a file for each request, and keeps it open until the reader has taken it. One connection can ask for hundreds
 * at once and read none of them; then the process has no descriptor left, for anybody, and no key was needed for that.
 * Rule: each file is read once and sent from one buffer, whoever asks and however slowly they read. Nothing else is in that folder to be asked for.
 * Example: `GET /docs/static/swagger-ui.css`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply, FastifyRequest } from 'fastify';

const FOLDER = new URL('static/', import.meta.resolve('@fastify/swagger-ui/package.json'));

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'application/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

interface Page {
  readonly body: Buffer;
  readonly etag: string;
  readonly type: string;
}

const names = new Set(readdirSync(FOLDER));
const pages = new Map<string, Page>();

/** Answers with the file that the path behind the prefix names, or 304 where the caller has it. */
export function sendDocumentationFile(request: FastifyRequest, reply: FastifyReply): FastifyReply | void {
  const { '*': name = '' } = request.params as { '*'?: string };
  if (!names.has(name)) return reply.callNotFound();
  const { body, etag, type } = pageOf(name);
  void reply.header('etag', etag).header('cache-control', 'public, max-age=0');
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(type).send(body);
}

function pageOf(name: string): Page {
  let page = pages.get(name);
  if (page === undefined) {
    const body = readFileSync(fileURLToPath(new URL(name, FOLDER)));
    page = {
      body,
      etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`,
      type: TYPES[extname(name)] ?? 'application/octet-stream',
    };
    pages.set(name, page);
  }
  return page;
}
