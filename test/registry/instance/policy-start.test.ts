/**
 * Policies at the start (DESIGN section 6; SPEC R7): a higher version is an event that flags what breaks it, a lower one is ignored,
 * the same one must be the same. A flagged version can no longer be activated, forwards or backwards; an active one stays active.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readPolicies } from '../../../registry/packs/pack-folder.ts';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { documentOf, shipped, shippedOf, versionOf } from '../../support/packs/pack-documents.ts';
import { floorUnder, shippedPolicy } from '../../support/packs/policies.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { optionsOf } from '../../support/apps/registries.ts';

const ALL = ['1.0.0', '1.1.0', '2.0.0'];
const reason = 'Users report that answers are too blunt';
const violated = { name: 'RegistryError', code: 'policy-violated' };

interface Start {
  readonly registry: Registry;
  readonly logger: RecordedLogger;
  /** The events that this start appended: `type version` each. */
  readonly added: readonly string[];
}

/** Starts on a log that lives on, one after the other. */
class Restarts {
  readonly #file: string;
  readonly #t: Test;
  #running: Registry | undefined;
  #known = 0;

  constructor(t: Test) {
    this.#t = t;
    this.#file = join(t.testdir(), 'registry.db');
  }

  async start(options: Partial<RegistryOptions> = {}): Promise<Start> {
    await this.stop();
    const logger = new RecordedLogger();
    const store = await openSqliteStore({ file: this.#file });
    try {
      this.#running = await Registry.open(optionsOf({ logger, ...options, store }));
    } catch (error) {
      await store.close();
      throw error;
    }
    const registry = this.#running;
    this.#t.teardown(() => registry.close());
    const events = await readLog(store, this.#known);
    return {
      registry,
      logger,
      added: events.map(({ type, channel, version }) => [type, channel, version].filter(Boolean).join(' ')),
    };
  }

  /** Ends the running instance. The next start reports only what it appends after this. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#known = this.#running.current.revision;
    await this.#running.close();
    this.#running = undefined;
  }
}

/** `version` of each that is flagged. */
const flagged = ({ registry }: Start, pack = 'coach') =>
  [...(registry.current.packs.get(pack)?.versions ?? [])].flatMap(({ version, violations }) =>
    violations.length > 0 ? [version] : [],
  );
const policyIn = ({ registry }: Start, pack = 'coach') => registry.current.packs.get(pack)?.policy;

t.test('the first start puts the policy in force before it registers any version', async (t) => {
  const restarts = new Restarts(t);
  const policy = shippedPolicy('coach', { requiredStyles: ['supportive'] });
  const start = await restarts.start({ policies: [policy] });
  t.same(start.added, [
    'registry-created',
    'policy-changed',
    ...ALL.map((version) => `version-published ${version}`),
    'version-activated production 2.0.0',
    'version-activated staging 2.0.0',
  ]);
  t.match(policyIn(start), {
    policy: policy.policy,
    digest: policy.digest,
    revision: 2,
    changedBy: { keyId: 'system' },
  });
  t.same(flagged(start), []);
  t.same((await restarts.start({ policies: [policy] })).added, [], 'and a restart adds nothing');
  t.same((await restarts.start()).added, [], 'nor does one without it');
});

t.test(
  'a policy with a higher version is one event, which names every registered version that breaks it',
  async (t) => {
    const restarts = new Restarts(t);
    const { registry } = await restarts.start();
    await registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
    const first = await restarts.start({
      policies: [floorUnder('coach', 3, '1.1.0')],
      shipped: shippedOf('coach@2.0.0'),
    });
    t.same(first.added, ['policy-changed'], 'a policy for a pack that had none');
    t.same(flagged(first), ['1.1.0']);

    const next = floorUnder('coach', 4, '1.0.0', '3.0.0');
    const second = await restarts.start({ policies: [next] });
    t.same(second.added, ['policy-changed']);
    t.same(flagged(second), ['3.0.0', '1.0.0'], '1.1.0 is above the new one');
    const [event] = await second.registry.events({
      limit: 10,
      types: ['policy-changed'],
      after: first.registry.current.revision,
    });
    const broken = (version: string) => ({
      version,
      violations: [
        {
          rule: 'forbidden',
          id: `not-${version.replaceAll('.', '-')}`,
          asset: 'system',
          detail: `Must not contain "coach ${version}: the system prompt".`,
        },
      ],
    });
    t.match(event, {
      type: 'policy-changed',
      actor: { keyId: 'system' },
      reason: 'Policy 4 shipped with the service',
      pack: 'coach',
    });
    t.strictSame(event?.data, {
      policy: next.policy,
      digest: next.digest,
      violations: [broken('3.0.0'), broken('1.0.0')],
    });
    t.match((await second.registry.verify()).valid, true);
    await restarts.stop();
  },
);

t.test('a lower version is ignored with a warning: a rolling deploy does not lower the floor', async (t) => {
  const restarts = new Restarts(t);
  await restarts.start({ policies: [floorUnder('coach', 2, '1.1.0')] });
  const start = await restarts.start({ policies: [shippedPolicy('coach', { version: 1 })] });
  t.same(start.added, []);
  t.same(flagged(start), ['1.1.0']);
  t.equal(policyIn(start)?.policy.version, 2);
  const [warning] = start.logger.lines.filter(({ level }) => level === 'warn');
  t.match(warning, {
    fields: { path: 'packs/coach/policy.yaml', pack: 'coach', version: 1, inForce: 2 },
    message: /older than the one in force, so it is ignored/,
  });
  await t.rejects(start.registry.activate({ version: '1.1.0', reason }), violated);
});

t.test(
  'rules that do nothing: a new policy with such rules stops the start; one already in force stays, with a warning',
  async (t) => {
    const restarts = new Restarts(t);
    const policy = shippedPolicy('coach', { forbidden: [{ id: 'never', pattern: 'a\\r\\n' }] });
    await t.rejects(restarts.start({ policies: [policy] }), {
      name: 'StartRefused',
      exitCode: 65,
      message: /packs\/coach\/policy\.yaml: \/forbidden\/0\/pattern: Rule "never" can never match\./,
    });
    await restarts.start({ policies: [{ ...policy, faultsIfNew: [] }] }); // as a build that did not check it
    const again = await restarts.start({ policies: [policy] });
    t.same(again.added, []);
    t.match(
      again.logger.lines.filter(({ level }) => level === 'warn'),
      [{ fields: { path: 'packs/coach/policy.yaml', version: 1 }, message: /has rules that do nothing/ }],
    );
    await t.rejects(
      restarts.start({
        policies: [shippedPolicy('coach', { version: 2, forbidden: [{ id: 'never', pattern: 'a\\r\\n' }] })],
      }),
      { name: 'StartRefused', exitCode: 65 },
    );
  },
);

t.test(
  'a shipped version with invisible texts is refused if it is new, and stays if it was registered before',
  async (t) => {
    const restarts = new Restarts(t);
    const version = versionOf('coach', '3.0.0', { summary: '\u200b\u3164' });
    t.match(version.invisible, [{ pointer: '/summary' }]);
    await t.rejects(restarts.start({ shipped: [shipped(version)] }), {
      name: 'StartRefused',
      exitCode: 65,
      message: /packs\/coach\/3\.0\.0: \/summary: This text has no visible character; write at least one\./,
    });
    await restarts.start({ shipped: [shipped({ ...version, invisible: [] })] }); // as a build that did not check it
    const again = await restarts.start({ shipped: [shipped(version)] });
    t.same(again.added, []);
    const { created } = await again.registry.publish({
      pack: 'coach',
      document: documentOf('coach', '3.0.0', { summary: '\u200b\u3164' }),
    });
    t.notOk(created, 'and published again it is the same');
  },
);

t.test('a policy changed under the same version stops the start, and the message names the file', async (t) => {
  const restarts = new Restarts(t);
  const { registry } = await restarts.start({
    policies: [shippedPolicy('coach', { version: 7, placeholders: ['a', 'b'] })],
  });
  const { revision } = registry.current;
  await restarts.stop();
  for (const members of [
    { placeholders: ['a'] },
    { placeholders: ['b', 'a'] },
    { placeholders: ['a', 'b'], limits: { system: 10_000 } },
  ]) {
    const edited = shippedPolicy('coach', { version: 7, ...members });
    const shipped = shippedOf('coach@1.0.0', 'coach@9.0.0');
    await t.rejects(restarts.start({ policies: [edited], shipped }), {
      name: 'StartRefused',
      exitCode: 65,
      message:
        /^packs\/coach\/policy\.yaml: policy 7 of pack "coach" is already in force with other content\. Give the change a higher "version"\.$/,
    });
  }
  const again = await restarts.start({ policies: [shippedPolicy('coach', { version: 7, placeholders: ['a', 'b'] })] });
  t.equal(again.registry.current.revision, revision, 'nothing was appended meanwhile');
});

t.test(
  'a shipped version below the floor is registered and flagged with a warning, and cannot be activated',
  async (t) => {
    const restarts = new Restarts(t);
    const start = await restarts.start({ policies: [floorUnder('coach', 1, '2.0.0')] });
    const { registry, logger } = start;
    t.same(
      start.added.slice(-2),
      ['version-activated production 1.1.0', 'version-activated staging 1.1.0'],
      'the first start chooses the highest above the floor',
    );
    t.same(flagged(start), ['2.0.0']);
    const violations = [{ rule: 'forbidden', id: 'not-2-0-0', asset: 'system' }];
    t.match(
      logger.lines.filter(({ level }) => level === 'warn'),
      [
        {
          fields: { pack: 'coach', version: '2.0.0', violations },
          message: /below the floor\. It is registered, but cannot be activated/,
        },
      ],
    );
    await t.rejects(registry.activate({ version: '2.0.0', reason }), { ...violated, members: { violations } });
    await t.rejects(registry.activate({ version: '2.0.0', channel: 'staging', reason }), violated);
    t.match(await registry.previewActivate({ version: '2.0.0', reason }), {
      wouldActivate: '2.0.0',
      problems: violations,
    });
    t.match(
      (await registry.version('coach', '2.0.0')).content,
      { system: 'coach 2.0.0: the system prompt.' },
      'it can be read',
    );
    t.same(
      (await restarts.start({ policies: [floorUnder('coach', 1, '2.0.0')] })).added,
      [],
      'a restart says it no second time',
    );
  },
);

t.test(
  'an active version below a new floor is still served, with an alarm at each start until the channel moves',
  async (t) => {
    const restarts = new Restarts(t);
    const { registry: before } = await restarts.start();
    const session = before.startSession();
    const policies = [floorUnder('coach', 1, '2.0.0')];
    for (const turn of ['the start that brings it', 'a restart']) {
      const { registry, logger } = await restarts.start({ policies });
      const alarms = logger.lines.filter(({ level }) => level === 'error');
      t.match(
        alarms.map(({ fields }) => fields),
        [
          { pack: 'coach', channel: 'production', version: '2.0.0', violations: [{ id: 'not-2-0-0' }] },
          { channel: 'staging' },
        ],
        turn,
      );
      t.equal(registry.getSystemPrompt().text, 'coach 2.0.0: the system prompt.');
      t.match(registry.startSession(), { promptPack: { version: '2.0.0' } });
      t.match(await registry.resolveSession(session.sessionId), {
        promptPack: { version: '2.0.0' },
        superseded: false,
      });
      t.match(
        await registry.activate({ version: '2.0.0', reason }),
        { changed: false },
        'it is what was asked for already',
      );
    }
    const { registry } = await restarts.start({ policies });
    for (const channel of ['production', 'staging']) await registry.activate({ version: '1.1.0', channel, reason });
    await t.rejects(
      registry.rollback({ reason }),
      { name: 'RegistryError', code: 'nothing-to-roll-back-to' },
      'there is no way back to it',
    );
    await t.rejects(registry.activate({ version: '2.0.0', reason }), violated);
    t.same((await restarts.start({ policies })).logger.messages('error'), []);
  },
);

t.test('a start with a higher floor and a new channel points that channel at a version above the floor', async (t) => {
  const restarts = new Restarts(t);
  await restarts.start({ channels: ['production'] });
  const start = await restarts.start({
    channels: ['production', 'canary'],
    policies: [floorUnder('coach', 1, '2.0.0', '1.0.0')],
  });
  t.same(start.added, ['policy-changed', 'version-activated canary 1.1.0']);
  const lifted = await restarts.start({
    channels: ['production', 'canary', 'beta'],
    policies: [shippedPolicy('coach', { version: 2 })],
  });
  t.same(lifted.added, ['policy-changed', 'version-activated beta 2.0.0'], 'and a lower one lets the highest in again');
});

t.test('a DEFAULT_VERSION below the floor stops a first start, but no later one', async (t) => {
  const restarts = new Restarts(t);
  const options = { defaultVersion: '2.0.0', policies: [floorUnder('coach', 1, '2.0.0')] };
  await t.rejects(restarts.start(options), {
    name: 'StartRefused',
    exitCode: 78,
    message: /^DEFAULT_VERSION is "2\.0\.0".*below the floor.*1\.1\.0, 1\.0\.0\.$/,
  });
  t.same(
    (await restarts.start({ policies: options.policies })).added.at(-1),
    'version-activated staging 1.1.0',
    'nothing was registered before',
  );
  const { added, logger } = await restarts.start({ ...options, channels: ['production', 'staging', 'canary'] });
  t.same(added, ['version-activated canary 1.1.0']);
  t.match(logger.messages('warn'), [/^DEFAULT_VERSION is "2\.0\.0".*ignored/]);
});

t.test('a DEFAULT_VERSION that a policy of the same start puts below the floor is not used', async (t) => {
  const restarts = new Restarts(t);
  await restarts.start({ channels: ['production'] });
  const { added } = await restarts.start({
    channels: ['production', 'canary'],
    defaultVersion: '2.0.0',
    policies: [floorUnder('coach', 1, '2.0.0')],
  });
  t.same(added, ['policy-changed', 'version-activated canary 1.1.0']);
});

t.test('a pack whose versions are all below the floor is registered, but no channel points at it', async (t) => {
  const restarts = new Restarts(t);
  const start = await restarts.start({
    shipped: shippedOf('coach@1.0.0', 'next@1.0.0'),
    policies: [floorUnder('next', 1, '1.0.0')],
    channels: ['production'],
  });
  t.same(
    start.added.filter((line) => line.startsWith('version-activated')),
    ['version-activated production 1.0.0'],
  );
  t.same(flagged(start, 'next'), ['1.0.0']);
  t.throws(() => start.registry.activePack({ pack: 'next' }), { name: 'RegistryError', code: 'channel-not-found' });
  t.match(start.logger.messages('warn'), [/below the floor/, /no version that a start may activate/]);
});

t.test('a version may be activated again once the floor is lowered', async (t) => {
  const restarts = new Restarts(t);
  await restarts.start({ policies: [floorUnder('coach', 1, '2.0.0')] });
  const start = await restarts.start({ policies: [shippedPolicy('coach', { version: 2 })] });
  t.same(flagged(start), []);
  t.match(await start.registry.activate({ version: '2.0.0', reason }), { changed: true });
});

t.test('a policy without a pack takes effect once there is one', async (t) => {
  const restarts = new Restarts(t);
  const waiting = floorUnder('next', 1, '1.0.0');
  const start = await restarts.start({ policies: [waiting] });
  t.notOk(start.added.includes('policy-changed'));
  t.match(
    start.logger.lines.filter(({ level }) => level === 'warn'),
    [{ fields: { path: 'packs/next/policy.yaml', pack: 'next' }, message: /but no version of it/ }],
  );
  t.notOk(start.registry.current.packs.has('next'), 'and makes no pack');

  const shipped = await restarts.start({ policies: [waiting], shipped: shippedOf('next@1.0.0') });
  t.same(shipped.added, ['policy-changed', 'version-published 1.0.0']);
  t.same(flagged(shipped, 'next'), ['1.0.0']);
});

t.test('a policy applies at the next start to a pack that was published by hand', async (t) => {
  const restarts = new Restarts(t);
  const { registry } = await restarts.start();
  await registry.publish({ pack: 'next', document: documentOf('next', '1.0.0') });
  const start = await restarts.start({ policies: [floorUnder('next', 1, '1.0.0')] });
  t.same(start.added, ['policy-changed']);
  t.same(flagged(start, 'next'), ['1.0.0']);
});

t.test('a first start with a policy writes a whole log, in order', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const store = await openSqliteStore({ file });
  const registry = await Registry.open(optionsOf({ store, policies: [floorUnder('coach', 1, '2.0.0')] }));
  t.teardown(() => registry.close());
  const events = await readLog(store);
  t.equal(firstBroken(events), undefined);
  const published = events.flatMap((event) =>
    event.type === 'version-published' ? [[event.version, event.data.violations?.length]] : [],
  );
  t.same(
    published,
    [
      ['1.0.0', 0],
      ['1.1.0', 0],
      ['2.0.0', 1],
    ],
    'a publication says what was found',
  );
});

t.test('policy.yaml: all faults of all files are reported at once, each with its file', async (t) => {
  const valid = 'version: 1\nclauses: []\nforbidden: []\nrequiredStyles: []\nlimits: {}\nplaceholders: []\n';
  const folder = (name: string, packs: Readonly<Record<string, string>>) => {
    const dir = join(t.testdirName, name);
    for (const [pack, policy] of Object.entries(packs)) {
      mkdirSync(join(dir, pack), { recursive: true });
      writeFileSync(join(dir, pack, 'policy.yaml'), policy);
    }
    return dir;
  };
  t.testdir();
  const good = folder('good', { coach: valid, 'a-pack': valid.replace('version: 1', 'version: 4') });
  mkdirSync(join(good, 'without'));
  t.match(await readPolicies(good), [
    { pack: 'a-pack', path: join(good, 'a-pack', 'policy.yaml'), policy: { version: 4 } },
    { pack: 'coach', policy: { version: 1 } },
  ]);

  const bad = folder('bad', {
    alias: `${valid}x: &a 1\ny: *a\n`,
    broken: 'version: [1\n',
    double: `${valid}version: 2\n`,
    member: `${valid}more: 1\n`,
    pattern: valid.replace('forbidden: []', "forbidden: [{id: p, pattern: '(?=a)'}]"),
    'no-yaml': '\u0000',
    empty: '',
  });
  mkdirSync(join(bad, 'outside'));
  symlinkSync(join(good, 'coach', 'policy.yaml'), join(bad, 'outside', 'policy.yaml'));
  const error = await readPolicies(bad).catch((thrown: unknown) => thrown);
  t.match(error, { name: 'StartRefused', exitCode: 65 });
  const { message } = error as Error;
  for (const pack of ['alias', 'broken', 'double', 'empty', 'member', 'no-yaml', 'outside', 'pattern'])
    t.ok(message.includes(`${join(bad, pack, 'policy.yaml')}: `), pack);
  t.match(message, /pattern\/policy\.yaml: \/forbidden\/0\/pattern: The pattern of rule "p" is not valid RE2/);
  t.match(message, /member\/policy\.yaml: \/more: /);
  t.match(message, /outside\/policy\.yaml: is a link that leads out of the folder/);
  await t.rejects(readPolicies(join(good, 'nowhere')), { name: 'StartRefused', exitCode: 78 });
});
