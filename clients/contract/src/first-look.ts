/**
 * The first look at a server: is it a prompt registry, does it accept the key, is the name of the pack free?
 *
 * Rule: a server that answers like a registry goes on to the checks, however wrong the response is. Any other ends the run with one message.
 * A mock with canned responses has every pack, so no name is free: the message says so, and only its reads can be checked.
 */
import { randomBytes } from 'node:crypto';
import { patiently } from './patience.ts';
import { exchange, jsonOf, mediaType, NoAnswer, type RawAnswer } from './raw-answer.ts';

/** Why the suite does not start; without an exit code, a warning. */
export type Finding =
  { readonly exitCode: 2 | 3; readonly message: string } | { readonly exitCode?: undefined; readonly message: string };

export interface Look {
  readonly url: string;
  readonly key: string;
  readonly timeout: number;
  readonly pack: string;
  /** Whether the user chose the name of the pack, so it may be in use. */
  readonly chosen: boolean;
  /** Whether only reads are checked. */
  readonly readsOnly: () => Promise<boolean>;
}

/** @returns undefined if the suite can start */
export async function firstLook(look: Look): Promise<Finding | undefined> {
  try {
    const answer = await ask(look, look.pack);
    const { status } = answer;
    return (
      noRegistry(look, answer) ??
      (status === 200 ? await taken(look) : status !== 404 && look.chosen ? unclear(look, answer) : undefined)
    );
  } catch (error) {
    if (error instanceof NoAnswer) return { exitCode: 3, message: error.message };
    throw error;
  }
}

/** @throws NoAnswer */
function ask({ url, key, timeout }: Look, pack: string): Promise<RawAnswer> {
  return patiently(() => exchange(`${url}/v1/packs/${pack}`, { headers: { authorization: `Bearer ${key}` } }, timeout));
}

function noRegistry({ url }: Look, { status, headers, text }: RawAnswer): Finding | undefined {
  const type = mediaType(headers);
  const isRegistry =
    type.endsWith('json') &&
    jsonOf(text) !== undefined &&
    (headers.has('registry-revision') || type === 'application/problem+json');
  if (!isRegistry)
    return {
      exitCode: 3,
      message: `There is no prompt registry at ${url}: it answered ${status} with ${type === '' ? 'no media type' : type}. Is there a proxy in between, or is a path missing in the URL?`,
    };
  if (status === 401)
    return {
      exitCode: 3,
      message: `The server at ${url} refused the key (401): ${detailOf(text)} Use a key that exists and is not revoked.`,
    };
  return undefined;
}

/** The server has a pack of this name, or claims to have every pack. */
async function taken(look: Look): Promise<Finding> {
  const { url, pack, chosen, readsOnly } = look;
  const impossible = `no-such-${randomBytes(8).toString('hex')}`;
  const { status } = await ask(look, impossible);
  if (status !== 200)
    return {
      exitCode: 2,
      message: `The pack "${pack}" exists already, and the suite writes only to its own pack. Choose another name with --pack, or omit it.`,
    };
  const message = `The server at ${url} answers 200 for a pack that cannot exist (${impossible}). Its responses are canned, like those of a mock, and it keeps nothing that the suite writes.`;
  if (chosen)
    return {
      exitCode: 2,
      message: `${message} The suite cannot find out whether the pack "${pack}" exists; omit --pack.`,
    };
  if (!(await readsOnly()))
    return {
      exitCode: 2,
      message: `${message} Check single reads, e.g. with --only getPack; checks that depend on writes will fail.`,
    };
  return { message: `${message} Checks that depend on writes will fail.` };
}

function unclear({ pack }: Look, { status, text }: RawAnswer): Finding {
  return {
    exitCode: 2,
    message: `The suite could not find out whether the pack "${pack}" exists (${status}: ${detailOf(text)}), and it writes only to its own pack. Omit --pack.`,
  };
}

function detailOf(text: string): string {
  const { detail } = (jsonOf(text) ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : 'no detail.';
}
