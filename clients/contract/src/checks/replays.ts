/**
 * `Idempotency-Key`: a request repeated with its key has one effect and the same answer; another request with the key is refused. Of every
 * operation whose parameters name the header, so that a new one is checked as soon as there is a request of it that makes an event.
 */
import type { EventPage } from '../answers.ts';
import type { Request } from '../connection.ts';
import type { Operation } from '../document.ts';
import { documentOf } from '../documents.ts';
import type { Check, Kit } from '../kit.ts';
import type { World } from '../world.ts';

/** A request that makes an event, and one to the same operation that is another. */
type Make = (world: World) => Promise<readonly [Request, Request]>;

const REQUESTS: Readonly<Record<string, Make>> = {
  publishVersion: async (world) => {
    const of = (version: string): Request => ({ path: world.path(), body: documentOf(world.pack, version) });
    return [of(world.freshVersion()), of(world.freshVersion())];
  },
  activateVersion: async (world) => {
    await world.at('1.0.0');
    return [
      { path: world.path(), body: world.moveTo('1.2.0') },
      { path: world.path(), body: world.moveTo('1.10.0') },
    ];
  },
  rollbackPack: async (world) => {
    await world.at('1.0.0', '1.2.0', '2.0.0');
    return [
      { path: world.path(), body: world.back() },
      { path: world.path(), body: world.back({ toVersion: '1.0.0' }) },
    ];
  },
  revokeVersion: async (world) => {
    const path = world.path({ version: await world.fresh() });
    return [
      { path, body: { reason: 'Checked' } },
      { path, body: { reason: 'Checked otherwise' } },
    ];
  },
  createKey: async (world) => {
    const of = (): Request => ({ body: { label: world.label('replayed'), scopes: ['prompts:read'] } });
    return [of(), of()];
  },
  revokeKey: async (world) => {
    const { keyId } = await world.key('to be revoked once', ['prompts:read']);
    return [
      { path: { keyId }, body: { reason: 'Checked' } },
      { path: { keyId }, body: { reason: 'Checked otherwise' } },
    ];
  },
};

/** Whether an operation takes a header. */
const takes = ({ parameters = [] }: Operation, header: string) =>
  parameters.some(({ in: where, name }) => where === 'header' && name.toLowerCase() === header);

async function replayed(kit: Kit, declared: Operation): Promise<void> {
  const { operationId: operation, scope } = declared;
  const make = REQUESTS[operation];
  if (make === undefined) throw new Error(`this suite has no request to repeat for ${operation} yet`);
  const { world } = kit;
  const [plain, another] = await make(world);
  const ofPack = plain.path?.['pack'] !== undefined;
  const request = takes(declared, 'if-match')
    ? { ...plain, headers: { 'if-match': (await world.activePack()).etag } }
    : plain;
  const key = `${kit.world.run}-${operation}-${kit.world.next()}`;
  const with_ = (value: string, of: Request): Request => ({
    ...of,
    headers: { ...of.headers, 'idempotency-key': value },
  });

  const first = await kit.ask<object>(operation, with_(key, request), 200, 201);
  kit.same(first.headers.get('idempotency-replayed'), null, 'the first answer is no replay');
  if (ofPack) await world.at('2.0.0'); // it is the answer of then, whatever has come since: with the If-Match of then, too
  const meanwhile = ofPack ? (await world.activePack()).etag : undefined;
  const second = await kit.ask<object>(operation, with_(`"${key}"`, request), 200, 201);
  kit.same(
    second.headers.get('idempotency-replayed'),
    'true',
    'Idempotency-Replayed says that the second is one (quoted and bare are the same key)',
  );
  kit.same(second.status, first.status, 'the same status');
  const { secret: _, ...told } = first.body as Record<string, unknown>;
  kit.same(second.body, told, operation === 'createKey' ? 'the same body, without the secret' : 'the same body');
  kit.same(second.headers.get('location'), first.headers.get('location'), 'the same Location');

  if (meanwhile !== undefined)
    kit.same((await world.activePack()).etag, meanwhile, 'what was done since is not undone');

  const { code, status } = await kit.refused(operation, with_(key, another), 422, 'idempotency-mismatch');
  kit.same([code, status], ['idempotency-mismatch', 422], 'the key with another request is refused');
  const { body } = await kit.ask<EventPage>('listEvents', { query: { after: first.revision - 1, limit: 1000 } }, 200);
  const made = body.events.filter(({ data }) => (data['idempotency'] as { key?: unknown } | undefined)?.key === key);
  kit.same(made.length, 1, 'both requests made one event');

  const own = await kit.ask(
    operation,
    { ...with_(key, another), key: await world.caller(scope ?? 'prompts:read') },
    200,
    201,
  );
  kit.same(
    own.headers.get('idempotency-replayed'),
    null,
    'under another API key it is another key: nobody is given the answer of somebody else',
  );
}

/** The check of an operation that takes the header; none where it takes none. */
export function replayChecks(operation: Operation): Check[] {
  if (!takes(operation, 'idempotency-key')) return [];
  return [
    {
      operation: operation.operationId,
      says: 'a request repeated with its Idempotency-Key has one effect and the same answer',
      run: (kit) => replayed(kit, operation),
    },
  ];
}
