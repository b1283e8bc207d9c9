/**
 * Requests with an unknown key.
 *
 * Problem: a registry may read its log before it refuses an unknown key, and may limit how often it does. One after the other, the requests
 * of all operations would wait a second each.
 * Rule: they are sent together, when the first answer is needed. So they wait together.
 * Example: `await kit.answered('getPack', strangerAt(kit, 'getPack'))` is a 401.
 */
import type { Answer } from '../asker.ts';
import type { Request } from '../connection.ts';
import type { Kit } from '../kit.ts';
import { validRequest } from '../requests.ts';
import { perWorld } from '../world.ts';

const UNKNOWN_KEY = `prk_nobody00000_${'0'.repeat(43)}`;

type Answers = ReadonlyMap<string, Promise<Answer<unknown>>>;

/** The answer to a valid request with an unknown key, which may have come already. */
export async function strangerAt({ world }: Kit, operation: string): Promise<Answer<unknown>> {
  const answer = (await answersIn(world)).get(operation);
  if (answer === undefined) throw new Error(`${operation} is not an operation of this run that needs a key.`);
  return answer;
}

const answersIn = perWorld(async (world): Promise<Answers> => {
  const made = new Map<string, Promise<Request>>();
  for (const id of world.operations) {
    if (world.asker.judge.operations.get(id)?.guarded !== true) continue;
    const valid = validRequest(id, world);
    made.set(id, valid);
    await valid.catch(() => undefined); // in turn, because some move the channel
  }
  return new Map(
    [...made].map(([id, valid]) => {
      const answer = valid.then((request) => world.asker.ask(id, { ...request, key: UNKNOWN_KEY }, 401));
      answer.catch(() => undefined); // the check of the operation reports it
      return [id, answer];
    }),
  );
});
