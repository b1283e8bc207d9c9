/** The plugin, for applications that run the registry in their own process. */
import type { PackageContent } from './make-package.ts';

/** Its example: a page of docs/, and a folder of the package. */
const EXAMPLE = 'examples/embedded';

export const FASTIFY: PackageContent = {
  name: '@prompt-registry/fastify',
  folder: 'fastify',
  description:
    'The prompt registry as a Fastify plugin: versioned prompts, activation and rollback inside your application.',
  exports: {
    '.': 'plugins/embedding.ts',
    './stores/memory': 'registry/stores/memory/index.ts',
    './stores/sqlite': 'registry/stores/sqlite/index.ts',
    './stores/postgres': 'registry/stores/postgres/index.ts',
  },
  // What an application installs itself: Fastify, and the driver of a store that it may not use.
  peers: { fastify: '^5.12.8', pg: '^8.23.1' },
  optionalPeers: ['pg'],
  copies: { [`docs/${EXAMPLE}`]: EXAMPLE },
  pages: { 'docs/embedding.md': 'README.md', [`docs/${EXAMPLE}/README.md`]: `${EXAMPLE}/README.md` },
};
