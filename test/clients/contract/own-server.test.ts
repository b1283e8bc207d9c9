/**
 * The project's own server passes its contract kit, which is run as another team runs it: by its command, with a URL and a key. Over SQLite
 * it is checked as a whole; over PostgreSQL what asks the store, as all else is the same (the whole: test/fault/contract-kit.test.ts).
 */
import t from 'tap';
import { startPostgres } from '../../support/postgres.ts';
import { ownServerPasses } from './run-kit.ts';

const FROM_STORE = ['publishVersion', 'getVersion', 'revokeVersion', 'activateVersion', 'rollbackPack', 'listActivations', 'listEvents', 'verifyAudit', 'streamEvents', 'createKey', 'revokeKey', 'listInstances'];

t.test('over SQLite', async (t) => ownServerPasses(t, {}));

t.test('over PostgreSQL', async (t) => {
  const postgres = await startPostgres(t);
  await ownServerPasses(t, { STORE_URL: await postgres.database() }, FROM_STORE);
});
