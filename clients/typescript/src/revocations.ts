/**
 * Finds out which held versions, other than the current one, are revoked.
 *
 * Problem: the stream reports each revocation, but not those that happened while it was disconnected.
 * Rule: after a read at a new position, ask the registry for its revoked versions, if any version other than the current one might be served:
 * to a session, or from the bundle.
 */
import type { RegistryClient } from './client.ts';
import { RegistryFailure } from './failure.ts';
import type { SourceState } from './source-state.ts';
import { atLeastHeaders, idOf, positionOf, type Position } from './position.ts';
import { bounded } from './timers.ts';

export interface RevocationsOptions {
  readonly client: RegistryClient;
  readonly state: SourceState;
  readonly pack: string;
  /** Versions other than the current one that might be served. */
  readonly versionsInUse: () => readonly string[];
  readonly signal: AbortSignal;
}

/** Maximum number of pages to read. */
const MAX_PAGES = 100;

export class Revocations {
  readonly #options: RevocationsOptions;
  #sweptAt = '';

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Drops all versions that are revoked at this position or later. @throws RegistryFailure if the request failed; the caller must retry */
  async sweep(position: Position): Promise<void> {
    const { versionsInUse } = this.#options;
    const at = idOf(position);
    const inUse = new Set(versionsInUse());
    if (inUse.size === 0 || this.#sweptAt === at) return;
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      cursor = await this.#sweepPage(position, inUse, cursor);
      if (cursor === undefined) break;
    }
    this.#sweptAt = at;
  }

  /** @returns the cursor of the next page */
  async #sweepPage(
    position: Position,
    inUse: ReadonlySet<string>,
    cursor: string | undefined,
  ): Promise<string | undefined> {
    const { client, state, pack, signal } = this.#options;
    const query = { status: 'revoked' as const, ...(cursor !== undefined && { cursor }) };
    const { data, headers } = await bounded({ signal }, (signal) =>
      client.ask((api) =>
        api.GET('/v1/packs/{pack}/versions', {
          params: { path: { pack }, query, header: atLeastHeaders(position) },
          signal,
        }),
      ),
    );
    const there = positionOf(headers);
    if (!Array.isArray(data.versions) || there === undefined)
      throw new RegistryFailure('not-understood', `${client.url} sent an invalid list of versions.`);
    for (const { version } of data.versions) if (inUse.has(version)) state.revoke(version, there);
    return data.nextCursor ?? undefined;
  }
}
