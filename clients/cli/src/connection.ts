/**
 * Finds the registry's URL and the API key.
 *
 * Rule: the key comes from `--key`, `--key-file` or `PROMPT_REGISTRY_KEY`, in this order. Without any of them, if the registry is on this
 * machine, it is the operator key in the service's data folder. That key is never sent to another machine or to a proxy.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { tokenOf } from '@prompt-registry/client';
import { CliError, EXIT, wrongUsage } from './exit.ts';
import type { Target } from './explain.ts';
import type { Io } from './output.ts';
import { isProxied } from './proxy.ts';

export const DEFAULT_URL = 'http://127.0.0.1:3000';

export interface ConnectionOptions {
  readonly url?: string;
  readonly key?: string;
  readonly keyFile?: string;
}

export interface Connection extends Target {
  readonly key: string;
}

/**
 * Finds the URL and the key.
 * @throws CliError if the URL is invalid, or if no usable key is found
 */
export async function findConnection(
  options: ConnectionOptions,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<Connection> {
  const url = urlOf(options, env);
  const { key, keySource } = await keyOf(url, options, { env, cwd });
  if (key === '' || /[^\u0021-\u007e]/u.test(key))
    throw noKey(
      `The key from ${keySource} is invalid: it is empty, or contains spaces or characters that keys never have.`,
    );
  return { url: url.href.replace(/\/+$/u, ''), key, keySource };
}

function urlOf({ url: given }: ConnectionOptions, env: Io['env']): URL {
  const text = given ?? nonEmpty(env['PROMPT_REGISTRY_URL']) ?? DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/u.test(url.protocol)) {
    throw wrongUsage(
      `"${text}" is not a valid registry URL.`,
      `Set --url or PROMPT_REGISTRY_URL to a URL such as ${DEFAULT_URL} or https://prompts.example.com.`,
    );
  }
  const extra =
    url.username !== '' || url.password !== ''
      ? 'a user name or password; the registry uses an API key instead'
      : url.search !== '' || url.hash !== ''
        ? 'a query or fragment, which would be ignored'
        : undefined;
  if (extra !== undefined)
    throw wrongUsage(`The registry URL contains ${extra}.`, `Remove it from --url or PROMPT_REGISTRY_URL.`);
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

  if (!isLoopback(url)) throw noKey(`No API key for ${url.origin}.`);
  const path = join(resolve(cwd, nonEmpty(env['DATA_DIR']) ?? 'data'), 'operator.key');
  if (isProxied(url, env))
    throw noKey(
      `The operator key of this machine is never sent through a proxy, and HTTP_PROXY also applies to ${url.host}.`,
      `Or set NO_PROXY=${url.hostname}.`,
    );
  try {
    return { key: await readKey(path), keySource: path };
  } catch (error) {
    if (error instanceof CliError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      throw noKey(
        `No API key given, and no operator key found at ${path}.`,
        "Run the command in the service's folder, or with its DATA_DIR, to use the operator key.",
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
      `Cannot read the key file ${path}: ${error instanceof Error ? error.message : String(error)}.`,
      'Run the command as a user who may read the file, or use another key.',
      error,
    );
  }
}

function noKey(message: string, hint?: string, cause?: unknown): CliError {
  return new CliError(message, {
    exit: EXIT.key,
    code: 'no-key',
    hint: `Set PROMPT_REGISTRY_KEY or --key-file.${hint === undefined ? '' : ` ${hint}`}`,
    cause,
  });
}

/** Whether a URL can only point to this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/u.test(hostname);
}

/** An empty variable counts as unset. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
