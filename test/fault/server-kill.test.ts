/**
 * `kill -9` of the server during concurrent writes, again and again on one data folder (BARS B2; SPEC R3, R4, R8, R11).
 *
 * After each kill: every acknowledged write is in the log once, at its revision; the log has no gap and a valid chain; the snapshot on disk
 * leads to the same state as the whole log; the server starts again, agrees with the log, and resolves every earlier session. The control
 * is a server that acknowledges before it writes. To repeat a run: TEST_SEED=… node test/fault/server-kill.test.ts
 */
import { mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import type { ActivePack, Event, Session } from '../../registry/index.ts';
import { activation, batchAfter, EMPTY, firstBroken, newSeed, randomFrom } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { operatorKeyIn, spawnServer, startServer, type ServerProcess } from '../support/apps/server-process.ts';
import { leftBehind } from '../support/stores/left-behind.ts';
import { meaningOf, WriteLedger } from '../support/chaos/write-ledger.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
// In short form seven kills together.
const kills = { short: 5, faults: 50, soak: 200 }[length] ?? 5;
const killsAtFirstStart = { short: 2, faults: 20, soak: 60 }[length] ?? 2;
/** The most acknowledged writes before a kill. */
const MOST_WRITES = length === 'short' ? 30 : 80;
const WRITERS = 4;
const EARLY_ACK_SERVER = fileURLToPath(new URL('../support/apps/early-ack-server.ts', import.meta.url));

const seed = newSeed();
/** The revision after an undisturbed first start; the first test finds it. */
const clean = Promise.withResolvers<number>();

t.test(`${kills} kills under writes, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const dataDir = join(newFolder(t), 'data');
  const ledger = new WriteLedger(['1.0.0', '1.1.0', '2.0.0']);
  let server = await startServer(t, { DATA_DIR: dataDir });
  clean.resolve((await ready(server.address)).revision);
  let replayed = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const writes = await killUnderWrites(server, dataDir, ledger, random);
    const events = await checkLeftBehind(t, dataDir, kill, ledger);
    server = await startServer(t, { DATA_DIR: dataDir });
    await checkRestarted(t, server.address, operatorKeyIn(dataDir), kill, events, ledger.sessions);
    replayed += await repeatUnanswered(server.address, dataDir, ledger);
    t.pass(`kill ${kill}: ${writes} writes acknowledged, ${events.length} events, ${ledger.sessions.length} sessions`);
  }
  t.ok(
    ledger.acknowledged.length >= kills,
    `${ledger.acknowledged.length} writes acknowledged; ${replayed} that were not had taken effect, and were answered again`,
  );
  const { code } = await server.stop();
  t.equal(code, 0, 'and in the end it closes as ever');
});

t.test(`control: a server that acknowledges before it writes, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const ledger = new WriteLedger(['1.0.0', '1.1.0', '2.0.0']);
  const dataDir = join(newFolder(t), 'data');
  const server = await startServer(t, { DATA_DIR: dataDir }, { script: EARLY_ACK_SERVER });
  await killUnderWrites(server, dataDir, ledger, random);
  const { events } = await leftBehind(t, dataDir, 1);
  t.match(ledger.faultOf(events), /was acknowledged and is lost/u);
});

t.test('control: the check of a log finds what is wrong', async (t) => {
  const ledger = new WriteLedger([]);
  const reasons = Array.from({ length: 5 }, (_, index) => `Request ${index + 1}`);
  const logOf = (list: readonly string[]) =>
    batchAfter(
      EMPTY,
      list.map((reason) => activation({ reason })),
    ).events;
  const events = logOf(reasons);
  for (const { type, revision, reason, pack = '', channel = '', version = '', data } of events) {
    ledger.asked.add(reason);
    ledger.acknowledged.push({
      type,
      revision,
      reason,
      pack,
      channel,
      version,
      digest: 'digest' in data ? data.digest : '',
    });
  }
  t.equal(ledger.faultOf(events), undefined);
  t.match(ledger.faultOf(events.slice(0, -1)), /^revision 5 .* was acknowledged and is lost/u, 'a cut tail');
  t.match(ledger.faultOf(events.toSpliced(2, 1)), /^revision 4 follows on 2/u, 'a gap');
  t.match(
    ledger.faultOf(events.with(2, { ...events[2]!, version: '9.9.9' })),
    /^revision 3 is not what was hashed/u,
    'an edited event',
  );
  t.match(
    ledger.faultOf(logOf(reasons.toSpliced(1, 1))),
    /^revision 2 .* is lost/u,
    'another history, whole in itself',
  );
  t.match(ledger.faultOf(logOf(reasons.toSorted().reverse())), /^revision 1 .* is at 5/u, 'another order');
  t.match(
    ledger.faultOf(logOf([...reasons, 'Request 5'])),
    /"Request 5" is in the log twice|is at 6/u,
    'an effect twice',
  );
  t.match(ledger.faultOf(logOf([...reasons, 'Nobody'])), /^nobody asked for revision 6/u, 'an event without a request');
});

t.test(`${killsAtFirstStart} kills during the first start, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const dir = newFolder(t);
  const revision = await clean.promise;

  for (let kill = 1; kill <= killsAtFirstStart; kill += 1) {
    const dataDir = join(dir, `data-${kill}`);
    mkdirSync(dataDir);
    const server = spawnServer(t, { DATA_DIR: dataDir });
    const over = new AbortController();
    await Promise.race([
      writesToLog(dataDir, 1 + Math.floor(random() * 40), over.signal),
      server.said((line) => line.includes('Listening at')),
    ]);
    over.abort();
    await server.kill();

    const { events } = await leftBehind(t, dataDir, kill);
    t.ok(events.length === 0 || events.length === revision, `kill ${kill}: ${events.length} of ${revision} events`);
    t.equal(firstBroken(events), undefined);
    const again = await startServer(t, { DATA_DIR: dataDir });
    t.equal((await ready(again.address)).revision, revision, 'and the next start is as a clean first one');
    await again.kill();
  }
});

/** Resolves once the write-ahead log has grown this many times: the tables are a few writes, the first append thirty. */
function writesToLog(dataDir: string, wanted: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let writes = 0;
    watch(dataDir, { signal }, (_, name) => {
      if (name === 'registry.db-wal') writes += 1;
      if (writes >= wanted) resolve();
    });
  });
}

/** Repeats the requests that were under way at the kill, with the same Idempotency-Keys: the next check of the log finds one effect of each. */
async function repeatUnanswered(address: string, dataDir: string, ledger: WriteLedger): Promise<number> {
  const connection = new KeepAlive(address, operatorKeyIn(dataDir));
  const replayed = await ledger.repeat(connection);
  connection.close();
  return replayed;
}

/** Runs writers at a server and kills it in the middle. @returns the number of acknowledged writes */
async function killUnderWrites(
  server: ServerProcess & { address: string },
  dataDir: string,
  ledger: WriteLedger,
  random: () => number,
): Promise<number> {
  const before = ledger.acknowledged.length;
  const wanted = 1 + Math.floor(random() * MOST_WRITES);
  let enough: (value: unknown) => void = () => undefined;
  const reached = new Promise((resolve) => (enough = resolve));
  let killed = false;

  const connections = Array.from({ length: WRITERS + 1 }, () => new KeepAlive(server.address, operatorKeyIn(dataDir)));
  const [forSessions, ...forWrites] = connections;
  const writers = forWrites.map(async (connection) => {
    for (;;) {
      await ledger.write(connection, random);
      if (ledger.acknowledged.length - before >= wanted) enough(undefined);
    }
  });
  const starter = (async () => {
    for (let count = 0; count < 3; count += 1) {
      const answer = await forSessions!.one({ method: 'POST', path: '/v1/coach/sessions', body: {} });
      ledger.sessions.push(JSON.parse(answer.text) as Session);
      await ledger.write(forSessions!, random);
    }
  })();
  const endings = [...writers, starter].map((task) =>
    task.catch((error: unknown) => {
      enough(undefined);
      if (!killed) throw error;
    }),
  );
  const ended = Promise.all(endings);
  await Promise.race([reached, ended]);
  await setTimeout(random() * 10); // so that it dies anywhere in a write, not always at its end
  killed = true;
  await server.kill();
  await ended;
  for (const connection of connections) connection.close();
  return ledger.acknowledged.length - before;
}

/** Checks what a killed server left on disk. */
async function checkLeftBehind(t: Test, dataDir: string, kill: number, ledger: WriteLedger): Promise<Event[]> {
  const { events, lostContent, fromSnapshot, fromLog } = await leftBehind(t, dataDir, kill);
  t.equal(ledger.faultOf(events), undefined, `kill ${kill}: the log`);
  t.equal(lostContent, undefined, `kill ${kill}: the contents`);
  t.strictSame(fromSnapshot, fromLog, `kill ${kill}: the snapshot on disk leads to the same state as the whole log`);
  return events;
}

/** Checks that a server started after a kill agrees with the log. */
async function checkRestarted(
  t: Test,
  address: string,
  key: string,
  kill: number,
  events: readonly Event[],
  sessions: readonly Session[],
): Promise<void> {
  const { revision, pointers, versions } = meaningOf(events);
  t.equal((await ready(address)).revision, revision, `kill ${kill}: the restart adds nothing`);
  for (const [channelName, pointer] of pointers) {
    const [pack = '', channel = ''] = channelName.split(' ');
    const active = (await get(address, key, `/v1/packs/${pack}/active?channel=${channel}`)) as ActivePack;
    t.strictSame({ version: active.version, revision: active.revision }, pointer, `kill ${kill}: ${channelName}`);
  }
  for (const [pack, known] of versions) {
    t.strictSame(new Set(await versionsOf(address, key, pack)), known, `kill ${kill}: the versions of ${pack}`);
  }
  const revoked = new Set(events.flatMap((event) => (event.type === 'version-revoked' ? [event.version] : [])));
  for (const { superseded: _, ...session } of sessions) {
    const { superseded: __, ...read } = (await get(address, key, `/v1/coach/sessions/${session.sessionId}`)) as Session;
    if (revoked.has(session.promptPack.version)) {
      if (read.movedFrom?.version !== session.promptPack.version || read.promptPack.version !== '1.1.0')
        t.strictSame(read, session, `kill ${kill}: a session whose version was revoked`);
    } else if (!isDeepStrictEqual(read, session)) t.strictSame(read, session, `kill ${kill}: a session from before`);
  }
}

async function ready(address: string): Promise<{ revision: number }> {
  return (await get(address, '', '/readyz')) as { revision: number };
}

async function versionsOf(address: string, key: string, pack: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '';
  do {
    const page = (await get(address, key, `/v1/packs/${pack}/versions?limit=1000${cursor}`)) as {
      versions: { version: string }[];
      nextCursor: string | null;
    };
    found.push(...page.versions.map(({ version }) => version));
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  return found;
}

async function get(address: string, key: string, path: string): Promise<unknown> {
  const answer = await fetch(address + path, { headers: { authorization: `Bearer ${key}` } });
  const body: unknown = await answer.json();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(body)}`);
  return body;
}
