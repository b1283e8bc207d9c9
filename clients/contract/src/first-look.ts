/**
 * The first look at a server: is there a prompt registry, does it take the key, is the pack's name free?
 *
 * Rule: what answers at all as a registry does goes on to the checks, however wrong the answer is; what does not is told in one message. A
 * mock whose answers are canned has every pack, so no name is free: it is told for what it is, and its reads can be checked.
 */
import { randomBytes } from 'node:crypto';
import { patiently } from './patience.ts';
import { exchange, jsonOf, mediaType, NoAnswer, type RawAnswer } from './raw-answer.ts';

/** Why the suite does not start, or what is to be known of the server it starts with. */
export type Finding =
  { readonly exitCode: 2 | 3; readonly message: string } | { readonly exitCode?: undefined; readonly message: string };

export interface Look {
  readonly url: string;
  readonly key: string;
  readonly timeout: number;
  readonly pack: string;
  /** Whether somebody chose the pack's name, so that it may be one that is in use. */
  readonly chosen: boolean;
  /** Whether nothing but reads is to be checked. */
  readonly readsOnly: () => Promise<boolean>;
}

/** @returns undefined where the suite may start, and there is nothing to say */
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
      message: `There is no prompt registry at ${url}: it answered ${status} with ${type === '' ? 'no media type' : type}. Is a proxy in between, or a path missing in the URL?`,
    };
  if (status === 401)
    return {
      exitCode: 3,
      message: `The server at ${url} refused the key (401): ${detailOf(text)} Give one that it knows and that was not revoked.`,
    };
  return undefined;
}

/** The server has a pack of this name, or says so of any. */
async function taken(look: Look): Promise<Finding> {
  const { url, pack, chosen, readsOnly } = look;
  const nowhere = `no-such-${randomBytes(8).toString('hex')}`;
  const { status } = await ask(look, nowhere);
  if (status !== 200)
    return {
      exitCode: 2,
      message: `The pack "${pack}" is there already, and the suite moves only a pack of its own. Choose another name with --pack, or leave it out.`,
    };
  const message = `The server at ${url} answers 200 for a pack that cannot exist (${nowhere}). It gives canned answers, as a mock does, and keeps nothing that the suite writes.`;
  if (chosen)
    return {
      exitCode: 2,
      message: `${message} Whether the pack "${pack}" is there cannot be found out; leave out --pack.`,
    };
  if (!(await readsOnly()))
    return {
      exitCode: 2,
      message: `${message} Check single reads, e.g. with --only getPack; checks that need what was written fail there by name.`,
    };
  return { message: `${message} Checks that need what was written will fail.` };
}

function unclear({ pack }: Look, { status, text }: RawAnswer): Finding {
  return {
    exitCode: 2,
    message: `Whether the pack "${pack}" is there could not be found out (${status}: ${detailOf(text)}), and the suite moves only a pack of its own. Leave out --pack.`,
  };
}

function detailOf(text: string): string {
  const { detail } = (jsonOf(text) ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : 'it said nothing more.';
}
