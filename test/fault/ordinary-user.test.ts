/**
 * The service, its tools and its tests need neither root nor a writable checkout: the walks of the README, the kill tests and `keys:recover`
 * run as a user who can only read the checkout.
 *
 * Root may do everything, so a run as root would not notice a file written next to the sources, another user's folder, or a missing build.
 * Each file runs in its short form, as in `npm test`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { newFolder } from '../support/process/folder.ts';
import { ROOT } from '../support/apps/server-process.ts';

/** `nobody`. */
const USER = { uid: 65_534, gid: 65_534 };
const FILES = [
  'test/readme.test.ts',
  'test/integration/keys-recover.test.ts',
  'test/fault/server-kill.test.ts',
  'test/fault/sqlite-kill.test.ts',
];
const MADE_BY_RUNNING = new Set(['.git', '.tap', 'data', 'coverage']);

const canRead = (root: string) =>
  spawnSync(join(root, relative(ROOT, process.execPath)), ['--version'], { ...USER, cwd: '/' }).status === 0;

/** A checkout that the user can read but not write: this one, or a copy if this one is in a closed folder. */
function checkoutFor(): string {
  if (canRead(ROOT)) return ROOT;
  const copy = join(newFolder(t), 'checkout');
  chmodSync(join(copy, '..'), 0o755);
  cpSync(ROOT, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === ROOT || !MADE_BY_RUNNING.has(basename(path)),
  });
  return copy;
}

t.test(
  'as a user who may not write the checkout',
  {
    skip:
      process.getuid?.() === 0
        ? false
        : 'only root can become another user; these files run as an ordinary user anyway',
  },
  async (t) => {
    const checkout = checkoutFor();
    // A Node outside the checkout is readable for everybody.
    const node = canRead(checkout) ? join(checkout, relative(ROOT, process.execPath)) : process.execPath;
    const home = newFolder(t);
    chownSync(home, USER.uid, USER.gid);
    const env = [
      '-i',
      `PATH=${join(node, '..')}:${process.env['PATH'] ?? ''}`,
      `HOME=${home}`,
      `TMPDIR=${home}`,
      'TEST_LENGTH=short',
      'TAP=1',
      'TAP_TIMEOUT=300',
    ];
    const as = (...command: readonly string[]) =>
      spawnSync('/usr/bin/env', [...env, ...command], { ...USER, cwd: checkout, encoding: 'utf8' });
    t.not(as('touch', join(checkout, 'package.json')).status, 0, 'control: it may not write the checkout');
    t.equal(as('touch', join(home, 'a')).status, 0, 'control: it may write its own folder');

    for (const file of FILES) {
      // Through env(1), because tap adds its own hooks to the environment of every child.
      const child = spawn('/usr/bin/env', [...env, node, file], {
        ...USER,
        cwd: checkout,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      t.teardown(() => child.kill('SIGKILL'));
      const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      const failures = said.split('\n').filter((line) => /^ *not ok /u.test(line));
      t.strictSame([code, failures], [0, []], `${file}: ${errors.slice(-1000)}`);
      t.match(said, /^ *ok \d+ - /mu, `${file}: something ran`);
    }
  },
);
