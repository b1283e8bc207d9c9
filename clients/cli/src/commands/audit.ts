/** `audit`: reads the log (who did what, when and why) and verifies it. */
import type { Command } from 'commander';
import type { RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { changeOf, subjectOf } from '../event-text.ts';
import { eventPage, newest, type Event, type EventsQuery } from '../events.ts';
import { EXIT, wrongUsage } from '../exit.ts';
import { safe, type Cell, type Output } from '../output.ts';
import { pages } from '../pages.ts';
import { withFields } from '../fields.ts';
import { heads, limit as parseLimit, name, revision, timeBack, type Head } from '../arguments.ts';

interface VerifyOptions {
  readonly head?: readonly Head[];
}

interface LogOptions {
  readonly limit: number;
  readonly oldestFirst?: boolean;
  readonly before?: string;
  readonly after?: string;
  readonly pack?: string;
  readonly channel?: string;
  readonly actor?: string;
  readonly type?: NonNullable<EventsQuery['type']>;
  readonly id?: string;
  readonly from?: string;
  readonly to?: string;
}

/** A head that was saved earlier and is not in the log. */
interface MissingHead extends Head {
  readonly detail: string;
}

/** Milliseconds; the service's own limit for verifying a long log. */
const VERIFY_TIMEOUT = 600_000;

export function addAudit(program: Command, act: Act): void {
  const audit = program.command('audit').description('Read and verify the log');

  audit
    .command('verify')
    .description('Verify every event and every version in the log')
    .option('--head <revision:hash>', 'A head saved earlier that the log must contain (repeatable)', heads)
    .action(act<VerifyOptions>(verify));

  audit
    .command('head')
    .description('Print the head of the log; save it elsewhere to detect a truncated or rewritten log')
    .action(
      act(async (context) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.GET('/v1/audit/head'))
          .then(withFields({ revision: 'number', hash: 'string' }));
        context.out.result(data, () => context.out.say(`${data.revision}:${data.hash}`));
        return EXIT.ok;
      }),
    );

  audit
    .command('log')
    .description('List events, newest first')
    .option('--limit <n>', 'Maximum number of events, or "all"', parseLimit, 100)
    .option('--oldest-first', 'Start at the beginning of the log')
    .option('--before <revision>', 'Only events before this revision', revision)
    .option('--after <revision>', 'Only events after this revision, oldest first', revision)
    .option('--pack <name>', 'Only events of this pack', name)
    .option('--channel <name>', 'Only events of this channel', name)
    .option('--actor <keyId>', 'Only events by this key ("system": the registry itself)')
    .option('--type <type>', 'Only events of this type, e.g. version-activated')
    .option('--id <id>', 'Only the event with this id')
    .option('--from <time>', 'Start of the period: a time (2026-01-31) or an age (12h)', timeBack)
    .option('--to <time>', 'End of the period, in the same form', timeBack)
    .action(act<LogOptions>(log));
}

async function verify(context: Context, { head: savedHeads = [] }: VerifyOptions) {
  const { out } = context;
  const registry = await context.registry({ timeout: VERIFY_TIMEOUT });
  if (context.io.stderr.isTTY === true) out.note('Verifying; this can take a while for a long log.');
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/verification'))
    .then(withFields({ valid: 'boolean', events: 'number', head: 'object' }));
  const missing: MissingHead[] = [];
  for (const head of savedHeads) {
    const detail = await whyMissing(registry, head, data.head);
    if (detail !== undefined) missing.push({ ...head, detail });
  }
  const valid = data.valid && missing.length === 0;
  out.result(
    { ...data, valid, ...(savedHeads.length > 0 && { headsChecked: savedHeads.length, headsMissing: missing }) },
    () => {
      const head = `${data.head.revision}:${data.head.hash}`;
      const found = savedHeads.length === 1 ? 'The saved head is' : `All ${savedHeads.length} saved heads are`;
      if (valid)
        out.say(`Valid: ${data.events} events. Head: ${head}.${savedHeads.length > 0 ? ` ${found} in the log.` : ''}`);
      else if (!data.valid)
        out.line(out.paint('red', safe(`BROKEN at revision ${data.firstBroken?.revision ?? '?'}.`)));
      if (data.firstBroken !== undefined) out.say(`${data.firstBroken.detail} Valid up to ${head}.`);
      for (const { revision, hash, detail } of missing) out.say(`NOT THE SAME LOG: ${revision}:${hash} ${detail}`);
    },
  );
  return valid ? EXIT.ok : EXIT.invalid;
}

/** Why a saved head is not in the log; undefined if it is. */
async function whyMissing(registry: RegistryClient, { revision, hash }: Head, last: Head): Promise<string | undefined> {
  if (revision > last.revision) return `is missing: the log ends at revision ${last.revision}.`;
  if (revision === last.revision)
    return hash === last.hash ? undefined : `is missing: the event at that revision has the hash ${last.hash}.`;
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/events', { params: { query: { after: revision - 1, limit: 1 } } }))
    .then(withFields({ events: 'list' }));
  const [event] = data.events;
  if (event?.revision === revision && event.hash === hash) return undefined;
  return event?.revision === revision
    ? `is missing: the event at that revision has the hash ${event.hash}.`
    : 'is missing: there is no event at that revision.';
}

async function log(context: Context, { limit, oldestFirst = false, before, after, ...conditions }: LogOptions) {
  const { out } = context;
  const forward = oldestFirst || after !== undefined;
  if (forward && before !== undefined)
    throw wrongUsage(
      '--before cannot be combined with --after or --oldest-first: it lists backwards, they list forwards.',
      'Use only one of them.',
    );
  const registry = await context.registry();
  const filter: EventsQuery = defined(conditions);
  if (forward) {
    const { events, nextAfter } = await oldest(registry, limit, after, filter);
    out.result({ events, nextAfter }, () =>
      printEvents(
        out,
        events,
        nextAfter === null ? undefined : `More events follow. Continue with --after ${nextAfter}, or use --limit all.`,
      ),
    );
  } else {
    const { events, nextBefore } = await newest(registry, {
      limit,
      before: before === undefined ? undefined : Number(before),
      filter,
    });
    out.result({ events, nextBefore, nextAfter: null }, () =>
      printEvents(
        out,
        events,
        nextBefore === null
          ? undefined
          : `There are earlier events. Continue with --before ${nextBefore}, or use --limit all.`,
      ),
    );
  }
  return EXIT.ok;
}

/** Events, oldest first, and the revision to continue after. */
async function oldest(
  registry: RegistryClient,
  limit: number,
  after: string | undefined,
  filter: EventsQuery,
): Promise<{ events: Event[]; nextAfter: number | null }> {
  const events: Event[] = [];
  let nextAfter: number | null = null;
  const ask = async (cursor: number | undefined, size: number) => {
    const page = await eventPage(registry, { ...filter, ...defined({ after: cursor }), limit: size });
    return { items: page.events, next: page.nextAfter };
  };
  for await (const { items, next } of pages(limit, after === undefined ? undefined : Number(after), ask)) {
    events.push(...items);
    nextAfter = next;
  }
  return { events, nextAfter };
}

function printEvents(out: Output, events: readonly Event[], more: string | undefined): void {
  out.table(events.map(row));
  if (events.length === 0) out.note('No matching events.');
  if (more !== undefined) out.note(more);
}

function row(event: Event): Cell[] {
  const { revision, at, type, actor, reason } = event;
  const what = [subjectOf(event), changeOf(event)].filter((part) => part !== '').join(': ');
  return [`${revision}`, at, ['bold', type], what, `by ${actor.label}`, reason];
}
