/** The command line: its help, its options, and the messages about wrong ones. */
import { parseArgs } from 'node:util';
import { LEAVES } from './leaves.ts';

export const HELP = `Checks a running prompt registry against openapi.yaml.

Usage: prompt-registry-contract --url <url> --key <key> [options]

  --url <url>         URL of the server, e.g. http://127.0.0.1:3000 (or PROMPT_REGISTRY_URL)
  --key <key>         an API key with the scope *, or with all scopes (or PROMPT_REGISTRY_KEY)
  --only <operation>  check only this operation, by its operationId; can be repeated.
                      "openapi" is the document that the server serves
  --pack <name>       name of the pack that the suite creates; it must not exist yet
                      (default: contract-<random>)
  --channel <name>    channel that the suite moves in its pack (default: the default channel of the server)
  --move-default-pack check sessions too: publish versions in the default pack of the server, and move its channel
                      (back at the end). Only for a test registry
  --timeout <seconds> timeout of a response (default: 10); verifyAudit gets twelve times as long
  --help              show this text
  --version           show the version of the suite, and of its document

The suite creates a pack with some versions, moves the channel of that pack, and creates keys, which it
revokes at the end. It does not change other packs, unless you allow it. The server cannot delete any of this: a full run leaves
at most ${LEAVES.versions} versions, ${LEAVES.keys} revoked keys and ${LEAVES.events} events.

Results are TAP 14 on stdout. Failures are listed on stderr, with "N passed, N failed" as the last line.
Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 no prompt registry answered or the key was refused,
4 the results could not be written.
`;

/** The command line is wrong. */
export class Usage extends Error {
  override readonly name = 'Usage';
}

export interface Options {
  readonly url: string;
  readonly key: string;
  readonly only: readonly string[];
  /** Undefined: the suite makes up a name. */
  readonly pack: string | undefined;
  readonly channel: string | undefined;
  readonly moveDefaultPack: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

export type Command = 'help' | 'version' | Options;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/u;

/** @throws Usage with the way to correct it */
export function readCommand(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  const values = parsed(args);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const url = values.url ?? env['PROMPT_REGISTRY_URL'];
  const key = (values.key ?? env['PROMPT_REGISTRY_KEY'])?.trim().replace(/^bearer\s+/iu, ''); // as copied from a file or a header
  if (url === undefined || url === '')
    throw new Usage(
      'The URL of the server is missing. Use --url, e.g. --url http://127.0.0.1:3000, or set PROMPT_REGISTRY_URL.',
    );
  if (key === undefined || key === '')
    throw new Usage(
      'The API key is missing. Use --key prk_…, or set PROMPT_REGISTRY_KEY. The operator key is in DATA_DIR/operator.key on the server.',
    );
  if (!/^[\x21-\x7e]+$/u.test(key))
    throw new Usage('--key: a key is ASCII without spaces; use the whole text prk_<keyId>_<secret>.');
  for (const name of ['pack', 'channel'] as const) {
    const value = values[name];
    if (value !== undefined && !NAME.test(value))
      throw new Usage(`--${name} ${value}: a name has at most 63 lower-case letters, digits and hyphens.`);
  }
  return {
    url: originOf(url),
    key,
    only: values.only ?? [],
    pack: values.pack,
    channel: values.channel,
    moveDefaultPack: values['move-default-pack'],
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
      'move-default-pack': flag,
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
    throw new Usage(`--url ${text}: use a complete http or https URL, e.g. http://127.0.0.1:3000.`);
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new Usage(`--url ${text}: use a URL without a query, a fragment or a user.`);
  return `${url.origin}${url.pathname.replace(/\/$/u, '')}`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600))
    throw new Usage(`--timeout ${text}: use a number of seconds above 0 and up to 600.`);
  return seconds;
}
