/**
 * The oldest Node that the TypeScript client promises (20): the built client follows, falls back to its copy, and its timers do not keep the
 * process alive. The command line and the contract kit need a later Node, and say so.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { installTool } from '../../scripts/tools.ts';
import { spawnCli } from '../support/clients/command-line.ts';
import { runKit } from '../clients/contract/run-kit.ts';
import { listen, openApp } from '../support/apps/app.ts';

const run = promisify(execFile);
const NODE = join(installTool('older-node'), 'node_modules', `older-node-linux-${process.arch}`, 'bin', 'node');
const skip = existsSync(NODE) ? false : 'there is no Node 20 for this platform';

const PROGRAM = `
import { createPromptSource, createRegistryClient } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';

const [, , url, key, folder] = process.argv;
const steps = { node: process.versions.node.split('.')[0], rejections: 0 };
process.on('unhandledRejection', () => (steps.rejections += 1));
const prompts = createPromptSource({ url, key, pack: 'coach', copy: diskCopy({ folder }) });
steps.first = (await prompts.ready()).version;
const { ask } = createRegistryClient({ url, key });
const moved = new Promise((resolve) => prompts.on('changed', ({ to }) => to.version === '1.0.0' && resolve()));
await ask((api) => api.POST('/v1/packs/{pack}/activations', { params: { path: { pack: 'coach' } }, body: { version: '1.0.0', reason: 'For the older Node' } }));
await moved;
steps.followed = prompts.getStylePrompt('supportive').version;
const session = await prompts.startSession({ styleId: 'supportive' });
steps.session = [session.promptPack.version, session.local];
const started = new Promise((resolve) => prompts.on('changed', ({ rollout }) => rollout?.to && resolve()));
await ask((api) => api.POST('/v1/packs/{pack}/rollouts', { params: { path: { pack: 'coach' } }, body: { version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason: 'For the older Node' } }));
await started;
const subjects = Array.from({ length: 200 }, (_, index) => 'größe-🎈-' + index);
steps.arms = subjects.map((subject) => prompts.for({ subject }).assignment.arm);
await prompts.close();

const offline = createPromptSource({ url: 'http://127.0.0.1:1', key, pack: 'coach', copy: diskCopy({ folder }) });
const { version, origin } = await offline.ready();
steps.offline = [version, origin];
const local = await offline.startSession();
steps.local = [local.local, (await offline.resolveSession(local.sessionId)).promptPack.version];
const nothing = createPromptSource({ url: 'http://127.0.0.1:1', key, pack: 'coach' });
steps.tries = [];
for (let time = 0; time < 2; time += 1) await nothing.ready().catch(({ code }) => steps.tries.push(code)); // who waits keeps the process alive
console.log(JSON.stringify(steps));
// Not closed: it waits to try again, and that keeps no process alive.
`;

t.test('the client', { skip }, async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const folder = t.testdir({ 'program.mjs': PROGRAM, copy: {} }); // below the repository, so that the program finds the client
  const { NODE_OPTIONS: _, ...env } = process.env; // tap's own hooks are for another Node
  const { stdout, stderr } = await run(
    NODE,
    [join(folder, 'program.mjs'), await listen(app), key, join(folder, 'copy')],
    { env, timeout: 30_000 },
  );
  const subjects = Array.from({ length: 200 }, (_, index) => `größe-🎈-${index}`);
  t.strictSame(JSON.parse(stdout), {
    node: '20',
    rejections: 0,
    first: '2.0.0',
    followed: '1.0.0',
    session: ['1.0.0', false],
    arms: subjects.map((subject) => app.registry.assignment({ subject })?.arm),
    offline: ['1.0.0', 'copy'],
    local: [true, '1.0.0'],
    tries: ['unreachable', 'unreachable'],
  });
  t.equal(stderr, '', 'nothing is complained of');
});

t.test('the command line', { skip }, async (t) => {
  t.match(await spawnCli(t, ['status'], {}, { node: NODE }), {
    code: 70,
    stdout: '',
    stderr: /^prompt-registry needs Node 22\.12 or later; this is 20\./u,
  });
});

t.test('the contract kit', { skip }, async (t) => {
  t.match(await runKit(t, ['--help'], { node: NODE }), {
    code: 2,
    stdout: '',
    stderr: /^prompt-registry-contract needs Node 22\.12 or later; this is 20\.\d+\.\d+\.\n$/u,
  });
});
