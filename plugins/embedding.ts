/**
 * What the package `@prompt-registry/fastify` offers: the plugin, and what is needed to give it packs and a key. The stores are entries of
 * their own (`@prompt-registry/fastify/stores/sqlite`, …), so that an application loads only the driver that it uses.
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
