/**
 * A new operator key from the host, for when the last one was lost or revoked: who can write to the store may act as operator
 * anyway. The event says what it was, like any other (SPEC R11).
 */
import { hostname } from 'node:os';
import { appendOnHost, stateOnHost } from './append-on-host.ts';
import { RegistryError } from '../errors.ts';
import type { OperatorKeyFile } from '../keys/operator-key.ts';
import { decideCreateKey, keyOfToken, newKey } from '../keys/keys.ts';
import { SYSTEM_ACTOR } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Store } from '../log/store.ts';

/** The most events that are looked through for an operator key: the service makes few others. */
const MADE_BY_SERVICE = 100;

/**
 * Makes an operator key and puts it where the operator finds it, once it is in the log. The key that is there before is overwritten then, but
 * goes on working. Where the outcome of the append is unknown the key waits beside it, until the next start or recovery.
 *
 * @throws StartRefused where the file cannot be written; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; Error where
 *   the log is empty
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
    await file.write(key.token); // a start that did not know the key yet has taken it away
    await file.finishWrite(() => true);
  }
  return { keyId: key.keyId, revision };
}

/** A key that the service made for its operator. */
export interface MadeKey {
  readonly keyId: string;
  /** The instance, or the host of `keys:recover`; undefined in events of builds before it was noted. */
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
