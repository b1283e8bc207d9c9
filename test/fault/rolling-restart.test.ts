/**
 * A rolling restart loses no read (BARS B7): three instances behind a load balancer are stopped by SIGTERM and started again in turn, while
 * clients read through the balancer over keep-alive connections.
 *
 * Each instance gives its lease back and ends its streams cleanly. The control is an instance that is killed without notice (SIGKILL): the same
 * reads must then fail.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { agreed } from '../support/apps/agreement.ts';
import { Balancer } from '../support/http/balancer.ts';
import { EventStream } from '../support/http/event-stream.ts';
import { startInstances, until, type TestInstance, type TestInstances } from '../support/apps/instances.ts';
import type { Answer, Ask } from '../support/http/keep-alive.ts';

const rounds = { short: 1, faults: 5, soak: 50 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 1;
const READERS = 6;

t.test(`${rounds} rolling restarts under reads`, async (t) => {
  const cluster = await startInstances(t, { count: 3, settings: { LOG_LEVEL: 'error' } });
  const { instances } = cluster;
  await agreed(instances);
  const balancer = new Balancer(t, instances, cluster.key);
  await balancer.allIn();
  const load = new Load(balancer);
  const reading = load.read();
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, instance] of instances.entries()) {
      await load.goesOn();
      await endInGoodOrder(t, cluster, instance, `round ${round}, instance ${index}`);
      await instance.start();
      await balancer.allIn();
      await load.goesOn();
      if (index === 0) await move(instances[1]!, round % 2 === 0 ? '2.0.0' : '1.1.0');
    }
  }
  load.stop();
  await reading;
  t.same(load.failed.slice(0, 5), [], `${load.reads} reads, none failed`);
  t.same(load.back, [], 'and none was led back');
  t.ok(balancer.taken >= rounds * instances.length, `an instance was taken out ${balancer.taken} times`);
  t.ok(
    balancer.sent.every((count) => count > 0),
    `sent to each: ${balancer.sent.join(', ')}`,
  );
  await agreed(instances);
});

t.test('control: an instance that ends without notice fails reads', async (t) => {
  const { instances, key } = await startInstances(t, { count: 2, settings: { LOG_LEVEL: 'error' } });
  const balancer = new Balancer(t, instances, key);
  await balancer.allIn();
  const load = new Load(balancer);
  const reading = load.read();
  for (let kill = 0; kill < 20 && load.failed.length === 0; kill += 1) {
    await load.goesOn();
    await instances[0]!.server.kill();
    await instances[0]!.start({ identify: false });
    await balancer.allIn();
  }
  load.stop();
  await reading;
  t.ok(load.failed.length > 0, `${load.failed.length} of ${load.reads} reads failed`);
});

/** Sends SIGTERM while a stream is open and a lease is held. @returns what is left of them */
async function endInGoodOrder(
  t: Test,
  { postgres, url, key }: TestInstances,
  { address, server, id = '' }: TestInstance,
  name: string,
): Promise<void> {
  const leases = async () => (await postgres.sql('SELECT id FROM leases', url)).map((row) => row['id']);
  const stream = await EventStream.open({ address, key });
  await stream.next();
  const order: string[] = [];
  void stream.over.then((how) => order.push(`stream: ${how}`));
  t.ok((await leases()).includes(id), `${name} has a lease`);
  const { code } = await server.stop();
  order.push('process');
  t.equal(code, 0, `${name} ends well`);
  t.strictSame(order, ['stream: end', 'process'], 'its stream was ended before, not cut');
  t.notOk((await leases()).includes(id), 'its lease was given back');
}

async function move(instance: TestInstance, version: string): Promise<void> {
  const { status, text } = await instance.ask('/v1/packs/coach/activations', {
    version,
    reason: 'Moved in the middle of a rolling restart',
  });
  if (status !== 201) throw new Error(`${status} ${text}`);
}

/** Clients that read through the balancer, each sending the revision it saw. */
class Load {
  reads = 0;
  readonly failed: string[] = [];
  readonly back: string[] = [];
  readonly #balancer: Balancer;
  #stopped = false;

  constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  async read(): Promise<void> {
    await Promise.all(Array.from({ length: READERS }, () => this.#readOn()));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Waits for more reads. */
  async goesOn(): Promise<void> {
    const wanted = this.reads + 20 * READERS;
    await until('reads to go on', 30_000, () => this.reads >= wanted);
  }

  async #readOn(): Promise<void> {
    let seen = 0;
    let session: string | undefined;
    for (let turn = 0; !this.#stopped; turn += 1) {
      const headers = { 'registry-min-revision': String(seen) };
      const asks: readonly Ask[] = [
        { path: '/v1/packs/coach/active', headers },
        { path: '/v1/prompts/system', headers },
        { path: '/v1/prompts/styles/supportive', headers },
        session === undefined
          ? { method: 'POST', path: '/v1/coach/sessions', body: {}, headers }
          : { path: `/v1/coach/sessions/${session}`, headers },
      ];
      const answer = await this.#send(asks[turn % asks.length]!);
      await pause(5); // leaves processor time for the instance that starts
      if (answer === undefined) continue;
      session ??= (JSON.parse(answer.text) as { sessionId?: string }).sessionId;
      const revision = Number(answer.header('registry-revision'));
      if (revision < seen) this.back.push(`${revision} after ${seen}`);
      seen = Math.max(seen, revision);
    }
  }

  async #send(ask: Ask): Promise<Answer | undefined> {
    this.reads += 1;
    try {
      const answer = await this.#balancer.one(ask);
      if (answer.status === 200 || answer.status === 201) return answer;
      this.failed.push(`${ask.path}: ${answer.status} ${answer.text}`);
    } catch (error) {
      this.failed.push(`${ask.path}: ${String(error)}`);
    }
    return undefined;
  }
}
