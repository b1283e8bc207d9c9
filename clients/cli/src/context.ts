/** What every command gets: streams, output, global options and the registry client. */
import { createRegistryClient, RegistryFailure, type RegistryClient } from '@prompt-registry/client';
import { findConnection, type Connection, type ConnectionOptions } from './connection.ts';
import { wrongUsage, type CliError, type ExitCode } from './exit.ts';
import type { Target } from './explain.ts';
import type { Io, Output } from './output.ts';
import { withFields } from './fields.ts';
import { name } from './arguments.ts';

/** Options of every command. */
export interface CommonOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly color: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface RegistryOptions {
  /** Request timeout in milliseconds, if `--timeout` is not given. */
  readonly timeout?: number;
  /** Lower bound of the timeout in milliseconds, even if `--timeout` is shorter. */
  readonly atLeast?: number;
}

/** Milliseconds. */
const DEFAULT_TIMEOUT = 5000;

export class Context {
  readonly io: Io;
  readonly out: Output;
  readonly options: CommonOptions;
  /** The registry and key in use; set by `registry()`. */
  target: Target | undefined;
  /** A change is being sent: if interrupted now, its outcome is unknown. */
  sending = false;
  /** A change was confirmed. */
  changed = false;
  /** The command that shows whether a change was made. */
  checkCommand = 'status';
  /** Ctrl-C is the normal way to end this command. */
  runsUntilInterrupted = false;
  /** The error to report if the output cannot be written and cannot be requested again (a new secret). */
  unwrittenError: CliError | undefined;
  #connection: Promise<Connection> | undefined;
  #warnedStale = false;

  constructor(io: Io, out: Output, options: CommonOptions) {
    this.io = io;
    this.out = out;
    this.options = options;
  }

  /** The registry client. @throws CliError if the URL is invalid or no key is found */
  async registry({ timeout = DEFAULT_TIMEOUT, atLeast = 0 }: RegistryOptions = {}): Promise<RegistryClient> {
    this.#connection ??= findConnection(this.options, this.io);
    const { url, key, keySource } = await this.#connection;
    const [, keyId] = /^prk_([^_]+)_/u.exec(key) ?? [];
    this.target = { url, keySource, keyId };
    const limit = this.options.timeout === undefined ? timeout : this.options.timeout * 1000;
    return createRegistryClient({
      url,
      key,
      timeout: Math.max(limit, atLeast),
      fetch: (request, init) => this.#fetch(request, init),
    });
  }

  /**
   * The pack to work on: the named one, else PROMPT_REGISTRY_PACK, else the registry's default pack.
   * @param named the value of --pack
   * @param given the positional argument
   */
  async pack(named: string | undefined, given?: string): Promise<string> {
    if (given !== undefined && named !== undefined && given !== named)
      throw wrongUsage(`The argument "${given}" and --pack "${named}" name different packs.`);
    const pack = given ?? named ?? this.#packOfEnvironment();
    if (pack !== undefined) return pack;
    const registry = await this.registry();
    return (await registry.ask((api) => api.GET('/v1/prompts/styles')).then(withFields({ pack: 'string' }))).data.pack;
  }

  #packOfEnvironment(): string | undefined {
    const { PROMPT_REGISTRY_PACK: pack = '' } = this.io.env;
    if (pack !== '' && pack.trim() === '')
      throw wrongUsage('PROMPT_REGISTRY_PACK is blank.', 'Set it to a pack name, or unset it.');
    if (pack === '') return undefined;
    try {
      return name(pack);
    } catch (error) {
      throw wrongUsage(`PROMPT_REGISTRY_PACK is not a valid pack name: "${pack}". ${(error as Error).message}`);
    }
  }

  /** Rejects redirects and HTML pages, and warns once if the response is stale. */
  async #fetch(request: Request, init?: RequestInit): Promise<Response> {
    const response = await fetch(request, { ...init, redirect: 'manual' });
    if ([301, 302, 303, 307, 308].includes(response.status)) {
      await response.body?.cancel();
      const to = response.headers.get('location');
      throw new RegistryFailure(
        'not-a-registry',
        `${new URL(request.url).origin} redirects (${response.status})${to === null ? '' : ` to ${to}`}. Redirects are not followed; use the registry's own URL.`,
        { status: response.status },
      );
    }
    if (
      response.ok &&
      !/^(application\/json|text\/event-stream)\b/iu.test(response.headers.get('content-type') ?? '')
    ) {
      await response.body?.cancel();
      throw new RegistryFailure(
        'not-a-registry',
        `${new URL(request.url).origin} returned ${response.status}, but not JSON. This is not the registry: check for a proxy, another service or a wrong path.`,
        { status: response.status },
      );
    }
    const stale = response.headers.get('registry-stale');
    if (stale !== null && !this.#warnedStale) {
      this.#warnedStale = true;
      this.out.warn(`The service has been out of sync for ${stale} s. This data may be stale.`);
    }
    return response;
  }
}

/** Implements a command. The exit code defaults to 0. */
export type Handler<O, A extends readonly (string | number | undefined)[]> = (
  context: Context,
  options: O,
  ...args: A
) => Promise<ExitCode | undefined>;

/** Wraps a handler as a Commander action. */
export type Act = <O = object, A extends readonly (string | number | undefined)[] = []>(
  handler: Handler<O, A>,
) => (...given: unknown[]) => Promise<void>;
