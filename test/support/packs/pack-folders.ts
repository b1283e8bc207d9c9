/** Packs as folders on disk, as they are shipped: `<dir>/<pack>/<version>/{pack.yaml,system.md,styles/<style>.md}`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PackDocument } from '../../../registry/model.ts';

/** Writes a document out as a folder. @param end what each text ends with in its file @returns its path */
export function writePackFolder(
  dir: string,
  pack: string,
  { system, styles, ...manifest }: PackDocument,
  end = '\n',
): string {
  const folder = join(dir, pack, manifest.version);
  mkdirSync(join(folder, 'styles'), { recursive: true });
  writeFileSync(
    join(folder, 'pack.yaml'),
    stringify({ pack, ...manifest, styles: styles.map(({ id, title }) => ({ id, title })) }),
  );
  writeFileSync(join(folder, 'system.md'), `${system}${end}`);
  for (const { id, text } of styles) writeFileSync(join(folder, 'styles', `${id}.md`), `${text}${end}`);
  return folder;
}
