/**
 * A client generated from `openapi.yaml` (openapi-typescript, openapi-fetch) drives a running service through the walkthrough: see
 * what is active, activate an older version, start a session, roll back, and find the session unchanged (SPEC R8).
 *
 * The program below is compiled against the generated types, where lines that must not compile are marked, and then run.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import t from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { OPENAPI, OPENAPI_AS_WRITTEN, OPERATIONS } from '../support/http/openapi.ts';

const run = promisify(execFile);
const TSC = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));

const PROGRAM = `
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './registry-api.ts';

const [, , baseUrl = '', key = ''] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } });
type Schemas = components['schemas'];
const reason = 'Users report that answers are too blunt';
const steps: Record<string, unknown> = {};

function got<T>(answer: { data?: T; error?: components['schemas']['Problem']; response: Response }): T {
  if (answer.data === undefined) throw new Error(\`\${answer.response.status}: \${answer.error?.code} \${answer.error?.detail}\`);
  return answer.data;
}
/** Not the answer to a dry run. */
function moved(answer: Schemas['Activation'] | Schemas['Preview']): Schemas['Activation'] {
  if ('wouldActivate' in answer) throw new Error('Nothing was moved.');
  return answer;
}
const coach = { params: { path: { pack: 'coach' } } } as const;

const nobody = await createClient<paths>({ baseUrl }).GET('/v1/packs');
steps['nobody'] = { status: nobody.response.status, code: nobody.error?.code };

const packs = got(await client.GET('/v1/packs'));
steps['packs'] = packs.packs.map(({ pack, latest }) => ({ pack, latest }));

const active = got(await client.GET('/v1/packs/{pack}/active', coach));
steps['active'] = { version: active.version, styles: active.styles.map(({ id }) => id) };

const preview = got(await client.POST('/v1/packs/{pack}/activations', { ...coach, body: { version: '1.0.0', reason, dryRun: true } }));
steps['preview'] = 'wouldActivate' in preview && { version: preview.wouldActivate, added: preview.stylesAdded, problems: preview.problems };

const activated = moved(got(await client.POST('/v1/packs/{pack}/activations', {
  params: { path: { pack: 'coach' }, header: { 'if-match': \`"\${active.revision}"\` } },
  body: { version: '1.0.0', reason },
})));
steps['activated'] = { kind: activated.kind, version: activated.version, from: activated.previousVersion, changed: activated.changed };

const style = got(await client.GET('/v1/prompts/styles/{styleId}', { params: { path: { styleId: 'direct' } } }));
steps['style'] = { version: style.version, title: style.title, hasText: style.text.length > 0 };

const started = got(await client.POST('/v1/coach/sessions', { body: { styleId: 'direct' } }));
steps['started'] = { version: started.promptPack.version, superseded: started.superseded, text: started.prompt.style.text === style.text };

const rolledBack = moved(got(await client.POST('/v1/packs/{pack}/activations', { ...coach, body: { version: '1.1.0', reason } })));
const back = moved(got(await client.POST('/v1/packs/{pack}/rollback', { ...coach, body: { reason, fromVersion: rolledBack.version } })));
const further = moved(got(await client.POST('/v1/packs/{pack}/rollback', { ...coach, body: { reason, fromVersion: back.version } })));
steps['rolledBack'] = [back.version, further.version];

const resumed = got(await client.GET('/v1/coach/sessions/{sessionId}', { params: { path: { sessionId: started.sessionId } } }));
steps['resumed'] = { version: resumed.promptPack.version, superseded: resumed.superseded, same: JSON.stringify(resumed.prompt) === JSON.stringify(started.prompt) };

const history = got(await client.GET('/v1/packs/{pack}/activations', { params: { path: { pack: 'coach' }, query: { channel: 'production', limit: 4 } } }));
steps['history'] = history.activations.map(({ kind, version }) => \`\${kind} \${version}\`);

const lacking = await client.GET('/v1/prompts/styles/{styleId}', { params: { path: { styleId: 'direct' } } });
steps['lacking'] = { status: lacking.response.status, code: lacking.error?.code, supported: lacking.error?.supportedStyles };

const made = got(await client.POST('/v1/keys', { body: { label: 'reader', scopes: ['prompts:read'] } }));
const reader = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${made.secret ?? ''}\` } });
const mayRead = await reader.GET('/v1/prompts/system');
const mayNotMove = await reader.POST('/v1/packs/{pack}/rollback', { ...coach, body: { reason } });
got(await client.POST('/v1/keys/{keyId}/revoke', { params: { path: { keyId: made.keyId } }, body: { reason: 'Left the team' } }));
const gone = await reader.GET('/v1/prompts/system');
steps['key'] = [mayRead.response.status, mayNotMove.response.status, mayNotMove.error?.requiredScopes, gone.response.status];

const proof = got(await client.GET('/v1/audit/verification'));
steps['proof'] = { valid: proof.valid, all: proof.events === got(await client.GET('/v1/audit/head')).revision };

// What must not compile.
type Name = keyof operations;
const name: Name = 'getSystemPrompt';
// @ts-expect-error there is no such operation
const none: Name = 'getSystemPrompts';
export async function wrong(): Promise<void> {
  // @ts-expect-error there is no such path
  await client.GET('/v1/prompt/system');
  // @ts-expect-error a move needs its reason
  await client.POST('/v1/packs/{pack}/rollback', { ...coach, body: {} });
  // @ts-expect-error a style is named by its id
  await client.POST('/v1/coach/sessions', { body: { styleId: 5 } });
  // @ts-expect-error a limit is a number
  await client.GET('/v1/packs/{pack}/versions', { params: { path: { pack: 'coach' }, query: { limit: '5' } } });
  // @ts-expect-error a scope that no key can have
  await client.POST('/v1/keys', { body: { label: 'x', scopes: ['everything'] } });
  // @ts-expect-error a code that no problem has
  const code: components['schemas']['Problem']['code'] = 'no-such-code';
  void [name, none, code];
}
process.stdout.write(JSON.stringify(steps));
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2024',
    module: 'NodeNext',
    types: ['node'],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    skipLibCheck: true,
  },
  files: ['walkthrough.ts', 'registry-api.ts'],
};

t.test('types generated from the document compile, and the client they make drives a running service', async (t) => {
  // Below the repository, so that the program finds openapi-fetch.
  const folder = t.testdir({
    'walkthrough.ts': PROGRAM,
    'tsconfig.json': JSON.stringify(TSCONFIG),
    'package.json': '{"type":"module"}',
  });
  const types = astToString(await openapiTS(structuredClone(OPENAPI_AS_WRITTEN) as Parameters<typeof openapiTS>[0]));
  writeFileSync(join(folder, 'registry-api.ts'), types);
  for (const id of OPERATIONS.keys()) t.match(types, new RegExp(`^    ${id}: \\{$`, 'mu'), `it has ${id}`);
  for (const path of Object.keys(OPENAPI.paths)) t.ok(types.includes(`"${path}": {`), `it has ${path}`);

  const { NODE_OPTIONS: _, ...env } = process.env; // tap's own hooks write files of their own
  const compiled = await run(process.execPath, [TSC, '-p', folder], { env }).catch(
    (error: { stdout: string }) => error,
  );
  t.equal(compiled.stdout, '', 'it compiles');

  const { app, key } = await openApp(t);
  const { stdout } = await run(process.execPath, [join(folder, 'walkthrough.ts'), await listen(app), key], { env });
  t.strictSame(JSON.parse(stdout), {
    nobody: { status: 401, code: 'unauthenticated' },
    packs: [
      { pack: 'coach', latest: '2.0.0' },
      { pack: 'onboarding', latest: '1.1.0' },
    ],
    active: { version: '2.0.0', styles: ['reflective', 'supportive', 'socratic', 'challenging', 'concise'] },
    preview: { version: '1.0.0', added: ['direct'], problems: [] },
    activated: { kind: 'activation', version: '1.0.0', from: '2.0.0', changed: true },
    style: { version: '1.0.0', title: 'Direct', hasText: true },
    started: { version: '1.0.0', superseded: false, text: true },
    rolledBack: ['1.0.0', '2.0.0'],
    resumed: { version: '1.0.0', superseded: true, same: true },
    history: ['rollback 2.0.0', 'rollback 1.0.0', 'activation 1.1.0', 'activation 1.0.0'],
    key: [200, 403, ['packs:activate'], 401],
    proof: { valid: true, all: true },
    lacking: {
      status: 404,
      code: 'style-not-found',
      supported: ['reflective', 'supportive', 'socratic', 'challenging', 'concise'],
    },
  });
});
