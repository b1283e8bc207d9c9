/**
 * Makes a new operator key on the host, if the last one was lost or revoked. This gives nobody new rights: a user who can write to the
 * store can act as operator anyway. Like any change, it is an event in the log (SPEC R11).
 */
import { hostname } from 'node:os';
import { appendOnHost, stateOnHost } from './append-on-host.ts';
import { RegistryError } from '../errors.ts';
import type { OperatorKeyFile } from '../keys/operator-key.ts';
import { decideCreateKey, keyOfToken, newKey } from '../keys/keys.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Store } from '../log/store.ts';

/** How many events are searched for an operator key at most: the service makes few others. */
const MADE_BY_SERVICE = 100;

/**
 * Makes an operator key and, once it is in the log, puts it in the operator's key file. A key that was in the file is overwritten, but still
 * works. If the outcome of the append is unknown, the new key waits next to the file until the next start or recovery.
 *
 * @throws StartRefused if the file cannot be written; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; Error if the log
 *   is empty
 */
export async function recoverOperatorKey(
  store: Store,
  file: OperatorKeyFile,
): Promise<{ keyId: string; revision: number }> {
  const state = await stateOnHost(store, 'The log is empty. Start the service once; it makes the first key.');
  await file.finishWrite((token) => keyOfToken(state, token) !== undefined);
  const key = newKey();
  await file.write(key.token);
  const command = {
    type: 'create-key',
    key,
    label: 'operator (recovered on the host)',
    scopes: ['*'],
    actor: SYSTEM_ACTOR,
    heldScopes: ['*'],
    madeBy: hostname(),
  } as const;
  const { revision } = await appended(store, state, file, command);
  if (!(await file.finishWrite(() => true))) {
    await file.write(key.token); // a start that did not know the key yet has removed it
    await file.finishWrite(() => true);
  }
  return { keyId: key.keyId, revision };
}

/** A key that the service made for its operator. */
export interface MadeKey {
  readonly keyId: string;
  /** The instance, or the host of `keys:recover`; undefined in events of older builds. */
  readonly madeBy: string | undefined;
  readonly madeAt: string;
}

/** The last key that can do everything and was made by the service itself. @throws RegistryError `store-unavailable` */
export async function lastOperatorKey(store: Store): Promise<MadeKey | undefined> {
  const events = await store.events({
    types: ['key-created'],
    actor: SYSTEM_ACTOR.keyId,
    order: 'descending',
    limit: MADE_BY_SERVICE,
  });
  for (const { type, at, data } of events) {
    if (type === 'key-created' && data.scopes.includes('*'))
      return { keyId: data.keyId, madeBy: data.madeBy, madeAt: at };
  }
  return undefined;
}

async function appended(
  store: Store,
  state: Snapshot,
  file: OperatorKeyFile,
  command: Parameters<typeof decideCreateKey>[0],
): Promise<Snapshot> {
  try {
    return await appendOnHost(store, state, () => ({ events: decideCreateKey(command), contents: [] }));
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'outcome-unknown')) await file.finishWrite(() => false);
    throw error;
  }
}
