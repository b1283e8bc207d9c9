/**
 * Activation and rollback for an operator: what moves, how far down the stack a rollback goes (the table of transitions in
 * registry/SPEC.md), what the history lists, and where the responses link to.
 */
import t, { type Test } from 'tap';
import { addPack, openApp } from '../support/apps/app.ts';
import { askOf, type Answer } from '../support/http/openapi.ts';
import { words } from '../support/process/words.ts';

const { app, key } = await openApp(t);
const ask = askOf(app);
const reason = 'Users report that answers are too blunt';

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '3.0.0'] as const;

/** A pack for one test, and what an operator can do with it. */
class Pack {
  readonly #t: Test;
  readonly name: string;

  constructor(t: Test, name: string) {
    this.#t = t;
    this.name = name;
  }

  static async at(t: Test, name: string, ...activated: readonly string[]): Promise<Pack> {
    await addPack(app, name, ...VERSIONS);
    const pack = new Pack(t, name);
    for (const version of activated) await pack.activate(version);
    return pack;
  }

  activate(version: string, body: object = {}): Promise<Answer> {
    return ask(this.#t, 'activateVersion', { path: { pack: this.name }, body: { version, reason, ...body } });
  }

  rollback(body: object = {}): Promise<Answer> {
    return ask(this.#t, 'rollbackPack', { path: { pack: this.name }, body: { reason, ...body } });
  }

  read(channel = 'production'): Promise<Answer> {
    return ask(this.#t, 'getActivePack', { path: { pack: this.name }, query: { channel } });
  }

  history(query: Record<string, string | number> = {}): Promise<Answer> {
    return ask(this.#t, 'listActivations', { path: { pack: this.name }, query });
  }

  /** Rolls back until it is refused. @returns the versions it came by */
  async toTheBottom(): Promise<string[]> {
    const seen: string[] = [];
    for (;;) {
      if (seen.length > 10) throw new Error(`There is no bottom: ${seen.join(', ')}`);
      const { statusCode, body } = await this.rollback();
      if (statusCode !== 201) {
        this.#t.match({ statusCode, body }, { statusCode: 409, body: { code: 'nothing-to-roll-back-to' } });
        return seen;
      }
      seen.push(body.version);
    }
  }
}

/** Expects a refusal that changes nothing. */
async function refused(t: Test, answer: () => Promise<Answer>, status: number, problem: object): Promise<void> {
  const before = app.registry.current;
  t.match(await answer(), { statusCode: status, body: problem });
  t.equal(app.registry.current, before, 'nothing was changed');
}

t.test('after an activation, the next read shows all of it, on every path', async (t) => {
  const pack = await Pack.at(t, 'activated', '1.0.0');
  const before = app.registry.current.revision;
  const { statusCode, headers, body } = await pack.activate('2.0.0');
  t.equal(statusCode, 201);
  t.strictSame(
    { ...body, activatedAt: '', digest: '' },
    {
      revision: before + 1,
      kind: 'activation',
      pack: 'activated',
      channel: 'production',
      version: '2.0.0',
      digest: '',
      previousVersion: '1.0.0',
      actor: { keyId: key.split('_')[1] ?? '', label: 'operator' },
      reason,
      activatedAt: '',
      changed: true,
    },
  );
  const active = await pack.read();
  t.match(active.body, {
    version: '2.0.0',
    revision: before + 1,
    digest: body.digest,
    reason,
    activatedAt: body.activatedAt,
    system: /^activated 2\.0\.0/u,
  });
  const origin = {
    pack: 'activated',
    channel: 'production',
    version: '2.0.0',
    digest: body.digest,
    revision: before + 1,
  };
  for (const [id, request] of [
    ['getSystemPrompt', {}],
    ['listStyles', {}],
    ['getStylePrompt', { path: { styleId: 'direct' } }],
  ] as const) {
    t.match((await ask(t, id, { ...request, query: { pack: 'activated' } })).body, origin, id);
  }
  t.match((await ask(t, 'getPack', { path: { pack: 'activated' } })).body.channels, [
    { channel: 'production', version: '2.0.0', revision: before + 1 },
  ]);
  t.match((await ask(t, 'getVersion', { path: { pack: 'activated', version: '2.0.0' } })).body, {
    activeIn: ['production'],
  });
  t.match((await ask(t, 'getVersion', { path: { pack: 'activated', version: '1.0.0' } })).body, { activeIn: [] });
  t.match(app.registry.getSystemPrompt({ pack: 'activated' }), origin, 'in process too');
  t.match(
    await app.inject({ url: String(headers['location']) }),
    { statusCode: 200, body: JSON.stringify(active.body) },
    'Location leads to it',
  );
});

t.test('repeated rollbacks go further down the stack, never forward', async (t) => {
  const pack = await Pack.at(t, 'in-a-row', '1.0.0', '1.1.0', '2.0.0', '3.0.0');
  t.match((await pack.rollback()).body, {
    kind: 'rollback',
    version: '2.0.0',
    previousVersion: '3.0.0',
    changed: true,
  });
  t.equal((await pack.read()).body.version, '2.0.0');
  t.strictSame(await pack.toTheBottom(), ['1.1.0', '1.0.0']);
  t.equal((await pack.read()).body.version, '1.0.0', 'the bottom stays active');
});

t.test('activating the active version adds no event and no rollback step', async (t) => {
  const pack = await Pack.at(t, 'no-op', '1.0.0', '2.0.0');
  const { current } = app.registry;
  const { body: made } = await pack.history({ limit: 1 });
  for (const again of [
    await pack.activate('2.0.0', { reason: 'Once more' }),
    await pack.rollback({ toVersion: '2.0.0', reason: 'Once more' }),
  ]) {
    t.equal(again.statusCode, 200);
    t.strictSame(
      again.body,
      { ...made.activations[0], changed: false },
      'the response describes the move that activated it',
    );
    t.equal((await app.inject({ url: String(again.headers['location']) })).statusCode, 200);
  }
  t.equal(app.registry.current, current, 'no event');
  t.strictSame(await pack.toTheBottom(), ['1.0.0']);
});

t.test('fromVersion refuses the rollback if the channel has moved', async (t) => {
  const pack = await Pack.at(t, 'from-version', '1.0.0', '1.1.0', '2.0.0');
  await refused(t, () => pack.rollback({ fromVersion: '1.1.0' }), 409, { code: 'not-active', activeVersion: '2.0.0' });
  await refused(t, () => pack.rollback({ fromVersion: '9.9.9' }), 409, { code: 'not-active' });
  const pressed = await Promise.all([pack.rollback({ fromVersion: '2.0.0' }), pack.rollback({ fromVersion: '2.0.0' })]);
  t.strictSame(pressed.map(({ statusCode }) => statusCode).sort(), [201, 409], 'two operators at once roll back once');
  t.equal((await pack.read()).body.version, '1.1.0');
  await refused(t, () => pack.rollback({ fromVersion: '2.0.0', toVersion: '1.0.0' }), 409, {
    code: 'not-active',
    activeVersion: '1.1.0',
  });
});

t.test('a refusal of an unknown name lists the known ones', async (t) => {
  const pack = await Pack.at(t, 'unknown', '1.0.0');
  await refused(t, () => pack.activate('9.9.9'), 422, {
    code: 'unknown-version',
    knownVersions: ['3.0.0', '2.0.0', '1.1.0', '1.0.0'],
  });
  await refused(t, () => pack.activate('2.0.0', { channel: 'nightly' }), 404, {
    code: 'channel-not-found',
    knownChannels: ['production', 'staging'],
  });
  await refused(t, () => new Pack(t, 'unpublished').activate('1.0.0'), 404, {
    code: 'pack-not-found',
    knownPacks: ['activated', 'coach', 'from-version'],
  });
});

t.test('channels are independent of each other', async (t) => {
  const pack = await Pack.at(t, 'channels', '1.0.0', '2.0.0');
  await pack.activate('1.1.0', { channel: 'staging' });
  await pack.activate('3.0.0', { channel: 'staging' });
  t.equal((await pack.read()).body.version, '2.0.0');
  t.equal((await pack.rollback({ channel: 'staging' })).body.version, '1.1.0');
  t.equal((await pack.read()).body.version, '2.0.0', 'production stays');
  t.equal((await pack.rollback()).body.version, '1.0.0');
  t.equal((await pack.read('staging')).body.version, '1.1.0', 'staging stays');
  const { statusCode, headers } = await pack.activate('3.0.0', { channel: 'staging' });
  t.equal(statusCode, 201);
  t.match(
    (await app.inject({ url: String(headers['location']) })).json(),
    { channel: 'staging', version: '3.0.0' },
    'Location names the channel',
  );
});

t.test('the history lists every move and nothing else, newest first', async (t) => {
  const pack = await Pack.at(t, 'history', '1.0.0', '2.0.0');
  await pack.activate('1.1.0', { channel: 'staging', reason: 'Try it out' });
  await pack.rollback();
  await pack.rollback(); // refused
  await pack.activate('1.0.0'); // without effect
  await addPack(app, 'history', '4.0.0');
  const { body } = await pack.history();
  t.equal(body.nextCursor, null);
  t.match(body.activations, [
    { kind: 'rollback', channel: 'production', version: '1.0.0', previousVersion: '2.0.0' },
    { kind: 'activation', channel: 'staging', version: '1.1.0', previousVersion: null, reason: 'Try it out' },
    { kind: 'activation', channel: 'production', version: '2.0.0', previousVersion: '1.0.0' },
    { kind: 'activation', channel: 'production', version: '1.0.0', previousVersion: null },
  ]);
  t.equal(body.activations.length, 4);
  t.strictSame((await pack.history({ channel: 'staging' })).body.activations, [body.activations[1]]);
  t.strictSame((await pack.history({ channel: 'production' })).body.activations.length, 3);
});

t.test('pages of the history: no gap and no repeat while new moves arrive', async (t) => {
  const pack = await Pack.at(t, 'paged');
  for (let move = 0; move < 11; move += 1) await pack.activate(VERSIONS[move % 2] ?? '');
  const { body: all } = await pack.history({ limit: 1000 });
  for (const limit of [1, 3, 10, 11, 12]) {
    const seen: object[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const { body } = await pack.history({ limit, ...(cursor !== '' && { cursor }) });
      t.ok(body.activations.length <= limit);
      seen.push(...body.activations);
      cursor = body.nextCursor;
      pages += 1;
      if (pages === 1) await pack.activate((await pack.read()).body.version === '3.0.0' ? '2.0.0' : '3.0.0'); // between two pages
    }
    const { body: now } = await pack.history({ limit: 1000 });
    t.strictSame(seen, now.activations.slice(1), `${limit} at a time: what there was at the first page`);
  }
  t.equal(all.activations.length, 11);
});

t.test('the versions are listed by SemVer, the highest first, page by page', async (t) => {
  const versions = words`
    1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.2.0 1.10.0 2.0.0
  `;
  await addPack(app, 'sorted', ...versions.toSorted());
  for (const limit of [1, 4, 10]) {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await ask(t, 'listVersions', {
        path: { pack: 'sorted' },
        query: { limit, ...(cursor !== '' && { cursor }) },
      });
      seen.push(...body.versions.map(({ version }: { version: string }) => version));
      cursor = body.nextCursor;
    }
    t.strictSame(seen, versions.toReversed(), `${limit} at a time`);
  }
  t.equal((await ask(t, 'getPack', { path: { pack: 'sorted' } })).body.latest, '2.0.0');
  await addPack(app, 'sorted', '3.0.0-rc.1');
  t.match(
    (await ask(t, 'getPack', { path: { pack: 'sorted' } })).body,
    { latest: '2.0.0', versionCount: 11 },
    'a prerelease is never the latest',
  );
  t.strictSame(
    (await ask(t, 'listVersions', { path: { pack: 'sorted' }, query: { status: 'revoked' } })).body.versions,
    [],
  );
});
