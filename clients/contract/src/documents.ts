/**
 * The versions that the suite publishes. Every text names its pack and version, so a mix of two versions is noticed. The styles differ, so a
 * move is visible.
 */
import type { PackDocument, Style } from './answers.ts';

/** In order of publication, which is not the order of SemVer. */
export const VERSIONS = ['1.0.0', '1.10.0', '1.2.0', '2.0.0-rc.1', '2.0.0'] as const;
/** The same versions, the highest SemVer first. */
export const BY_RANK = ['2.0.0', '2.0.0-rc.1', '1.10.0', '1.2.0', '1.0.0'] as const;
/** Activated once, before all others: the bottom of the stack. */
export const GROUND = '2.0.0-rc.1';

/** The styles of a version. Default: the first two. */
const STYLES: Readonly<Record<string, readonly string[]>> = { '2.0.0': ['supportive', 'socratic'] };

/** A valid document of a version. */
export function documentOf(pack: string, version: string): PackDocument {
  const style = (id: string): Style => ({
    id,
    title: `${id.slice(0, 1).toUpperCase()}${id.slice(1)}`,
    text:
      id === 'supportive'
        ? `${pack}: the supportive style, the same in every version.`
        : `${pack} ${version}: the ${id} style.`,
  });
  return {
    version,
    summary: `Edition ${version} of a contract check.`,
    author: 'Contract check',
    system: `You are part of a contract check.\nThis is version ${version} of ${pack}.\nNothing else is said here: “é, 😀, \\ and "”.`,
    styles: (STYLES[version] ?? ['supportive', 'direct']).map(style),
    defaultStyle: 'supportive',
    compatibility: {
      models: [{ provider: 'anthropic', family: 'claude' }],
      clients: [{ name: 'coach-web', range: '>=2.0.0 <4.0.0' }],
      locales: ['en', 'pt-BR'],
      packFormat: 1,
    },
  };
}
