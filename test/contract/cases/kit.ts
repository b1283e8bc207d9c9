/**
 * The parts of the tables of cases: a request that an operation accepts, the expected response, and what goes wrong meanwhile.
 */
import type { ProblemCode } from '../../../plugins/problems/problems.ts';
import type { Fault } from '../../support/stores/failing-store.ts';
import type { Test } from 'tap';
import type { Registry } from '../../../registry/index.ts';
import { openApp, shippedPacks, type TestApp, type TestAppOptions } from '../../support/apps/app.ts';
import type { Request } from '../../support/http/openapi.ts';
import { documentOf, shippedOf } from '../../support/packs/pack-documents.ts';
import { floorUnder } from '../../support/packs/policies.ts';

/**
 * What every case finds: `coach` at 2.0.0 in both channels after 1.0.0, the texts of 1.0.0 and 1.1.0 in the store only. The pack
 * `floored` is at 2.0.0 in production after 1.0.0, which is below the floor by now; so is the pack `withdrawn`, but its 1.0.0 is revoked.
 * In production, `rolling` is at 1.0.0 with a rollout of 2.0.0, and `trying` has 2.0.0 on trial after 1.0.0.
 */
export interface World extends TestApp {
  /** A session that started on 1.0.0. */
  readonly session: string;
  /** The rollout of `rolling`. */
  readonly rollout: string;
  /** A scheduled activation of `coach`. */
  readonly schedule: string;
  /** Tokens that may do one thing: `prompts:read`, and `metrics:read`, which `getMetrics` alone needs. */
  readonly reader: string;
  readonly meter: string;
}

/** Opens it; it is closed with the test. */
export async function openWorld(
  t: Test,
  options: Pick<TestAppOptions, 'logger' | 'rateLimit' | 'store'> = {},
): Promise<World> {
  const found = { session: '', rollout: '', schedule: '' };
  const packs = ['floored', 'withdrawn'] as const;
  const shipped = [
    ...(await shippedPacks()),
    ...[...packs, 'rolling', 'trying'].flatMap((pack) => shippedOf(`${pack}@1.0.0`, `${pack}@2.0.0`, `${pack}@3.0.0`)),
  ];
  const opened = await openApp(t, {
    ...options,
    registry: { defaultVersion: '1.0.0', shipped, policies: [floorUnder('floored', 1, '1.0.0')] },
    earlier: { policies: [] },
    before: async (registry) => {
      found.session = registry.startSession().sessionId;
      for (const channel of registry.channels)
        await registry.activate({ channel, version: '2.0.0', reason: 'The new edition' });
      for (const pack of packs)
        for (const version of ['1.0.0', '2.0.0']) await registry.activate({ pack, version, reason: 'The new edition' });
      await registry.revoke({ pack: 'withdrawn', version: '1.0.0', replacement: '2.0.0', reason: 'It is dangerous' });
      Object.assign(found, await plans(registry));
    },
  });
  const [reader, meter] = await Promise.all(
    (['prompts:read', 'metrics:read'] as const).map(
      async (scope) => (await opened.app.registry.createKey({ label: scope, scopes: [scope] })).token ?? '',
    ),
  );
  return { ...opened, ...found, reader: reader ?? '', meter: meter ?? '' };
}

/** Starts a rollout, a trial and a scheduled activation. None of them is due during a test. */
async function plans(registry: Registry): Promise<{ readonly rollout: string; readonly schedule: string }> {
  const reason = 'The new edition';
  for (const pack of ['rolling', 'trying']) await registry.activate({ pack, version: '1.0.0', reason });
  await registry.activate({ pack: 'trying', version: '2.0.0', revertAfter: '1d', reason });
  const { rollout } = await registry.rollouts.start({ pack: 'rolling', version: '2.0.0', ...PLAN, reason });
  const { scheduled } = await registry.rollouts.schedule({ version: '1.1.0', at: tomorrow(), reason });
  return { rollout: String(rollout.id), schedule: scheduled.id };
}

/** A plan that somebody must advance, so that time changes nothing. */
export const PLAN = { steps: [{ share: 10 }, { share: 50 }], finish: 'wait' } as const;

const GERMANS = { conditions: [{ attribute: 'country', operator: 'in', values: ['de'] }], subjects: ['tester'] };

export const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

/**
 * What goes wrong while a case is asked: a fault of the store; `throws`: the store rejects with an error of no kind that is
 * known; `snapshot`: the snapshot cannot be looked into; `at once`: there is not even a revision.
 */
export type Trouble = Fault | 'throws' | 'snapshot' | 'at once';

export interface Case {
  readonly operation: string;
  readonly status: number;
  /** Of every 4xx and 5xx. */
  readonly code?: ProblemCode;
  /** What is provoked, to be read behind the operation's name. */
  readonly name: string;
  readonly request: Request | ((world: World) => Request | Promise<Request>);
  readonly trouble?: Trouble;
}

/** A case that ends in a 2xx or a 304. */
export const succeeds = (operation: string, status: number, name: string, request: Case['request']): Case => ({
  operation,
  status,
  name,
  request,
});

/** A case that ends in a problem. */
export function refuses(
  operation: string,
  status: number,
  code: ProblemCode,
  name: string,
  request: Case['request'],
  trouble?: Trouble,
): Case {
  return { operation, status, code, name, request, ...(trouble !== undefined && { trouble }) };
}

/** A request about the rollout that runs. */
const steering = ({ rollout }: World): Request => ({
  path: { pack: 'rolling', rollout },
  body: { reason: 'No complaints' },
});

/** A request that each operation answers with a 2xx; none of the two that are answered from the store has its texts in memory. */
export const VALID: Readonly<Record<string, (world: World) => Request>> = {
  listPacks: () => ({}),
  getPack: () => ({}),
  listVersions: () => ({}),
  getVersion: () => ({ path: { version: '1.0.0' } }),
  publishVersion: () => ({ body: documentOf('coach', '9.0.0') }),
  getActivePack: () => ({}),
  listActivations: () => ({}),
  activateVersion: () => ({ body: { version: '1.1.0', reason: 'Users report that answers are too blunt' } }),
  rollbackPack: () => ({ body: { reason: 'Users report that answers are too blunt' } }),
  getSystemPrompt: () => ({}),
  listStyles: () => ({}),
  getStylePrompt: () => ({ path: { styleId: 'supportive' } }),
  startCoachSession: () => ({ body: {} }),
  getCoachSession: ({ session }) => ({ path: { sessionId: session } }),
  getPolicy: () => ({}),
  diffVersions: () => ({ path: { version: '1.1.0' }, query: { against: '1.0.0' } }),
  revokeVersion: () => ({ path: { version: '1.1.0' }, body: { reason: 'It is dangerous' } }),
  listEvents: () => ({}),
  getAuditHead: () => ({}),
  verifyAudit: () => ({}),
  listKeys: () => ({}),
  createKey: () => ({ body: { label: 'coach-web', scopes: ['prompts:read'] } }),
  revokeKey: ({ meter }) => ({ path: { keyId: meter.split('_')[1] ?? '' }, body: { reason: 'Left the team' } }),
  streamEvents: () => ({}),
  listInstances: () => ({}),
  live: () => ({}),
  ready: () => ({}),
  getMetrics: () => ({}),
  getProblem: () => ({ path: { code: 'pack-not-found' } }),
  getChannel: () => ({ path: { channel: 'production' } }),
  confirmActivation: () => ({ path: { pack: 'trying', channel: 'production' }, body: { reason: 'No complaints' } }),
  startRollout: () => ({ body: { version: '1.1.0', ...PLAN, audience: GERMANS, reason: 'Warmer openings' } }),
  listRollouts: () => ({}),
  getRollout: ({ rollout }) => ({ path: { pack: 'rolling', rollout } }),
  advanceRollout: steering,
  pauseRollout: steering,
  resumeRollout: steering,
  promoteRollout: steering,
  abortRollout: steering,
  scheduleActivation: () => ({ body: { version: '1.1.0', at: tomorrow(), reason: 'When the team is awake' } }),
  listSchedule: () => ({}),
  cancelScheduledActivation: ({ schedule }) => ({ path: { id: schedule }, body: { reason: 'Not ready yet' } }),
};

/** The valid request of an operation. */
export function validRequest(id: string, world: World): Request {
  const request = VALID[id];
  if (request === undefined) throw new Error(`There is no valid request for ${id} yet; add one to VALID.`);
  return request(world);
}
