/**
 * Registries of any size, made with the seal and the store of real ones: valid chains, real digests, prompts as long as the shipped
 * ones.
 */
import { randomUUID } from 'node:crypto';
import { seal, type EventDraft, type Head } from '../../registry/log/event.ts';
import {
  decide,
  GENESIS_HASH,
  parsePack,
  readPackFolders,
  type Actor,
  type PackContent,
} from '../../registry/index.ts';
import { newSessionKey } from '../../registry/sessions/session-ids.ts';
import { EMPTY_SNAPSHOT } from '../../registry/state/snapshot.ts';
import type { SessionKey, Store, StoredContent } from '../../registry/log/store.ts';

export const CHANNELS = ['production', 'staging'] as const;
export const DEFAULT_PACK = 'coach';

const ACTOR: Actor = Object.freeze({ keyId: 'bench', label: 'Benchmark' });
/** Moves in one append. */
const BATCH = 10_000;

export interface Size {
  readonly packs: number;
  readonly versionsPerPack: number;
  /** The log is filled up to this many events with pointer moves. */
  readonly events?: number;
}

/** `coach`, `pack-001`, `pack-002`, … */
export function packNames(packs: number): string[] {
  return Array.from({ length: packs }, (_, index) =>
    index === 0 ? DEFAULT_PACK : `pack-${String(index).padStart(3, '0')}`,
  );
}

/** `10.0.0`, `10.1.0`, …: above all shipped ones. */
export function versionNames(versions: number): string[] {
  return Array.from({ length: versions }, (_, index) => `10.${index}.0`);
}

/** Fills an empty store, with the highest version of each pack active in each channel, and closes it. */
export async function fill(
  store: Store,
  { packs, versionsPerPack, events = 0 }: Size,
  packsDir: string,
): Promise<void> {
  const log = new Log(store);
  try {
    const model = await modelContent(packsDir);
    const key = newSessionKey(new Date().toISOString());
    await log.append(
      [
        {
          type: 'registry-created',
          actor: ACTOR,
          reason: 'Benchmark',
          data: { registryId: randomUUID(), sessionKeyId: key.keyId },
        },
      ],
      [],
      [key],
    );
    const digests = new Map<string, string[]>();
    for (const pack of packNames(packs))
      digests.set(pack, await publishAll(log, pack, versionNames(versionsPerPack), model));
    await moveAround(log, digests, events);
  } finally {
    await log.close();
  }
}

/** The shipped version that all made ones are like. */
async function modelContent(packsDir: string): Promise<PackContent> {
  const shipped = await readPackFolders(packsDir);
  const model = shipped.findLast(({ version }) => version.content.pack === DEFAULT_PACK);
  if (model === undefined) throw new Error(`There is no pack ${DEFAULT_PACK} under ${packsDir}.`);
  return model.version.content;
}

async function publishAll(log: Log, pack: string, versions: readonly string[], model: PackContent): Promise<string[]> {
  const { system, styles, defaultStyle, compatibility } = model;
  const drafts: EventDraft[] = [];
  const contents: StoredContent[] = [];
  for (const version of versions) {
    const document = {
      version,
      summary: `Edition ${version}`,
      author: 'Benchmark',
      system: `${system}\n\nEdition ${pack} ${version}.`,
      styles,
      defaultStyle,
      compatibility,
    };
    const decision = decide(
      EMPTY_SNAPSHOT,
      { type: 'publish', version: parsePack(pack, document), actor: ACTOR, reason: 'Benchmark' },
      { channels: CHANNELS, now: 0 },
    );
    drafts.push(...decision.events);
    contents.push(...decision.contents);
  }
  const digests = contents.map(({ digest }) => digest);
  for (const channel of CHANNELS)
    drafts.push(moveTo({ pack, channel, version: versions.at(-1), digest: digests.at(-1), previousVersion: null }));
  await log.append(drafts, contents);
  return digests;
}

/** Moves pointers about, pack after pack, until the log is as long as asked. */
async function moveAround(log: Log, digests: ReadonlyMap<string, readonly string[]>, events: number): Promise<void> {
  const packs = [...digests];
  const versions = versionNames(packs[0]?.[1].length ?? 0);
  const channels = packs.flatMap(([pack, own]) =>
    CHANNELS.map((channel) => ({ pack, channel, digests: own, at: versions.length - 1 })),
  );
  for (let drafts: EventDraft[] = []; log.revision < events; drafts = []) {
    while (drafts.length < BATCH && log.revision + drafts.length < events) {
      const target = channels[(log.revision + drafts.length) % channels.length];
      if (target === undefined) return;
      const { pack, channel } = target;
      const next = (target.at + 1) % versions.length;
      drafts.push(
        moveTo({
          pack,
          channel,
          version: versions[next],
          digest: target.digests[next],
          previousVersion: versions[target.at] ?? null,
        }),
      );
      target.at = next;
    }
    await log.append(drafts, []);
    process.stderr.write(`\r  ${log.revision.toLocaleString('en')} of ${events.toLocaleString('en')} events`);
  }
  if (events > 0) process.stderr.write('\n');
}

function moveTo({
  pack,
  channel,
  version = '',
  digest = '',
  previousVersion,
}: {
  pack: string;
  channel: string;
  version: string | undefined;
  digest: string | undefined;
  previousVersion: string | null;
}): EventDraft {
  return {
    type: 'version-activated',
    actor: ACTOR,
    reason: 'Users report that answers are too blunt',
    pack,
    channel,
    version,
    data: { digest, previousVersion },
  };
}

/** A store, and the place in its log. */
class Log {
  readonly #store: Store;
  #head: Head & { readonly at: string } = { revision: 0, hash: GENESIS_HASH, at: '' };

  constructor(store: Store) {
    this.#store = store;
  }

  get revision(): number {
    return this.#head.revision;
  }

  async append(
    drafts: readonly EventDraft[],
    contents: readonly StoredContent[],
    sessionKeys: readonly SessionKey[] = [],
  ): Promise<void> {
    let number = this.revision;
    // Ids that grow keep the index of ids from being written all over the file; nothing that is measured reads them.
    const clock = {
      now: () => Date.now(),
      newId: () => `00000000-0000-4000-8000-${(number += 1).toString(16).padStart(12, '0')}`,
      notBefore: this.#head.at,
    };
    const events = seal(drafts, this.#head, clock);
    const outcome = await this.#store.append({ events, contents, sessionKeys }, this.revision);
    if (outcome !== 'done') throw new Error(`The store did not append after revision ${this.revision}.`);
    this.#head = events.at(-1) ?? this.#head;
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
