/** `streamEvents`: first the current revision, then one message per revision, without a gap or a repeat, also after resuming. */
import type { Activation, EventPage } from '../answers.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Kit } from '../kit.ts';
import { Stream, type Message } from '../stream.ts';
import { Deviation } from '../asker.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';

const STREAM = 'streamEvents';
/** The most messages to read: other callers may keep writing. */
const MAX_MESSAGES = 2000;

/** Opens a stream, checks each message against the document, and closes the stream at the end. */
export async function reading(
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
        throw new Deviation(`${STREAM} ${status}: the stream does not match the document: ${faults.join('; ')}`, {
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

/** The first message has the current revision. */
export async function begins(kit: Kit, next: () => Promise<Message>, event = 'revision'): Promise<Message> {
  const first = await next();
  kit.same(first.event, event, `the first message has "event: ${event}"`);
  kit.same([first.data.type, first.data.moves], [undefined, undefined], 'the first message has no type and no moves');
  return first;
}

/** Reads messages up to a revision. @throws Deviation if it does not come */
export async function upTo(next: () => Promise<Message>, revision: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < MAX_MESSAGES) {
    const message = await next();
    messages.push(message);
    if (message.data.revision >= revision) return messages;
  }
  throw new Deviation(`${STREAM}: revision ${revision} did not come in ${MAX_MESSAGES} messages`);
}

/** The revision in an id; after a restore, the id has the epoch before it. */
const revisionOf = ({ id }: Message) => Number(id.split(':').at(-1));

/** Adds three events of the pack to the log. @returns the response to the last one, and the types of all */
async function addThreeEvents(kit: Kit): Promise<Activation & { readonly types: readonly string[] }> {
  const { world } = kit;
  const first = await world.appendEvent();
  const move = (to: string) =>
    kit.ask<Activation>('activateVersion', { path: world.path(), body: world.activationBody(to) }, 201);
  await move('1.10.0');
  return { ...(await move('1.0.0')).body, types: [first, 'version-activated', 'version-activated'] };
}

/** One message per revision after the given one. */
function isComplete(kit: Kit, messages: readonly Message[], after: number): void {
  kit.same(
    messages.map(({ data }) => data.revision),
    messages.map((_, index) => after + 1 + index),
    'one message per revision, without a gap or a repeat',
  );
  kit.same(
    messages
      .filter((message) => message.event !== message.data.type || revisionOf(message) !== message.data.revision)
      .map(({ text }) => text),
    [],
    'id is the revision, and event is the type',
  );
}

export const eventChecks = checksOf(STREAM, {
  'it begins with the current revision, then sends one message per revision': async (kit) => {
    const { world } = kit;
    await world.activate('1.2.0');
    await reading(kit, {}, async (next) => {
      const first = await begins(kit, next);
      kit.same(revisionOf(first), first.data.revision, 'its id is the current revision');
      const last = await addThreeEvents(kit);
      const messages = await upTo(next, last.revision);
      isComplete(kit, messages, first.data.revision);
      const { channel, version, previousVersion, digest } = last;
      const moved = messages.at(-1);
      kit.same(
        [moved?.event, moved?.data.pack, moved?.data.moves],
        ['version-activated', world.pack, [{ channel, version, previousVersion, digest }]],
        'the message says which channel moved, and to which version',
      );
      const { events } = (
        await kit.ask<EventPage>('listEvents', { query: { after: last.revision - 1, limit: 1 } }, 200)
      ).body;
      kit.same(moved?.data.at, events[0]?.at, 'the time is that of the event in the log');
      kit.ok(
        !messages.some(({ text }) => text.includes('contract check') || text.includes(world.runId)),
        'messages have no prompt texts and no reasons',
      );
    });
  },
  'Last-Event-ID resumes without a gap or a repeat': async (kit) => {
    await kit.world.activate('1.2.0');
    let after: Message | undefined;
    await reading(kit, {}, async (next) => {
      await begins(kit, next);
      const last = await addThreeEvents(kit);
      after = (await upTo(next, last.revision)).at(-2);
    });
    const last = await addThreeEvents(kit);
    if (after === undefined) throw new Deviation(`${STREAM}: too few messages came to resume from`);
    const { id, data } = after;
    await reading(kit, { headers: { 'last-event-id': id } }, async (next) => {
      kit.same((await begins(kit, next)).id, id, 'the first message repeats the Last-Event-ID');
      isComplete(kit, await upTo(next, last.revision), data.revision);
    });
  },
  'an unknown Last-Event-ID answers with resync': async (kit) => {
    await kit.world.activate('1.2.0');
    await reading(kit, { headers: { 'last-event-id': '900000000000000' } }, async (next) => {
      const first = await begins(kit, next, 'resync');
      kit.same(revisionOf(first), first.data.revision, 'its id is the current revision');
      const last = await addThreeEvents(kit);
      isComplete(kit, await upTo(next, last.revision), first.data.revision);
    });
    await kit.refused(STREAM, { headers: { 'last-event-id': 'yesterday' } }, 400, 'validation-failed');
  },
  'pack and channel select messages': async (kit) => {
    const { world } = kit;
    await world.activate('1.2.0');
    await reading(kit, { query: { pack: world.pack } }, async (next) => {
      await begins(kit, next);
      await world.key('somebody else', ['prompts:read']);
      const last = await addThreeEvents(kit);
      const messages = await upTo(next, last.revision);
      kit.same(
        messages.map(({ event, data }) => [event, data.pack]),
        last.types.map((type) => [type, world.pack]),
        'only the messages of the pack',
      );
    });
    let resumed: Message | undefined;
    await reading(kit, { query: { pack: world.pack } }, async (next) => {
      await begins(kit, next);
      resumed = (await upTo(next, (await addThreeEvents(kit)).revision)).at(0);
    });
    const other = await world.otherChannel();
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
              { path: world.path(), body: { ...world.activationBody(version), channel: other } },
              200,
              201,
            );
        const last = await addThreeEvents(kit);
        const messages = await upTo(next, last.revision);
        kit.same(
          messages[0]?.data.revision,
          (resumed?.data.revision ?? NaN) + 1,
          'it resumes after the last message that was read',
        );
        kit.ok(
          messages.some(({ data }) => data.revision === revision),
          'it has the messages that were missed meanwhile',
        );
        kit.ok(
          messages.every(
            ({ data }) => data.pack === world.pack && (data.moves ?? []).every((move) => move.channel === channel),
          ),
          `only moves of ${channel}`,
          messages.map(({ data }) => data.moves),
        );
      },
    );
    await refusesUnknownPack(kit, STREAM, (pack) => ({ query: { pack } }));
    await refusesUnknownChannel(kit, STREAM, (channel) => ({ query: { channel } }));
  },
});
