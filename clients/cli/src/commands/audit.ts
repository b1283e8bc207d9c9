/** `audit`: who did what, when and why, and whether the log is the one that was written. */
import type { Command } from 'commander';
import type { RegistryClient } from '@prompt-registry/client';
import type { Act, Context } from '../context.ts';
import { defined } from '../defined.ts';
import { eventPage, newest, type Event, type EventsQuery } from '../events.ts';
import { EXIT, wrongUsage } from '../exit.ts';
import { safe, type Cell, type Output } from '../output.ts';
import { pages } from '../pages.ts';
import { having } from '../shape.ts';
import { heads, limit as most, name, revision as place, timeBack, type Head } from '../values.ts';

interface VerifyOptions {
  readonly head: readonly Head[];
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

/** What is wrong with a head that was kept outside. */
interface MissingHead extends Head {
  readonly detail: string;
}

/** Milliseconds that a check of a long log may take; the service's own limit. */
const VERIFY_TIMEOUT = 600_000;

export function addAudit(program: Command, act: Act): void {
  const audit = program.command('audit').description('the log: read it, keep its head, check it');

  audit
    .command('verify')
    .description('check every event and every content of the log')
    .option(
      '--head <revision:hash>',
      'a head that was kept outside, and must be in the log; may be repeated',
      heads,
      [],
    )
    .action(act<VerifyOptions>(verify));

  audit
    .command('head')
    .description('the place to keep outside: a log that was cut or rewritten as a whole is found only against it')
    .action(
      act(async (context) => {
        const registry = await context.registry();
        const { data } = await registry
          .ask((api) => api.GET('/v1/audit/head'))
          .then(having({ revision: 'number', hash: 'string' }));
        context.out.answer(data, () => context.out.say(`${data.revision}:${data.hash}`));
        return EXIT.ok;
      }),
    );

  audit
    .command('log')
    .description('what happened, the newest first')
    .option('--limit <n>', 'the most to show, or "all"', most, 100)
    .option('--oldest-first', 'from the beginning of the log')
    .option('--before <revision>', 'only earlier ones', place)
    .option('--after <revision>', 'only later ones, the oldest first', place)
    .option('--pack <name>', 'only about this pack', name)
    .option('--channel <name>', 'only about this channel', name)
    .option('--actor <keyId>', 'only by this key; system is the registry itself')
    .option('--type <type>', 'only of this type, e.g. version-activated')
    .option('--id <id>', 'only this event')
    .option('--from <time>', 'not earlier: 2026-01-31, or how long ago, e.g. 12h', timeBack)
    .option('--to <time>', 'not later, said in the same way', timeBack)
    .action(act<LogOptions>(log));
}

async function verify(context: Context, { head: kept }: VerifyOptions) {
  const { out } = context;
  const registry = await context.registry({ timeout: VERIFY_TIMEOUT });
  if (context.io.stderr.isTTY === true) out.note('Checking; a long log takes a while.');
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/verification'))
    .then(having({ valid: 'boolean', events: 'number', head: 'object' }));
  const missing: MissingHead[] = [];
  for (const head of kept) {
    const detail = await whyMissing(registry, head, data.head);
    if (detail !== undefined) missing.push({ ...head, detail });
  }
  const valid = data.valid && missing.length === 0;
  out.answer({ ...data, valid, ...(kept.length > 0 && { headsChecked: kept.length, headsMissing: missing }) }, () => {
    const shownHead = `${data.head.revision}:${data.head.hash}`;
    if (valid)
      out.say(
        `Whole: ${data.events} events; the head is ${shownHead}${kept.length > 0 ? `; ${kept.length === 1 ? 'the head' : `${kept.length} heads`} kept outside ${kept.length === 1 ? 'is' : 'are'} in it` : ''}.`,
      );
    else if (!data.valid) out.line(out.paint('red', safe(`BROKEN at revision ${data.firstBroken?.revision ?? '?'}.`)));
    if (data.firstBroken !== undefined) out.say(`${data.firstBroken.detail} Whole up to ${shownHead}.`);
    for (const { revision, hash, detail } of missing) out.say(`NOT THE SAME LOG: ${revision}:${hash} ${detail}`);
  });
  return valid ? EXIT.ok : EXIT.invalid;
}

/** Why a head that was kept is not in the log; undefined where it is. */
async function whyMissing(registry: RegistryClient, { revision, hash }: Head, last: Head): Promise<string | undefined> {
  if (revision > last.revision) return `is not in it: it ends at revision ${last.revision}.`;
  if (revision === last.revision)
    return hash === last.hash ? undefined : `is not in it: the event at that revision has the hash ${last.hash}.`;
  const { data } = await registry
    .ask((api) => api.GET('/v1/audit/events', { params: { query: { after: revision - 1, limit: 1 } } }))
    .then(having({ events: 'list' }));
  const [event] = data.events;
  if (event?.revision === revision && event.hash === hash) return undefined;
  return event?.revision === revision
    ? `is not in it: the event at that revision has the hash ${event.hash}.`
    : 'is not in it: there is no event at that revision.';
}

async function log(context: Context, { limit, oldestFirst = false, before, after, ...conditions }: LogOptions) {
  const { out } = context;
  const forward = oldestFirst || after !== undefined;
  if (forward && before !== undefined)
    throw wrongUsage(
      '--before goes back from the newest event; --after and --oldest-first go on from the oldest.',
      'Leave one of them out.',
    );
  const registry = await context.registry();
  const filter: EventsQuery = defined(conditions);
  if (forward) {
    const { events, nextAfter } = await oldest(registry, limit, after, filter);
    out.answer({ events, nextAfter }, () =>
      tellEvents(
        out,
        events,
        nextAfter === null ? undefined : `There are later ones; --after ${nextAfter} goes on, --limit all shows them.`,
      ),
    );
  } else {
    const { events, nextBefore } = await newest(registry, {
      limit,
      before: before === undefined ? undefined : Number(before),
      filter,
    });
    out.answer({ events, nextBefore, nextAfter: null }, () =>
      tellEvents(
        out,
        events,
        nextBefore === null
          ? undefined
          : `There are earlier ones; --before ${nextBefore} goes on, --limit all shows them.`,
      ),
    );
  }
  return EXIT.ok;
}

/** Events, the oldest first, and where the next ones begin. */
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

function tellEvents(out: Output, events: readonly Event[], more: string | undefined): void {
  out.table(events.map(row));
  if (events.length === 0) out.note('There is no such event.');
  if (more !== undefined) out.note(more);
}

function row({ revision, at, type, pack, version, channel, actor, reason }: Event): Cell[] {
  const what = [pack, version, channel === undefined ? undefined : `in ${channel}`]
    .filter((part) => part !== undefined)
    .join(' ');
  return [`${revision}`, at, ['bold', type], what, `by ${actor.label}`, reason];
}
