/**
 * ESLint rule: dependencies point inward.
 *
 *     server → app → routes, plugins → registry ← registry/stores/<engine>
 *
 * Problem: one import in the wrong direction (a driver in the domain, HTTP in the fold) compiles, works, and is never undone.
 * Rule: every file belongs to a layer by its path, and a layer says what it may import, values and types alike. Files outside
 * the service (scripts, deploy, bench, test, clients) may import anything.
 * Example: `registry/packs/pack.ts` with `import fastify from 'fastify'`: "registry/ is the pure domain: it may not import fastify."
 *
 * `test/architecture.test.ts` checks the same rules in another way, so that an error in either is noticed.
 */
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AST_NODE_TYPES, ESLintUtils, type TSESTree } from '@typescript-eslint/utils';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the domain may use of npm. */
const DOMAIN_PACKAGES = new Set([
  '@sinclair/typebox',
  'yaml',
  'semver',
  'canonicalize',
  'diff',
  'fast-jwt',
  'lru-cache',
  're2js',
]);

/** The driver of each engine; only that engine may import it. */
const DRIVERS: Readonly<Record<string, string>> = { 'node:sqlite': 'sqlite', pg: 'postgres' };

/** Outsiders that may choose an engine. */
const ENGINE_CHOOSERS = [/^server\.ts$/u, /^plugins\/registry(\.ts$|\/)/u];

/** What a plugin shows to routes; a folder that groups plugins is not one plugin. */
const PLUGIN_DOOR = /^plugins\/([^/]+(\/index)?|(access|connections|problems|revision)\/[^/]+)\.ts$/u;

const FREE = /^(scripts|deploy|bench|test|clients|docs)\//u;

/** The rooms of `registry/`, the lowest first: a room may import only lower ones, and itself. */
const ROOMS: readonly (readonly string[])[] = [
  ['model.ts', 'model'],
  ['errors.ts'],
  ['values'],
  ['machine'],
  ['log'],
  ['assignment'],
  ['state'],
  ['packs'],
  ['requests.ts'],
  ['keys'],
  ['moves'],
  ['rollouts'],
  ['sessions'],
  ['transitions.ts', 'events.ts'],
  ['local'],
  ['proof'],
  ['writing'],
  ['following'],
  ['instance'],
  ['streams'],
  ['host'],
  ['rollout-desk.ts'],
  ['registry.ts'],
  ['index.ts'],
];

type Layer =
  'free' | 'domain' | 'stores' | 'store' | 'plugin' | 'route' | 'app' | 'settings' | 'config' | 'server' | 'outsider';

/** `store` is the folder of one engine, `stores` what engines share. */
function layerOf(path: string): Layer {
  if (FREE.test(path)) return 'free';
  if (engineOf(path) !== undefined) return 'store';
  if (path.startsWith('registry/stores/')) return 'stores';
  if (path.startsWith('registry/')) return 'domain';
  if (path.startsWith('plugins/')) return 'plugin';
  if (path.startsWith('routes/')) return 'route';
  if (path === 'app.ts') return 'app';
  if (path.startsWith('settings/')) return 'settings';
  if (path === 'config.ts') return 'config';
  if (path === 'server.ts') return 'server';
  return 'outsider';
}

function engineOf(path: string): string | undefined {
  return /^registry\/stores\/([^/]+)\//u.exec(path)?.[1];
}

/** `@scope/name/sub` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * Why a file may not import something; undefined if it may.
 *
 * @param from the importing file, relative to the root, with `/`
 * @param specifier as written
 */
export function refusal(from: string, specifier: string): string | undefined {
  const layer = layerOf(from);
  if (layer === 'free') return undefined;
  return specifier.startsWith('.') || specifier.startsWith('/')
    ? fileRefusal(from, layer, posix(relative(ROOT, resolve(ROOT, dirname(from), specifier))))
    : packageRefusal(from, layer, specifier);
}

function packageRefusal(from: string, layer: Layer, specifier: string): string | undefined {
  const name = isBuiltin(specifier) ? `node:${specifier.replace(/^node:/u, '')}` : packageOf(specifier);
  const engine = DRIVERS[name];
  if (engine !== undefined) {
    return engineOf(from) === engine ? undefined : `only registry/stores/${engine}/ may import the driver ${name}.`;
  }
  if (isBuiltin(specifier)) return undefined;
  if (layer === 'store')
    return `a store may import its driver, node built-ins and the registry's files, but not ${name}.`;
  if ((layer === 'domain' || layer === 'stores') && !DOMAIN_PACKAGES.has(name))
    return `registry/ is the pure domain: it may not import ${name}.`;
  return undefined;
}

function fileRefusal(from: string, layer: Layer, to: string): string | undefined {
  const target = layerOf(to);
  if (target === 'free') return `the service may not import ${to}, which is not part of it.`;
  if (layer === 'domain')
    return target === 'domain' ? roomRefusal(from, to) : `registry/ is the pure domain: it may not import ${to}.`;
  if (layer === 'store' || layer === 'stores') {
    if (target === 'domain' || target === 'stores' || (target === 'store' && engineOf(to) === engineOf(from)))
      return undefined;
    return target === 'store' ? `one engine may not import another: ${to}.` : `a store may not import ${to}.`;
  }
  const readsSettings = layer === 'config' || layer === 'settings';
  if (target === 'settings') return readsSettings ? undefined : `only config.ts may import ${to}.`;
  if (readsSettings && target !== 'domain') return `${from} may not import ${to}.`;
  return outsiderRefusal(from, layer, to, target);
}

function roomRefusal(from: string, to: string): string | undefined {
  const [own, other] = [roomOf(from), roomOf(to)];
  if (own === -1)
    return `${from} is in none of the rooms of registry/: name its room in scripts/eslint/house-imports.ts.`;
  return other > own ? `${to} is in a higher room: ${from} may import only from lower ones.` : undefined;
}

function roomOf(path: string): number {
  const room = path.split('/')[1] ?? '';
  return ROOMS.findIndex((names) => names.includes(room));
}

function outsiderRefusal(from: string, layer: Layer, to: string, target: Layer): string | undefined {
  if (target === 'domain')
    return to === 'registry/index.ts' ? undefined : `outside of the domain import registry/index.ts, not ${to}.`;
  if (target === 'store' || target === 'stores') {
    if (!ENGINE_CHOOSERS.some((each) => each.test(from)))
      return `only server.ts and plugins/registry choose an engine; ask for a Store instead of importing ${to}.`;
    return /^registry\/stores\/[^/]+\/index\.ts$/u.test(to) ? undefined : `import the engine's index.ts, not ${to}.`;
  }
  if (target === 'server') return 'server.ts is the process; nothing may import it.';
  if (target === 'app' && layer !== 'server') return 'only server.ts may import app.ts.';
  if (layer !== 'app' && layer !== 'route' && target === 'route') return `only app.ts may import the routes: ${to}.`;
  if (layer === 'route' && target === 'plugin' && !PLUGIN_DOOR.test(to))
    return `${to} is inside a plugin; routes may import only the plugin's own file or its index.ts.`;
  return undefined;
}

function posix(path: string): string {
  return path.split(sep).join('/');
}

export const houseImports = ESLintUtils.RuleCreator.withoutDocs({
  meta: {
    type: 'problem',
    docs: { description: 'Dependencies point inward: server → app → routes, plugins → registry ← stores.' },
    schema: [],
    messages: { refused: '{{reason}}' },
    defaultOptions: [],
  },
  create(context) {
    const from = posix(relative(ROOT, context.filename));
    const check = (node: TSESTree.Node, source: TSESTree.Node | null | undefined) => {
      if (source?.type !== AST_NODE_TYPES.Literal || typeof source.value !== 'string') return;
      const reason = refusal(from, source.value);
      if (reason !== undefined) context.report({ node, messageId: 'refused', data: { reason } });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.source),
      CallExpression: (node) => {
        if (node.callee.type === AST_NODE_TYPES.Identifier && node.callee.name === 'require')
          check(node, node.arguments[0]);
      },
    };
  },
});
