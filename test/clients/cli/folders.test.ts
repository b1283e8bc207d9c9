// Pack folders on this machine, checked without a registry.
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { newFolder } from '../../support/folder.ts';
import { documentOf, versionOf } from '../../support/pack-documents.ts';
import { writePackFolder } from '../../support/pack-folders.ts';
import { ROOT } from '../../support/server-process.ts';
import { called, json, typed } from './command-line.ts';
import { KEY, listening, problem } from './stand-ins.ts';

t.test('a folder is checked without a registry', async (t) => {
  const folder = newFolder(t);
  await cp(join(ROOT, 'packs'), join(folder, 'packs'), { recursive: true });
  const all = await typed(t, ['validate', 'packs'], {}, { cwd: folder });
  t.match(all, { code: 0, stderr: '', stdout: /^coach 1\.0\.0 +valid {2}sha256:[0-9a-f]{64}\n[^]*onboarding 1\.1\.0 {2}valid/u });
  t.equal(all.stdout.trimEnd().split('\n').length, 5);
  t.equal((await called(['validate', 'packs/coach'], {}, { cwd: folder })).stdout.trimEnd().split('\n').length, 3, 'one pack');
  t.match(await called(['validate', '.'], {}, { cwd: join(folder, 'packs', 'coach', '1.0.0') }), { code: 0, stdout: /^coach 1\.0\.0 {2}valid/u }, 'one version, from inside');

  const plain = writePackFolder(folder, 'plain', documentOf('plain', '1.0.0'));
  const { valid, versions, faults } = json((await called(['validate', plain, '--json'], {})).stdout);
  t.match([valid, versions, faults], [true, [{ pack: 'plain', version: '1.0.0', digest: versionOf('plain', '1.0.0').digest }], []], 'the digest that the registry gives');

  // Each fault by itself, and all of them at once.
  const text = await readFile(join(plain, 'pack.yaml'), 'utf8');
  await writeFile(join(plain, 'pack.yaml'), text.replace('defaultStyle: supportive', 'defaultStyle: none'));
  t.match(await called(['validate', plain], {}), { code: 5, stdout: `  ${plain}: /defaultStyle: "none" is none of the version's styles` });
  await writeFile(join(plain, 'pack.yaml'), `${text}colour: red\n`);
  t.match(await called(['validate', plain], {}), { code: 5, stdout: `${plain}/pack.yaml: /colour: ` });
  await writeFile(join(plain, 'pack.yaml'), text);
  await rm(join(plain, 'styles', 'direct.md'));
  await writeFile(join(plain, 'styles', 'extra.md'), 'x');
  t.match(await called(['validate', plain], {}), { code: 5, stdout: /direct\.md: cannot be read[^]*extra\.md: is not listed/u });
  t.match(await called(['publish', plain], { ...KEY, PROMPT_REGISTRY_URL: 'http://127.0.0.1:9' }), { code: 5, stdout: '', stderr: /2 faults; nothing was published/u }, 'nothing is sent');

  const low = join(folder, 'packs', 'coach', '1.0.0');
  await writeFile(join(low, 'system.md'), 'You are a therapist. {{secret}}');
  const { code, stdout } = await called(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder });
  t.equal(code, 5);
  t.match(stdout, /^coach 1\.0\.0 {2}under the floor/u);
  t.match(stdout, '  packs/coach/1.0.0: clause not-a-professional in system: The system prompt must contain');
  t.match(stdout, 'placeholder secret in system');
  await writeFile(join(folder, 'packs', 'coach', 'policy.yaml'), 'version: many\n');
  t.match(await called(['validate', 'packs/coach/1.0.0'], {}, { cwd: folder }), { code: 5, stdout: /packs\/coach\/policy\.yaml: \/version/u });
  await mkdir(join(folder, 'empty'));
  t.match(await called(['validate', 'empty'], {}, { cwd: folder }), { code: 5, stdout: /There is no version in it/u });
});

t.test('a copy that cannot be written says nothing of the folder', async (t) => {
  const folder = newFolder(t);
  const version = writePackFolder(folder, 'coach', documentOf('coach', '1.0.0'));
  for (const command of ['validate', 'publish']) {
    t.match(await typed(t, [command, version], { ...KEY, TMPDIR: join(folder, 'nowhere'), NODE_DISABLE_COMPILE_CACHE: '1' }), { code: 74, stdout: '', stderr: /^error: A folder is copied[^]*TMPDIR/u });
  }
});

t.test('a policy that cannot be read is a fault, not one that is not there', async (t) => {
  const folder = newFolder(t);
  const version = writePackFolder(folder, 'coach', documentOf('coach', '1.0.0'));
  const pack = join(folder, 'coach');
  const policy = join(pack, 'policy.yaml');
  const unreadable: [string, () => Promise<unknown>][] = [
    ['a link to nothing', () => symlink('nowhere', policy)],
    ['a folder', () => mkdir(policy)],
  ];
  if (process.getuid?.() !== 0) unreadable.push(['a file of somebody else', () => writeFile(policy, 'x', { mode: 0o000 })]); // root reads all
  t.match(await called(['validate', version], {}), { code: 0 }, 'none is none');
  for (const [what, make] of unreadable) {
    await make();
    for (const given of [version, pack]) {
      t.match(await called(['validate', given], {}), { code: 5, stdout: /policy\.yaml: (cannot be read|is no file)/u }, what);
      t.match(await called(['publish', given], KEY), { code: 5, stdout: '', stderr: /nothing was published/u }, what);
    }
    t.match(await called(['validate', '.'], {}, { cwd: version }), { code: 5, stdout: /^ {2}\.\.\/policy\.yaml: /u }, 'told by where it is');
    await rm(policy, { recursive: true, force: true });
  }
});

t.test('a version that is too large for a registry as it comes is valid, with a warning', async (t) => {
  const text = `${'é\n'.repeat(120_000)}.`;
  const style = (id: string) => ({ id, title: id, text });
  const folder = writePackFolder(newFolder(t), 'large', documentOf('large', '1.0.0', { system: text, styles: [style('supportive'), style('direct')] }));
  const { code, stdout, stderr } = await called(['validate', folder], {});
  t.match({ code, stdout, stderr }, { code: 0, stdout: /^large 1\.0\.0 {2}valid/u, stderr: /^large 1\.0\.0: the request to register it has \d+ bytes\. A registry takes 1048576 \(1mb\) unless its BODY_LIMIT says otherwise/u });
  t.match(json((await called(['validate', folder, '--json'], {})).stdout), { valid: true, warnings: [/BODY_LIMIT/u] });
  const sizes: (string | undefined)[] = [];
  const { env } = await listening(t, (request, response) => {
    sizes.push(request.headers['content-length']);
    request.resume().on('end', () => problem(413, { code: 'payload-too-large' })(request, response));
  });
  t.match(await called(['publish', folder], env), { code: 1 });
  t.equal(sizes[0], /has (\d+) bytes/u.exec(stderr)?.[1], 'it is the size of what is sent');
  const fits = writePackFolder(newFolder(t), 'fits', documentOf('fits', '1.0.0', { system: text, styles: [style('supportive')] }));
  t.match(await called(['validate', fits], {}), { code: 0, stderr: '' });
});
