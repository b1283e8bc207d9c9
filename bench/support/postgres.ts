/** A PostgreSQL server from npm for one measurement, with fsync on. */
import { startPostgres, type TestPostgres } from '../../test/support/stores/postgres.ts';

/** Starts a server, and stops it when the measurement is over. */
export async function withPostgres<Result>(measure: (server: TestPostgres) => Promise<Result>): Promise<Result> {
  const endings: (() => unknown)[] = [];
  try {
    return await measure(
      await startPostgres({ teardown: (ending: () => unknown) => void endings.push(ending) }, { fsync: true }),
    );
  } finally {
    for (const ending of endings) await ending();
  }
}
