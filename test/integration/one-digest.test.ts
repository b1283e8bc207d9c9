/**
 * One text, one digest (SPEC R1, docs/adr/0019): a folder at the start, the command line, HTTP and the client compute the same digest, and
 * what the registry returns can be published again. Texts are made of byte order marks, returns, newlines, spaces and letters.
 */
import fc from 'fast-check';
import t from 'tap';
import { buildApp } from '../../app.ts';
import { createPromptSource } from '../../clients/typescript/src/index.ts';
import type { PackDocument } from '../../registry/model.ts';
import { readPackFolders } from '../../registry/packs/pack-folder.ts';
import { normalizeText } from '../../registry/packs/texts.ts';
import { runCli, json } from '../support/clients/command-line.ts';
import { heldOperatorKey, injectWith } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import { optionsOf } from '../support/apps/registries.ts';

const runs = { short: 25, faults: 500, soak: 2000 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 25;

const piece = fc.constantFrom('\uFEFF', '\r', '\n', '\r\n', ' ', '\t', 'a', 'B', 'ç');
const pieces = fc.array(piece, { maxLength: 12 }).map((all) => all.join(''));
/** With a visible character. */
const text = fc.tuple(pieces, fc.constantFrom('x', 'Y'), pieces).map((parts) => parts.join(''));

/** The normal form of earlier builds; their digests must stay valid. */
const before = (given: string) =>
  given
    .replace(/^\uFEFF/u, '')
    .replaceAll('\r\n', '\n')
    .replace(/\n$/u, '');

t.test('the normal form is a fixed point, also after every earlier form', async (t) => {
  const fixed = fc.property(pieces, (given) => {
    const normal = normalizeText(given);
    return (
      normalizeText(normal) === normal &&
      normalizeText(before(given)) === normal &&
      normalizeText(before(before(given))) === normal
    );
  });
  t.doesNotThrow(() => fc.assert(fixed, { numRuns: 20_000 }));
  const kept = fc.property(
    pieces,
    (given) => normalizeText(given).replace(/[\r\n\uFEFF]/gu, '') === given.replace(/[\r\n\uFEFF]/gu, ''),
  );
  t.doesNotThrow(() => fc.assert(kept, { numRuns: 2000 }), 'blanks and letters are left as they are');
});

t.test('many line ends in a row take no time', { timeout: 20_000 }, async (t) => {
  for (const run of ['\n', '\r', '\r\n', '\uFEFF', '\n\r']) {
    const long = run.repeat(100_000);
    t.ok(normalizeText(`${long}x${long}x`).endsWith('x'), JSON.stringify(run));
  }
});

t.test('every way in computes the same digest', async (t) => {
  const operatorKey = heldOperatorKey();
  const app = await buildApp({ registry: optionsOf({ operatorKey, shipped: shippedOf('coach@1.0.0') }) });
  t.teardown(() => app.close());
  const key = operatorKey.token();
  injectWith(app, key);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const env = { PROMPT_REGISTRY_URL: url, PROMPT_REGISTRY_KEY: key };
  const publish = async (pack: string, document: object) => {
    const answer = await app.inject({ method: 'POST', url: `/v1/packs/${pack}/versions`, payload: document });
    return [answer.statusCode, answer.json<{ digest?: string }>().digest];
  };
  const toldBy = async (...args: string[]) =>
    (json((await runCli([...args, '--json'], env)).stdout)['versions'] as { digest: string; outcome?: string }[])[0];

  let count = 0;
  const oneDigest = fc.asyncProperty(text, text, async (system, style) => {
    const pack = `pack-${++count}`;
    const document: PackDocument = {
      ...documentOf(pack, '1.0.0'),
      system,
      styles: [{ id: 'direct', title: 'Direct', text: style }],
      defaultStyle: 'direct',
    };
    const packs = newFolder(t);
    const folder = writePackFolder(packs, pack, document, '');
    const [shipped] = await readPackFolders(packs);
    const digest = shipped?.version.digest ?? '';
    t.equal((await toldBy('validate', folder))?.digest, digest, 'validate');
    t.match(await toldBy('publish', folder, '--dry-run'), { digest, outcome: 'would-register' });
    t.match(await toldBy('publish', folder), { digest, outcome: 'registered' });
    t.match(await toldBy('publish', folder), { digest, outcome: 'unchanged' });
    t.match(await toldBy('publish', folder, '--dry-run'), { digest, outcome: 'unchanged' });
    t.strictSame(await publish(pack, document), [200, digest], 'HTTP');
    const read = (await app.inject(`/v1/packs/${pack}/versions/1.0.0`)).json<PackDocument>();
    t.strictSame(
      await publish(pack, { ...document, system: read.system, styles: read.styles }),
      [200, digest],
      'what was read',
    );

    await app.registry.activate({ pack, version: '1.0.0', reason: 'Read it with the client' });
    const source = createPromptSource({ url, key, pack });
    await source.ready();
    t.equal(source.activePack().digest, digest, 'the client');
    await source.close();
  });
  await t.resolves(
    fc.assert(oneDigest, {
      numRuns: runs,
      examples: [
        ['two\n\n', '\uFEFF\uFEFFmarks'],
        ['doubled\r\r\nends\r\r\n', 'x\r'],
      ],
    }),
  );
});
