// `audit log`: what happened last comes first, from registries of this age and of before.
import t, { type Test } from 'tap';
import { called, json } from './command-line.ts';
import { listening, problem } from './stand-ins.ts';

const EVENTS = Array.from({ length: 4500 }, (_, index) => ({
  revision: index + 1,
  at: '2026-11-30T10:00:00.000Z',
  type: index % 1500 === 0 ? 'key-created' : 'version-activated',
  actor: { keyId: 'k', label: 'ops' },
  reason: `Reason ${index + 1}`,
}));

/** A log of 4,500 events, three of them of keys. @param knowsOrder whether the registry can list the newest first */
async function longLog(t: Test, knowsOrder: boolean) {
  const asked: string[] = [];
  const { env } = await listening(t, (request, response) => {
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
      return problem(400, { code: 'validation-failed' })(request, response);
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
    const { code, stdout, stderr } = await called(['audit', 'log', '--json', ...args], env);
    t.equal(code, 0, stderr);
    const { events, ...rest } = json(stdout) as { events: { revision: number }[] };
    return { revisions: events.map(({ revision }) => revision), ...rest };
  };
  return { env, log, asked };
}

const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

for (const knowsOrder of [true, false]) {
  t.test(knowsOrder ? 'a registry that lists the newest first' : 'one that lists the oldest first only', async (t) => {
    const { env, log, asked } = await longLog(t, knowsOrder);
    t.strictSame(await log(), { revisions: down(4500, 4401), nextBefore: 4401, nextAfter: null }, 'the last hundred');
    t.ok(asked.length <= 3, `${asked.length} requests`);
    t.strictSame(
      await log('--limit', '2', '--before', '4401'),
      { revisions: [4400, 4399], nextBefore: 4399, nextAfter: null },
      'and on from there',
    );
    t.strictSame(await log('--limit', 'all'), { revisions: down(4500, 1), nextBefore: null, nextAfter: null });
    t.strictSame(
      await log('--type', 'key-created'),
      { revisions: [3001, 1501, 1], nextBefore: null, nextAfter: null },
      'however far back they lie',
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
      '--after goes on from the oldest',
    );
    t.match(await called(['audit', 'log', '--limit', '2'], env), {
      code: 0,
      stdout: /^4500 .*Reason 4500\n4499 .*Reason 4499\n$/u,
      stderr: /earlier ones; --before 4499 goes on/u,
    });
    t.match(await called(['audit', 'log', '--oldest-first', '--limit', '2'], env), {
      code: 0,
      stdout: /^1 .*\n2 .*\n$/u,
      stderr: /later ones; --after 2 goes on/u,
    });
    t.match(await called(['audit', 'log', '--after', '2', '--before', '9'], env), {
      code: 2,
      stderr: /--before goes back[^]*Leave one of them out/u,
    });
  });
}

t.test('what is wrong with the conditions is told', async (t) => {
  const { env } = await listening(t, problem(400, { code: 'validation-failed', detail: 'No such type.' }));
  t.match(await called(['audit', 'log', '--type', 'nope'], env), { code: 1, stderr: /No such type/u });
});
