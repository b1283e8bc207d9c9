/**
 * A new operator key from the host, for when the last one was lost or revoked: who can write to the store may act as operator
 * anyway. The event says what it was, like any other (SPEC R11).
 */
import { appendOnHost, stateOnHost } from './append-on-host.ts';
import type { OperatorKeyFile } from './first-start.ts';
import { decideCreateKey, newKey } from './keys.ts';
import { SYSTEM_ACTOR } from './model.ts';
import type { Store } from './store.ts';

/**
 * Makes an operator key and puts it where the operator finds it. The key that is there before is overwritten, but goes on working.
 *
 * @throws StartRefused where the file cannot be written; RegistryError `store-unavailable`, `store-busy`, `outcome-unknown`; Error where
 *   the log is empty
 */
export async function recoverOperatorKey(store: Store, file: OperatorKeyFile): Promise<{ keyId: string; revision: number }> {
  const state = await stateOnHost(store, 'The log is empty. Start the service once; it makes the first key.');
  const key = newKey();
  await file.write(key.token);
  const command = { type: 'create-key', key, label: 'operator (recovered on the host)', scopes: ['*'], actor: SYSTEM_ACTOR, heldScopes: ['*'] } as const;
  const { revision } = await appendOnHost(store, state, () => ({ events: decideCreateKey(command), contents: [] }));
  return { keyId: key.keyId, revision };
}
