/** The stream: `streamEvents`. First where the log is, then one message a revision, without a gap or a repeat, also when it is resumed. */
import type { Activation, EventPage } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Kit } from '../kit.ts';
import { Stream, type Message } from '../stream.ts';
import { Deviation } from '../asker.ts';

const STREAM = 'streamEvents';
/** At most so many messages are read: others may be writing all the time. */
const MOST = 2000;

/** Opens a stream, holds its head to the document, and closes it in the end. */
async function reading(
  kit: Kit,
  request: Request,
  read: (next: () => Promise<Message>) => Promise<void>,
): Promise<void> {
  const stream = await Stream.open(kit.connection, request);
  try {
    const { status, headers } = stream.response;
    if (status !== 200) throw new Deviation(`${STREAM}: ${status} instead of 200`, { status });
    const next = async () => {
      const message = await stream.next();
      const faults = kit.judge.faultsOf(STREAM, { status, headers, text: `${message.text}\n\n` });
      if (faults.length > 0)
        throw new Deviation(`${STREAM} ${status}: the stream is not as declared: ${faults.join('; ')}`, {
          message: message.text,
          faults,
        });
      return message;
    };
    await read(next);
  } finally {
    await stream.close();
  }
}

/** The first message says where the log is. */
async function begins(kit: Kit, next: () => Promise<Message>, event = 'revision'): Promise<Message> {
  const first = await next();
  kit.same(first.event, event, `the first message is "event: ${event}"`);
  kit.same([first.data.type, first.data.moves], [undefined, undefined], 'it stands for no event');
  return first;
}

/** Messages up to a revision, which must come. */
async function upTo(next: () => Promise<Message>, revision: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < MOST) {
    const message = await next();
    messages.push(message);
    if (message.data.revision >= revision) return messages;
  }
  throw new Deviation(`${STREAM}: revision ${revision} is not among ${MOST} messages`);
}

/** The revision that an id names; behind a restore it stands after the epoch. */
const revisionOf = ({ id }: Message) => Number(id.split(':').at(-1));

/** Makes three events of the pack. @returns the last one's answer, and the types of all */
async function three(kit: Kit): Promise<Activation & { readonly types: readonly string[] }> {
  const { world } = kit;
  const first = await world.goOn();
  const move = (to: string) =>
    kit.ask<Activation>('activateVersion', { path: world.path(), body: world.moveTo(to) }, 201);
  await move('1.10.0');
  return { ...(await move('1.0.0')).body, types: [first, 'version-activated', 'version-activated'] };
}

function complete(kit: Kit, messages: readonly Message[], after: number): void {
  kit.same(
    messages.map(({ data }) => data.revision),
    messages.map((_, index) => after + 1 + index),
    'one message a revision, without a gap or a repeat',
  );
  kit.same(
    messages
      .filter((message) => message.event !== message.data.type || revisionOf(message) !== message.data.revision)
      .map(({ text }) => text),
    [],
    'id is the revision, event is the type',
  );
}

export const eventChecks = checksOf(STREAM, {
  'first comes where the log is, then one message a revision': async (kit) => {
    const { world } = kit;
    await world.at('1.2.0');
    await reading(kit, {}, async (next) => {
      const first = await begins(kit, next);
      kit.same(revisionOf(first), first.data.revision, 'its id is the current revision');
      const last = await three(kit);
      const messages = await upTo(next, last.revision);
      complete(kit, messages, first.data.revision);
      const { channel, version, previousVersion, digest } = last;
      const moved = messages.at(-1);
      kit.same(
        [moved?.event, moved?.data.pack, moved?.data.moves],
        ['version-activated', world.pack, [{ channel, version, previousVersion, digest }]],
        'the message says which channel moved where',
      );
      const { events } = (
        await kit.ask<EventPage>('listEvents', { query: { after: last.revision - 1, limit: 1 } }, 200)
      ).body;
      kit.same(moved?.data.at, events[0]?.at, 'and when, as the log has it');
      kit.ok(
        !messages.some(({ text }) => text.includes('contract check') || text.includes(world.run)),
        'no prompt texts and no reasons',
      );
    });
  },
  'Last-Event-ID resumes without a gap or a repeat': async (kit) => {
    await kit.world.at('1.2.0');
    let after: Message | undefined;
    await reading(kit, {}, async (next) => {
      await begins(kit, next);
      const last = await three(kit);
      after = (await upTo(next, last.revision)).at(-2);
    });
    const last = await three(kit);
    if (after === undefined) throw new Deviation(`${STREAM}: too few messages to resume from`);
    const { id, data } = after;
    await reading(kit, { headers: { 'last-event-id': id } }, async (next) => {
      kit.same((await begins(kit, next)).id, id, 'its id is the one up to which the caller has everything');
      complete(kit, await upTo(next, last.revision), data.revision);
    });
  },
  'an id that the log does not know is answered with resync': async (kit) => {
    await kit.world.at('1.2.0');
    await reading(kit, { headers: { 'last-event-id': '900000000000000' } }, async (next) => {
      const first = await begins(kit, next, 'resync');
      kit.same(revisionOf(first), first.data.revision, 'its id is the current revision');
      const last = await three(kit);
      complete(kit, await upTo(next, last.revision), first.data.revision);
    });
    await kit.refused(STREAM, { headers: { 'last-event-id': 'yesterday' } }, 400, 'validation-failed');
  },
  'pack and channel choose': async (kit) => {
    const { world } = kit;
    await world.at('1.2.0');
    await reading(kit, { query: { pack: world.pack } }, async (next) => {
      await begins(kit, next);
      await world.key('somebody else', ['prompts:read']);
      const last = await three(kit);
      const messages = await upTo(next, last.revision);
      kit.same(
        messages.map(({ event, data }) => [event, data.pack]),
        last.types.map((type) => [type, world.pack]),
        'what is about the pack',
      );
    });
    let resumed: Message | undefined;
    await reading(kit, { query: { pack: world.pack } }, async (next) => {
      await begins(kit, next);
      resumed = (await upTo(next, (await three(kit)).revision)).at(0);
    });
    const other = await world.elsewhere();
    const { channel, revision } = (await world.activePack()).body;
    await reading(
      kit,
      { query: { pack: world.pack, channel }, headers: { 'last-event-id': resumed?.id ?? '' } },
      async (next) => {
        await begins(kit, next);
        if (other !== undefined)
          for (const version of ['1.2.0', '1.10.0'])
            await kit.ask(
              'activateVersion',
              { path: world.path(), body: { ...world.moveTo(version), channel: other } },
              200,
              201,
            );
        const last = await three(kit);
        const messages = await upTo(next, last.revision);
        kit.same(messages[0]?.data.revision, (resumed?.data.revision ?? NaN) + 1, 'it is resumed where it was left');
        kit.ok(
          messages.some(({ data }) => data.revision === revision),
          'what came meanwhile is made up for',
        );
        kit.ok(
          messages.every(
            ({ data }) => data.pack === world.pack && (data.moves ?? []).every((move) => move.channel === channel),
          ),
          `no moves but those of ${channel}`,
          messages.map(({ data }) => data.moves),
        );
      },
    );
    await kit.refused(STREAM, { query: { pack: `no-such-${world.run}` } }, 404, 'pack-not-found');
    await kit.refused(STREAM, { query: { channel: `no-such-${world.run}` } }, 404, 'channel-not-found');
  },
});
