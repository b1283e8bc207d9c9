/**
 * A folder of a test's own.
 *
 * tap's `t.testdir()` is taken away before the test's teardowns run, while a server may still be writing into it; this one goes last.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Makes an empty folder. Call it before anything that is to be closed first. */
export function newFolder(t: Test): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'registry-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
