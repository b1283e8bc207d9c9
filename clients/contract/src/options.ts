/** The command line: what may be said, and what is said about it. */
import { parseArgs } from 'node:util';
import { LEAVES } from './leaves.ts';

export const HELP = `Holds a running prompt registry to openapi.yaml.

Usage: prompt-registry-contract --url <url> --key <key> [options]

  --url <url>         where the server is, e.g. http://127.0.0.1:3000 (or PROMPT_REGISTRY_URL)
  --key <key>         an API key with the scope *, or with all scopes (or PROMPT_REGISTRY_KEY)
  --only <operation>  check this operation alone, by its operationId; may be given again.
                      "openapi" stands for the document that the server serves
  --pack <name>       name of the pack that the suite makes for itself; it must not be there yet
                      (contract-<random> where not given)
  --channel <name>    the channel that the suite moves in its pack (the server's default one where not given)
  --timeout <seconds> how long an answer may take (10); that of verifyAudit twelve times as long
  --help              this text
  --version           the version of the suite, and of its document

It publishes versions of a pack of its own, moves that pack's channel, and makes keys, which it revokes
at the end. No other pack is moved. The server keeps all of that for good: a whole run leaves at most
${LEAVES.versions} versions, ${LEAVES.keys} revoked keys and ${LEAVES.events} events.

Results are TAP 14 on stdout; on stderr what failed, and "N passed, N failed" as the last line.
Exit codes: 0 all passed, 1 a deviation, 2 wrong usage, 3 no prompt registry answered or the key was refused,
4 the results could not be written.
`;

/** What is wrong with the command line. */
export class Usage extends Error {
  override readonly name = 'Usage';
}

export interface Options {
  readonly url: string;
  readonly key: string;
  readonly only: readonly string[];
  /** Undefined where a name is to be made up. */
  readonly pack: string | undefined;
  readonly channel: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

export type Command = 'help' | 'version' | Options;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/u;

/** @throws Usage where it cannot be understood, with what would be right */
export function readCommand(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  const values = parsed(args);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const url = values.url ?? env['PROMPT_REGISTRY_URL'];
  const key = (values.key ?? env['PROMPT_REGISTRY_KEY'])?.trim().replace(/^bearer\s+/iu, ''); // as it stands in a file or a header
  if (url === undefined || url === '')
    throw new Usage('Which server? Give --url, e.g. --url http://127.0.0.1:3000, or set PROMPT_REGISTRY_URL.');
  if (key === undefined || key === '')
    throw new Usage(
      'With which key? Give --key prk_…, or set PROMPT_REGISTRY_KEY. The operator key is in DATA_DIR/operator.key on the server.',
    );
  if (!/^[\x21-\x7e]+$/u.test(key))
    throw new Usage(
      '--key: a key has no blanks in it and no letters beyond ASCII; give the whole text prk_<keyId>_<secret>.',
    );
  for (const name of ['pack', 'channel'] as const) {
    const value = values[name];
    if (value !== undefined && !NAME.test(value))
      throw new Usage(`--${name} ${value}: a name has lower-case letters, digits and hyphens, at most 63.`);
  }
  return {
    url: originOf(url),
    key,
    only: values.only ?? [],
    pack: values.pack,
    channel: values.channel,
    timeout: secondsOf(values.timeout) * 1000,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = {
      url: text,
      key: text,
      only: { type: 'string', multiple: true },
      pack: text,
      channel: text,
      timeout: { ...text, default: '10' },
      help: flag,
      version: flag,
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw new Usage((error as Error).message);
  }
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new Usage(`--url ${text}: give a whole http or https URL, e.g. http://127.0.0.1:3000.`);
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new Usage(`--url ${text}: give it without a query, a fragment or a user.`);
  return `${url.origin}${url.pathname.replace(/\/$/u, '')}`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600))
    throw new Usage(`--timeout ${text}: give seconds, more than 0 and at most 600.`);
  return seconds;
}
