/**
 * `kill -9` of an instance, of PostgreSQL, or of both, again and again during writes at three instances (BARS B2; SPEC R3–R6, R10, R11).
 *
 * After each kill: every acknowledged write is in the log once, at its revision; the log has no gap and a valid chain; within five seconds all
 * instances are current and at the same head. Writers repeat unanswered requests at another instance with their Idempotency-Keys. Readers
 * send the revision they saw and never get less. The control is a PostgreSQL that loses what it has committed. To repeat a run: TEST_SEED=…
 * node test/fault/cluster-kill.test.ts
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { agreed, auditOf, verificationOf } from '../support/apps/agreement.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { allCurrent, startInstances, type TestInstance, type TestInstances } from '../support/apps/instances.ts';
import { Roaming } from '../support/chaos/roaming.ts';
import { WriteLedger } from '../support/chaos/write-ledger.ts';

const kills = { short: 4, faults: 50, soak: 200 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 4;
const VICTIMS = ['an instance', 'PostgreSQL', 'both'] as const;
const WRITERS = 4;
const READERS = 2;
/** BARS B6: recovery after the store's return. */
const RECOVERY = 5000;
const SHIPPED = ['1.0.0', '1.1.0', '2.0.0'];

const seed = newSeed();

t.test(`${kills} kills under writes at three instances, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const cluster = await startInstances(t, { count: 3, fsync: true, settings: { LOG_LEVEL: 'error' } });
  const { instances } = cluster;
  const ledger = new WriteLedger(SHIPPED);
  const traffic = new Traffic(t, cluster, ledger, random);
  let slowest = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const victim = VICTIMS[kill % VICTIMS.length]!;
    const before = ledger.acknowledged.length;
    const over = traffic.flow();
    await traffic.acknowledges(1 + Math.floor(random() * 20));
    await pause(random() * 10); // so that it dies anywhere in a write, not always at its end
    await killAndRestart(cluster, victim, random);
    const back = performance.now();
    await allCurrent(instances, ledger.acknowledged.at(-1)?.revision ?? 0, RECOVERY);
    slowest = Math.max(slowest, performance.now() - back);
    await traffic.acknowledges(1);
    traffic.stop();
    await over;

    await agreed(instances);
    const events = await auditOf(instances[kill % instances.length]!);
    t.equal(
      ledger.faultOf(events),
      undefined,
      `kill ${kill}, ${victim}: ${ledger.acknowledged.length - before} writes acknowledged, ${events.length} events`,
    );
  }
  t.same(traffic.faults, [], 'no reader was shown less than it had seen');
  t.match(await verificationOf(instances[0]!), { valid: true }, 'and the service finds its log whole');
  t.ok(
    ledger.acknowledged.length >= kills,
    `${ledger.acknowledged.length} writes acknowledged, ${traffic.replays} of them only when they were repeated, ${traffic.reads} reads; all current again within ${Math.round(slowest)} ms`,
  );
});

t.test(`control: a PostgreSQL that loses what it had committed, TEST_SEED=${seed}`, async (t) => {
  const cluster = await startInstances(t, { count: 1, settings: { LOG_LEVEL: 'fatal' } });
  const {
    instances: [instance],
    postgres,
  } = cluster;
  const ledger = new WriteLedger(SHIPPED);
  const copy = join(newFolder(t), 'copy');
  await postgres.stop();
  await postgres.copyDataTo(copy);
  await postgres.restart();
  const traffic = new Traffic(t, cluster, ledger, randomFrom(seed));
  const over = traffic.flow();
  await traffic.acknowledges(20);
  traffic.stop();
  await over;
  t.equal(ledger.faultOf(await auditOf(instance!)), undefined);
  await postgres.kill();
  await postgres.replaceDataFrom(copy);
  await postgres.restart();
  const auditor = new Roaming(t, [instance!], cluster.key);
  const { events } = JSON.parse((await auditor.one({ path: '/v1/audit/events?limit=1000' })).text) as {
    events: Awaited<ReturnType<typeof auditOf>>;
  };
  t.match(ledger.faultOf(events), /was acknowledged and is lost/u);
});

async function killAndRestart(
  { instances, postgres }: TestInstances,
  victim: (typeof VICTIMS)[number],
  random: () => number,
): Promise<void> {
  const instance = instances[Math.floor(random() * instances.length)]!;
  const store = victim !== 'an instance';
  const process = victim !== 'PostgreSQL';
  await Promise.all([store && postgres.kill(), process && instance.server.kill()]);
  await pause(random() * 300);
  const restarts = [
    async () => store && postgres.restart(),
    async () => process && instance.start({ identify: false }),
  ];
  for (const restart of random() < 0.5 ? restarts : restarts.reverse()) await restart();
}

/** Writers and readers at all instances, in bursts. */
class Traffic {
  readonly faults: string[] = [];
  reads = 0;
  replays = 0;
  readonly #ledger: WriteLedger;
  readonly #random: () => number;
  readonly #clients: readonly Roaming[];
  #flowing = false;
  #seen = 0;
  #wanted = Infinity;
  #reached: () => void = () => undefined;
  #failed: (error: unknown) => void = () => undefined;

  constructor(
    t: Test,
    { instances, key }: { readonly instances: readonly TestInstance[]; readonly key: string },
    ledger: WriteLedger,
    random: () => number,
  ) {
    this.#ledger = ledger;
    this.#random = random;
    this.#clients = Array.from(
      { length: WRITERS + READERS },
      (_, index) => new Roaming(t, instances, key, index % instances.length),
    );
  }

  /** Resolves once all have stopped. */
  async flow(): Promise<void> {
    this.#flowing = true;
    const tasks = this.#clients.map((client, index) => (index < WRITERS ? this.#write(client) : this.#read(client)));
    await Promise.all(tasks).catch((error: unknown) => {
      this.#flowing = false;
      this.#failed(error);
      throw error;
    });
  }

  stop(): void {
    this.#flowing = false;
  }

  /** Resolves after this many more acknowledged writes. */
  acknowledges(more: number): Promise<void> {
    this.#wanted = this.#ledger.acknowledged.length + more;
    return new Promise((resolve, reject) => {
      this.#reached = resolve;
      this.#failed = reject;
    });
  }

  async #write(client: Roaming): Promise<void> {
    const sender = {
      one: async (ask: Parameters<Roaming['one']>[0]) => {
        const answer = await client.one(ask);
        if (answer.header('idempotency-replayed') === 'true') this.replays += 1;
        return answer;
      },
    };
    while (this.#flowing) {
      await this.#ledger.write(sender, this.#random);
      if (this.#ledger.acknowledged.length >= this.#wanted) this.#reached();
      if (this.#random() < 0.2) client.hop();
      await this.#think();
    }
  }

  async #read(client: Roaming): Promise<void> {
    while (this.#flowing) {
      const seen = this.#seen;
      const answer = await client.one({
        path: '/v1/packs/coach/active',
        headers: { 'registry-min-revision': String(seen) },
      });
      const revision = Number(answer.header('registry-revision'));
      if (answer.status !== 200 || revision < seen)
        this.faults.push(
          `${answer.status} of revision ${revision} after ${seen} was seen: ${answer.text.slice(0, 200)}`,
        );
      this.#seen = Math.max(this.#seen, revision);
      this.reads += 1;
      await this.#think();
    }
  }

  /** Leaves the processor to a starting instance. */
  async #think(): Promise<void> {
    await pause(this.#random() * 20);
  }
}
