/**
 * Packs on disk: faults in a hand-edited folder are refused, all at once and by file, and then no version is read. Links may lead anywhere
 * inside the packs folder, but not out of it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { StartRefused } from '../../../registry/errors.ts';
import { readPackFolders } from '../../../registry/packs/pack-folder.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';

/** A packs folder with `coach` 1.0.0 and 1.1.0, both without a fault; `path` leads into it. */
function packsFolder(t: Test): {
  dir: string;
  path: (...names: string[]) => string;
  write: (file: string, text: string | Uint8Array) => void;
} {
  const dir = join(t.testdir(), 'packs');
  const path = (...names: string[]) => join(dir, ...names);
  const write = (file: string, text: string | Uint8Array) => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  for (const version of ['1.0.0', '1.1.0']) {
    const { system, styles, ...manifest } = documentOf('coach', version);
    write(
      `coach/${version}/pack.yaml`,
      stringify({ pack: 'coach', ...manifest, styles: styles.map(({ id, title }) => ({ id, title })) }),
    );
    write(`coach/${version}/system.md`, system);
    for (const { id, text } of styles) write(`coach/${version}/styles/${id}.md`, text);
  }
  return { dir, path, write };
}

/** The lines that a refusal lists, after its headline. */
async function faultsIn(dir: string): Promise<string[]> {
  try {
    await readPackFolders(dir);
  } catch (error) {
    if (!(error instanceof StartRefused) || error.exitCode !== 65) throw error;
    const [headline = '', ...lines] = error.message.split('\n  ');
    if (!/^The packs in ".*" have (1 fault|\d+ faults); nothing was registered:$/u.test(headline))
      throw new Error(`Another headline: ${headline}`, { cause: error });
    return lines;
  }
  return [];
}

/** Plants one fault in a valid folder and checks the refusal. */
function fault(
  title: string,
  plant: (folder: ReturnType<typeof packsFolder>) => void,
  expected: RegExp | RegExp[],
): void {
  t.test(title, async (t) => {
    const folder = packsFolder(t);
    plant(folder);
    const lines = await faultsIn(folder.dir);
    const all = [expected].flat();
    t.equal(lines.length, all.length, lines.join(' | '));
    for (const each of all)
      t.ok(
        lines.some((line) => each.test(line)),
        `${each.source} in ${lines.join(' | ')}`,
      );
    t.ok(
      lines.every((line) => line.startsWith(folder.dir)),
      'each line names its file by its path from PACKS_DIR',
    );
  });
}

const MANIFEST = 'coach/1.0.0/pack.yaml';
const read = (path: string) => readFileSync(path, 'utf8');

t.test('valid folders are read in order of path', async (t) => {
  const { dir, path } = packsFolder(t);
  renameSync(path('coach', '1.1.0'), path('coach', 'aside'));
  t.match((await faultsIn(dir))[0], /aside/);
  renameSync(path('coach', 'aside'), path('coach', '1.1.0'));
  const versions = await readPackFolders(dir);
  t.same(
    versions.map((each) => each.path),
    [join(dir, 'coach', '1.0.0'), join(dir, 'coach', '1.1.0')],
  );
  t.same(
    versions.map(({ version }) => version.content.styles.map(({ id }) => id)),
    [
      ['supportive', 'direct'],
      ['supportive', 'direct'],
    ],
    'styles in the order of pack.yaml',
  );
});

t.test('files next to packs, dot names and empty folders are ignored', async (t) => {
  const { dir, write, path } = packsFolder(t);
  write('README.md', 'About the packs.');
  write('coach/policy.yaml', 'version: 1');
  write('.git/HEAD', 'ref: x');
  write('coach/.DS_Store', 'x');
  write('coach/1.0.0/styles/.keep', '');
  mkdirSync(path('empty'));
  t.equal((await readPackFolders(dir)).length, 2);
  const nothing = join(t.testdir({ nothing: {} }), 'nothing');
  t.same(await readPackFolders(nothing), []);
});

t.test('a packs folder that cannot be read names the setting', async (t) => {
  const root = t.testdir({ file: 'x' });
  for (const dir of [join(root, 'missing'), join(root, 'file'), '', 'a\0b']) {
    await t.rejects(
      readPackFolders(dir),
      { name: 'StartRefused', exitCode: 78, message: /^PACKS_DIR ".*" cannot be read/s },
      JSON.stringify(dir),
    );
  }
});

fault(
  'a missing system prompt',
  ({ path }) => rmSync(path('coach/1.0.0/system.md')),
  /coach\/1\.0\.0\/system\.md: is missing\./,
);
fault(
  'a missing listed style',
  ({ path }) => rmSync(path('coach/1.0.0/styles/direct.md')),
  /coach\/1\.0\.0\/styles\/direct\.md: is missing, but pack\.yaml lists the style "direct"\./,
);
fault('a missing pack.yaml', ({ path }) => rmSync(path(MANIFEST)), /coach\/1\.0\.0\/pack\.yaml: is missing\./);
fault(
  'an unlisted style',
  ({ write }) => write('coach/1.0.0/styles/stray.md', 'x'),
  /styles\/stray\.md: is not listed in pack\.yaml/,
);
fault(
  'a misspelt style is reported as missing and as unlisted',
  ({ path }) => renameSync(path('coach/1.0.0/styles/direct.md'), path('coach/1.0.0/styles/dirct.md')),
  [/styles\/direct\.md: is missing/, /styles\/dirct\.md: is not listed/],
);
fault(
  'a file instead of the styles folder',
  ({ path, write }) => {
    rmSync(path('coach/1.0.0/styles'), { recursive: true });
    write('coach/1.0.0/styles', 'x');
  },
  [/styles\/supportive\.md: cannot be read: ENOTDIR/, /styles\/direct\.md: cannot be read: ENOTDIR/],
);
fault('a file instead of a version', ({ write }) => write('coach/3.0.0', 'x'), /coach\/3\.0\.0: is not a folder/);
fault(
  'a folder instead of a file',
  ({ path }) => {
    rmSync(path('coach/1.0.0/system.md'));
    mkdirSync(path('coach/1.0.0/system.md'));
  },
  /system\.md: is not a regular file/,
);

fault(
  'a duplicate key',
  ({ path, write }) => write(MANIFEST, `${read(path(MANIFEST))}version: 9.9.9\n`),
  /pack\.yaml: line 22, column 1: the key "version" is a duplicate; keep one of them\.$/,
);
fault(
  'invalid YAML',
  ({ write }) => write(MANIFEST, 'pack: [coach\n'),
  /pack\.yaml: line 2, column 1: this is not valid YAML: /,
);
fault(
  'two documents in one file',
  ({ path, write }) => write(MANIFEST, `${read(path(MANIFEST))}---\npack: other\n`),
  /pack\.yaml: line 22, column 1: a second YAML document starts here, but a file holds one; remove the line "---" and everything after it\.$/,
);
fault('an empty pack.yaml', ({ write }) => write(MANIFEST, ''), /pack\.yaml: \/: Expected object/);
fault(
  'an alias',
  ({ path, write }) =>
    write(
      MANIFEST,
      `${read(path(MANIFEST)).replace('author: Coaching content team', 'author: *team')}`.replace(
        'summary: Edition 1.0.0.',
        'summary: &team x',
      ),
    ),
  /pack\.yaml: line \d+, column \d+: the alias \*\w+ is not allowed; write the value out\.$/,
);
fault(
  'an alias bomb',
  ({ write }) => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array<string>(10).fill(`*l${level}`).join(', ')}]`,
    );
    write(MANIFEST, `l0: &l0 [x, x]\n${levels.join('\n')}\n`);
  },
  /pack\.yaml: line \d+, column \d+: the alias \*\w+ is not allowed; write the value out\.$/,
);
fault(
  'a merge key',
  ({ path, write }) => write(MANIFEST, `${read(path(MANIFEST))}other: { <<: { a: 1 } }\n`),
  /pack\.yaml: line 22, column 10: merge keys \(<<\) are not allowed; write the members out\.$/,
);
for (const [tag, value] of [
  ['!secret', 'x'],
  ['!!binary', 'aGk='],
  ['!!int', 'x'],
  ['!<tag:example.com,2000:x>', 'x'],
] as const) {
  const shown = tag.replace(/[!<>]/gu, '.');
  fault(
    `a tag: ${tag}`,
    ({ path, write }) => write(MANIFEST, read(path(MANIFEST)).replace(/^author: .*$/mu, `author: ${tag} ${value}`)),
    new RegExp(`pack\\.yaml: line 4, column \\d+: the tag ${shown} is not supported; write the plain value\\.$`, 'u'),
  );
}
fault(
  'a file in YAML 1.1, where "no" means false',
  ({ path, write }) => write(MANIFEST, `%YAML 1.1\n---\n${read(path(MANIFEST))}`),
  /pack\.yaml: line 1: the file declares YAML 1\.1, but files are read as YAML 1\.2; remove the %YAML line\.$/,
);
fault(
  'values nested thousands deep',
  ({ write }) => write(MANIFEST, '['.repeat(20_000)),
  /pack\.yaml: line 1, column \d+: the values are nested too deeply\.$/,
);
fault(
  'tens of thousands of keys are compared quickly',
  ({ write }) => write(MANIFEST, `${Array.from({ length: 60_000 }, (_, index) => `k${index}: 1\n`).join('')}k5: 2\n`),
  /pack\.yaml: line 60001, column 1: the key "k5" is a duplicate/,
);
fault(
  'unknown members',
  ({ path, write }) => write(MANIFEST, `${read(path(MANIFEST))}notes: x\n__proto__: { polluted: true }\n`),
  [/\/notes: Unexpected property/, /\/__proto__: Unexpected property/],
);
fault(
  'all schema faults at once',
  ({ path, write }) =>
    write(
      MANIFEST,
      read(path(MANIFEST))
        .replace('packFormat: 1', 'packFormat: one')
        .replace(/^author: .*$/mu, 'author: ""')
        .replace('locales:', 'langs:'),
    ),
  [
    /pack\.yaml: \/author: /,
    /pack\.yaml: \/compatibility\/locales: /,
    /pack\.yaml: \/compatibility\/packFormat: /,
    /pack\.yaml: \/compatibility\/langs: /,
  ],
);
fault(
  'a version that YAML reads as a number',
  ({ path, write }) => write(MANIFEST, read(path(MANIFEST)).replace('version: 1.0.0', 'version: 1.0')),
  /pack\.yaml: \/version: Expected string/,
);
fault(
  'faults that a schema cannot express are reported by version',
  ({ path, write }) =>
    write(
      MANIFEST,
      read(path(MANIFEST)).replace('defaultStyle: supportive', 'defaultStyle: socratic').replace('- pt-BR', '- pt_BR'),
    ),
  [
    /coach\/1\.0\.0: \/defaultStyle: "socratic" is not one of/,
    /coach\/1\.0\.0: \/compatibility\/locales\/1: "pt_BR" is not a BCP 47/,
  ],
);
fault(
  'a folder name that disagrees with pack.yaml',
  ({ path, write }) =>
    write(
      MANIFEST,
      read(path(MANIFEST)).replace('pack: coach', 'pack: coaching').replace('version: 1.0.0', 'version: 1.0.1'),
    ),
  [
    /pack\.yaml: \/pack: is "coaching", but the folder is named "coach"/,
    /pack\.yaml: \/version: is "1\.0\.1", but the folder is named "1\.0\.0"/,
  ],
);
fault(
  'a folder that is not named like a pack',
  ({ path }) => mkdirSync(path('Coach Two/1.0.0'), { recursive: true }),
  /Coach Two: "Coach Two" is not a pack name/,
);
for (const version of ['1.0', 'latest', 'v1.0.0', '1.0.0+build.1', '01.0.0']) {
  fault(
    `a version folder named ${version}`,
    ({ path }) => renameSync(path('coach/1.0.0'), path('coach', version)),
    /: ".*" is not a version; use SemVer without build metadata/,
  );
}

fault(
  'a prompt that is not UTF-8',
  ({ write }) => write('coach/1.0.0/system.md', Buffer.from([0x63, 0x61, 0x66, 0xe9])),
  /system\.md: is not UTF-8/,
);
fault(
  'a surrogate pair in CESU-8',
  ({ write }) => write('coach/1.0.0/system.md', Buffer.from([0x61, 0xed, 0xa0, 0xbd, 0xed, 0xb0, 0x80])),
  /system\.md: is not UTF-8/,
);
fault(
  'UTF-16 with a byte order mark',
  ({ write }) => write('coach/1.0.0/styles/direct.md', Buffer.from('\uFEFFBe brief.', 'utf16le')),
  /direct\.md: is not UTF-8/,
);
fault(
  'a pack.yaml that is not UTF-8',
  ({ write }) => write(MANIFEST, Buffer.from([0xff, 0xfe])),
  /pack\.yaml: is not UTF-8/,
);
fault(
  'a NUL in a prompt',
  ({ write }) => write('coach/1.0.0/styles/direct.md', 'a\0b'),
  /coach\/1\.0\.0: \/styles\/1\/text: The text contains a NUL/,
);
fault(
  'a blank prompt',
  ({ write }) => write('coach/1.0.0/system.md', '\uFEFF \r\n'),
  /coach\/1\.0\.0: \/system: Must not be blank/,
);
fault(
  'a huge file is not read',
  ({ path }) => truncateSync(path('coach/1.0.0/system.md'), 1024 ** 3),
  /system\.md: has 1073741824 bytes; the limit is 1048576/,
);
fault(
  'a prompt that is too long',
  ({ write }) => write('coach/1.0.0/system.md', 'x'.repeat(262_145)),
  /\/system: .*262144/,
);
fault(
  'a FIFO does not block the start',
  ({ path }) => {
    rmSync(path('coach/1.0.0/system.md'));
    if (spawnSync('mkfifo', [path('coach/1.0.0/system.md')]).status !== 0) throw new Error('mkfifo failed');
  },
  /system\.md: is not a regular file/,
);
fault(
  'a device instead of a file',
  ({ path }) => {
    rmSync(path('coach/1.0.0/system.md'));
    symlinkSync('/dev/zero', path('coach/1.0.0/system.md'));
  },
  /system\.md: is a link that leads out of the folder /,
);

fault(
  'links out of the packs folder: to a file, a version, a pack, or a sibling folder with a longer name',
  ({ dir, path }) => {
    const outside = `${dir}-outside`;
    mkdirSync(join(outside, '1.0.0'), { recursive: true });
    writeFileSync(join(outside, 'secret.md'), 'a secret');
    rmSync(path('coach/1.0.0/system.md'));
    symlinkSync(join(outside, 'secret.md'), path('coach/1.0.0/system.md'));
    rmSync(path('coach/1.1.0/styles/direct.md'));
    symlinkSync('../../../../packs-outside/secret.md', path('coach/1.1.0/styles/direct.md'));
    symlinkSync(join(outside, '1.0.0'), path('coach/1.2.0'));
    symlinkSync(outside, path('elsewhere'));
  },
  [
    /coach\/1\.0\.0\/system\.md: is a link that leads out of the folder /,
    /coach\/1\.1\.0\/styles\/direct\.md: is a link that leads out of the folder /,
    /coach\/1\.2\.0: is a link that leads out of the folder /,
    /elsewhere: is a link that leads out of the folder /,
  ],
);
fault(
  'a dangling link, and a link to itself',
  ({ path }) => {
    symlinkSync('nowhere', path('coach/1.2.0'));
    symlinkSync('loop', path('loop'));
  },
  [/coach\/1\.2\.0: ENOENT/, /loop: ELOOP/],
);

t.test('links inside the packs folder are followed, and the folder itself may be one', async (t) => {
  const { dir, path } = packsFolder(t);
  mkdirSync(path('..data'));
  renameSync(path('coach'), path('..data/coach')); // as Kubernetes mounts a ConfigMap
  symlinkSync('..data/coach', path('coach'));
  renameSync(path('..data/coach/1.1.0/system.md'), path('..data/shared.md'));
  symlinkSync(path('..data/shared.md'), path('..data/coach/1.1.0/system.md'));
  symlinkSync(dir, `${dir}-link`);
  const versions = await readPackFolders(`${dir}-link`);
  t.same(
    versions.map((each) => each.path),
    [join(`${dir}-link`, 'coach/1.0.0'), join(`${dir}-link`, 'coach/1.1.0')],
  );
  t.equal(versions[1]?.version.content.system, 'coach 1.1.0: the system prompt.');
});

t.test('every fault of every version is reported at once, and no version is read', async (t) => {
  const { dir, path, write } = packsFolder(t);
  rmSync(path('coach/1.0.0/system.md'));
  rmSync(path('coach/1.0.0/styles/direct.md'));
  write('coach/1.0.0/styles/stray.md', 'x');
  write('coach/1.1.0/pack.yaml', 'pack: [');
  write('onboarding/1.0.0/pack.yaml', 'pack: onboarding');
  mkdirSync(path('Bad Name'));
  const lines = await faultsIn(dir);
  const faulty = [
    'coach/1.0.0/system.md',
    'coach/1.0.0/styles/direct.md',
    'coach/1.0.0/styles/stray.md',
    'coach/1.1.0/pack.yaml',
    'onboarding/1.0.0/pack.yaml',
    'Bad Name',
  ];
  for (const name of faulty)
    t.ok(
      lines.some((line) => line.startsWith(`${join(dir, name)}: `)),
      name,
    );
  await t.rejects(readPackFolders(dir), {
    exitCode: 65,
    message: new RegExp(`have ${lines.length} faults; nothing was registered`),
  });
});

t.test('the shipped packs parse', async (t) => {
  const versions = await readPackFolders(fileURLToPath(new URL('../../../packs', import.meta.url)));
  const styles = versions.map(({ version: { content } }) => [
    `${content.pack} ${content.version}`,
    content.defaultStyle,
    content.styles.map(({ id }) => id).join(),
  ]);
  t.same(styles, [
    ['coach 1.0.0', 'supportive', 'supportive,direct,reflective'],
    ['coach 1.1.0', 'supportive', 'supportive,direct,reflective,socratic'],
    ['coach 2.0.0', 'reflective', 'reflective,supportive,socratic,challenging,concise'],
    ['onboarding 1.0.0', 'friendly', 'friendly,brisk'],
    ['onboarding 1.1.0', 'friendly', 'friendly,brisk,guided'],
  ]);
  for (const { version } of versions)
    t.ok(
      version.content.compatibility.models.length > 0 && version.content.compatibility.locales.length > 0,
      `${version.content.pack} ${version.content.version}`,
    );
});
