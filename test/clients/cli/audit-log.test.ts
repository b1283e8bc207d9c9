// `audit log` lists the newest events first, from current and from older registries.
import t, { type Test } from 'tap';
import { runCli, json } from '../../support/clients/command-line.ts';
import { startFakeServer, replyProblem } from '../../support/clients/fake-servers.ts';

const EVENTS = Array.from({ length: 4500 }, (_, index) => ({
  revision: index + 1,
  at: '2026-11-30T10:00:00.000Z',
  type: index % 1500 === 0 ? 'key-created' : 'version-activated',
  actor: { keyId: 'k', label: 'ops' },
  reason: `Reason ${index + 1}`,
}));

/** A log of 4,500 events, three of them of keys. @param knowsOrder whether the registry supports listing the newest first */
async function longLog(t: Test, knowsOrder: boolean) {
  const asked: string[] = [];
  const { env } = await startFakeServer(t, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    asked.push(pathname + searchParams.toString());
    const answer = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (pathname === '/v1/audit/head') return answer({ revision: EVENTS.length, hash: 'f'.repeat(64), at: '2026' });
    const {
      order,
      before = Infinity,
      after = 0,
      limit = 100,
      type,
    } = Object.fromEntries(searchParams) as {
      order?: string;
      before?: string;
      after?: string;
      limit?: string;
      type?: string;
    };
    if ((order !== undefined || searchParams.has('before')) && !knowsOrder)
      return replyProblem(400, { code: 'validation-failed' })(request, response);
    const fitting = EVENTS.filter(
      (event) =>
        event.revision > Number(after) &&
        event.revision < Number(before) &&
        (type === undefined || event.type === type),
    );
    const ordered = order === 'newest' ? fitting.toReversed() : fitting;
    const events = ordered.slice(0, Number(limit));
    const next = ordered.length > events.length ? events.at(-1)?.revision : null;
    return answer({
      events,
      nextAfter: order === 'newest' ? null : next,
      ...(order === 'newest' && { nextBefore: next }),
    });
  });
  const log = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(['audit', 'log', '--json', ...args], env);
    t.equal(code, 0, stderr);
    const { events, ...rest } = json(stdout) as { events: { revision: number }[] };
    return { revisions: events.map(({ revision }) => revision), ...rest };
  };
  return { env, log, asked };
}

const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

for (const knowsOrder of [true, false]) {
  t.test(knowsOrder ? 'a current registry' : 'an older registry, which only lists the oldest first', async (t) => {
    const { env, log, asked } = await longLog(t, knowsOrder);
    t.strictSame(await log(), { revisions: down(4500, 4401), nextBefore: 4401, nextAfter: null }, 'the newest hundred');
    t.ok(asked.length <= 3, `${asked.length} requests`);
    t.strictSame(
      await log('--limit', '2', '--before', '4401'),
      { revisions: [4400, 4399], nextBefore: 4399, nextAfter: null },
      'continues from there',
    );
    t.strictSame(await log('--limit', 'all'), { revisions: down(4500, 1), nextBefore: null, nextAfter: null });
    t.strictSame(
      await log('--type', 'key-created'),
      { revisions: [3001, 1501, 1], nextBefore: null, nextAfter: null },
      'however old they are',
    );
    t.strictSame(await log('--type', 'key-created', '--limit', '2'), {
      revisions: [3001, 1501],
      nextBefore: 1501,
      nextAfter: null,
    });
    t.strictSame(await log('--oldest-first', '--limit', '3'), { revisions: [1, 2, 3], nextAfter: 3 });
    t.strictSame(
      await log('--after', '4498'),
      { revisions: [4499, 4500], nextAfter: null },
      '--after lists the oldest first',
    );
    t.match(await runCli(['audit', 'log', '--limit', '2'], env), {
      code: 0,
      stdout: /^4500 .*Reason 4500\n4499 .*Reason 4499\n$/u,
      stderr: /earlier events\. Continue with --before 4499/u,
    });
    t.match(await runCli(['audit', 'log', '--oldest-first', '--limit', '2'], env), {
      code: 0,
      stdout: /^1 .*\n2 .*\n$/u,
      stderr: /More events follow\. Continue with --after 2/u,
    });
    t.match(await runCli(['audit', 'log', '--after', '2', '--before', '9'], env), {
      code: 2,
      stderr: /--before cannot be combined[^]*Use only one of them/u,
    });
  });
}

t.test('an invalid filter is reported', async (t) => {
  const { env } = await startFakeServer(t, replyProblem(400, { code: 'validation-failed', detail: 'No such type.' }));
  t.match(await runCli(['audit', 'log', '--type', 'nope'], env), { code: 1, stderr: /No such type/u });
});
