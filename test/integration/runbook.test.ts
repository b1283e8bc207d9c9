// The runbook for a restored database (docs/operations.md) works: its commands run, word for word, with two instances up.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { startPostgres } from '../support/stores/postgres.ts';
import { operatorKeyIn, ROOT, startServer, type ListeningServer } from '../support/apps/server-process.ts';

const run = promisify(execFile);
const reason = 'Why not';

interface Ready {
  readonly epoch: number;
  readonly revision: number;
  readonly conditions: readonly { readonly name: string }[];
}

/** Repeats `/readyz` of an instance until it says what is expected. */
async function ready({ address }: ListeningServer, fits: (ready: Ready) => boolean): Promise<Ready> {
  for (const deadline = performance.now() + 20_000; ; await pause(50)) {
    const answer = (await (await fetch(`${address}/readyz`)).json()) as Ready;
    if (fits(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`/readyz still says ${JSON.stringify(answer)}`);
  }
}

t.test('a restored database', async (t) => {
  const operations = await readFile(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const section = operations.split(/^## /mu).find((part) => part.startsWith('A restored database')) ?? '';
  const commands = [...section.matchAll(/```sh\n([\s\S]*?)```/gu)].map(([, text = '']) => text.trim());
  t.match(
    commands,
    [/^npm run audit:verify/u, /^npm run restore:accept/u, /\/readyz$/u],
    'the runbook has its three commands',
  );

  const postgres = await startPostgres(t);
  const STORE_URL = await postgres.database();
  const folder = t.testdir();
  const dataDirs = ['one', 'two'].map((name) => join(folder, name));
  for (const dir of dataDirs) mkdirSync(dir);
  const [one, two] = [
    await startServer(t, { STORE_URL, DATA_DIR: dataDirs[0]! }),
    await startServer(t, { STORE_URL, DATA_DIR: dataDirs[1]! }),
  ];
  const activate = async (version: string) =>
    (await one.ask('/v1/packs/coach/activations', { version, reason })).status;
  t.equal(await activate('1.0.0'), 201);
  await postgres.stop();
  await postgres.copyDataTo(join(postgres.socketFolder, 'backup'));
  await postgres.restart();
  for (const instance of [one, two]) await ready(instance, ({ conditions }) => conditions.length === 0);
  t.equal(await activate('1.1.0'), 201, 'what the backup does not have');
  t.equal(await activate('2.0.0'), 201);
  const before = await ready(two, ({ revision }) => revision === 16);

  await postgres.stop();
  await postgres.replaceDataFrom(join(postgres.socketFolder, 'backup'));
  await postgres.restart();
  for (const instance of [one, two])
    await ready(instance, ({ conditions }) => conditions.some(({ name }) => name === 'log-diverged'));
  t.equal(await activate('1.1.0'), 503, 'nothing is written to a log that nobody accepted');

  const address = new URL(one.address).host;
  const outputs: string[] = [];
  for (const command of commands) {
    const env = {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      STORE_URL,
      DATA_DIR: dataDirs[0]!,
    };
    outputs.push(
      (await run('bash', ['-euo', 'pipefail', '-c', command.replace('127.0.0.1:3000', address)], { cwd: ROOT, env }))
        .stdout,
    );
    if (command.includes('restore:accept'))
      for (const instance of [one, two]) await ready(instance, ({ conditions }) => conditions.length === 0);
  }
  t.match(outputs, [
    /Whole: 14 events/u,
    /revision 15 opens epoch 2/u,
    /"revision":15,"epoch":2,"stale":false,"conditions":\[\]/u,
  ]);
  t.ok(before.revision > 15, 'the revision is lower than before; the epoch is what is higher');
  const asOperator = { headers: { authorization: `Bearer ${operatorKeyIn(dataDirs[0]!)}` } };
  t.match(
    await (await fetch(`${two.address}/v1/prompts/system`, asOperator)).json(),
    { version: '1.0.0' },
    'what the backup had is active, on both',
  );
  t.equal(await activate('1.1.0'), 201, 'and what was lost can be done again');
});
