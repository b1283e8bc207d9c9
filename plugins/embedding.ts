/**
 * The public face of the npm package `@prompt-registry/fastify`, for applications that embed the registry (docs/embedding.md): the Fastify
 * plugin, and the functions that give it packs and a key. Each store has its own entry (`@prompt-registry/fastify/stores/sqlite`, …), so that an
 * application loads only the driver it uses.
 */
export { default, type RegistryPluginOptions } from './registry.ts';
export {
  operatorKeyFile,
  readPackFolders,
  readPolicies,
  RegistryError,
  StartRefused,
  LogBroken,
} from '../registry/index.ts';
export type {
  ActivateRequest,
  Activation,
  ActivePack,
  At,
  Event,
  Health,
  PublishRequest,
  Registry,
  RegistryErrorCode,
  RevokeRequest,
  RollbackRequest,
  Session,
  Snapshot,
  Store,
  StyleList,
  StylePrompt,
  SystemPrompt,
} from '../registry/index.ts';
