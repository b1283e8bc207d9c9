/** What all reads share that hang on a channel: a strong ETag, and 304 while the channel has not moved (RFC 9110 section 13). */
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';

/** @param of the request, less the channel; of the pack of this run */
export async function conditional(kit: Kit, operation: string, of: Request): Promise<void> {
  const { world } = kit;
  await world.at('1.0.0');
  const request = { ...of, query: { ...of.query, ...world.there } };
  const { etag } = await kit.ask(operation, request, 200);
  kit.ok(/^"[^"]+"$/u.test(etag), 'the ETag is strong', etag);
  const ask = (known: string, status: number) =>
    kit.ask(operation, { ...request, headers: { 'if-none-match': known } }, status);
  for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
    const answer = await ask(known, 304);
    kit.same(
      [answer.text, answer.etag],
      ['', etag],
      `If-None-Match: ${known === etag ? 'the ETag' : known} gives 304 with the ETag and no body`,
    );
  }
  await ask('"another"', 200);
  await world.goOn();
  await ask(etag, 304); // what else has come into the log moves nothing here
  await world.at('2.0.0');
  const moved = await ask(etag, 200);
  kit.ok(moved.etag !== etag, 'once the channel has moved, the ETag is another', moved.etag);
  await kit.ask('rollbackPack', { path: world.path(), body: world.back({ toVersion: '1.0.0' }) }, 201);
  const again = await ask(etag, 200);
  kit.ok(again.etag !== etag, 'once it was rolled back, too: the content is the same, the state is not', again.etag);
}
