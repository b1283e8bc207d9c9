/**
 * What a start adds to the log, and what it never does: all of the first start is one append or nothing, and after it the log
 * decides (DESIGN section 6), on every store.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../../registry/log/event.ts';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import type { Store } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { shipped, shippedOf, versionOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { optionsOf } from '../../support/apps/registries.ts';

/** Where a log lives on between two starts. */
interface Restarts {
  /** One start. The test closes what it gives before the next one. */
  start(options?: Partial<RegistryOptions>): Promise<Registry>;
  /** The whole log, between starts. */
  log(): Promise<Event[]>;
}

const PLACES: Record<string, (t: Test) => Restarts> = {
  memory: (t) => {
    const store = new MemoryStore();
    t.teardown(() => store.close());
    return restartsOn(async () => new FailingStore(store));
  },
  sqlite: (t) => {
    const file = join(t.testdir(), 'registry.db');
    return restartsOn(() => openSqliteStore({ file }));
  },
};

function restartsOn(open: () => Promise<Store>): Restarts {
  return {
    async start(options) {
      const store = await open();
      try {
        return await Registry.open(optionsOf({ store, ...options }));
      } catch (error) {
        await store.close(); // a refused start leaves the store to its opener
        throw error;
      }
    },
    async log() {
      const store = await open();
      try {
        return await readLog(store);
      } finally {
        await store.close();
      }
    },
  };
}

/** A test of each store. */
function onEach(title: string, run: (t: Test, restarts: Restarts) => Promise<void>): void {
  for (const [name, restarts] of Object.entries(PLACES)) t.test(`${name}: ${title}`, (t) => run(t, restarts(t)));
}

/** A start that is looked at and closed. */
async function once<T>(
  restarts: Restarts,
  options: Partial<RegistryOptions>,
  look: (registry: Registry) => T | Promise<T>,
): Promise<T> {
  const registry = await restarts.start(options);
  try {
    return await look(registry);
  } finally {
    await registry.close();
  }
}

/** `pack channel version` of every pointer. */
function pointers(registry: Registry): string[] {
  return [...registry.current.packs.values()]
    .flatMap((state) =>
      [...state.pointers.values()].map(({ pack, channel, version }) => `${pack} ${channel} ${version}`),
    )
    .sort();
}

/** `type pack channel version` of events. */
const told = (events: readonly Event[]) =>
  events.map(({ type, pack, channel, version }) => [type, pack, channel, version].filter(Boolean).join(' '));

const COACH = ['coach production 2.0.0', 'coach staging 2.0.0'];

onEach(
  'the first start registers the shipped versions and points each channel at the highest release',
  async (t, restarts) => {
    const versions = shippedOf('coach@1.0.0', 'coach@10.0.0', 'coach@9.0.0', 'coach@11.0.0-rc.1', 'onboarding@1.0.0');
    await once(restarts, { shipped: versions }, (registry) => {
      t.same(pointers(registry), [
        'coach production 10.0.0',
        'coach staging 10.0.0',
        'onboarding production 1.0.0',
        'onboarding staging 1.0.0',
      ]);
      t.match(registry.activePack(), {
        activatedBy: { keyId: 'system' },
        reason: 'First start: the highest version that is not a prerelease',
      });
    });
    const log = await restarts.log();
    t.same(told(log), [
      'registry-created',
      ...['1.0.0', '10.0.0', '9.0.0', '11.0.0-rc.1'].map((version) => `version-published coach ${version}`),
      'version-published onboarding 1.0.0',
      ...[
        'coach production 10.0.0',
        'coach staging 10.0.0',
        'onboarding production 1.0.0',
        'onboarding staging 1.0.0',
      ].map((move) => `version-activated ${move}`),
    ]);
    t.equal(firstBroken(log), undefined);
    t.ok(log.every(({ actor }) => actor.keyId === 'system'));
  },
);

onEach('a restart adds nothing, and never undoes a rollback', async (t, restarts) => {
  await once(restarts, {}, (registry) => registry.activate({ version: '1.1.0', reason: 'Older' }));
  await once(restarts, {}, (registry) => registry.rollback({ toVersion: '2.0.0', reason: 'Back' }));
  await once(restarts, {}, (registry) => registry.activate({ version: '1.0.0', reason: 'Older' }));
  await once(restarts, { defaultVersion: '2.0.0' }, (registry) => t.equal(registry.activePack().version, '1.0.0'));
  const before = await restarts.log();
  for (let restart = 0; restart < 3; restart += 1)
    await once(restarts, {}, (registry) =>
      t.same(pointers(registry), ['coach production 1.0.0', 'coach staging 2.0.0']),
    );
  t.strictSame(await restarts.log(), before);
});

onEach('a version that is shipped later is registered and moves nothing', async (t, restarts) => {
  await once(restarts, {}, () => undefined);
  await once(restarts, { shipped: shippedOf('coach@2.0.0', 'coach@3.0.0') }, (registry) => {
    t.same(pointers(registry), COACH);
    t.same(
      [...registry.current.packs.get('coach')!.versions].map(({ version }) => version),
      ['3.0.0', '2.0.0', '1.1.0', '1.0.0'],
      'a version that is no longer shipped stays',
    );
  });
  t.same(told(await restarts.log()).slice(-1), ['version-published coach 3.0.0']);
});

onEach('a new channel and a new pack get a pointer; those that are there are left', async (t, restarts) => {
  await once(restarts, { channels: ['production'] }, (registry) =>
    registry.activate({ version: '1.0.0', reason: 'Older' }),
  );
  const options = {
    channels: ['production', 'canary'],
    shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'onboarding@1.0.0'),
  };
  await once(restarts, options, (registry) => {
    t.same(
      pointers(registry),
      ['coach canary 2.0.0', 'coach production 1.0.0', 'onboarding canary 1.0.0', 'onboarding production 1.0.0'],
      'the highest registered, shipped or not',
    );
  });
  await once(restarts, { channels: ['canary'] }, (registry) => {
    t.equal(registry.activePack().version, '2.0.0', 'the first channel is the default one');
    t.equal(
      registry.activePack({ channel: 'production' }).version,
      '1.0.0',
      'a channel that went out of the settings still answers',
    );
  });
});

onEach(
  'DEFAULT_VERSION is activated in each channel where its pack has no pointer, even a prerelease',
  async (t, restarts) => {
    const versions = shippedOf(
      'coach@1.0.0',
      'coach@1.1.0',
      'coach@2.0.0-rc.1',
      'onboarding@1.0.0',
      'onboarding@1.1.0',
    );
    await once(restarts, { shipped: versions, defaultVersion: '2.0.0-rc.1' }, (registry) => {
      t.same(pointers(registry), [
        'coach production 2.0.0-rc.1',
        'coach staging 2.0.0-rc.1',
        'onboarding production 1.1.0',
        'onboarding staging 1.1.0',
      ]);
      t.equal(registry.activePack().reason, 'First start: DEFAULT_VERSION');
    });
    await once(
      restarts,
      { shipped: versions, defaultVersion: '1.0.0', channels: ['production', 'canary'] },
      (registry) => {
        t.same(
          pointers(registry).slice(0, 3),
          ['coach canary 1.0.0', 'coach production 2.0.0-rc.1', 'coach staging 2.0.0-rc.1'],
          'a later start only adds missing pointers',
        );
      },
    );
  },
);

onEach('an unknown DEFAULT_VERSION stops a start without a pointer, and names what there is', async (t, restarts) => {
  const refused = (message: RegExp) => ({ name: 'StartRefused', exitCode: 78, message });
  await t.rejects(
    restarts.start({ defaultVersion: '3.0.0' }),
    refused(
      /^DEFAULT_VERSION is "3\.0\.0", which pack "coach" does not have\. Versions that may be activated, the highest first: 2\.0\.0, 1\.1\.0, 1\.0\.0\.$/,
    ),
  );
  await t.rejects(
    restarts.start({ defaultVersion: '2.0.0', defaultPack: 'coch' }),
    refused(
      /^DEFAULT_VERSION is "2\.0\.0", which pack "coch" does not have\. Versions that may be activated, the highest first: none\.$/,
    ),
  );
  t.same(await restarts.log(), [], 'nothing was registered');
  await once(restarts, { defaultVersion: '1.1.0' }, (registry) => t.equal(registry.activePack().version, '1.1.0'));
});

onEach(
  'an unknown DEFAULT_PACK stops a first start and only warns at a later one; both list the packs',
  async (t, restarts) => {
    await t.rejects(restarts.start({ defaultPack: 'coch' }), {
      name: 'StartRefused',
      exitCode: 78,
      message: /^DEFAULT_PACK is "coch", which is not registered\. Packs here: coach\.$/,
    });
    t.same(await restarts.log(), [], 'nothing was registered');
    await once(restarts, {}, () => undefined);
    const logger = new RecordedLogger();
    await once(restarts, { defaultPack: 'coch', logger }, (registry) => t.same(pointers(registry), COACH));
    t.match(logger.messages('warn'), [
      /^DEFAULT_PACK is "coch", which is not registered\. Packs here: coach\. Reads and sessions that name no pack will fail until it is published\.$/,
    ]);
  },
);

onEach(
  'an unknown DEFAULT_VERSION only warns if there is a pointer, so it cannot stop a restart',
  async (t, restarts) => {
    await once(restarts, {}, () => undefined);
    const logger = new RecordedLogger();
    await once(
      restarts,
      { defaultVersion: '9.9.9', channels: ['production', 'staging', 'canary'], logger },
      (registry) => {
        t.same(pointers(registry), ['coach canary 2.0.0', ...COACH], 'a new channel is pointed as if it were not set');
      },
    );
    t.match(logger.messages('warn'), [/^DEFAULT_VERSION is "9\.9\.9".*2\.0\.0, 1\.1\.0, 1\.0\.0\..*ignored/]);
  },
);

onEach('a shipped version that was edited stops the start and names its file', async (t, restarts) => {
  await once(restarts, { shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0') }, () => undefined);
  const before = await restarts.log();
  const [supportive, direct] = versionOf('coach', '1.0.0').content.styles;
  const edited = (version: string, members: object) => shipped(versionOf('coach', version, members));
  const cases: [string, readonly ReturnType<typeof edited>[], RegExp][] = [
    [
      'the system prompt',
      [edited('1.0.0', { system: 'Edited.' })],
      /packs\/coach\/1\.0\.0\/system\.md: Version 1\.0\.0 of pack "coach" is already registered/,
    ],
    [
      'a style',
      [edited('1.0.0', { styles: [supportive, { ...direct, text: 'Edited.' }] })],
      /packs\/coach\/1\.0\.0\/styles\/direct\.md: /,
    ],
    [
      'both',
      [edited('1.0.0', { system: 'Edited.', styles: [{ ...supportive, text: 'Edited.' }, direct] })],
      /1\.0\.0\/system\.md, packs\/coach\/1\.0\.0\/styles\/supportive\.md: /,
    ],
    ['the summary', [edited('1.0.0', { summary: 'Edited.' })], /packs\/coach\/1\.0\.0\/pack\.yaml: .*summary/],
    [
      'a title',
      [edited('1.0.0', { styles: [supportive, { ...direct, title: 'Blunt' }] })],
      /packs\/coach\/1\.0\.0\/pack\.yaml: .*content/,
    ],
    ['a style taken out', [edited('1.0.0', { styles: [supportive] })], /packs\/coach\/1\.0\.0\/pack\.yaml: /],
    [
      'two versions',
      [edited('1.0.0', { system: 'Edited.' }), edited('2.0.0', { system: 'Edited.' })],
      /1\.0\.0\/system\.md: .*\n.*2\.0\.0\/system\.md: /,
    ],
  ];
  for (const [title, versions, message] of cases) {
    await t.rejects(
      restarts.start({ shipped: [...versions, ...shippedOf('coach@3.0.0')] }),
      { name: 'StartRefused', exitCode: 65, message },
      title,
    );
  }
  t.strictSame(await restarts.log(), before, 'not even a version without a fault was registered');
});

onEach('a pack of prereleases only is registered, pointed nowhere, and said so', async (t, restarts) => {
  const logger = new RecordedLogger();
  const versions = shippedOf('coach@1.0.0', 'next@1.0.0-alpha', 'next@1.0.0-beta');
  await once(restarts, { shipped: versions, logger }, (registry) => {
    t.same(pointers(registry), ['coach production 1.0.0', 'coach staging 1.0.0']);
    t.throws(() => registry.activePack({ pack: 'next' }), { name: 'RegistryError', code: 'channel-not-found' });
    t.same(
      [...registry.current.packs.get('next')!.versions].map(({ version }) => version),
      ['1.0.0-beta', '1.0.0-alpha'],
    );
  });
  t.same(
    logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields),
    [
      { pack: 'next', channel: 'production' },
      { pack: 'next', channel: 'staging' },
    ],
  );
  await once(restarts, { shipped: versions }, (registry) =>
    registry.activate({ pack: 'next', channel: 'staging', version: '1.0.0-alpha', reason: 'By hand' }),
  );
  await once(restarts, { shipped: [...versions, ...shippedOf('next@1.0.0')] }, (registry) => {
    t.same(
      pointers(registry).slice(2),
      ['next production 1.0.0', 'next staging 1.0.0-alpha'],
      'its first release becomes active on channels without a pointer',
    );
  });
});

onEach('no pack at all stops the first start, and no later one', async (t, restarts) => {
  await t.rejects(restarts.start({ shipped: [] }), {
    name: 'StartRefused',
    exitCode: 78,
    message: /^PACKS_DIR holds no pack/,
  });
  t.same(await restarts.log(), []);
  await once(restarts, {}, () => undefined);
  const before = await restarts.log();
  await once(restarts, { shipped: [], channels: ['production', 'canary'] }, (registry) =>
    t.same(pointers(registry), COACH),
  );
  t.strictSame(await restarts.log(), before, 'and points no channel at what is not shipped');
  await once(restarts, { shipped: [], channels: ['canary'], defaultVersion: '1.1.0' }, (registry) =>
    t.equal(registry.activePack().version, '1.1.0', 'unless DEFAULT_VERSION says so'),
  );
});

onEach('a pack that was published by hand is pointed nowhere by a start', async (t, restarts) => {
  await once(restarts, {}, async (registry) => {
    const { content, summary, author } = versionOf('custom', '1.0.0');
    const { pack, ...document } = content;
    await registry.publish({ pack, document: { ...document, summary, author } });
  });
  await once(restarts, {}, (registry) => t.same(pointers(registry), COACH));
});
