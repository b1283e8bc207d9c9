/**
 * What each type of event has in `data`, for the description of events.
 *
 * Problem: a schema of `data` could only lose members that newer builds add, and the hash of the event covers them.
 * Rule: `data` is shown as it was written, and its description lists the members of each type. The compiler checks that no type and no member
 * is missing from the list.
 */
import type { EventData, EventType } from '../../registry/index.ts';

const MOVE = {
  digest: 1,
  previousVersion: 1,
  sessions: 1,
  rollout: 1,
  revertAt: 1,
  trial: 1,
  schedule: 1,
  scheduledBy: 1,
} as const;
const PROGRESS = { share: 1, step: 1, state: 1, nextAt: 1 } as const;

const DATA: { readonly [Type in EventType]: Readonly<Record<keyof EventData[Type], 1>> } = {
  'registry-created': { registryId: 1, sessionKeyId: 1 },
  'version-published': {
    digest: 1,
    summary: 1,
    author: 1,
    defaultStyle: 1,
    styles: 1,
    compatibility: 1,
    violations: 1,
  },
  'version-activated': MOVE,
  'version-rolled-back': MOVE,
  'version-revoked': { replacement: 1, moves: 1, sessions: 1 },
  'policy-changed': { policy: 1, digest: 1, violations: 1 },
  'key-created': { keyId: 1, label: 1, scopes: 1, expiresAt: 1, secretHash: 1, madeBy: 1 },
  'key-revoked': { keyId: 1, cancelled: 1 },
  'registry-restored': { epoch: 1 },
  'rollout-started': {
    digest: 1,
    stable: 1,
    steps: 1,
    bake: 1,
    finish: 1,
    audience: 1,
    salt: 1,
    hash: 1,
    ...PROGRESS,
  },
  'rollout-advanced': { rollout: 1, ...PROGRESS },
  'rollout-paused': { rollout: 1, share: 1, remaining: 1 },
  'rollout-resumed': { rollout: 1, nextAt: 1 },
  'rollout-aborted': { rollout: 1, by: 1, stable: 1, sessions: 1 },
  'activation-scheduled': { at: 1, pointerRevision: 1, sessions: 1 },
  'schedule-cancelled': { schedule: 1 },
  'schedule-skipped': { schedule: 1, why: 1, scheduledBy: 1 },
  'activation-confirmed': { trial: 1 },
  'trial-stayed': { trial: 1 },
};

/** A sentence for each type of event with the members of its `data`. */
export const DATA_BY_TYPE = Object.entries(DATA)
  .map(([type, members]) => `${type}: ${Object.keys(members).join(', ')}.`)
  .join(' ');
