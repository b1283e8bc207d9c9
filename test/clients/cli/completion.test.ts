// Completion: made from the commands there are, and asked for in a real shell.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram } from '../../../clients/cli/src/program.ts';
import { newFolder } from '../../support/folder.ts';
import { called, SCRIPT, typed } from './command-line.ts';

t.test('completion knows each command and option', async (t) => {
  const program = buildProgram(() => async () => undefined);
  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await called(['completion', shell], {});
    t.equal(code, 0);
    const words = commands.flatMap((command) => [command.name(), ...command.options.map(({ long = '?' }) => (shell === 'fish' ? `-l ${long.slice(2)}` : long))]);
    t.ok(words.length > 40);
    t.same(words.filter((word) => !stdout.includes(word)), [], shell);
  }
  const fish = (await called(['completion', 'fish'], {})).stdout.split('\n');
  t.match(fish.filter((line) => /-l (status|reason) /u.test(line)), [/ -x /u], 'no files behind what takes a value');
  t.equal(fish.filter((line) => line.includes('-l version')).length, 1, 'the version of the command line, where it may be asked for');
  t.match(await called(['completion', 'csh'], {}), { code: 2, stderr: /bash, zsh, fish/u });

  // Asked as bash asks.
  const folder = newFolder(t);
  await writeFile(join(folder, 'completion'), (await called(['completion', 'bash'], {})).stdout);
  const offered = async (...words: string[]) => {
    const script = `source completion; COMP_WORDS=(prompt-registry ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _prompt_registry; printf "%s\n" "\${COMPREPLY[@]}"`;
    const { stdout } = await typed(t, ['-euo', 'pipefail', '-c', script], {}, { cwd: folder, node: '/bin/bash', bin: '--norc' });
    return stdout.trimEnd().split('\n');
  };
  t.same(await offered('ro'), ['rollback']);
  t.same(await offered('--url', 'http://x', 'audit', 've'), ['verify']);
  t.same(await offered('versions', '--status', ''), ['registered', 'revoked']);
  t.same(await offered('rollback', '--to'), ['--to']);
  t.same(await offered('completion', ''), ['bash', 'zsh', 'fish'].concat((await offered('completion', '--'))));
  await mkdir(join(folder, 'my packs'));
  await writeFile(join(folder, 'my key'), '');
  t.same(await offered('validate', 'my'), ['my packs'], 'folders, with blanks in their names');
  t.same((await offered('keys', 'list', '--key-file', 'my')).sort(), ['my key', 'my packs']);
  for (const option of ['--pack', '--url', '--reason', '--expires']) t.same(await offered('rollback', option, ''), [''], 'nothing is known of what follows it');
});

t.test('completion on a real terminal', { skip: existsSync(SCRIPT) ? false : 'there is no script(1) here' }, async (t) => {
  const folder = newFolder(t);
  await mkdir(join(folder, 'my packs'));
  const { stdout: script } = await called(['completion', 'bash'], {});
  await writeFile(join(folder, 'startup'), `${script}\nprompt-registry() { printf '<%s>' "$@"; echo; exit; }\nPS1=ready\n`);
  const child = spawn('/usr/bin/env', ['-i', 'PATH=/usr/bin:/bin', 'TERM=xterm', SCRIPT, '-qec', '/bin/bash --noprofile --rcfile startup -i', '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (!screen.includes('ready') && chunk.includes('ready')) child.stdin.write('prompt-registry vali\tmy\t\r');
    screen += chunk;
  });
  await once(child, 'close');
  t.match(screen, '<validate><my packs/>', 'one word, whatever its name has in it');
});
