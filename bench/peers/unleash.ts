/** An Unleash server with one flag for each prompt, whose variant holds the text. It checks tokens, as the registry does. */
import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/** What is used of `unleash-server`, which is installed in tools/bench-peers. */
interface UnleashServer {
  start(options: object): Promise<{ readonly server: Server }>;
}

interface Told {
  readonly modules: string;
  readonly database: string;
  /** The token that clients read with. */
  readonly token: string;
  readonly prompts: Readonly<Record<string, string>>;
}

const ADMIN = '*:*.benchmark';

const { modules, database, token, prompts } = (await json(process.stdin)) as Told;
const unleash = (await import(pathToFileURL(createRequire(modules).resolve('unleash-server')).href)) as UnleashServer;
const { hostname, port, pathname, username } = new URL(database);
const { server } = await unleash.start({
  db: { host: hostname, port: Number(port), database: pathname.slice(1), user: username, password: '', ssl: false },
  server: { host: '127.0.0.1', port: 0 },
  logLevel: 'fatal',
  versionCheck: { enable: false },
  telemetry: false,
  authentication: {
    initApiTokens: [
      { tokenName: 'admin', type: 'admin', secret: ADMIN, environment: '*', projects: ['*'] },
      { tokenName: 'client', type: 'backend', secret: token, environment: 'development', projects: ['default'] },
    ],
  },
});
if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const FEATURES = `${url}/api/admin/projects/default/features`;
for (const [name, text] of Object.entries(prompts)) {
  const variant = { name: 'text', weight: 1000, weightType: 'variable', stickiness: 'default' };
  await ask(FEATURES, { name, type: 'release' });
  await ask(`${FEATURES}/${name}/environments/development/strategies`, {
    name: 'flexibleRollout',
    parameters: { rollout: '100', stickiness: 'default', groupId: name },
    variants: [{ ...variant, payload: { type: 'string', value: text } }],
  });
  await ask(`${FEATURES}/${name}/environments/development/on`, {});
}
process.stdout.write(`Listening at ${url}\n`);

async function ask(address: string, body: object): Promise<void> {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { authorization: ADMIN, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}: ${await answer.text()}`);
}
