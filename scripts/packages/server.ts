/** The service with the tools of its host, for those who run it without a checkout. */
import type { PackageContent } from './make-package.ts';

export const SERVER: PackageContent = {
  name: '@prompt-registry/server',
  folder: 'server',
  description:
    'The prompt registry as a service: versioned, immutable prompt packs, one active version, atomic activation and rollback at run time.',
  programs: ['deploy/npm/command.ts'],
  bin: { 'prompt-registry-server': 'bin/prompt-registry-server.js' },
  loadedByName: ['pino-pretty'],
  copies: { 'deploy/npm/prompt-registry-server.js': 'bin/prompt-registry-server.js', packs: 'packs' },
  pages: { 'deploy/npm/README.md': 'README.md' },
};
