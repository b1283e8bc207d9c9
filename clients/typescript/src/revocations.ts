/**
 * Which versions that could be served beside the current one are revoked.
 *
 * Problem: the stream tells of each revocation, but not of those that happened while nothing was heard.
 * Rule: after a read from another place than the last time, the registry is asked for its revoked versions, if any other version than the
 * current one could be served: to a session, or from the bundle.
 */
import type { RegistryClient } from './client.ts';
import { RegistryFailure } from './failure.ts';
import type { Keeper } from './keeper.ts';
import { atLeast, idOf, positionOf, type Position } from './position.ts';
import { bounded } from './timers.ts';

export interface RevocationsOptions {
  readonly client: RegistryClient;
  readonly keeper: Keeper;
  readonly pack: string;
  /** Versions that could be served beside the current one. */
  readonly versionsInUse: () => readonly string[];
  readonly signal: AbortSignal;
}

/** Pages of revoked versions that are read. */
const MOST_PAGES = 100;

export class Revocations {
  readonly #options: RevocationsOptions;
  #sweptAt = '';

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Lets go of what is revoked at a place in the log, or a later one. @throws RegistryFailure where that could not be asked: it is to be asked again */
  async sweep(position: Position): Promise<void> {
    const { versionsInUse } = this.#options;
    const at = idOf(position);
    const inUse = new Set(versionsInUse());
    if (inUse.size === 0 || this.#sweptAt === at) return;
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      cursor = await this.#sweepPage(position, inUse, cursor);
      if (cursor === undefined) break;
    }
    this.#sweptAt = at;
  }

  /** @returns where the next page begins */
  async #sweepPage(
    position: Position,
    inUse: ReadonlySet<string>,
    cursor: string | undefined,
  ): Promise<string | undefined> {
    const { client, keeper, pack, signal } = this.#options;
    const query = { status: 'revoked' as const, ...(cursor !== undefined && { cursor }) };
    const { data, headers } = await bounded({ signal }, (signal) =>
      client.ask((api) =>
        api.GET('/v1/packs/{pack}/versions', { params: { path: { pack }, query, header: atLeast(position) }, signal }),
      ),
    );
    const there = positionOf(headers);
    if (!Array.isArray(data.versions) || there === undefined)
      throw new RegistryFailure('not-understood', `${client.url} does not list versions as a registry does.`);
    for (const { version } of data.versions) if (inUse.has(version)) keeper.revoke(version, there);
    return data.nextCursor ?? undefined;
  }
}
