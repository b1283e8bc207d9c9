/**
 * What the tables of cases are made of: a request that an operation takes, what is to come of it, and what goes wrong meanwhile.
 */
import type { ProblemCode } from '../../../plugins/problems.ts';
import type { Fault } from '../../support/failing-store.ts';
import type { TestApp } from '../../support/app.ts';
import type { Request } from '../../support/openapi.ts';
import { documentOf } from '../../support/pack-documents.ts';

/** What every case finds: `coach` at 2.0.0 in both channels after 1.0.0, the texts of 1.0.0 and 1.1.0 in the store only. */
export interface World extends TestApp {
  /** A session that started on 1.0.0. */
  readonly session: string;
}

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
  live: () => ({}),
  ready: () => ({}),
  getProblem: () => ({ path: { code: 'pack-not-found' } }),
};

/** The valid request of an operation. */
export function validRequest(id: string, world: World): Request {
  const request = VALID[id];
  if (request === undefined) throw new Error(`There is no valid request for ${id} yet; add one to VALID.`);
  return request(world);
}
