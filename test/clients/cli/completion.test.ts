// Completion: generated from the command tree, tested in a real shell.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { buildProgram } from '../../../clients/cli/src/program.ts';
import { newFolder } from '../../support/process/folder.ts';
import { BIN, runCli, SCRIPT, spawnCli } from '../../support/clients/command-line.ts';
import { startLabRegistry } from '../../support/clients/lab-registry.ts';
import { replyJson, KEY, startFakeServer } from '../../support/clients/fake-servers.ts';

t.test('completion offers every command and option', async (t) => {
  const program = buildProgram(() => async () => undefined);
  const commands = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((command) => command.name() !== 'complete'); // internal
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runCli(['completion', shell], {});
    t.equal(code, 0);
    const words = commands.flatMap((command) => [
      command.name(),
      ...command.options.map(({ long = '?' }) => (shell === 'fish' ? `-l ${long.slice(2)}` : long)),
    ]);
    t.ok(words.length > 40);
    t.same(
      words.filter((word) => !stdout.includes(word)),
      [],
      shell,
    );
  }
  const fish = (await runCli(['completion', 'fish'], {})).stdout.split('\n');
  t.match(
    fish.filter((line) => /-l (status|reason) /u.test(line)),
    [/ -x /u],
    'no files for options that take another value',
  );
  t.equal(
    fish.filter((line) => line.includes('-l version')).length,
    1,
    '--version is offered only for the program itself',
  );
  t.match(await runCli(['completion', 'csh'], {}), { code: 2, stderr: /bash, zsh, fish/u });

  // As bash calls it.
  const folder = newFolder(t);
  await writeFile(join(folder, 'completion'), (await runCli(['completion', 'bash'], {})).stdout);
  const offered = async (...words: string[]) => {
    const script = `source completion; COMP_WORDS=(prompt-registry ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _prompt_registry; printf "%s\n" "\${COMPREPLY[@]}"`;
    const { stdout } = await spawnCli(
      t,
      ['-euo', 'pipefail', '-c', script],
      {},
      { cwd: folder, node: '/bin/bash', bin: '--norc' },
    );
    return stdout.trimEnd().split('\n');
  };
  t.same(await offered('ro'), ['rollback', 'rollout']);
  t.same(await offered('rollout', 'p'), ['pause', 'promote']);
  t.same(await offered('rollout', 'start', '--finish', ''), ['promote', 'wait']);
  t.same(await offered('revoke', '--sessions', ''), ['next-turn', 'end']);
  t.same(await offered('--url', 'http://x', 'audit', 've'), ['verify']);
  t.same(await offered('versions', '--status', ''), ['registered', 'revoked']);
  t.same(await offered('rollback', '--to'), ['--to']);
  t.same(await offered('completion', ''), ['bash', 'zsh', 'fish'].concat(await offered('completion', '--')));
  await mkdir(join(folder, 'my packs'));
  await writeFile(join(folder, 'my key'), '');
  t.same(await offered('validate', 'my'), ['my packs'], 'folders, even with spaces in their names');
  t.same((await offered('keys', 'list', '--key-file', 'my')).sort(), ['my key', 'my packs']);
  t.same((await offered('rollout', 'start', '--audience', 'my')).sort(), ['my key', 'my packs']);
  for (const option of ['--url', '--reason', '--wait'])
    t.same(await offered('rollback', option, ''), [''], 'no suggestions for its value');
  for (const words of [
    ['rollback', '--pack', ''],
    ['activate', '1'],
  ])
    t.same(await offered(...words), [''], 'no suggestions without a registry');
});

t.test('completion suggests names and versions of the registry', async (t) => {
  const { folder, env, server } = await startLabRegistry(t);
  await writeFile(join(folder, 'completion'), (await runCli(['completion', 'bash'], {})).stdout);
  const run = `prompt-registry() { '${process.execPath}' '${BIN}' "$@"; }`;
  const offered = async (words: readonly string[], where = env) => {
    const script = `${run}; source completion; COMP_WORDS=(prompt-registry ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _prompt_registry; printf "%s\n" "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await spawnCli(t, ['-euo', 'pipefail', '-c', script], where, {
      cwd: folder,
      node: '/bin/bash',
      bin: '--norc',
    });
    t.equal(stderr, '');
    return stdout
      .trimEnd()
      .split('\n')
      .filter((word) => !word.startsWith('--'));
  };
  const { url, ...keyOnly } = { url: server.address.split(':'), PROMPT_REGISTRY_KEY: env.PROMPT_REGISTRY_KEY };
  for (const [words, known, where] of [
    [
      ['activate', '--pack', 'lab', '1'],
      ['1.1.0', '1.0.0'],
    ],
    [
      ['rollback', '--pack', 'lab', '--to', ''],
      ['2.0.0', '1.1.0', '1.0.0'],
    ],
    [['revoke', '1.0.0', '--pack', 'lab', '--replacement', '2'], ['2.0.0']],
    [['rollout', 'start', '--pack', 'lab', '2'], ['2.0.0']],
    [['show', 'l'], ['lab']],
    [
      ['show', 'lab', '1'],
      ['1.1.0', '1.0.0'],
    ],
    [
      ['versions', ''],
      ['coach', 'lab', 'onboarding'],
    ],
    [['rollback', '--pack', 'o'], ['onboarding']],
    [
      ['rollback', '--channel', ''],
      ['production', 'staging'],
    ],
    [
      ['keys', 'create', 'x', '--scope', 'packs'],
      ['packs:publish', 'packs:activate', 'packs:revoke'],
    ],
    [['versions', '--url', url[0] ?? '', ':', url[1] ?? '', ':', url[2] ?? '', 'l'], ['lab'], keyOnly],
    [['audit', 'log', '--to', ''], ['']],
  ] as [string[], string[], Record<string, string>?][]) {
    t.same(await offered(words, (where ?? env) as typeof env), known, words.join(' '));
  }
  const evil = await startFakeServer(
    t,
    replyJson({
      packs: [
        { pack: '$(touch injected)', channels: [] },
        { pack: 'fine', channels: [] },
        { pack: '-rf', channels: [] },
      ],
    }),
  );
  t.same(
    await offered(['rollback', '--pack', ''], { ...KEY, PROMPT_REGISTRY_URL: evil.url }),
    ['fine'],
    'unsafe names are dropped: the shell would expand them',
  );
  t.notOk(existsSync(join(folder, 'injected')));
  const silent = await startFakeServer(t, () => undefined);
  t.match(
    await runCli(['complete', 'packs'], { ...silent.env }),
    { code: 0, stdout: '', stderr: '' },
    'nothing if the registry does not respond',
  );
});

t.test(
  'completion on a real terminal',
  { skip: existsSync(SCRIPT) ? false : 'script(1) is not installed' },
  async (t) => {
    const folder = newFolder(t);
    await mkdir(join(folder, 'my packs'));
    const { stdout: script } = await runCli(['completion', 'bash'], {});
    await writeFile(
      join(folder, 'startup'),
      `${script}\nprompt-registry() { printf '<%s>' "$@"; echo; exit; }\nPS1=ready\n`,
    );
    const child = spawn(
      '/usr/bin/env',
      [
        '-i',
        'PATH=/usr/bin:/bin',
        'TERM=xterm',
        SCRIPT,
        '-qec',
        '/bin/bash --noprofile --rcfile startup -i',
        '/dev/null',
      ],
      { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    t.teardown(() => child.kill('SIGKILL'));
    let screen = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (!screen.includes('ready') && chunk.includes('ready')) child.stdin.write('prompt-registry vali\tmy\t\r');
      screen += chunk;
    });
    await once(child, 'close');
    t.match(screen, '<validate><my packs/>', 'one word, even with a space in it');
  },
);
