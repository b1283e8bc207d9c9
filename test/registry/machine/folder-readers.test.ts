/** A start warns if other users can read the data folder, and says how to fix it. It does not warn about a private one. */
import { chmodSync, statSync } from 'node:fs';
import t from 'tap';
import { newFolder } from '../../support/process/folder.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';

t.test(
  'a start warns if others can use the data folder',
  { skip: process.platform === 'win32' ? 'Windows has no such permissions' : false },
  async (t) => {
    for (const [mode, warned] of [
      [0o700, false],
      [0o750, true],
      [0o755, true],
      [0o701, true],
    ] as const) {
      const dataDir = newFolder(t);
      chmodSync(dataDir, mode);
      const logger = new RecordedLogger();
      await openRegistry(t, { dataDir, logger });
      const lines = logger.lines.filter(({ message }) => message.includes('Other users'));
      t.equal(lines.length, warned ? 1 : 0, `mode ${mode.toString(8)}`);
      if (!warned) continue;
      t.match(lines[0], { level: 'warn', fields: { dataDir, mode: `0${mode.toString(8)}` } });
      t.ok(lines[0]?.message.endsWith(`chmod 700 ${dataDir}`), 'it says what to do');
      t.equal(statSync(dataDir).mode & 0o777, mode, 'the mode is left as it is');
    }
  },
);
