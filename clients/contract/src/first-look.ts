/**
 * The first look at a server: is there a prompt registry, does it take the key, is the pack's name free?
 *
 * Rule: what answers at all as a registry does goes on to the checks, however wrong the answer is; what does not is told in one message.
 */
import { exchange, jsonOf, mediaType, NoAnswer, type RawAnswer } from './raw-answer.ts';

/** Why the suite does not start. */
export interface Refused {
  readonly exitCode: 2 | 3;
  readonly message: string;
}

export interface Look {
  readonly url: string;
  readonly key: string;
  readonly timeout: number;
  readonly pack: string;
  /** Whether somebody chose the pack's name, so that it may be one that is in use. */
  readonly chosen: boolean;
}

/** @returns undefined where the suite may start */
export async function firstLook({ url, key, timeout, pack, chosen }: Look): Promise<Refused | undefined> {
  let answer: RawAnswer;
  try {
    answer = await exchange(`${url}/v1/packs/${pack}`, { headers: { authorization: `Bearer ${key}` } }, timeout);
  } catch (error) {
    if (error instanceof NoAnswer) return { exitCode: 3, message: error.message };
    throw error;
  }
  const { status, headers, text } = answer;
  const type = mediaType(headers);
  const isRegistry = type.endsWith('json') && jsonOf(text) !== undefined && (headers.has('registry-revision') || type === 'application/problem+json');
  if (!isRegistry) return { exitCode: 3, message: `There is no prompt registry at ${url}: it answered ${status} with ${type === '' ? 'no media type' : type}. Is a proxy in between, or a path missing in the URL?` };
  if (status === 401) return { exitCode: 3, message: `The server at ${url} refused the key (401): ${detailOf(text)} Give one that it knows and that was not revoked.` };
  if (status === 200) return { exitCode: 2, message: `The pack "${pack}" is there already, and the suite moves only a pack of its own. Choose another name with --pack, or leave it out.` };
  if (status !== 404 && chosen) return { exitCode: 2, message: `Whether the pack "${pack}" is there could not be found out (${status}: ${detailOf(text)}), and the suite moves only a pack of its own. Leave out --pack.` };
  return undefined;
}

function detailOf(text: string): string {
  const { detail } = (jsonOf(text) ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : 'it said nothing more.';
}
