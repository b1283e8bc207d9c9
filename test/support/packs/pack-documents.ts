/**
 * Small packs for tests: documents as a publisher sends them, and versions as a start finds them in a folder.
 *
 * Every text names its pack, version and style, so that an answer that mixes two versions can be told.
 * Example: `shippedOf('coach@1.0.0', 'coach@2.0.0')`, `documentOf('coach', '1.0.0', { defaultStyle: 'direct' })`.
 */
import type { PackDocument, PackVersion } from '../../../registry/model.ts';
import type { ShippedVersion } from '../../../registry/packs/pack-folder.ts';
import { parsePack } from '../../../registry/packs/pack.ts';

/** A document that breaks no rule; any member may be given. */
export function documentOf(pack: string, version: string, members: Partial<PackDocument> = {}): PackDocument {
  const style = (id: string, title: string) => ({ id, title, text: `${pack} ${version}: the ${id} style.` });
  return {
    version,
    summary: `Edition ${version}.`,
    author: 'Coaching content team',
    system: `${pack} ${version}: the system prompt.`,
    styles: [style('supportive', 'Supportive'), style('direct', 'Direct')],
    defaultStyle: 'supportive',
    compatibility: {
      models: [{ provider: 'anthropic', family: 'claude' }],
      clients: [{ name: 'coach-web', range: '>=2.0.0 <4.0.0' }],
      locales: ['en', 'pt-BR'],
      packFormat: 1,
    },
    ...members,
  };
}

/** The document, checked and digested. */
export function versionOf(pack: string, version: string, members: Partial<PackDocument> = {}): PackVersion {
  return parsePack(pack, documentOf(pack, version, members));
}

/** Versions as they are read from a packs folder. @param names e.g. `coach@1.0.0` */
export function shippedOf(...names: readonly string[]): ShippedVersion[] {
  return names.map((name) => {
    const [pack = '', version = ''] = name.split('@');
    return shipped(versionOf(pack, version));
  });
}

/** A version as it is read from a packs folder. */
export function shipped(version: PackVersion): ShippedVersion {
  return { path: `packs/${version.content.pack}/${version.content.version}`, version };
}
