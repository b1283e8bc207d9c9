/**
 * The project's own server passes its contract kit, which is run as another team runs it: by its command, with a URL and a key. The same over
 * PostgreSQL: test/fault/contract-kit.test.ts, in its long form.
 */
import t from 'tap';
import { ownServerPasses } from './run-kit.ts';

t.test('over SQLite', async (t) => ownServerPasses(t, {}));
