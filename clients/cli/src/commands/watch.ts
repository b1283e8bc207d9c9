/**
 * `watch`: prints events as they happen.
 *
 * Rule: a stream that breaks is resumed after the last message, so no event is missed or shown twice. `watch` ends with an error only if
 * retrying cannot help (wrong key, another service). Actor and reason come from the audit log, which needs `audit:read`; without that
 * scope, events are shown without them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RegistryFailure, streamEvents, type RegistryClient, type StreamMessage } from '@prompt-registry/client';
import type { Command } from 'commander';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { changeOf, subjectOf } from '../event-text.ts';
import { eventPage, type Event } from '../events.ts';
import { CliError, EXIT } from '../exit.ts';
import { toCliError } from '../explain.ts';
import { safe, type Output } from '../output.ts';
import { count, name, streamPosition } from '../arguments.ts';

interface WatchOptions {
  readonly pack?: string;
  readonly channel?: string;
  readonly after?: string;
  readonly count?: number;
}

/** Milliseconds that an event waits for its actor and reason. */
const REASONS_TIMEOUT = 2000;
/** Messages that are not events. */
const NON_EVENTS: ReadonlySet<string> = new Set(['heartbeat', 'revision']);
/** Milliseconds: the first delay before a reconnect, the longest one without Retry-After, and the limit of a timer. */
const DELAY = { first: 500, longest: 15_000, timerLimit: 2 ** 31 - 1 };

export function addWatch(program: Command, act: Act): void {
  program
    .command('watch')
    .description('Print events as they happen, until Ctrl-C')
    .option('--pack <name>', 'Only events of this pack', name)
    .option('--channel <name>', 'Only moves of this channel', name)
    .option(
      '--after <revision>',
      'Start after this revision instead of now; after a restore use the "id" from --json, e.g. 2:17',
      streamPosition,
    )
    .option('--count <n>', 'Exit after this many events', count)
    .action(act<WatchOptions>(watch));
}

async function watch(context: Context, { pack, channel, after, count: most }: WatchOptions) {
  const { out, io } = context;
  context.runsUntilInterrupted = true;
  const registry = await context.registry();
  const reasons = new Reasons(await context.registry({ timeout: REASONS_TIMEOUT }), out, pack);
  const { interrupted } = io;
  let last = after;
  let printed = 0;
  let connected = false;
  let tries = 0;
  let stale = false;
  while (!interrupted.aborted) {
    try {
      for await (const message of streamEvents(registry, {
        ...defined({ pack, channel, after: last }),
        signal: interrupted,
      })) {
        if (!connected && message.event === 'resync') noteEpoch(out, after, message);
        if (!connected) out.note(`Watching ${registry.url}; revision ${message.data.revision}. Press Ctrl-C to stop.`);
        else if (tries > 0) out.note('Reconnected.');
        connected = true;
        tries = 0;
        last = message.id;
        stale = reportStale(out, stale, message);
        if (NON_EVENTS.has(message.event)) continue;
        printEvent(out, message, await reasons.of(message));
        printed += 1;
        if (most !== undefined && printed >= most) return EXIT.ok;
      }
    } catch (error) {
      if (interrupted.aborted) break;
      if (!connected && error instanceof RegistryFailure && error.code === 'timed-out')
        throw noMessages(context, error);
      if (!(error instanceof RegistryFailure) || !connected || !isTransient(error)) throw error;
      const delayMs = error.retryAfter ?? Math.min(DELAY.longest, DELAY.first * 2 ** tries);
      tries += 1;
      out.warn(`${error.message} Retrying in ${Math.ceil(delayMs / 1000)} s.`);
      await delay(Math.min(delayMs * (0.75 + Math.random() / 2), DELAY.timerLimit), undefined, {
        signal: interrupted,
      }).catch(() => undefined);
    }
  }
  return EXIT.interrupted;
}

/** A revision without an epoch is from before the first restore; the restored log does not continue from it. */
function noteEpoch(out: Output, after: string | undefined, { data: { epoch } }: StreamMessage): void {
  if (after !== undefined && epoch > 1 && !after.startsWith(`${epoch}:`))
    out.note(
      `The log was restored since then and is now in epoch ${epoch}. Use --after ${epoch}:<revision> to start at a revision of it.`,
    );
}

/** An instance that is out of sync keeps its stream open but may miss events. @returns whether it is out of sync now */
function reportStale(out: Output, before: boolean, { data: { staleSeconds } }: StreamMessage): boolean {
  const now = staleSeconds !== undefined;
  if (now && !before) out.warn(`The service has been out of sync for ${staleSeconds} s. New events may be missing.`);
  if (!now && before) out.note('The service is in sync again.');
  return now;
}

/** The stream opened, but no message arrived. */
function noMessages({ target }: Context, failure: RegistryFailure): CliError {
  const { message, exit, code, members } = toCliError(failure, target);
  return new CliError(message, {
    exit,
    code,
    hint: 'Try again. A proxy in between may be buffering the stream.',
    members,
    cause: failure,
  });
}

/** Whether a retry may help. */
function isTransient({ code, status = 0 }: RegistryFailure): boolean {
  return code === 'unreachable' || code === 'timed-out' || code === 'not-a-registry' || status === 429 || status >= 500;
}

/** What the audit log knows of an event: who made the change and why, and what it changed. */
type Details = Omit<Event, 'revision'>;

/** Fetches actors and reasons as events arrive; for a backlog, many at once. */
class Reasons {
  readonly #registry: RegistryClient;
  readonly #out: Output;
  readonly #pack: string | undefined;
  #known = new Map<number, Details>();
  #allowed = true;

  constructor(registry: RegistryClient, out: Output, pack: string | undefined) {
    this.#registry = registry;
    this.#out = out;
    this.#pack = pack;
  }

  /** The actor and reason of an event; undefined if they are not available. */
  async of({ event, data: { revision } }: StreamMessage): Promise<Details | undefined> {
    if (event === 'resync') this.#known.clear(); // the history may be a different one now
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
      this.#known = new Map(events.map((event) => [event.revision, event]));
    } catch (error) {
      if (!(error instanceof RegistryFailure) || error.status !== 403) return; // the stream reports the problem, or the next event succeeds
      this.#allowed = false;
      this.#out.note('Actors and reasons are not shown: the key lacks audit:read.');
    }
  }
}

function printEvent(out: Output, { id, event, data }: StreamMessage, details: Details | undefined): void {
  const reason = details === undefined ? {} : { actor: details.actor, reason: details.reason };
  out.result({ id, event, ...data, ...reason }, () => {
    const { revision, at = '', pack = '' } = data;
    // The end of a rollout moves no channel: its version is the stable one, before and after.
    const moves = (data.moves ?? []).filter(({ version, previousVersion }) => version !== previousVersion);
    const steps = moves.map(
      ({ channel, version, previousVersion }) => `${channel}: ${previousVersion ?? 'nothing'} -> ${version}`,
    );
    const what =
      event === 'resync'
        ? 'earlier events are no longer available; see: prompt-registry status'
        : steps.length === 0
          ? subjectOf(details ?? data)
          : [pack, steps.join(', ')].filter((part) => part !== '').join('  ');
    const style = moves.length > 0 ? 'green' : 'bold';
    const why =
      details === undefined ? [] : [safe(changeOf(details)), safe(`by ${details.actor.label}`), safe(details.reason)];
    out.line(
      [safe(`${revision}`), safe(at), out.paint(style, safe(event)), safe(what), ...why]
        .filter((part) => part !== '')
        .join('  '),
    );
  });
}
