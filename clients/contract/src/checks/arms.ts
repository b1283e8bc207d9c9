/**
 * Reads for a subject while a rollout runs: `getActivePack`, `getSystemPrompt`, `listStyles`, `getStylePrompt`.
 *
 * Rule: which arm a subject gets depends on the rule in `getChannel` and on nothing else, through every door. `buckets.ts` computes it.
 */
import type { Arm, Prompt } from '../answers.ts';
import type { Answer } from '../asker.ts';
import { armOf, subjectsAround } from '../buckets.ts';
import type { Request } from '../connection.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import { CANDIDATE, channelNow, rollOut, STABLE, verbOn } from '../rolling.ts';

/** The reads, by operation. */
const DOORS: Readonly<Record<string, (kit: Kit) => Request>> = {
  getActivePack: ({ world }) => ({ path: world.path(), query: world.chosenChannel }),
  getSystemPrompt: ({ world }) => ({ query: { pack: world.pack, ...world.chosenChannel } }),
  listStyles: ({ world }) => ({ query: { pack: world.pack, ...world.chosenChannel } }),
  getStylePrompt: ({ world }) => ({
    path: { styleId: 'supportive' },
    query: { pack: world.pack, ...world.chosenChannel },
  }),
};

/** Ids that an encoding, a normalisation or a hash over UTF-16 would change. */
const ODD_SUBJECTS = ['Zoë Müller', 'Zoe\u0308', '用户:7', 'a+b &c=d%20/?#"', '😀'.repeat(200)];

interface Whom {
  readonly subject?: string;
  /** The same in `Registry-Subject`. */
  readonly header?: string;
  /** `name:value`. */
  readonly attribute?: readonly string[];
  /** An ETag for `If-None-Match`. */
  readonly known?: string;
}

function requestFor(kit: Kit, operation: string, { subject, header, attribute, known }: Whom): Request {
  const plain = DOORS[operation]?.(kit) ?? {};
  return {
    ...plain,
    query: { ...plain.query, subject, attribute },
    headers: {
      ...(header !== undefined && { 'registry-subject': encodeURIComponent(header) }),
      ...(known !== undefined && { 'if-none-match': known }),
    },
  };
}

function read(kit: Kit, operation: string, whom: Whom = {}, status = 200): Promise<Answer<Prompt>> {
  return kit.ask<Prompt>(operation, requestFor(kit, operation, whom), status);
}

const assignmentOf = ({ headers }: Answer<unknown>) => headers.get('registry-assignment');
const assigned = (rollout: number, arm: Arm) => `rollout=${rollout}; arm=${arm}`;
const versionOf = (arm: Arm) => (arm === 'candidate' ? CANDIDATE : STABLE);
/** A subject as a failure shows it. */
const short = (subject: string) => (subject.length > 40 ? `${subject.slice(0, 20)}… (${subject.length})` : subject);

async function followsAlgorithm(kit: Kit, operation: string): Promise<void> {
  const { world } = kit;
  const { id } = await rollOut(world, { steps: [{ share: 37.5 }] });
  const { rollout: rule } = (await channelNow(world)).body;
  if (rule === undefined) return kit.ok(false, 'getChannel has the rollout that runs');
  const near = subjectsAround(rule, 3, world.runId);
  const requests: Whom[] = [...near.map((subject) => ({ subject })), ...ODD_SUBJECTS.flatMap(bothWays)];
  for (const whom of requests) {
    const subject = whom.subject ?? whom.header ?? '';
    const arm = armOf(rule, subject);
    const answer = await read(kit, operation, whom);
    kit.same(
      [answer.body.version, assignmentOf(answer)],
      [versionOf(arm), assigned(id, arm)],
      `version and Registry-Assignment of ${short(subject)} (${whom.subject === undefined ? 'header' : 'query'})`,
    );
  }
  const nobody = await read(kit, operation);
  kit.same(
    [nobody.body.version, assignmentOf(nobody)],
    [STABLE, assigned(id, 'stable')],
    'without a subject it is the stable version',
  );
}

const bothWays = (subject: string): Whom[] => [{ subject }, { header: subject }];

async function hasTagPerArm(kit: Kit, operation: string): Promise<void> {
  const { world } = kit;
  await world.activate(STABLE);
  const before = await read(kit, operation);
  kit.same(assignmentOf(before), null, 'without a rollout there is no Registry-Assignment');
  const tester = { subject: `tester-${world.runId}` };
  const rollout = await rollOut(world, { audience: { subjects: [tester.subject] } });
  const stable = await read(kit, operation);
  kit.same(
    [stable.etag, stable.body],
    [before.etag, before.body],
    'the rollout changes neither ETag nor body of the stable arm',
  );
  const candidate = await read(kit, operation, tester);
  kit.same(
    [candidate.body.version, candidate.body.revision],
    [CANDIDATE, rollout.id],
    'a tester gets the candidate, whose revision is that of the rollout',
  );
  kit.ok(candidate.etag !== stable.etag, 'the arms have different ETags', candidate.etag);
  const isUnchanged = async (when: string) => {
    for (const [whom, { etag }, arm] of [[{}, stable, 'stable'] as const, [tester, candidate, 'candidate'] as const]) {
      const answer = await read(kit, operation, { ...whom, known: etag }, 304);
      kit.same(
        [answer.etag, assignmentOf(answer)],
        [etag, assigned(rollout.id, arm)],
        `${when}: 304 to the ETag of the ${arm} arm, with its ETag and Registry-Assignment`,
      );
    }
  };
  await isUnchanged('at first');
  await read(kit, operation, { ...tester, known: stable.etag });
  await read(kit, operation, { known: candidate.etag });
  await kit.ask('advanceRollout', verbOn(world, rollout), 200);
  await isUnchanged('after a step');
  await kit.ask('abortRollout', verbOn(world, rollout), 200);
  const after = await read(kit, operation, tester);
  kit.same(
    [after.etag, assignmentOf(after)],
    [before.etag, null],
    'after the rollout a tester gets the stable version, with its ETag and without Registry-Assignment',
  );
}

/** What no read takes, whether a rollout runs or not. */
async function refusesBadSubjects(kit: Kit, operation: string): Promise<void> {
  const { world } = kit;
  const bad: readonly (readonly [string, Whom])[] = [
    ['an empty subject', { subject: '' }],
    ['a subject of 201 code points', { subject: '😀'.repeat(201) }],
    ['a subject twice', { subject: 'a', header: 'a' }],
    ['an attribute without a colon', { subject: 'a', attribute: ['country'] }],
    ['an attribute whose name is not valid', { subject: 'a', attribute: ['Country:de'] }],
    ['an attribute twice', { subject: 'a', attribute: ['country:de', 'country:de'] }],
    ['a value of 201 code points', { subject: 'a', attribute: [`country:${'x'.repeat(201)}`] }],
    ['21 attributes', { subject: 'a', attribute: Array.from({ length: 21 }, (_, index) => `a${index}:b`) }],
  ];
  const isRefused = (request: Request) => kit.refused(operation, request, 400, 'validation-failed');
  await world.activate(STABLE);
  await isRefused(requestFor(kit, operation, bad[0]?.[1] ?? {}));
  await rollOut(world);
  for (const [what, whom] of bad) {
    const { errors = [] } = await isRefused(requestFor(kit, operation, whom));
    kit.ok(errors.length > 0, `${what}: errors say what is wrong`, errors);
  }
  const { headers, ...plain } = requestFor(kit, operation, {});
  await isRefused({ ...plain, headers: { ...headers, 'registry-subject': '%E4%zz' } });
}

/** Each condition, with an attribute that meets it and those that do not. */
const CONDITIONS = [
  { attribute: 'country', operator: 'in', values: ['de', 'at'], meets: 'at', fails: ['ch', 'DE', ''] },
  { attribute: 'plan', operator: 'notIn', values: ['free', 'trial'], meets: 'pro', fails: ['free', 'trial'] },
  { attribute: 'region', operator: 'startsWith', values: ['eu-', 'uk-'], meets: 'uk-1', fails: ['us-eu-'] },
  { attribute: 'host', operator: 'endsWith', values: ['.org'], meets: 'a.org', fails: ['a.org.uk'] },
  { attribute: 'tags', operator: 'contains', values: ['beta'], meets: 'alpha beta', fails: ['Beta'] },
  { attribute: 'language', operator: 'equals', values: ['é'], meets: 'é', fails: ['e\u0301', 'e'] },
  { attribute: 'age', operator: 'greaterThan', values: ['9'], meets: '10', fails: ['9', '8.9', 'ten', ''] },
  { attribute: 'load', operator: 'lessThan', values: ['0.5'], meets: '4e-1', fails: ['0.5', '1'] },
  { attribute: 'app', operator: 'semver', values: ['>=2.1.0 <3.0.0'], meets: '2.10.0', fails: ['2.0.9', '3.0.0', '2'] },
  {
    attribute: 'since',
    operator: 'before',
    values: ['2026-03-01T00:00:00Z'],
    meets: '2026-03-01T00:30:00+01:00',
    fails: ['2026-03-01T00:00:00Z', '2026'],
  },
  {
    attribute: 'until',
    operator: 'after',
    values: ['2026-03-01T00:00:00Z'],
    meets: '2026-03-01T00:00:00.001Z',
    fails: ['2026-02-28T23:59:59Z', 'later'],
  },
] as const;

async function followsAudience(kit: Kit): Promise<void> {
  const { world } = kit;
  const conditions = CONDITIONS.map(({ attribute, operator, values }) => ({ attribute, operator, values }));
  const tester = `tester-${world.runId}`;
  await rollOut(world, { steps: [{ share: 100 }], audience: { conditions, subjects: [tester] } });
  const meeting = CONDITIONS.map(({ attribute, meets }) => `${attribute}:${meets}`);
  const hasVersion = async (whom: Whom, version: string, what: string) => {
    kit.same((await read(kit, 'getActivePack', whom)).body.version, version, what);
  };
  const subject = `user-${world.runId}`;
  await hasVersion({ subject, attribute: meeting }, CANDIDATE, 'who meets all conditions gets the candidate');
  await hasVersion({ subject }, STABLE, 'who has no attributes does not');
  await hasVersion({ subject: tester }, CANDIDATE, 'a tester does, whatever the conditions');
  for (const [index, { attribute, operator, fails }] of CONDITIONS.entries()) {
    const others = meeting.toSpliced(index, 1);
    await hasVersion({ subject, attribute: others }, STABLE, `${operator}: not without ${attribute}`);
    for (const value of fails)
      await hasVersion(
        { subject, attribute: [...others, `${attribute}:${value}`] },
        STABLE,
        `${operator}: not with ${attribute} ${JSON.stringify(value)}`,
      );
  }
}

async function isSticky(kit: Kit): Promise<void> {
  const { world } = kit;
  const rollout = await rollOut(world, { steps: [{ share: 40 }] });
  const { rollout: rule } = (await channelNow(world)).body;
  if (rule === undefined) return kit.ok(false, 'getChannel has the rollout that runs');
  const subjects = [...subjectsAround(rule, 4, 'user'), ...subjectsAround({ ...rule, share: 60 }, 4, 'user')];
  const onCandidate = async () => {
    const found: string[] = [];
    for (const subject of subjects)
      if ((await read(kit, 'getActivePack', { subject })).body.version === CANDIDATE) found.push(subject);
    return found;
  };
  const expected = (share: number) => subjects.filter((subject) => armOf({ ...rule, share }, subject) === 'candidate');
  kit.same(await onCandidate(), expected(40), 'at 40 %');
  for (const share of [60, 40]) {
    await kit.ask('advanceRollout', verbOn(world, rollout, { share }), 200);
    kit.same(
      await onCandidate(),
      expected(share),
      `after a change to ${share} %: exactly those whose buckets are below it`,
    );
  }
  await kit.ask('pauseRollout', verbOn(world, rollout), 200);
  kit.same(await onCandidate(), expected(40), 'a pause changes nothing');
}

export const armChecks: readonly Check[] = [
  ...Object.keys(DOORS).flatMap((operation) =>
    checksOf(operation, {
      'a subject gets the arm that the published algorithm gives it, and Registry-Assignment names it': (kit) =>
        followsAlgorithm(kit, operation),
      'each arm of a rollout has its own ETag, which no step changes': (kit) => hasTagPerArm(kit, operation),
      'a subject or an attribute that is not valid is refused': (kit) => refusesBadSubjects(kit, operation),
    }),
  ),
  ...checksOf('getActivePack', {
    'raising the share takes the candidate from nobody, lowering it gives it to nobody new': isSticky,
    'an audience decides by attributes: all conditions must hold, and testers always get the candidate':
      followsAudience,
  }),
];
