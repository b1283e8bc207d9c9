// `validate`, `publish` and `new` on local pack folders.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf, versionOf } from '../../support/packs/pack-documents.ts';
import { writePackFolder } from '../../support/packs/pack-folders.ts';
import { ROOT } from '../../support/apps/server-process.ts';
import { runCli, json, spawnCli } from '../../support/clients/command-line.ts';
import { KEY, startFakeServer, replyProblem } from '../../support/clients/fake-servers.ts';

t.test('validate checks folders without a registry', async (t) => {
  const folder = newFolder(t);
  await cp(join(ROOT, 'packs'), join(folder, 'packs'), { recursive: true });
  const all = await spawnCli(t, ['validate', 'packs'], {}, { cwd: folder });
  t.match(all, {
    code: 0,
    stderr: '',
    stdout: /^coach 1\.0\.0 +valid {2}sha256:[0-9a-f]{64}\n[^]*onboarding 1\.1\.0 {2}valid/u,
  });
  t.equal(all.stdout.trimEnd().split('\n').length, 5);
  t.equal(
    (await runCli(['validate', 'packs/coach'], {}, { cwd: folder })).stdout.trimEnd().split('\n').length,
    3,
    'one pack',
  );
  t.match(
    await runCli(['validate', '.'], {}, { cwd: join(folder, 'packs', 'coach', '1.0.0') }),
    { code: 0, stdout: /^coach 1\.0\.0 {2}valid/u },
    'one version, from inside its folder',
  );

  const plain = writePackFolder(folder, 'plain', documentOf('plain', '1.0.0'));
  const { valid, versions, faults } = json((await runCli(['validate', plain, '--json'], {})).stdout);
  t.match(
    [valid, versions, faults],
    [true, [{ pack: 'plain', version: '1.0.0', digest: versionOf('plain', '1.0.0').digest }], []],
    'the same digest as in the registry',
  );

  // Faults of each kind.
  const text = await readFile(join(plain, 'pack.yaml'), 'utf8');
  await writeFile(join(plain, 'pack.yaml'), text.replace('defaultStyle: supportive', 'defaultStyle: none'));
  t.match(await runCli(['validate', plain], {}), {
    code: 5,
    stdout: `  ${plain}: /defaultStyle: "none" is not one of the version's styles`,
  });
  await writeFile(join(plain, 'pack.yaml'), `${text}colour: red\n`);
  t.match(await runCli(['validate', plain], {}), { code: 5, stdout: `${plain}/pack.yaml: /colour: ` });
  await writeFile(join(plain, 'pack.yaml'), text);
  await rm(join(plain, 'styles', 'direct.md'));
  await writeFile(join(plain, 'styles', 'extra.md'), 'x');
  t.match(await runCli(['validate', plain], {}), {
    code: 5,
    stdout: /direct\.md: is missing, but pack\.yaml lists the style "direct"\.[^]*extra\.md: is not listed/u,
  });
  t.match(
    await runCli(['publish', plain], { ...KEY, PROMPT_REGISTRY_URL: 'http://127.0.0.1:9' }),
    { code: 5, stdout: '', stderr: /2 errors; nothing was published/u },
    'sends nothing',
  );

  const low = join(folder, 'packs', 'coach', '1.0.0');
  await writeFile(join(low, 'system.md'), 'You are a therapist. {{secret}}');
  const { code, stdout } = await runCli(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder });
  t.equal(code, 5);
  t.match(stdout, /^coach 1\.0\.0 {2}violates the policy/u);
  t.match(stdout, '  packs/coach/1.0.0: clause not-a-professional in system: The system prompt must contain');
  t.match(stdout, 'placeholder secret in system');
  await writeFile(join(folder, 'packs', 'coach', 'policy.yaml'), 'version: many\n');
  t.match(await runCli(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder }), {
    code: 5,
    stdout: /packs\/coach\/policy\.yaml: \/version/u,
  });
  await writeFile(
    join(folder, 'packs', 'coach', 'policy.yaml'),
    "version: 1\nclauses: []\nforbidden: [{ id: never, pattern: 'a\\r' }]\nrequiredStyles: []\nlimits: {}\n",
  );
  t.match(await runCli(['validate', 'packs/coach'], {}, { cwd: folder }), {
    code: 5,
    stdout:
      /^coach 1\.0\.0 +valid[^]*packs\/coach\/policy\.yaml: \/forbidden\/0\/pattern: Rule "never" can never match/u,
  });
  await mkdir(join(folder, 'empty'));
  t.match(await runCli(['validate', 'empty'], {}, { cwd: folder }), {
    code: 5,
    stdout: /The folder contains no version/u,
  });
});

t.test('an unreadable policy is an error, a missing one is not', async (t) => {
  const folder = newFolder(t);
  const version = writePackFolder(folder, 'coach', documentOf('coach', '1.0.0'));
  const pack = join(folder, 'coach');
  const policy = join(pack, 'policy.yaml');
  const unreadable: [string, () => Promise<unknown>][] = [
    ['a link to nothing', () => symlink('nowhere', policy)],
    ['a folder', () => mkdir(policy)],
  ];
  if (process.getuid?.() !== 0)
    unreadable.push(['a file of somebody else', () => writeFile(policy, 'x', { mode: 0o000 })]); // root can read everything
  t.match(await runCli(['validate', version], {}), { code: 0 }, 'without a policy');
  for (const [what, make] of unreadable) {
    await make();
    for (const given of [version, pack]) {
      t.match(
        await runCli(['validate', given], {}),
        { code: 5, stdout: /policy\.yaml: (cannot be read|is not a regular file)/u },
        what,
      );
      t.match(await runCli(['publish', given], KEY), { code: 5, stdout: '', stderr: /nothing was published/u }, what);
    }
    t.match(
      await runCli(['validate', '.'], {}, { cwd: version }),
      { code: 5, stdout: /^ {2}\.\.\/policy\.yaml: /u },
      'with its relative path',
    );
    await rm(policy, { recursive: true, force: true });
  }
});

t.test('a version that exceeds the default body limit is valid, with a warning', async (t) => {
  const text = `${'é\n'.repeat(120_000)}.`;
  const style = (id: string) => ({ id, title: id, text });
  const folder = writePackFolder(
    newFolder(t),
    'large',
    documentOf('large', '1.0.0', { system: text, styles: [style('supportive'), style('direct')] }),
  );
  const { code, stdout, stderr } = await runCli(['validate', folder], {});
  t.match(
    { code, stdout, stderr },
    {
      code: 0,
      stdout: /^large 1\.0\.0 {2}valid/u,
      stderr:
        /^large 1\.0\.0: the request to publish it has \d+ bytes, more than the default BODY_LIMIT of 1048576 \(1mb\)/u,
    },
  );
  t.match(json((await runCli(['validate', folder, '--json'], {})).stdout), {
    valid: true,
    warnings: [/BODY_LIMIT/u, /no policy/u],
  });
  const sizes: (string | undefined)[] = [];
  const { env } = await startFakeServer(t, (request, response) => {
    sizes.push(request.headers['content-length']);
    request.resume().on('end', () => replyProblem(413, { code: 'payload-too-large' })(request, response));
  });
  t.match(await runCli(['publish', folder], env), { code: 1 });
  t.equal(sizes[0], /has (\d+) bytes/u.exec(stderr)?.[1], 'names the actual size of the request');
  const fits = writePackFolder(
    newFolder(t),
    'fits',
    documentOf('fits', '1.0.0', { system: text, styles: [style('supportive')] }),
  );
  t.match(await runCli(['validate', fits], {}), {
    code: 0,
    stderr: 'fits: there is no policy.yaml next to its versions, so only their form was checked.\n',
  });
});

t.test('nothing outside the given folder is read, even through links', async (t) => {
  const root = newFolder(t);
  const outside = writePackFolder(
    join(root, 'outside'),
    'coach',
    documentOf('coach', '2.1.0', {
      system: 'the-private-key',
      styles: [{ id: 'direct', title: 'Direct', text: 'the-private-key' }],
      defaultStyle: 'direct',
    }),
  );
  const secret = join(outside, 'system.md');
  const inner = writePackFolder(join(root, 'packs'), 'coach', documentOf('coach', '2.1.0'));
  writePackFolder(join(root, 'packs'), 'coach', documentOf('coach', '2.0.0'));
  const folders = [inner, dirname(inner), dirname(dirname(inner))];

  /** Replaces a file or folder, then checks that every command refuses it with a clear message and reveals nothing of the secret. */
  const refused = async (
    what: string,
    at: string,
    plant: (path: string) => unknown,
    message: RegExp,
    given = folders,
  ) => {
    const path = join(inner, at);
    const kept = join(root, 'kept');
    await cp(path, kept, { recursive: true }).catch(() => undefined);
    await rm(path, { recursive: true, force: true });
    await plant(path);
    for (const folder of given) {
      for (const command of ['validate', 'publish']) {
        const { code, stdout, stderr } = await runCli([command, folder], {
          ...KEY,
          PROMPT_REGISTRY_URL: 'http://127.0.0.1:9',
        });
        t.equal(code, 5, `${command} ${folder}: ${what}`);
        t.match(`${stdout}${stderr}`, message, what);
        t.notMatch(`${stdout}${stderr}`, /the-private-key/u);
      }
    }
    await rm(path, { recursive: true, force: true });
    await cp(kept, path, { recursive: true }).catch(() => undefined);
    await rm(kept, { recursive: true, force: true });
  };
  const link = (target: string) => (path: string) => symlink(target, path);
  const out = /is a link that leads out of the folder "/u;

  for (const at of ['system.md', 'styles/direct.md', 'pack.yaml', '../policy.yaml']) {
    await refused(`a link at ${at}`, at, link(secret), out);
    await refused(`a device at ${at}`, at, link('/dev/zero'), out);
    await refused(`a pipe at ${at}`, at, (path) => spawnSync('mkfifo', [path]), /is not a regular file/u);
    await refused(
      `a huge file at ${at}`,
      at,
      (path) => writeFile(path, '').then(() => truncate(path, 2 ** 40)),
      /has 1099511627776 bytes; the limit/u,
    );
  }
  await refused('a relative link', 'system.md', link('../../../outside/coach/2.1.0/system.md'), out);
  await refused('the process environment', 'system.md', link('/proc/self/environ'), out);
  await refused(
    'an open file of the process',
    'system.md',
    link('/proc/self/fd/1'),
    /system\.md: (is a link that leads out|cannot be read)/u,
  );
  await refused('a path through /proc/self/root', 'system.md', link(`/proc/self/root${secret}`), out);
  await refused('a link to a folder', 'styles', link(join(outside, 'styles')), out);
  await refused(
    'a chain of links',
    'styles/direct.md',
    async (path) => {
      await symlink(secret, join(inner, 'third'));
      await symlink('../third', join(inner, 'styles', '.second'));
      await symlink('.second', path);
    },
    out,
  );
  await refused('a version', '.', link(outside), out);
  await refused('a pack', '..', link(dirname(outside)), out, folders.slice(1));

  // Other versions are outside the folder of one version, but inside the folder of the pack.
  await rm(join(inner, 'system.md'));
  await symlink('../2.0.0/system.md', join(inner, 'system.md'));
  t.match(await runCli(['validate', inner], {}), { code: 5, stdout: out });
  for (const folder of folders.slice(1))
    t.match(await runCli(['validate', folder], {}), { code: 0 }, 'links within the given folder are followed');
});

t.test('new creates valid packs and versions, and overwrites nothing', async (t) => {
  const folder = newFolder(t);
  const here = (...args: string[]) => runCli(args, {}, { cwd: folder });
  t.match(await here('new', 'packs/coach'), {
    code: 0,
    stdout:
      /^Created coach 1\.0\.0:\n {2}packs\/coach\/1\.0\.0\/pack\.yaml\n[^]*packs\/coach\/policy\.yaml\nEdit these files, then run: prompt-registry validate packs\/coach\/1\.0\.0\n$/u,
  });
  t.match(await here('validate', 'packs'), { code: 0, stdout: /^coach 1\.0\.0 {2}valid/u });
  const policy = await readFile(join(folder, 'packs/coach/policy.yaml'), 'utf8');
  t.match(policy, /^ {4}pattern: \\b\(TODO\|FIXME\)\\b$/mu);

  await writeFile(
    join(folder, 'packs/coach/1.0.0/system.md'),
    'You are a coach, not a therapist, doctor, lawyer or financial adviser.\r\n\r\nMine.\n\n',
  );
  t.match(await here('new', 'packs/coach/1.1.0', '--from', 'packs/coach/1.0.0', '--summary', 'Warmer'), {
    code: 0,
    stdout: /^Created coach 1\.1\.0:/u,
  });
  t.match(await here('validate', 'packs/coach'), {
    code: 0,
    stdout: /coach 1\.0\.0 {2}valid.*\ncoach 1\.1\.0 {2}valid/u,
  });
  t.match(await readFile(join(folder, 'packs/coach/1.1.0/system.md'), 'utf8'), /Mine\.\n$/u);
  t.match(await readFile(join(folder, 'packs/coach/1.1.0/pack.yaml'), 'utf8'), /^summary: Warmer$/mu);
  t.equal(await readFile(join(folder, 'packs/coach/policy.yaml'), 'utf8'), policy, 'the policy is unchanged');

  await mkdir(join(folder, 'empty'));
  t.match(json((await runCli(['new', '.', '--json', '--author', 'Anna'], {}, { cwd: join(folder, 'empty') })).stdout), {
    pack: 'empty',
    version: '1.0.0',
  });
  t.match(await readFile(join(folder, 'empty/1.0.0/pack.yaml'), 'utf8'), /^author: Anna$/mu);
  t.match(await here('validate', 'empty'), { code: 0 });

  for (const [args, message] of [
    [['packs/coach'], /"packs\/coach" already exists; nothing is overwritten/u],
    [['packs/coach/1.1.0', '--from', 'packs/coach/1.0.0'], /"packs\/coach\/1\.1\.0" already exists/u],
    [['packs/coach/1.0.0/system.md'], /Cannot use "\S+": ENOTDIR/u],
    [['packs/My Pack'], /"My Pack" is not a valid pack name/u],
    [['packs/coach/v2.0.0'], /"v2\.0\.0" is not a valid version/u],
    [['packs/coach/2.0.0', '--from', 'packs'], /packs contains 2 versions; --from copies one/u],
    [['packs/coach/2.0.0', '--author', 'x'.repeat(121)], /--author is too long/u],
  ] as const)
    t.match(await here('new', ...args), { code: 2, stderr: message }, args.join(' '));
  t.match(await here('new', 'packs/coach/2.0.0', '--from', 'empty/1.0.0/styles'), {
    code: 5,
    stderr: /Cannot copy/u,
  });
  t.match(
    await here('new', '/proc/x/coach'),
    { code: 74, stderr: /Cannot write \S+: ENOENT/u },
    'a folder that cannot be created',
  );
  t.match(await here('validate', 'packs'), { code: 0 }, 'none of these left anything behind');
});
