/** What all reads of a channel have in common: a strong ETag, and 304 while the channel has not moved (RFC 9110 section 13). */
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';

/** @param of the request about the pack of this run, without the channel */
export async function conditional(kit: Kit, operation: string, of: Request): Promise<void> {
  const { world } = kit;
  await world.activate('1.0.0');
  const request = { ...of, query: { ...of.query, ...world.chosenChannel } };
  const { etag } = await kit.ask(operation, request, 200);
  kit.ok(/^"[^"]+"$/u.test(etag), 'the ETag is strong', etag);
  const ask = (known: string, status: number) =>
    kit.ask(operation, { ...request, headers: { 'if-none-match': known } }, status);
  for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
    const answer = await ask(known, 304);
    kit.same(
      [answer.text, answer.etag],
      ['', etag],
      `If-None-Match: ${known === etag ? 'the ETag' : known} answers 304 with the ETag and no body`,
    );
  }
  await ask('"another"', 200);
  await world.appendEvent();
  await ask(etag, 304); // an event that does not move the channel
  await world.activate('2.0.0');
  const moved = await ask(etag, 200);
  kit.ok(moved.etag !== etag, 'after a move the ETag is different', moved.etag);
  await kit.ask('rollbackPack', { path: world.path(), body: world.rollbackBody({ toVersion: '1.0.0' }) }, 201);
  const again = await ask(etag, 200);
  kit.ok(again.etag !== etag, 'after a rollback to the same content the ETag is different, too', again.etag);
}
