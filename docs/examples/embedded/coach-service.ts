/**
 * A coach service with the registry in-process.
 *
 *     POST /sessions             {"style": "direct", "user": "u-17"}   starts a session on the version that this user gets
 *     POST /sessions/:id/turns   {"message": "I am stuck."}            what to send to the model for a turn, on the session's own version
 *     GET  /prompts                                                    which version is active, and which one is rolled out
 *     GET  /prompts/:style?user=u-17&plan=pro                          the style prompt that this user gets
 *     POST /operator/rollout     {"version": "1.1.0", "percent": 1, "reason": "…"}   gives it to one user in a hundred; later widens that
 *     POST /operator/activate    {"version": "1.0.0", "reason": "…"}   everybody gets it; ends a rollout
 *     POST /operator/rollback    {"reason": "Too blunt"}               one step back; the operator routes need OPERATOR_TOKEN as a bearer token
 *
 * Reads are look-ups in memory: no user's request waits for a database. While a version is rolled out, a user keeps the version they have seen. A
 * session keeps its version, whatever the operator does.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import Fastify, { type FastifyRequest } from 'fastify';
import registry, { readPackFolders, RegistryError } from '@prompt-registry/fastify';
import { openSqliteStore } from '@prompt-registry/fastify/stores/sqlite';

const { PORT = '3000', HOST = '127.0.0.1', DATA_DIR = './data', OPERATOR_TOKEN = '' } = process.env;
const app = Fastify({
  logger: true,
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  routerOptions: { maxParamLength: 200 }, // a session id has up to 200 characters
});

await app.register(registry, {
  store: await openSqliteStore({ file: `${DATA_DIR}/prompts.db` }),
  shipped: await readPackFolders(join(import.meta.dirname, 'packs')),
  dataDir: DATA_DIR,
  channels: ['production'],
  defaultPack: 'coach',
  sessionTtl: 4 * 3_600_000,
});

/** The HTTP status of each refusal of the registry. A code that is not listed is not the caller's fault. */
const STATUSES: Readonly<Record<string, number>> = {
  'validation-failed': 400, 'style-not-found': 404, 'session-not-found': 404, 'style-not-supported': 422, 'unknown-version': 422,
  'nothing-to-roll-back-to': 409, 'not-active': 409, 'already-active': 409, 'rollout-running': 409, 'session-ended': 410,
};

app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
  const status = error instanceof RegistryError ? (STATUSES[error.code] ?? 503) : (error.statusCode ?? 500);
  if (status >= 500) request.log.error(error);
  const { errors } = error instanceof RegistryError ? error.members : {}; // the invalid members of a request, with reasons
  return reply.code(status).send({ error: status < 500 ? error.message : 'Something went wrong.', ...(status < 500 && { errors }) });
});

app.get('/prompts', () => {
  const { activePack, rollout } = app.registry.view();
  const { pack, version, revision, styles } = activePack;
  const rolledOut = rollout && { version: rollout.candidate.activePack.version, percent: rollout.share / 1000 };
  return { pack, version, revision, styles: styles.map(({ id }) => id), ...(rolledOut && { rollout: rolledOut }) };
});

app.get<{ Params: { style: string }; Querystring: { user?: string; plan?: string } }>('/prompts/:style', (request) => {
  const { user, plan = 'free' } = request.query; // a user is an opaque id, never an address of a person
  return app.registry.getStylePrompt(request.params.style, { subject: user, attributes: { plan } });
});

app.post<{ Body: { style?: string; user?: string } }>('/sessions', { schema: { body: closed({ style: { type: 'string' }, user: { type: 'string' } }) } }, (request, reply) => {
  const { style, user } = request.body;
  const { sessionId, promptPack, prompt } = app.registry.startSession({ styleId: style, subject: user });
  return reply.code(201).send({ sessionId, version: promptPack.version, style: prompt.style.id });
});

app.post<{ Params: { id: string }; Body: { message: string } }>('/sessions/:id/turns', { schema: { body: closed({ message: { type: 'string', minLength: 1, maxLength: 4000 } }, ['message']) } }, async (request) => {
  const { promptPack, prompt } = await app.registry.resolveSession(request.params.id);
  // Call the model here. The example returns what it would send.
  return {
    version: promptPack.version,
    messages: [
      { role: 'system', content: `${prompt.system}\n\n${prompt.style.text}` },
      { role: 'user', content: request.body.message },
    ],
  };
});

/** Who made a move, as the log records it. */
const actor = { keyId: 'operator', label: 'Operator of the coach service' };
const reason = { type: 'string', minLength: 1, maxLength: 500 };

app.post<{ Body: { version: string; reason: string } }>('/operator/activate', { onRequest: onlyOperators, schema: { body: closed({ version: { type: 'string' }, reason }, ['version', 'reason']) } }, async (request) => {
  const { version, previousVersion, revision } = await app.registry.activate({ ...request.body, actor });
  return { version, previousVersion, revision };
});

app.post<{ Body: { version: string; percent: number; reason: string } }>('/operator/rollout', { onRequest: onlyOperators, schema: { body: closed({ version: { type: 'string' }, percent: { type: 'number' }, reason }, ['version', 'percent', 'reason']) } }, async (request) => {
  const { version, percent: share, reason } = request.body;
  const { rollouts } = app.registry;
  const { activePack: { pack }, rollout: running } = app.registry.view();
  const { rollout } = running?.candidate.activePack.version === version
    ? await rollouts.steer('advance-rollout', { pack, rollout: running.id, share, reason, actor })
    : await rollouts.start({ version, steps: [{ share }], finish: 'wait', reason, actor });
  return { version, stable: rollout.stableVersion, percent: rollout.share / 1000 };
});

app.post<{ Body: { reason: string } }>('/operator/rollback', { onRequest: onlyOperators, schema: { body: closed({ reason }, ['reason']) } }, async (request) => {
  const { activePack, rollout } = app.registry.view();
  const { version: fromVersion } = rollout?.candidate.activePack ?? activePack; // refuses the rollback if it was made already, or moved on
  const { version, previousVersion, revision } = await app.registry.rollback({ ...request.body, fromVersion, actor });
  return { version, previousVersion, revision };
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
await app.listen({ host: HOST, port: Number(PORT) });

/** A body with these members and no others. */
function closed(properties: object, required: readonly string[] = []) {
  return { type: 'object', additionalProperties: false, properties, required };
}

async function onlyOperators(request: FastifyRequest): Promise<void> {
  const given = request.headers.authorization ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (OPERATOR_TOKEN === '' || !timingSafeEqual(digest(given), digest(`Bearer ${OPERATOR_TOKEN}`))) throw Object.assign(new Error('Only operators may roll back.'), { statusCode: 401 });
}
