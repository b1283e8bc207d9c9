/**
 * A real nginx with the configuration that is shipped, deploy/nginx/nginx.conf.
 *
 * Only what a deployer must change is changed: the addresses of the instances, the port, the paths of the certificate, the folder of its
 * temporary files. Example: `const ask = await startNginx(t, ['127.0.0.1:3001', '127.0.0.1:3002']); (await ask('/registry/livez')).status`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { ROOT } from '../apps/server-process.ts';
import { newFolder } from '../process/folder.ts';
import { freePort } from './free-port.ts';

const NGINX = '/usr/sbin/nginx';
export const noNginx = existsSync(NGINX) ? false : `${NGINX} is not installed; apt-get install nginx-light brings it`;

/** The configuration as it is shipped. */
export const SHIPPED = readFileSync(join(ROOT, 'deploy', 'nginx', 'nginx.conf'), 'utf8');
const TLS = join(ROOT, 'test', 'fixtures', 'tls');

export interface Asking {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Front {
  /** e.g. `https://localhost:40123` */
  readonly origin: string;
  /** Sends a request, verifies the certificate, and reads the whole answer. */
  readonly ask: (path: string, asking?: Asking) => Promise<Answer>;
  /** As `ask`, without reading the body. */
  readonly open: (path: string, asking?: Asking) => Promise<IncomingMessage>;
}

/** Starts nginx in front of two instances, and waits until it listens. It ends with the test. @param instances `host:port` of each */
export async function startNginx(t: Test, instances: readonly [string, string]): Promise<Front> {
  const folder = newFolder(t);
  const port = await freePort();
  const changes: readonly (readonly [string, string])[] = [
    ['server registry-1:3000', `server ${instances[0]}`],
    ['server registry-2:3000', `server ${instances[1]}`],
    ['listen 8443', `listen 127.0.0.1:${port}`],
    [' /tmp/', ` ${folder}/`], // before the certificates: the checkout may itself be below /tmp
    ['error_log stderr', `error_log ${join(folder, 'error.log')}`],
    ['/run/secrets/tls.crt', join(TLS, 'server.crt')],
    ['/run/secrets/tls.key', join(TLS, 'server.key')],
  ];
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, changes.reduce(changed, SHIPPED));
  const asRoot = process.getuid?.() === 0 ? 'user root;' : '';
  const nginx = spawn(
    NGINX,
    ['-e', join(folder, 'error.log'), '-p', folder, '-c', file, '-g', `daemon off; ${asRoot}`],
    {
      stdio: 'ignore',
    },
  );
  const ended = once(nginx, 'exit');
  t.teardown(async () => {
    nginx.kill();
    await ended;
  });
  while (!(await listens(port))) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended: ${readFileSync(join(folder, 'error.log'), 'utf8')}`);
    await pause(20); // it does not say when it listens
  }
  const agent = new Agent({ ca: readFileSync(join(TLS, 'ca.crt')), keepAlive: true });
  t.teardown(() => agent.destroy());
  return frontOf(`https://localhost:${port}`, agent);
}

/** @throws Error if the text to change is not there: then the shipped file has changed, and this list must follow */
function changed(configuration: string, [from, to]: readonly [string, string]): string {
  if (!configuration.includes(from)) throw new Error(`deploy/nginx/nginx.conf has no "${from}".`);
  return configuration.replaceAll(from, to);
}

function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

function frontOf(origin: string, agent: Agent): Front {
  const open = async (path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<IncomingMessage> => {
    const sent = request(origin + path, { agent, method, headers, family: 4 }).end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  };
  const ask: Front['ask'] = async (path, asking) => {
    const answer = await open(path, asking);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
  };
  return { origin, open, ask };
}
