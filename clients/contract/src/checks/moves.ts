/** What activating and rolling back have in common: `If-Match`, dry runs, `Prefer: wait` (RFC 7240), and where the channel is afterwards. */
import type { Activation, Diff, EventPage, Preview } from '../answers.ts';
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';

export const ACTIVATE = 'activateVersion';
export const ROLL_BACK = 'rollbackPack';

/** A move with a stale `If-Match` is refused and changes nothing; with the current ETag or revision it moves the channel. */
export async function honoursIfMatch(
  kit: Kit,
  operation: string,
  body: (world: Kit['world']) => object,
): Promise<void> {
  const { world } = kit;
  await world.activate('1.0.0', '1.2.0', '2.0.0');
  const before = await world.activePack();
  const { revision } = before.body;
  const move = (ifMatch: string) => ({ path: world.path(), body: body(world), headers: { 'if-match': ifMatch } });
  for (const stale of [`"${revision - 1}"`, `W/${before.etag}`, '"no-such-tag"']) {
    const { currentRevision } = await kit.refused(operation, move(stale), 412, 'revision-conflict');
    kit.same(
      currentRevision,
      revision,
      `If-Match: ${stale} does not match, and currentRevision is the revision of the channel`,
    );
  }
  kit.same((await world.activePack()).etag, before.etag, 'the refused requests moved nothing');
  await kit.ask<Activation>(operation, move(before.etag), 201);
  const then = await world.activePack();
  kit.ok(then.body.revision > revision, 'with the current ETag it moves');
  await world.activate('2.0.0');
  const { body: last } = await world.activePack();
  await kit.ask<Activation>(operation, move(`"${last.revision}"`), 201);
}

/** The response to a move is right, and the channel is where it says. */
export async function movedTo(
  kit: Kit,
  activation: Activation,
  from: string | null,
  to: string,
  kind: string,
): Promise<void> {
  const active = await kit.world.activePack();
  const { version, previousVersion, changed, pack, digest, revision } = activation;
  kit.same(
    [pack, version, previousVersion, changed, activation.kind],
    [kit.world.pack, to, from, true, kind],
    'pack, version, previousVersion, changed, kind',
  );
  kit.same(
    [active.body.version, active.body.digest, active.body.revision, active.body.reason],
    [to, digest, revision, activation.reason],
    'getActivePack shows that version, digest, revision and reason',
  );
}

/** The action adds no event of the pack to the log. */
export async function withoutEvent<T>(kit: Kit, act: () => Promise<T>): Promise<T> {
  const { seen } = kit.connection;
  const done = await act();
  const query = { pack: kit.world.pack, after: seen, limit: 1 };
  const { events } = (await kit.ask<EventPage>('listEvents', { query }, 200)).body;
  kit.same(events, [], 'no event was added to the log');
  return done;
}

/** The diff of a preview is that of diffVersions. */
export async function previewsDiff(kit: Kit, { diff }: Pick<Preview, 'diff'>, from: string, to: string): Promise<void> {
  const { body } = await kit.ask<Diff>(
    'diffVersions',
    { path: kit.world.path({ version: to }), query: { against: from } },
    200,
  );
  kit.same(diff, body.assets, 'diff is what diffVersions answers');
}

export async function moveWaits(kit: Kit, operation: string, body: object): Promise<void> {
  await kit.world.activate('1.0.0', '1.2.0', '2.0.0');
  await waitsForInstances(kit, operation, { path: kit.world.path(), body }, 201);
}

/** Sends `Prefer: wait`. @param done the status if no instance is pending; 202 if one is */
export async function waitsForInstances(kit: Kit, operation: string, request: Request, done: number): Promise<void> {
  const { status, headers, body } = await kit.ask<Pick<Activation, 'instances'>>(
    operation,
    { ...request, headers: { prefer: 'wait=2' } },
    done,
    202,
  );
  kit.same(headers.get('preference-applied'), 'wait', 'Preference-Applied is wait');
  const { applied = [], pending = [], pinned = [] } = body.instances ?? {};
  kit.same(pending.length > 0, status === 202, `the status is 202 if an instance is pending, otherwise ${done}`);
  kit.ok(
    applied.length + pending.length + pinned.length > 0,
    'instances lists at least the instance that answers',
    body.instances,
  );
}
