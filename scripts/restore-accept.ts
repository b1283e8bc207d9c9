/**
 * `npm run restore:accept -- --reason "…"`: continues with a database that was restored to an older state. Like any change, it is an event.
 *
 * It runs on the host with the settings of the service (`DATA_DIR`, `STORE_URL`), whether or not instances are running. Instances that had
 * stopped following the log (`log-diverged` in `/readyz`) follow it again. Events after the backup are lost; the runbook in
 * docs/operations.md says how to look for them first.
 */
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { acceptRestore, messageOf, readSnapshotKey } from '../registry/index.ts';
import { attachStore } from './attached-store.ts';
import { calledAs } from './called-as.ts';

const USAGE = `Usage: ${calledAs('restore:accept', '[--reason "why"]')}`;

try {
  const { values } = parseArgs({
    options: {
      reason: { type: 'string', default: 'A restored database was accepted' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const config = readConfig(process.env);
    const store = await attachStore(config, { appends: true });
    try {
      const snapshotKey =
        config.snapshotKeyFile === undefined ? undefined : readSnapshotKey(config.snapshotKeyFile, config.dataDir);
      const { epoch, revision } = await acceptRestore(store, config.dataDir, values.reason, snapshotKey);
      console.log(
        `Accepted: revision ${revision} opens epoch ${epoch}. Instances follow within a second or two; see /readyz of each.`,
      );
    } finally {
      await store.close();
    }
  }
} catch (error) {
  console.error(`Nothing was accepted: ${messageOf(error)}`);
  if (error instanceof TypeError) console.error(USAGE);
  process.exitCode = 1;
}
