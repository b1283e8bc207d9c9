/** The audit: `listEvents`, `getAuditHead`, `verifyAudit`. Each change is one event, and each event has the hash of the one before. */
import type { Activation, Event, EventPage, Head, Revocation, Verification } from '../answers.ts';
import { hashOf } from '../canonical.ts';
import { checksOf, type Kit } from '../kit.ts';

/** The most pages to read: other callers may keep writing. */
const MAX_PAGES = 100;

/** Characters that other JSON writers escape, encode differently or compose. */
const BEYOND_ASCII = 'Checked: “é, e\u0301, 😀, \\, / and "\u2028';

/** All events after a revision, page by page. */
async function eventsAfter(kit: Kit, after: number, limit: number): Promise<Event[]> {
  const events: Event[] = [];
  let next: number | null = after;
  for (let pages = 0; next !== null && pages < MAX_PAGES; pages += 1) {
    const { body }: { body: EventPage } = await kit.ask<EventPage>(
      'listEvents',
      { query: { after: next, limit } },
      200,
    );
    if (body.events.length > limit) kit.same(body.events.length, limit, 'a page has at most `limit` entries');
    events.push(...body.events);
    next = body.nextAfter;
  }
  return events;
}

const listed = checksOf('listEvents', {
  'each change is one event with actor and reason, chained by hash': async (kit) => {
    const { world } = kit;
    const begun = await world.headAtStart();
    const version = await world.unusedVersion();
    await world.activate('1.0.0', version);
    await kit.ask('rollbackPack', { path: world.path(), body: world.rollbackBody() }, 201);
    await kit.ask<Revocation>('revokeVersion', { path: world.path({ version }), body: { reason: BEYOND_ASCII } }, 200);
    const events = await eventsAfter(kit, begun.revision, 50);
    kit.same(
      events.map(({ revision }) => revision),
      events.map((_, index) => begun.revision + 1 + index),
      'revisions have no gap',
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
      'hash is SHA-256 of RFC 8785 of the event without its hash',
    );
    const own = events
      .filter((event) => event.pack === world.pack && event.version === version)
      .map(({ type }) => type);
    kit.same(own, ['version-published', 'version-activated', 'version-revoked'], 'the events of one version, in order');
    kit.same(
      events.find((event) => event.type === 'version-revoked' && event.version === version)?.reason,
      BEYOND_ASCII,
      'the reason is the one of the request, character for character',
    );
    kit.ok(
      events.every(({ actor, reason }) => actor.keyId !== '' && reason.trim() !== ''),
      'each event has an actor and a reason',
    );
  },
  'filters select events and can be combined': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0');
    const { events } = (
      await kit.ask<EventPage>(
        'listEvents',
        { query: { pack: world.pack, type: 'version-activated', limit: 1000 } },
        200,
      )
    ).body;
    kit.ok(
      events.length >= 2 && events.every(({ pack, type }) => pack === world.pack && type === 'version-activated'),
      'pack and type select',
      events.map(({ pack, type }) => [pack, type]),
    );
    const last = events.at(-1);
    kit.same(
      (await kit.ask<EventPage>('listEvents', { query: { id: last?.id } }, 200)).body,
      { events: [last], nextAfter: null },
      'id selects one event',
    );
    const from = events.at(0)?.at ?? '';
    const since = (await kit.ask<EventPage>('listEvents', { query: { from, pack: world.pack, limit: 1000 } }, 200)).body
      .events;
    kit.ok(
      since.length > 0 && since.every(({ at }) => at >= from),
      'from selects events from that time on',
      since.map(({ at }) => at),
    );
    const until = (await kit.ask<EventPage>('listEvents', { query: { to: from, pack: world.pack, limit: 1000 } }, 200))
      .body.events;
    kit.ok(
      until.length > 0 && until.every(({ at }) => at <= from),
      'to selects events up to that time',
      until.map(({ at }) => at),
    );
    for (const query of [{ limit: 0 }, { limit: 1001 }, { after: -1 }, { type: 'no-such-type' }, { from: 'yesterday' }])
      await kit.refused('listEvents', { query }, 400, 'validation-failed');
  },
  'actor selects the events of one key': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    const another = await world.key('another actor', ['packs:activate']);
    const { revision } = (
      await kit.ask<Activation>(
        'activateVersion',
        { path: world.path(), body: world.activationBody('1.2.0'), key: another.secret },
        201,
      )
    ).body;
    const whole = (await kit.ask<EventPage>('listEvents', { query: { pack: world.pack, limit: 1000 } }, 200)).body
      .events;
    const actors = new Set(whole.map(({ actor }) => actor.keyId));
    kit.ok(actors.has(another.keyId) && actors.size > 1, 'two keys have events', [...actors]);
    for (const actor of actors) {
      const { events } = (
        await kit.ask<EventPage>('listEvents', { query: { actor, pack: world.pack, limit: 1000 } }, 200)
      ).body;
      kit.same(
        events,
        whole.filter((event) => event.actor.keyId === actor),
        `only the events of ${actor}`,
      );
    }
    kit.same(
      whole.filter(({ actor }) => actor.keyId === another.keyId).map(({ revision, actor }) => [revision, actor]),
      [[revision, { keyId: another.keyId, label: another.label }]],
      'the event of the second key',
    );
  },
  'the pages join to the whole list, without a gap or a repeat': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0');
    const query = { pack: world.pack, limit: 1000 };
    const whole = (await kit.ask<EventPage>('listEvents', { query }, 200)).body.events;
    const first = (await kit.ask<EventPage>('listEvents', { query: { ...query, limit: 3 } }, 200)).body;
    kit.same([first.events, first.nextAfter], [whole.slice(0, 3), whole[2]?.revision], 'the first page, and nextAfter');
    const rest = (await kit.ask<EventPage>('listEvents', { query: { ...query, after: first.nextAfter ?? 0 } }, 200))
      .body;
    kit.same(rest.events, whole.slice(3), 'the second page has the rest');
  },
});

const heads = checksOf('getAuditHead', {
  'it is the last event': async (kit) => {
    await kit.world.activate('1.0.0', '1.2.0');
    const { body, revision } = await kit.ask<Head>('getAuditHead', {}, 200);
    kit.ok(
      body.revision >= (await kit.world.activePack()).body.revision,
      'it is not older than the last write',
      body.revision,
    );
    kit.same(body.revision, revision, 'it is the Registry-Revision of the response');
    const { events } = (await kit.ask<EventPage>('listEvents', { query: { after: body.revision - 1, limit: 1 } }, 200))
      .body;
    kit.same(
      [events[0]?.revision, events[0]?.hash, events[0]?.at],
      [body.revision, body.hash, body.at],
      'revision, hash and time are those of the last event',
    );
  },
});

const proofs = checksOf('verifyAudit', {
  'it verifies the whole log up to the head': async (kit) => {
    await kit.world.ensureActive();
    const head = (await kit.ask<Head>('getAuditHead', {}, 200)).body;
    const { body } = await kit.ask<Verification>('verifyAudit', {}, 200);
    kit.same(body.valid, true, 'valid is true');
    kit.ok(
      body.head.revision >= head.revision && (body.head.revision > head.revision || body.head.hash === head.hash),
      'its head is that of getAuditHead, or a later one',
      [body.head, head],
    );
    kit.same(body.events, body.head.revision, 'every event was checked');
    await kit.world.activate('1.2.0', '1.10.0');
    const later = (await kit.ask<Verification>('verifyAudit', {}, 200)).body;
    kit.ok(
      later.head.revision > body.head.revision && later.events === later.head.revision,
      'a later request verifies the new events, too',
      [body.head, later],
    );
  },
});

export const auditChecks = [...listed, ...heads, ...proofs];
