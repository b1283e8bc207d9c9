/**
 * Behind a real nginx, below a path prefix, with the lines that docs/deployment.md gives for it: the page for people, the links in
 * answers, and a stream that is passed on at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { freePort } from '../support/http/free-port.ts';
import { newFolder } from '../support/process/folder.ts';
import { ROOT } from '../support/apps/server-process.ts';

const NGINX = '/usr/sbin/nginx';
const noNginx = existsSync(NGINX) ? false : `${NGINX} is not installed; apt-get install nginx-light brings it`;

/** The `location` that docs/deployment.md shows. @param service e.g. `127.0.0.1:3000` */
function documented(service: string): string {
  const [, block = ''] = /```nginx\n(.*?)```/su.exec(readFileSync(join(ROOT, 'docs', 'deployment.md'), 'utf8')) ?? [];
  return block.replaceAll('127.0.0.1:3000', service);
}

/** nginx in front of a service; it ends with the test. @returns its origin */
async function startNginx(t: Test, service: string): Promise<string> {
  const folder = newFolder(t);
  const port = await freePort();
  mkdirSync(join(folder, 'logs'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join('\n');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user} daemon off; pid ${join(folder, 'pid')}; error_log stderr; events {} http { access_log off; ${paths} server { listen 127.0.0.1:${port}; ${documented(service)} } }`,
  );
  const nginx = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.teardown(async () => {
    const ended = nginx.exitCode ?? once(nginx, 'exit');
    nginx.kill();
    await ended;
  });
  const origin = `http://127.0.0.1:${port}`;
  while ((await fetch(`${origin}/registry/livez`).catch(() => undefined))?.status !== 200) await setTimeout(20); // it does not say when it listens
  return origin;
}

t.test('below a path prefix of nginx', { skip: noNginx }, async (t) => {
  const { app, key } = await openApp(t, { store: 'memory', trustProxy: 'loopback' });
  const origin = await startNginx(t, new URL(await listen(app)).host);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

  t.test('the page for people is whole', async (t) => {
    const html = await (await fetch(`${origin}/registry/docs`)).text();
    const references = [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map(
      ([, reference = '']) => new URL(reference, `${origin}/registry/docs`).href,
    );
    t.ok(references.length >= 5);
    for (const reference of references) t.equal((await fetch(reference)).status, 200, reference);
  });

  t.test('links lead back through nginx', async (t) => {
    const started = await fetch(`${origin}/registry/v1/coach/sessions`, { method: 'POST', headers, body: '{}' });
    t.equal(
      (await fetch(new URL(started.headers.get('location') ?? '', origin), { headers })).status,
      200,
      String(started.headers.get('location')),
    );
    const { type } = (await (await fetch(`${origin}/registry/v1/packs/choach`, { headers })).json()) as {
      type: string;
    };
    t.equal((await fetch(new URL(type, origin))).status, 200, type);
  });

  t.test('what a client sends as prefix does not come through', async (t) => {
    const { headers: answered } = await fetch(`${origin}/registry/v1/coach/sessions`, {
      method: 'POST',
      headers: { ...headers, 'x-forwarded-prefix': '/evil' },
      body: '{}',
    });
    t.match(answered.get('location'), /^\/registry\/v1\//u);
  });

  t.test('a stream is passed on message by message', async (t) => {
    const { body } = await fetch(`${origin}/registry/v1/events`, { headers });
    const reader = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    t.match((await reader.read()).value, /event: revision/u);
    await app.registry.activate({ version: '1.0.0', reason: 'For the stream' });
    t.match((await reader.read()).value, /event: version-activated/u);
    await reader.cancel();
  });
});
