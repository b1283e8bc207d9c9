/**
 * `npm run keys:recover`: makes a new operator key if the last one was lost or revoked. Like any change, it is an event.
 *
 * It runs on the host with the settings of the service (`DATA_DIR`, `STORE_URL`), whether or not the service is running: it appends to the
 * log, and the service learns of the key when the key is used.
 */
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { messageOf, operatorKeyFile, operatorKeyPath, recoverOperatorKey, RegistryError } from '../registry/index.ts';
import { attachStore } from './attached-store.ts';
import { calledAs } from './called-as.ts';

const USAGE = `Usage: ${calledAs('keys:recover')}, with DATA_DIR and STORE_URL set as for the service. It takes no arguments and makes a new operator key.`;

try {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) console.log(USAGE);
  else await recover();
} catch (error) {
  const unknown = error instanceof RegistryError && error.code === 'outcome-unknown';
  console.error(`${unknown ? 'It is not known whether a key was made' : 'No key was made'}: ${messageOf(error)}`);
  if (unknown)
    console.error(
      'The key waits next to operator.key. If it was made, the next start of the service, or this command again, moves it there.',
    );
  if (error instanceof TypeError) console.error(USAGE);
  process.exitCode = 1;
}

async function recover(): Promise<void> {
  const config = readConfig(process.env);
  if (config.store.kind === 'memory')
    throw new Error(
      'STORE_URL is "memory:"; there is no log on disk to add a key to. Restart the service, and it makes one.',
    );
  const store = await attachStore(config, { appends: true });
  try {
    const { keyId, revision } = await recoverOperatorKey(store, operatorKeyFile(config.dataDir));
    console.log(`Made the operator key ${keyId} (revision ${revision}). It is in ${operatorKeyPath(config.dataDir)}.`);
    console.log('Keys made before still work; revoke those that are no longer trusted (POST /v1/keys/{keyId}/revoke).');
  } finally {
    await store.close();
  }
}
