/** What events about API keys do to the state. */
import { LogBroken } from '../errors.ts';
import type { KeyEvents } from '../log/data/keys.ts';
import { removeScheduled } from '../state/plan-changes.ts';
import type { Appliers } from '../state/draft.ts';
import { freezeActor } from '../state/views.ts';
import { deepFreeze } from '../values/frozen.ts';

export const KEY_APPLIERS: Appliers<keyof KeyEvents> = {
  'key-created': (draft, event) => {
    const { keyId, label, scopes, expiresAt, secretHash } = event.data;
    const record = {
      keyId,
      label,
      scopes: deepFreeze(scopes),
      createdAt: event.at,
      createdBy: freezeActor(event.actor),
      expiresAt,
      revokedAt: undefined,
      secretHash,
    };
    draft.keys.set(keyId, Object.freeze(record));
  },

  'key-revoked': (draft, event) => {
    const { revision, at, data } = event;
    const record = draft.key(data.keyId);
    if (record === undefined)
      throw new LogBroken(`Revision ${revision} revokes the key ${data.keyId}, which no event created.`);
    draft.keys.set(data.keyId, Object.freeze({ ...record, revokedAt: at }));
    for (const { pack, channel, schedule } of data.cancelled ?? [])
      removeScheduled(draft.pack(pack), channel, event, schedule);
  },
};
