/**
 * Which registry is asked, and with which key.
 *
 * Rule: the key is that of `--key`, `--key-file`, `PROMPT_REGISTRY_KEY`; where there is none and the registry is on this machine, the
 * operator key that the service put into its data folder. That key is never sent to another machine, nor to a proxy.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { tokenOf } from '@prompt-registry/client';
import { Complaint, EXIT, wrongUsage } from './exit.ts';
import type { Whereabouts } from './explain.ts';
import type { Io } from './output.ts';
import { isProxied } from './proxy.ts';

export const DEFAULT_URL = 'http://127.0.0.1:3000';

export interface ConnectionOptions {
  readonly url?: string;
  readonly key?: string;
  readonly keyFile?: string;
}

export interface Connection extends Whereabouts {
  readonly key: string;
}

/**
 * Finds the registry and the key.
 * @throws Complaint where the URL is none, or where no key can be had
 */
export async function findConnection(
  options: ConnectionOptions,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<Connection> {
  const url = urlOf(options, env);
  const { key, keySource } = await keyOf(url, options, { env, cwd });
  if (key === '' || /[^\u0021-\u007e]/u.test(key))
    throw noKey(`The key from ${keySource} is no key: it is empty, or holds blanks or characters that no key has.`);
  return { url: url.href.replace(/\/+$/u, ''), key, keySource };
}

function urlOf({ url: given }: ConnectionOptions, env: Io['env']): URL {
  const text = given ?? nonEmpty(env['PROMPT_REGISTRY_URL']) ?? DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/u.test(url.protocol)) {
    throw wrongUsage(
      `"${text}" is no URL of a registry.`,
      `It looks like ${DEFAULT_URL} or https://prompts.example.com; it comes from --url or PROMPT_REGISTRY_URL.`,
    );
  }
  const surplus =
    url.username !== '' || url.password !== ''
      ? 'a user or a password; a registry asks for a key'
      : url.search !== '' || url.hash !== ''
        ? 'a query or a fragment, which no request would carry'
        : undefined;
  if (surplus !== undefined)
    throw wrongUsage(
      `The URL of the registry has ${surplus}.`,
      `Leave it out; the URL comes from --url or PROMPT_REGISTRY_URL.`,
    );
  return url;
}

async function keyOf(
  url: URL,
  options: ConnectionOptions,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<{ key: string; keySource: string }> {
  if (options.key !== undefined) return { key: tokenOf(options.key), keySource: '--key' };
  if (options.keyFile !== undefined) {
    const path = resolve(cwd, options.keyFile);
    return { key: await readKey(path), keySource: path };
  }
  const fromEnvironment = nonEmpty(env['PROMPT_REGISTRY_KEY']);
  if (fromEnvironment !== undefined) return { key: tokenOf(fromEnvironment), keySource: 'PROMPT_REGISTRY_KEY' };

  if (!isLoopback(url)) throw noKey(`There is no key for ${url.origin}.`);
  const path = join(resolve(cwd, nonEmpty(env['DATA_DIR']) ?? 'data'), 'operator.key');
  if (isProxied(url, env))
    throw noKey(
      `The operator key of this machine is not sent through a proxy, and the environment names one (HTTP_PROXY) for ${url.host} too.`,
      `Or set NO_PROXY=${url.hostname}.`,
    );
  try {
    return { key: await readKey(path), keySource: path };
  } catch (error) {
    if (error instanceof Complaint && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      throw noKey(
        `There is no key, and no operator key at ${path}.`,
        "In the service's own folder, or with its DATA_DIR set, the operator key is found by itself.",
      );
    }
    throw error;
  }
}

async function readKey(path: string): Promise<string> {
  try {
    return tokenOf(await readFile(path, 'utf8'));
  } catch (error) {
    throw noKey(
      `The key file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Run it as the user who may read the file, or name another key.',
      error,
    );
  }
}

function noKey(message: string, hint?: string, cause?: unknown): Complaint {
  return new Complaint(message, {
    exit: EXIT.key,
    code: 'no-key',
    hint: `Set PROMPT_REGISTRY_KEY, or name a file with --key-file.${hint === undefined ? '' : ` ${hint}`}`,
    cause,
  });
}

/** Whether a URL cannot lead to another machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/u.test(hostname);
}

/** An empty variable is one that is not set. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
