/**
 * A second generator, @hey-api/openapi-ts, makes a client from `openapi.yaml` that compiles, and drives a running service.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { installTool } from '../../scripts/tools.ts';
import { listen, openApp } from '../support/apps/app.ts';
import { OPERATIONS } from '../support/http/openapi.ts';
import { ROOT } from '../support/apps/server-process.ts';

const run = promisify(execFile);
const { NODE_OPTIONS: _, ...ENV } = process.env; // tap's own hooks
const TSC = join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');
const GENERATOR = join(installTool('hey-api'), 'node_modules', '.bin', 'openapi-ts');

const PROGRAM = `
import { createClient } from './client/client/index.ts';
import * as registry from './client/index.ts';

const [, , baseUrl = '', auth = ''] = process.argv;
const client = createClient({ baseUrl, auth, throwOnError: false });
const coach = { client, path: { pack: 'coach' } } as const;
const steps: Record<string, unknown> = {};

const packs = await registry.listPacks({ client });
steps['packs'] = packs.data?.packs.map(({ pack }) => pack);
const active = await registry.getActivePack(coach);
steps['active'] = [active.data?.version, active.data?.styles.length, active.response?.headers.get('registry-revision') !== null];
const preview = await registry.activateVersion({ ...coach, body: { version: '1.0.0', reason: 'A try', dryRun: true } });
steps['preview'] = preview.data !== undefined && 'wouldActivate' in preview.data && preview.data.wouldActivate;
const moved = await registry.activateVersion({ ...coach, body: { version: '1.0.0', reason: 'A try' } });
steps['moved'] = moved.data !== undefined && 'changed' in moved.data && [moved.data.version, moved.data.previousVersion];
steps['style'] = (await registry.getStylePrompt({ client, path: { styleId: 'direct' } })).data?.version;
const session = await registry.startCoachSession({ client, body: { styleId: 'direct' } });
const back = await registry.rollbackPack({ ...coach, body: { reason: 'A try', fromVersion: '1.0.0' } });
steps['back'] = back.data !== undefined && 'changed' in back.data && back.data.version;
steps['session'] = (await registry.getCoachSession({ client, path: { sessionId: session.data?.sessionId ?? '' } })).data?.promptPack.version;
const refused = await registry.getVersion({ client, path: { pack: 'coach', version: '9.9.9' } });
steps['refused'] = [refused.response?.status, refused.error?.code];
const { stream } = await registry.streamEvents({ client, query: { pack: 'coach' }, sseMaxRetryAttempts: 1 });
for await (const message of stream) {
  steps['stream'] = message.revision;
  break;
}
process.stdout.write(JSON.stringify(steps), () => process.exit()); // its stream goes on
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2024',
    lib: ['ES2024', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    types: ['node'],
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  files: ['walkthrough.ts'],
};

t.test('@hey-api/openapi-ts makes a client that compiles and drives a running service', async (t) => {
  const folder = t.testdir({
    'walkthrough.ts': PROGRAM,
    'tsconfig.json': JSON.stringify(TSCONFIG),
    'package.json': '{"type":"module"}',
  });
  const config = `export default { input: ${JSON.stringify(join(ROOT, 'openapi.yaml'))}, output: { path: ${JSON.stringify(join(folder, 'client'))}, module: { extension: '.ts' } }, plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'], logs: { level: 'silent', file: false } };`;
  writeFileSync(join(folder, 'openapi-ts.config.mjs'), config);
  await run(process.execPath, [GENERATOR, '--file', join(folder, 'openapi-ts.config.mjs')], { cwd: folder, env: ENV });
  const sdk = readFileSync(join(folder, 'client', 'sdk.gen.ts'), 'utf8');
  for (const id of OPERATIONS.keys()) t.match(sdk, new RegExp(`^export const ${id} = `, 'mu'), `it has ${id}`);

  const compiled = await run(process.execPath, [TSC, '-p', folder], { env: ENV }).catch(
    (error: { stdout: string }) => error,
  );
  t.equal(compiled.stdout, '', 'it compiles');

  const { app, key } = await openApp(t, { store: 'memory' });
  const { stdout } = await run(process.execPath, [join(folder, 'walkthrough.ts'), await listen(app), key], {
    env: ENV,
  });
  t.strictSame(JSON.parse(stdout), {
    packs: ['coach', 'onboarding'],
    active: ['2.0.0', 5, true],
    preview: '1.0.0',
    moved: ['1.0.0', '2.0.0'],
    style: '1.0.0',
    back: '2.0.0',
    session: '1.0.0',
    refused: [404, 'version-not-found'],
    stream: app.registry.current.revision,
  });
});
