/**
 * A valid request for every operation. The general checks make it invalid in one place, and expect it to be refused for that reason.
 *
 * Requests that would write are about the pack of this run, or about a key of this run.
 */
import type { Request } from './connection.ts';
import { documentOf } from './documents.ts';
import { channelPath, planIn, reasonIn, rolloutToRefuse, scheduleBody, scheduleToRefuse, verbOn } from './rolling.ts';
import type { World } from './world.ts';

type Make = (world: World) => Promise<Request>;

const anything: Make = async () => ({});
const ofPack: Make = async (world) => {
  await world.ensureActive();
  return { path: world.path() };
};
const ofVersion: Make = async (world) => {
  await world.ensureActive();
  return { path: world.path({ version: '1.0.0' }) };
};
const ofPrompts: Make = async (world) => {
  await world.ensureActive();
  return { query: { pack: world.pack, ...world.chosenChannel } };
};
/** About the rollout of this run that is to be refused; it may have ended. */
const ofRollout: Make = async (world) => verbOn(world, await rolloutToRefuse(world));
const ofChannel: Make = async (world) => {
  await world.ensureActive();
  return { path: await channelPath(world) };
};

const REQUESTS: Readonly<Record<string, Make>> = {
  listPacks: anything,
  getPack: ofPack,
  getPolicy: ofPack,
  listVersions: ofPack,
  publishVersion: async (world) => ({ path: world.path(), body: documentOf(world.pack, world.nextVersion()) }),
  getVersion: ofVersion,
  diffVersions: async (world) => ({ ...(await ofVersion(world)), query: { against: '2.0.0' } }),
  revokeVersion: async (world) => ({
    path: world.path({ version: await world.versionToRefuse() }),
    body: { reason: 'To be refused' },
  }),
  getActivePack: async (world) => ({ ...(await ofPack(world)), query: world.chosenChannel }),
  listActivations: ofPack,
  activateVersion: async (world) => ({ ...(await ofPack(world)), body: world.activationBody('1.2.0') }),
  rollbackPack: async (world) => ({ ...(await ofPack(world)), body: world.rollbackBody() }),
  getChannel: ofChannel,
  confirmActivation: async (world) => ({ ...(await ofChannel(world)), body: reasonIn(world) }),
  startRollout: async (world) => ({ ...(await ofPack(world)), body: planIn(world) }),
  listRollouts: ofPack,
  getRollout: async (world) => ({ path: (await ofRollout(world)).path ?? {} }),
  advanceRollout: ofRollout,
  pauseRollout: ofRollout,
  resumeRollout: ofRollout,
  promoteRollout: ofRollout,
  abortRollout: ofRollout,
  scheduleActivation: async (world) => ({ ...(await ofPack(world)), body: scheduleBody(world) }),
  listSchedule: async (world) => ({ ...(await ofPack(world)), query: world.chosenChannel }),
  cancelScheduledActivation: async (world) => ({
    path: world.path({ id: (await scheduleToRefuse(world)).id }),
    body: reasonIn(world),
  }),
  getSystemPrompt: ofPrompts,
  listStyles: ofPrompts,
  getStylePrompt: async (world) => ({ ...(await ofPrompts(world)), path: { styleId: 'supportive' } }),
  startCoachSession: async () => ({ body: {} }),
  getCoachSession: async (world) => ({ path: { sessionId: (await world.session()).sessionId } }),
  listEvents: anything,
  getAuditHead: anything,
  verifyAudit: anything,
  streamEvents: anything,
  listKeys: anything,
  createKey: async (world) => ({ body: { label: world.label('to be refused'), scopes: ['prompts:read'] } }),
  revokeKey: async (world) => ({
    path: { keyId: (await world.keyToRefuse()).keyId },
    body: { reason: 'To be refused' },
  }),
  listInstances: anything,
  getMetrics: anything,
  live: anything,
  ready: anything,
  getProblem: async () => ({ path: { code: 'validation-failed' } }),
};

/** A valid request for an operation. @throws Error if this suite has none */
export async function validRequest(id: string, world: World): Promise<Request> {
  const make = REQUESTS[id];
  if (make === undefined) throw new Error(`this suite has no request for ${id}`);
  return make(world);
}
