/** The audit: `listEvents`, `getAuditHead`, `verifyAudit`. Each change is one event, and each event names the one before it by its hash. */
import type { Activation, Event, EventPage, Head, Revocation, Verification } from '../answers.ts';
import { hashOf } from '../canonical.ts';
import { checksOf, type Kit } from '../kit.ts';

/** At most so many pages are read: others may be writing all the time. */
const PAGES = 100;

/** What other ways to write JSON write otherwise: escaped, in other bytes, or composed. */
const BEYOND_ASCII = 'Checked: “é, e\u0301, 😀, \\, / and "\u2028';

/** Everything behind a revision, page by page. */
async function eventsAfter(kit: Kit, after: number, limit: number): Promise<Event[]> {
  const events: Event[] = [];
  let next: number | null = after;
  for (let pages = 0; next !== null && pages < PAGES; pages += 1) {
    const { body }: { body: EventPage } = await kit.ask<EventPage>(
      'listEvents',
      { query: { after: next, limit } },
      200,
    );
    if (body.events.length > limit) kit.same(body.events.length, limit, 'a page has at most its limit');
    events.push(...body.events);
    next = body.nextAfter;
  }
  return events;
}

const listed = checksOf('listEvents', {
  'each change is one event, with actor and reason, chained by hash': async (kit) => {
    const { world } = kit;
    const begun = await world.begun();
    const version = await world.fresh();
    await world.at('1.0.0', version);
    await kit.ask('rollbackPack', { path: world.path(), body: world.back() }, 201);
    await kit.ask<Revocation>('revokeVersion', { path: world.path({ version }), body: { reason: BEYOND_ASCII } }, 200);
    const events = await eventsAfter(kit, begun.revision, 50);
    kit.same(
      events.map(({ revision }) => revision),
      events.map((_, index) => begun.revision + 1 + index),
      'revisions follow each other without a gap',
    );
    kit.same(
      events
        .filter((event, index) => event.previousHash !== (index === 0 ? begun.hash : events[index - 1]?.hash))
        .map(({ revision }) => revision),
      [],
      'previousHash is the hash of the event before',
    );
    kit.same(
      events.filter(({ hash, ...hashed }) => hashOf(hashed) !== hash).map(({ revision }) => revision),
      [],
      'hash is SHA-256 of RFC 8785 of the event as listed, without hash',
    );
    const own = events
      .filter((event) => event.pack === world.pack && event.version === version)
      .map(({ type }) => type);
    kit.same(
      own,
      ['version-published', 'version-activated', 'version-revoked'],
      'what was done to a version, in order',
    );
    kit.same(
      events.find((event) => event.type === 'version-revoked' && event.version === version)?.reason,
      BEYOND_ASCII,
      'a reason is kept as it was given',
    );
    kit.ok(
      events.every(({ actor, reason }) => actor.keyId !== '' && reason.trim() !== ''),
      'each has an actor and a reason',
    );
  },
  'conditions choose, and hold together': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0');
    const { events } = (
      await kit.ask<EventPage>(
        'listEvents',
        { query: { pack: world.pack, type: 'version-activated', limit: 1000 } },
        200,
      )
    ).body;
    kit.ok(
      events.length >= 2 && events.every(({ pack, type }) => pack === world.pack && type === 'version-activated'),
      'pack and type',
      events.map(({ pack, type }) => [pack, type]),
    );
    const last = events.at(-1);
    kit.same(
      (await kit.ask<EventPage>('listEvents', { query: { id: last?.id } }, 200)).body,
      { events: [last], nextAfter: null },
      'id finds one event',
    );
    const from = events.at(0)?.at ?? '';
    const since = (await kit.ask<EventPage>('listEvents', { query: { from, pack: world.pack, limit: 1000 } }, 200)).body
      .events;
    kit.ok(
      since.length > 0 && since.every(({ at }) => at >= from),
      'from',
      since.map(({ at }) => at),
    );
    const until = (await kit.ask<EventPage>('listEvents', { query: { to: from, pack: world.pack, limit: 1000 } }, 200))
      .body.events;
    kit.ok(
      until.length > 0 && until.every(({ at }) => at <= from),
      'to',
      until.map(({ at }) => at),
    );
    for (const query of [{ limit: 0 }, { limit: 1001 }, { after: -1 }, { type: 'no-such-type' }, { from: 'yesterday' }])
      await kit.refused('listEvents', { query }, 400, 'validation-failed');
  },
  'actor chooses what one key did': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    const another = await world.key('another actor', ['packs:activate']);
    const { revision } = (
      await kit.ask<Activation>(
        'activateVersion',
        { path: world.path(), body: world.moveTo('1.2.0'), key: another.secret },
        201,
      )
    ).body;
    const whole = (await kit.ask<EventPage>('listEvents', { query: { pack: world.pack, limit: 1000 } }, 200)).body
      .events;
    const actors = new Set(whole.map(({ actor }) => actor.keyId));
    kit.ok(actors.has(another.keyId) && actors.size > 1, 'two keys did something', [...actors]);
    for (const actor of actors) {
      const { events } = (
        await kit.ask<EventPage>('listEvents', { query: { actor, pack: world.pack, limit: 1000 } }, 200)
      ).body;
      kit.same(
        events,
        whole.filter((event) => event.actor.keyId === actor),
        `the events of ${actor}, and no others`,
      );
    }
    kit.same(
      whole.filter(({ actor }) => actor.keyId === another.keyId).map(({ revision, actor }) => [revision, actor]),
      [[revision, { keyId: another.keyId, label: another.label }]],
      'the one that the other key made',
    );
  },
  'pages join to the whole list, without a gap or a repeat': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0');
    const query = { pack: world.pack, limit: 1000 };
    const whole = (await kit.ask<EventPage>('listEvents', { query }, 200)).body.events;
    const first = (await kit.ask<EventPage>('listEvents', { query: { ...query, limit: 3 } }, 200)).body;
    kit.same(
      [first.events, first.nextAfter],
      [whole.slice(0, 3), whole[2]?.revision],
      'the first page, and where the next one begins',
    );
    const rest = (await kit.ask<EventPage>('listEvents', { query: { ...query, after: first.nextAfter ?? 0 } }, 200))
      .body;
    kit.same(rest.events, whole.slice(3), 'the rest');
  },
});

const heads = checksOf('getAuditHead', {
  'it is the last event': async (kit) => {
    await kit.world.at('1.0.0', '1.2.0');
    const { body, revision } = await kit.ask<Head>('getAuditHead', {}, 200);
    kit.ok(
      body.revision >= (await kit.world.activePack()).body.revision,
      'it is not before what was written',
      body.revision,
    );
    kit.same(body.revision, revision, 'it is the revision of the answer');
    const { events } = (await kit.ask<EventPage>('listEvents', { query: { after: body.revision - 1, limit: 1 } }, 200))
      .body;
    kit.same(
      [events[0]?.revision, events[0]?.hash, events[0]?.at],
      [body.revision, body.hash, body.at],
      'revision, hash and time of that event',
    );
  },
});

const proofs = checksOf('verifyAudit', {
  'the log is found whole, up to its head': async (kit) => {
    await kit.world.active();
    const head = (await kit.ask<Head>('getAuditHead', {}, 200)).body;
    const { body } = await kit.ask<Verification>('verifyAudit', {}, 200);
    kit.same(body.valid, true, 'it is valid');
    kit.ok(
      body.head.revision >= head.revision && (body.head.revision > head.revision || body.head.hash === head.hash),
      'its head is the one that getAuditHead shows, or a later one',
      [body.head, head],
    );
    kit.same(body.events, body.head.revision, 'every event was found whole');
    await kit.world.at('1.2.0', '1.10.0');
    const then = (await kit.ask<Verification>('verifyAudit', {}, 200)).body;
    kit.ok(
      then.head.revision > body.head.revision && then.events === then.head.revision,
      'it is looked at anew each time',
      [body.head, then],
    );
  },
});

export const auditChecks = [...listed, ...heads, ...proofs];
