/**
 * Serves the files of Swagger UI from memory.
 *
 * Problem: a file server opens a file for each request and keeps it open until the client has read it. One connection can request hundreds of
 * files and read none of them. Then the process has no descriptor left, and the attacker did not even need a key.
 * Rule: each file is read once and sent from one buffer to all clients, however slowly they read. Only the files of that folder are served.
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

/** Sends the file that the path names, or a 304 if the client already has it. */
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
