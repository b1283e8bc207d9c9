/**
 * Logs for tests: batches that are sealed and chained as the registry's own, and a check of what a store gives back.
 *
 * Everything that varies comes from a seed, so that a failure can be had again.
 * Example: `const batch = batchAfter(EMPTY, [activation(), activation({ channel: 'staging' })])`.
 */
import {
  GENESIS_HASH,
  hashOf,
  seal,
  type Event,
  type EventDraft,
  type EventType,
  type Head,
} from '../../../registry/log/event.ts';
import type { PackContent } from '../../../registry/model.ts';
import type { Batch, SessionKey, Store, StoredContent } from '../../../registry/log/store.ts';

/** The place before the first event. */
export const EMPTY: Head = Object.freeze({ revision: 0, hash: GENESIS_HASH });

/** Numbers in [0, 1), the same for the same seed: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new seed for each run, or `TEST_SEED`. Print it with every failure. */
export function newSeed(): number {
  return Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

const actor = { keyId: 'operator-1', label: 'Operator on call' };
const digest = `sha256:${'4f'.repeat(32)}`;

/** An activation; any member may be given. */
export function activation(
  members: { pack?: string; channel?: string; version?: string; reason?: string } = {},
): EventDraft {
  const {
    pack = 'coach',
    channel = 'production',
    version = '1.2.0',
    reason = 'Users report that answers are too blunt',
  } = members;
  return { type: 'version-activated', actor, reason, pack, channel, version, data: { digest, previousVersion: null } };
}

/** One draft of each type, and of a type that this build does not know. */
export function drafts(): EventDraft[] {
  const compatibility = { models: [], clients: [], locales: ['en'], packFormat: 1 };
  const styles = [{ id: 'supportive', title: 'Unterstützend 🌱' }];
  return [
    { type: 'registry-created', actor, reason: 'First start', data: { registryId: 'r-1', sessionKeyId: 'k-1' } },
    {
      type: 'version-published',
      actor,
      reason: 'Warmer',
      pack: 'coach',
      version: '1.2.0',
      data: {
        digest,
        summary: 'Warmer openings',
        author: 'Content team',
        defaultStyle: 'supportive',
        styles,
        compatibility,
      },
    },
    activation(),
    {
      type: 'version-rolled-back',
      actor,
      reason: 'Quote \' " \\ line\nend \u2028',
      pack: 'coach',
      channel: 'production',
      version: '1.1.0',
      data: { digest, previousVersion: '1.2.0' },
    },
    {
      ...activation(),
      type: 'made-by-a-newer-build' as EventType,
      data: { anything: [1, null, { deep: true }] },
    } as unknown as EventDraft,
  ];
}

/** Drafts at their places behind a head, with what is to be written with them. `ids` names the events, random otherwise; `at` dates them, now otherwise. */
export function batchAfter(
  head: Head | undefined,
  list: readonly EventDraft[],
  rest: {
    contents?: readonly StoredContent[];
    sessionKeys?: readonly SessionKey[];
    ids?: readonly string[];
    at?: number;
  } = {},
): Batch {
  const ids = [...(rest.ids ?? [])];
  const clock = { now: () => rest.at ?? Date.now(), newId: () => ids.shift() ?? crypto.randomUUID(), notBefore: '' };
  return {
    events: seal(list, head ?? EMPTY, clock),
    contents: rest.contents ?? [],
    sessionKeys: rest.sessionKeys ?? [],
  };
}

/** A content, filed under a digest made of its version. */
export function contentOf(version: string, system = 'You are a coach, not a therapist.'): StoredContent {
  const content: PackContent = {
    pack: 'coach',
    version,
    system,
    defaultStyle: 'supportive',
    styles: [{ id: 'supportive', title: 'Supportive', text: 'Lead with what went well. 🌱\n' }],
    compatibility: {
      models: [{ provider: 'anthropic', family: 'claude' }],
      clients: [],
      locales: ['en'],
      packFormat: 1,
    },
  };
  return { digest: `sha256:${Buffer.from(version).toString('hex').padStart(64, '0')}`, content };
}

/** The last event's place. */
export function headOf(batch: Batch): Head {
  const { revision, hash } = batch.events.at(-1)!;
  return { revision, hash };
}

/** The whole log behind a revision, read in pages. */
export async function readLog(store: Store, after = 0, page = 1000): Promise<Event[]> {
  const all: Event[] = [];
  for (;;) {
    const events = await store.events({ after: all.at(-1)?.revision ?? after, order: 'ascending', limit: page });
    if (events.length === 0) return all;
    all.push(...events);
  }
}

/** What is wrong with a log after a head: a gap, a broken chain, an edited event. Undefined if it is whole. */
export function firstBroken(events: readonly Event[], behind: Head = EMPTY): string | undefined {
  let previous = behind;
  for (const event of events) {
    if (event.revision !== previous.revision + 1) return `revision ${event.revision} follows on ${previous.revision}`;
    if (event.previousHash !== previous.hash) return `revision ${event.revision} does not name the hash before it`;
    if (event.hash !== hashOf(event)) return `revision ${event.revision} is not what was hashed`;
    previous = event;
  }
  return undefined;
}
