/**
 * Checks the text of a setting, and shows it in a message.
 *
 * Problem: files and service units garble values, and a message about a wrong value must not show a password.
 * Rule: text that only a shell would expand is refused. A secret is never shown.
 * Example: `DATA_DIR=~/data` is refused: a folder with the name `~` would be created.
 */

/** Settings that hold secrets. `<name>_FILE` names a file to read one from, so that it need not be in the environment. */
export const SECRETS = ['STORE_URL', 'PGPASSWORD', 'OTEL_EXPORTER_OTLP_HEADERS'] as const;

/** What `PUBLIC_URL` must be. */
export const PUBLIC_URL_FORM = 'an http or https URL, e.g. https://prompts.example.org/registry';

/** Settings that are paths. */
const PATHS: readonly string[] = [
  'DATA_DIR',
  'PACKS_DIR',
  'SNAPSHOT_KEY_FILE',
  ...SECRETS.map((name) => `${name}_FILE`),
];

/**
 * Finds text that a file or a service unit has garbled: line ends, quotes, unexpanded variables. Without this check such a path would silently
 * create an oddly named folder.
 * @returns the end of "it must be …"; undefined if the text is fine
 */
export function textFault(name: string, value: string): string | undefined {
  if (/\p{Cc}/u.test(value))
    return 'free of control characters (a \\r means that the file that sets it has Windows line ends)';
  if (name === 'PUBLIC_URL') return publicUrlFault(value);
  const path = PATHS.includes(name) ? value : name === 'STORE_URL' ? /^sqlite:(.*)$/u.exec(value)?.[1] : undefined;
  if (name !== 'PGPASSWORD' && [value, path ?? ''].some((text) => /^(["']).*\1$/u.test(text)))
    return 'written without quotes: here they would be part of the value';
  return path === undefined ? undefined : pathFault(path, name === 'STORE_URL');
}

function pathFault(path: string, isUrl: boolean): string | undefined {
  if (path.startsWith('~')) return 'a path without ~, which only a shell expands, e.g. /home/registry/data';
  if (/\$[A-Za-z_{(]/u.test(path)) return 'a path without variables, which only a shell expands';
  if (path !== path.trim()) return 'a path without leading or trailing spaces';
  if (isUrl && /^\/\/(?!\/)/u.test(path))
    return 'sqlite:<path> without //, e.g. sqlite:data/registry.db below the working folder, or sqlite:/srv/registry/registry.db';
  if (isUrl && /[?#]|%[0-9a-f]{2}/iu.test(path))
    return 'sqlite:<path> without parameters and without percent-encoding such as %20';
  if (!isUrl && /^[a-z][a-z0-9+.-]*:\/\//iu.test(path)) return 'a path, not a URL, e.g. /srv/registry';
  return undefined;
}

/** Links add this path to their own, so it must be as plain as a forwarded prefix (`plugins/path-prefix.ts`). */
function publicUrlFault(value: string): string | undefined {
  const [, authority = '', path = ''] = /^https?:\/\/([^/?#\\\s]+)([^?#]*)/iu.exec(value) ?? [];
  if (authority.includes('@')) return `${PUBLIC_URL_FORM}, without a user name and a password`;
  if (authority === '' || !URL.canParse(value)) return PUBLIC_URL_FORM;
  if (/[?#]/u.test(value)) return `${PUBLIC_URL_FORM}, without a query and a fragment`;
  return /^(?:\/[\w~-][\w.~-]*)*\/?$/u.test(path)
    ? undefined
    : `${PUBLIC_URL_FORM}, with a path of letters, digits, ".", "_", "~" and "-"`;
}

/** A wrong value as a message may show it. A URL may contain a password, and after a typo it can be anywhere in the text. */
export function shown(name: string, value: string): string {
  if (NEVER_SHOWN.includes(name)) return '…';
  if (URLS.includes(name) && /@|password/iu.test(value)) return `${/^[^:@/]*:/u.exec(value)?.[0] ?? ''}…`;
  return escaped(value);
}

const NEVER_SHOWN: readonly string[] = ['PGPASSWORD', 'OTEL_EXPORTER_OTLP_HEADERS'];
/** Settings that may hold a URL with a password. */
const URLS: readonly string[] = ['STORE_URL', 'PUBLIC_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'CORS_ORIGINS'];

/** Control characters with a short escape. */
const SHORT: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\t': '\\t' };

/** Text without control characters. */
export function escaped(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
