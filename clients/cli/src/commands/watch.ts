/**
 * `watch`: what happens in the registry, as it happens.
 *
 * Rule: a stream that is cut is taken up again behind the last message that came, so that nothing is missed or told twice; only what
 * no waiting mends (a wrong key, another service) ends it. Who did it and why stands in the log alone, which takes audit:read: where it cannot
 * be asked, events are told without.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure, streamEvents, type RegistryClient, type StreamMessage } from '@prompt-registry/client';
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { eventPage, type Event } from '../events.ts';
import { Complaint, EXIT } from '../exit.ts';
import { complaintOf } from '../explain.ts';
import { safe, type Output } from '../output.ts';
import { count, name, streamPosition } from '../values.ts';

interface WatchOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly after?: string;
  readonly count?: number;
}

/** Milliseconds that an event waits for who and why. */
const REASONS_TIMEOUT = 2000;
/** Messages that tell of no event. */
const QUIET: ReadonlySet<string> = new Set(['heartbeat', 'revision']);
/** Milliseconds before the first try to come back, the most before any that nobody asked for, and the most that a timer counts to. */
const PAUSE = { first: 500, longest: 15_000, countable: 2 ** 31 - 1 };

export function addWatch(program: Command, act: Act): void {
  program
    .command('watch')
    .description('events as they happen, a line each, until Ctrl-C')
    .option('--pack <name>', 'only what is about this pack', name)
    .option('--channel <name>', 'only what moves this channel', name)
    .option(
      '--after <revision>',
      'begin with what came after it, not with now; behind a restore with its epoch, as "id" of --json has it: 2:17',
      streamPosition,
    )
    .option('--count <n>', 'end after so many events', count)
    .action(act<WatchOptions>(watch));
}

async function watch(context: Context, { pack, channel, after, count: most }: WatchOptions) {
  const { out, io } = context;
  context.endless = true;
  const registry = await context.registry();
  const reasons = new Reasons(await context.registry({ timeout: REASONS_TIMEOUT }), out, pack);
  const { interrupted } = io;
  let last = after;
  let told = 0;
  let heard = false;
  let tries = 0;
  let stale = false;
  while (!interrupted.aborted) {
    try {
      for await (const message of streamEvents(registry, {
        ...defined({ pack, channel, after: last }),
        signal: interrupted,
      })) {
        if (!heard && message.event === 'resync') tellEpoch(out, after, message);
        if (!heard) out.note(`Watching ${registry.url}; revision ${message.data.revision}. Ctrl-C ends it.`);
        else if (tries > 0) out.note('The stream is back.');
        heard = true;
        tries = 0;
        last = message.id;
        stale = tellStale(out, stale, message);
        if (QUIET.has(message.event)) continue;
        tell(out, message, await reasons.of(message));
        told += 1;
        if (most !== undefined && told >= most) return EXIT.ok;
      }
    } catch (error) {
      if (interrupted.aborted) break;
      if (!heard && error instanceof RegistryFailure && error.code === 'timed-out') throw silent(context, error);
      if (!(error instanceof RegistryFailure) || !heard || !passes(error)) throw error;
      const pause = error.retryAfter ?? Math.min(PAUSE.longest, PAUSE.first * 2 ** tries);
      tries += 1;
      out.warn(`${error.message} Trying again in ${Math.ceil(pause / 1000)} s.`);
      await delay(Math.min(pause * (0.75 + Math.random() / 2), PAUSE.countable), undefined, {
        signal: interrupted,
      }).catch(() => undefined);
    }
  }
  return EXIT.interrupted;
}

/** A revision without an epoch is one of before the first restore, which the log does not go on from. */
function tellEpoch(out: Output, after: string | undefined, { data: { epoch } }: StreamMessage): void {
  if (after !== undefined && epoch > 1 && !after.startsWith(`${epoch}:`))
    out.note(
      `The log was restored since, and is in epoch ${epoch}; --after ${epoch}:<revision> begins at a place of it.`,
    );
}

/** An instance that does not know that it is current keeps its stream open, and tells of nothing: that is no calm. @returns whether it is such a one now */
function tellStale(out: Output, before: boolean, { data: { staleSeconds } }: StreamMessage): boolean {
  const now = staleSeconds !== undefined;
  if (now && !before)
    out.warn(
      `The service has not known for ${staleSeconds} s whether it is current: there may be events that it does not tell of yet.`,
    );
  if (!now && before) out.note('The service is current again.');
  return now;
}

/** Nothing of a stream came. */
function silent({ where }: Context, failure: RegistryFailure): Complaint {
  const { message, exit, code, members } = complaintOf(failure, where);
  return new Complaint(message, {
    exit,
    code,
    hint: 'Try again; where a proxy stands in between, it may hold the stream back (buffering).',
    members,
    cause: failure,
  });
}

/** Whether waiting may mend it. */
function passes({ code, status = 0 }: RegistryFailure): boolean {
  return code === 'unreachable' || code === 'timed-out' || code === 'not-a-registry' || status === 429 || status >= 500;
}

/** Who did it and why. */
type Reason = Pick<Event, 'actor' | 'reason'>;

/** Reasons of events, asked for as events come; those of a backlog together. */
class Reasons {
  readonly #registry: RegistryClient;
  readonly #out: Output;
  readonly #pack: string | undefined;
  #known = new Map<number, Reason>();
  #allowed = true;

  constructor(registry: RegistryClient, out: Output, pack: string | undefined) {
    this.#registry = registry;
    this.#out = out;
    this.#pack = pack;
  }

  /** The reason of the event that a message tells of; undefined where it cannot be had. */
  async of({ event, data: { revision } }: StreamMessage): Promise<Reason | undefined> {
    if (event === 'resync') this.#known.clear(); // what comes may be another history
    if (event === 'resync' || !this.#allowed) return undefined;
    if (!this.#known.has(revision)) await this.#ask(revision);
    return this.#known.get(revision);
  }

  async #ask(revision: number): Promise<void> {
    try {
      const { events } = await eventPage(this.#registry, {
        ...defined({ pack: this.#pack }),
        after: revision - 1,
        limit: 100,
      });
      this.#known = new Map(events.map(({ revision, actor, reason }) => [revision, { actor, reason }]));
    } catch (error) {
      if (!(error instanceof RegistryFailure) || error.status !== 403) return; // the stream says what is wrong, or the next event finds it well
      this.#allowed = false;
      this.#out.note('Who did it and why is not shown: the key lacks audit:read.');
    }
  }
}

function tell(out: Output, { id, event, data }: StreamMessage, reason: Reason | undefined): void {
  out.answer({ id, event, ...data, ...reason }, () => {
    const { revision, at = '', pack = '', moves = [] } = data;
    const where = moves.map(
      ({ channel, version, previousVersion }) => `${channel}: ${previousVersion ?? 'nothing'} -> ${version}`,
    );
    const what =
      event === 'resync'
        ? 'the history before is not known here any more; look with: prompt-registry status'
        : [pack, where.join(', ')].filter((part) => part !== '').join('  ');
    const style = moves.length > 0 ? 'green' : 'bold';
    const why = reason === undefined ? [] : [safe(`by ${reason.actor.label}`), safe(reason.reason)];
    out.line(
      [safe(`${revision}`), safe(at), out.paint(style, safe(event)), safe(what), ...why]
        .filter((part) => part !== '')
        .join('  '),
    );
  });
}
