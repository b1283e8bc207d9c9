/** Response bodies of keys. */
import type { Static } from '@sinclair/typebox';
import type { KeyRecord, RevokedKey } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import type * as schemas from './schemas.ts';

export function keyBody(record: KeyRecord): Static<typeof schemas.Key> {
  const { createdBy, revokedAt } = record;
  return mutable({ ...common(record), createdBy, ...(revokedAt !== undefined && { revokedAt }) });
}

export function revokedKeyBody({ record, cancelled }: RevokedKey): Static<typeof schemas.Key> {
  return { ...keyBody(record), cancelled: cancelled.map(({ pack, channel, schedule: id }) => ({ pack, channel, id })) };
}

/** @param token undefined in a replayed response: the registry does not keep it */
export function newKeyBody(record: KeyRecord, token: string | undefined): Static<typeof schemas.NewKey> {
  return mutable({ ...common(record), ...(token !== undefined && { secret: token }) });
}

function common({ keyId, label, scopes, createdAt, expiresAt }: KeyRecord) {
  return { keyId, label, scopes, createdAt, ...(expiresAt !== undefined && { expiresAt }) };
}
